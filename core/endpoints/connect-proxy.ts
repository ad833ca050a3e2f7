import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Logger } from '#apis/plugin/v1/host.ts'
import { type StatusError, statusOf } from '#core/errors/status-error.ts'
import type { UpgradeExchange } from '#core/server/exchange.ts'
import {
  checkPath,
  forwardedUpgradeHeaders,
  hostHeader,
  newDialError,
  newTargetRefusal,
  type ProxyTarget,
  tlsOptions,
} from './connect-proxy-target.ts'

/**
 * Carries an upgraded connection (exec, attach, port-forward, or one to a pod or service) from a client to a target: the
 * upgrade is asked for again, with this server's own credentials, and from the 101 on bytes pass both ways untouched.
 */

export { proxyRequest } from './connect-proxy-request.ts'
export type { ProxyTarget, ProxyTls } from './connect-proxy-target.ts'

const dialTimeoutMs = 30_000
const maxHeadBytes = 64 * 1024
const maxRefusalBytes = 64 * 1024
const lingerMs = 1_000

/**
 * Resolves when both connections are closed. What goes wrong before the 101 is answered with a Status; never rejects.
 * The target's refusal in JSON (a Status of its own) is passed on as it is.
 */
export async function proxyUpgrade(upgrade: UpgradeExchange, target: ProxyTarget, log: Logger): Promise<void> {
  const client = upgrade.socket
  // An error shows as the close behind it.
  client.on('error', () => {})
  let backend: Socket | undefined
  try {
    checkPath(target.path)
    backend = await dial(target, client)
    backend.write(requestHead(upgrade, target), 'latin1')
    const answer = await readHead(backend, client)
    if (answer.code !== 101) return await refuse(upgrade, backend, answer)
    client.write(answer.head)
    if (answer.rest.length > 0) backend.unshift(answer.rest)
    // Not before the 101: a target that did not upgrade would take these bytes for a further request of this server's.
    if (upgrade.head.length > 0) backend.write(upgrade.head)
    await relay(client, backend)
  } catch (error) {
    log.warn('upgrade not proxied', { path: upgrade.path, host: target.host, port: target.port, error: String(error) })
    backend?.destroy()
    const status = statusOf(error)
    upgrade.refuse(status.code, 'application/json', JSON.stringify(status))
  }
}

/** @throws StatusError when there is no connection within 30 seconds, or the client leaves first */
function dial(target: ProxyTarget, client: Socket): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const { host, port } = target
  const backend = target.tls ? connectTls({ host, port, ...tlsOptions(target) }) : connectTcp({ host, port })
  const fail = (error: Error) => {
    backend.destroy()
    reject(newDialError(error))
  }
  const leave = () => fail(new Error('the client is gone'))
  client.once('close', leave)
  backend.setTimeout(dialTimeoutMs, () => fail(new Error(`dial tcp ${host}:${port}: i/o timeout`)))
  backend.once('error', fail)
  backend.once(target.tls ? 'secureConnect' : 'connect', () => {
    client.off('close', leave)
    backend.off('error', fail).setTimeout(0)
    backend.setNoDelay(true)
    resolve(backend)
  })
  return promise
}

function requestHead(upgrade: UpgradeExchange, target: ProxyTarget): string {
  const pairs = [...forwardedUpgradeHeaders(upgrade.rawHeaders), ...(target.headers ?? [])]
  const headers = pairs.map(([name, value]) => `${name}: ${value}`)
  return [`${upgrade.method} ${target.path} HTTP/1.1`, `Host: ${hostHeader(target)}`, ...headers, '', ''].join('\r\n')
}

interface AnswerHead {
  code: number
  head: Buffer
  /** What came behind the head. */
  rest: Buffer
}

