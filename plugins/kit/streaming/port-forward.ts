import type { Duplex, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createWebSocketStream } from 'ws'
import { WebSocketChannels } from './channels.ts'
import { grantSpdy, grantWebSocket, isWebSocketUpgrade, queryOf, refuseUpgrade } from './http-upgrade.ts'
import { SpdyConnection, type SpdyStream } from './spdy.ts'
import type { DialPort, HandlePortForwardOptions, Upgrade } from './types.ts'

/**
 * The server's end of `kubectl port-forward`: SPDY, SPDY inside a WebSocket (kubectl since 1.31), and the older WebSocket
 * form in which the ports are named in the request.
 * @see https://kep.k8s.io/4006
 */

const spdyProtocol = 'portforward.k8s.io'
const tunnelProtocol = `SPDY/3.1+${spdyProtocol}`
const channelProtocols = ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io', '']
const pairTimeoutMs = 30_000
const maxPorts = 100

/** Serves one port-forward request. Resolves when the connection is closed, refused ones included; never rejects. */
export async function handlePortForward(
  upgrade: Upgrade,
  dial: DialPort,
  options: HandlePortForwardOptions = {},
): Promise<void> {
  if (!isWebSocketUpgrade(upgrade)) {
    if (!grantSpdy(upgrade, [spdyProtocol], spdyProtocol)) return
    await serveSpdy(upgrade.socket, upgrade.head, dial, options)
  } else if (offersTunnel(upgrade)) {
    const granted = await grantWebSocket(upgrade, [tunnelProtocol])
    if (granted) await serveSpdy(createWebSocketStream(granted.socket), undefined, dial, options)
  } else {
    await serveChannels(upgrade, dial, options)
  }
}

const offersTunnel = ({ request }: Upgrade) =>
  request.headers['sec-websocket-protocol']?.split(',').some((one) => one.trim() === tunnelProtocol) ?? false

/** A connection the client wants to a port: `data` both ways, `error` for what went wrong. */
interface Pair {
  data?: SpdyStream
  error?: SpdyStream
}

async function serveSpdy(
  transport: Duplex,
  head: Buffer | undefined,
  dial: DialPort,
  options: HandlePortForwardOptions,
): Promise<void> {
  const pairs = new Map<string, Pair>()
  const timers = new Set<NodeJS.Timeout>()
  const gone = new AbortController()
  const dropLater = (id: string, pair: Pair) => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      if (pairs.get(id) !== pair) return
      pairs.delete(id)
      pair.error?.end('timed out waiting for streams')
      pair.data?.destroy()
    }, pairTimeoutMs)
    timers.add(timer)
  }
  const onStream = (stream: SpdyStream) => {
    const port = parsePort(stream.headers.get('port'))
    const type = stream.headers.get('streamtype')
    if (port === undefined || (type !== 'data' && type !== 'error')) return stream.refuse()
    const id = requestId(stream, type)
    const pair = pairs.get(id) ?? {}
    if (pair[type]) return stream.refuse()
    stream.accept()
    pair[type] = stream
    if (pair.data && pair.error) {
      pairs.delete(id)
      // The client closes its half of the error stream unused; reading lets the stream see that.
      pair.error.resume()
      forward(pair.data, pair.error, port, dial, options, gone.signal)
    } else {
      pairs.set(id, pair)
      dropLater(id, pair)
    }
  }
  const connection = new SpdyConnection(transport, { role: 'server', onStream, head })
  const stop = () => connection.close()
  options.signal?.addEventListener('abort', stop, { once: true })
  if (options.signal?.aborted) stop()
  await connection.closed
  options.signal?.removeEventListener('abort', stop)
  for (const timer of timers) clearTimeout(timer)
  gone.abort()
}

/** Clients older than the requestID header open the error stream first and the data stream right behind it. */
function requestId(stream: SpdyStream, type: 'data' | 'error'): string {
  return stream.headers.get('requestid') || `#${type === 'error' ? stream.id : stream.id - 2}`
}

/** Connects the client's stream to the port until both ways have ended; never rejects. */
async function forward(
  data: Duplex,
  error: Writable,
  port: number,
  dial: DialPort,
  options: HandlePortForwardOptions,
  signal: AbortSignal,
): Promise<void> {
  for (const stream of [data, error]) stream.on('error', () => {})
  let target: Duplex
  try {
    target = await dial(port, signal)
  } catch (failure) {
    error.end(forwardingError(port, failure, options))
    data.resume().end()
    return
  }
  target.on('error', () => {})
  const leave = () => target.destroy()
  data.once('close', leave)
  if (data.destroyed || signal.aborted) leave()
  pipeline(data, target).catch(() => {})
  // A connection the pod resets ends like one it closes: that is between the two, not a failure of forwarding.
  await pipeline(target, data).catch(() => data.destroy())
  error.end()
}

function forwardingError(port: number, failure: unknown, { pod }: HandlePortForwardOptions): string {
  const to = pod ? ` to pod ${pod.name}, uid ${pod.uid}` : ''
  return `error forwarding port ${port}${to}: ${failure instanceof Error ? failure.message : String(failure)}`
}

async function serveChannels(upgrade: Upgrade, dial: DialPort, options: HandlePortForwardOptions): Promise<void> {
  const ports = requestedPorts(queryOf(upgrade))
  if (typeof ports === 'string') return refuseUpgrade(upgrade.socket, 400, ports)
  const granted = await grantWebSocket(upgrade, channelProtocols)
  if (!granted) return
  const channels = new WebSocketChannels(granted.socket, {
    connection: upgrade.socket,
    base64: granted.protocol.includes('base64'),
    closeSignal: false,
  })
  const gone = new AbortController()
  channels.closed.then(() => gone.abort())
  const stop = () => channels.close()
  options.signal?.addEventListener('abort', stop, { once: true })
  if (options.signal?.aborted) stop()
  const forwards = ports.map((port, index) => {
    const [data, error] = [channels.open(index * 2), channels.open(index * 2 + 1).resume()]
    for (const channel of [data, error]) channel.write(littleEndian(port))
    return forward(data, error, port, dial, options, gone.signal)
  })
  await Promise.all(forwards)
  channels.close()
  await channels.closed
  options.signal?.removeEventListener('abort', stop)
}

/** The ports of a query (`port=80&port=443` or `ports=80,443`), or what is wrong with it. */
function requestedPorts(query: URLSearchParams): number[] | string {
  const texts = [...query.getAll('port'), ...query.getAll('ports')].flatMap((text) => text.split(','))
  if (texts.length === 0) return 'query parameter "port" is required'
  if (texts.length > maxPorts) return `at most ${maxPorts} ports may be forwarded at once`
  const ports: number[] = []
  for (const text of texts) {
    const port = parsePort(text)
    if (port === undefined) return `unable to parse ${JSON.stringify(text)} as a port`
    ports.push(port)
  }
  return ports
}

function parsePort(text: string | undefined): number | undefined {
  if (!text || !/^[0-9]{1,5}$/.test(text)) return undefined
  const port = Number(text)
  return port >= 1 && port <= 65_535 ? port : undefined
}

function littleEndian(port: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(port)
  return bytes
}