/** Reads to the end of the answer's head and leaves the socket paused. @throws StatusError for anything else */
function readHead(backend: Socket, client: Socket): Promise<AnswerHead> {
  const { promise, resolve, reject } = Promise.withResolvers<AnswerHead>()
  let bytes: Buffer = Buffer.alloc(0)
  const stop = () => {
    client.off('close', onLeave)
    backend.off('data', onData).off('error', onError).off('close', onClose).pause()
  }
  const fail = (why: string) => {
    stop()
    reject(newTargetRefusal(502, `error dialing backend: ${why}`))
  }
  const onError = (error: Error) => fail(error.message)
  const onLeave = () => fail('the client is gone')
  const onClose = () => fail('the connection was closed before an answer came')
  const onData = (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk])
    const end = bytes.indexOf('\r\n\r\n')
    if (end < 0) return bytes.length > maxHeadBytes ? fail('the head of the answer is too large') : undefined
    const code = /^HTTP\/1\.[01] ([1-5][0-9][0-9])[ \r]/.exec(bytes.toString('latin1', 0, 64))?.[1]
    if (!code) return fail('malformed HTTP response')
    stop()
    resolve({ code: Number(code), head: bytes.subarray(0, end + 4), rest: bytes.subarray(end + 4) })
  }
  client.once('close', onLeave)
  backend.on('data', onData).on('error', onError).on('close', onClose)
  return promise
}

/** Passes the target's refusal to the client, as a Status unless it is JSON already. */
async function refuse(upgrade: UpgradeExchange, backend: Socket, answer: AnswerHead): Promise<void> {
  const body = await readRefusal(backend, answer)
  if (/\ncontent-type: *application\/json/i.test(answer.head.toString('latin1'))) {
    upgrade.refuse(answer.code, 'application/json', body)
    return
  }
  const refusal: StatusError = newTargetRefusal(answer.code, `unable to upgrade connection: ${body.trim()}`)
  upgrade.refuse(answer.code, 'application/json', JSON.stringify(refusal.status))
}

/** The body of a refusal: as long as it says, or to the end of the connection; never more than 64 KiB. */
async function readRefusal(backend: Socket, { head, rest }: AnswerHead): Promise<string> {
  const text = head.toString('latin1')
  const length = Math.min(Number(/\ncontent-length: *([0-9]+)/i.exec(text)?.[1] ?? maxRefusalBytes), maxRefusalBytes)
  const isChunked = /\ntransfer-encoding: *chunked/i.test(text)
  let body = rest
  const isWhole = () => body.length >= length || (isChunked && body.toString('latin1').endsWith('0\r\n\r\n'))
  if (!isWhole()) {
    backend.on('error', () => backend.destroy())
    for await (const chunk of backend) {
      body = Buffer.concat([body, chunk as Buffer])
      if (isWhole()) break
    }
  }
  backend.destroy()
  return isChunked ? unchunk(body) : body.toString('utf8', 0, length)
}

function unchunk(body: Buffer): string {
  let text = ''
  for (let at = 0; ; ) {
    const lineEnd = body.indexOf('\r\n', at)
    const size = Number.parseInt(body.toString('latin1', at, lineEnd), 16)
    if (lineEnd < 0 || !(size > 0)) return text
    text += body.toString('utf8', lineEnd + 2, lineEnd + 2 + size)
    at = lineEnd + 2 + size + 2
  }
}

/** Copies bytes both ways, each as fast as its reader takes them, until both connections are closed. */
async function relay(client: Socket, backend: Socket): Promise<void> {
  const closed = Promise.all([whenClosed(client), whenClosed(backend)])
  backend.on('error', () => {})
  for (const [from, to] of [
    [client, backend],
    [backend, client],
  ] as const) {
    from.pipe(to)
    from.once('end', () => destroyLater(to))
    from.once('close', () => {
      // What `to` still sends has nowhere to go.
      to.unpipe(from).resume()
      if (!to.writableEnded) to.end()
      destroyLater(to)
    })
    if (from.destroyed) to.destroy()
  }
  await closed
}

/** Closing a socket at once, with bytes unread, would make its peer lose what that has not read yet. */
function destroyLater(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(timer))
}

function whenClosed(socket: Socket): Promise<void> {
  if (socket.destroyed) return Promise.resolve()
  return new Promise((resolve) => socket.once('close', () => resolve()))
}
