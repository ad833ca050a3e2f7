import type { Readable, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { Status } from '@keelson/apis/meta/v1/types.ts'
import { WebSocketChannels } from './channels.ts'
import { grantSpdy, grantWebSocket, isWebSocketUpgrade, queryOf, refuseUpgrade } from './http-upgrade.ts'
import { SpdyConnection, type SpdyStream } from './spdy.ts'
import { readTerminalSizes } from './terminal-sizes.ts'
import type { HandleRemoteCommandOptions, RemoteCommandHandler, RemoteCommandOptions, Upgrade } from './types.ts'

/**
 * The server's end of `kubectl exec` and `kubectl attach`, over SPDY and over WebSockets.
 * @see https://github.com/kubernetes/apimachinery/blob/master/pkg/util/remotecommand/constants.go for the versions
 */

const spdyProtocols = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v3.channel.k8s.io',
  'v2.channel.k8s.io',
  'channel.k8s.io',
]
const webSocketProtocols = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
  'channel.k8s.io',
  'base64.channel.k8s.io',
  '',
]
const channelOf = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const
const defaultOpenTimeoutMs = 30_000

/** An open connection with the streams the client asked for, whatever the protocol. */
interface Session {
  stdin?: Readable
  stdout?: Writable
  stderr?: Writable
  resize?: Readable
  error: Writable
  /** Before v4 the error stream carries words, since then a Status. */
  statusAsJson: boolean
  closed: Promise<void>
  close(): void
}

/**
 * Runs `handler` for one exec or attach request and reports how it ended.
 * Resolves when the connection is closed, refused ones included; never rejects.
 */
export async function handleRemoteCommand(
  upgrade: Upgrade,
  handler: RemoteCommandHandler,
  options: HandleRemoteCommandOptions = {},
): Promise<void> {
  const wanted = options.streams ?? remoteCommandOptions(queryOf(upgrade))
  if (!wanted.stdin && !wanted.stdout && !wanted.stderr) {
    refuseUpgrade(upgrade.socket, 400, 'you must specify at least 1 of stdin, stdout, stderr')
    return
  }
  const session = isWebSocketUpgrade(upgrade)
    ? await openWebSocket(upgrade, wanted)
    : await openSpdy(upgrade, wanted, options.openTimeoutMs ?? defaultOpenTimeoutMs)
  if (!session) return
  await run(session, handler, wanted.tty, options)
  session.close()
  await session.closed
}

/** True when the query has the parameter, whatever its value, unless that is `false` or `0`: as Kubernetes reads them. */
export function isAsked(query: URLSearchParams, name: string): boolean {
  const value = query.get(name)
  return value !== null && value !== '0' && value.toLowerCase() !== 'false'
}

/** What a query asks for, in the words of the API (`stdin=true`) or of a kubelet (`input=1`). */
export function remoteCommandOptions(query: URLSearchParams): RemoteCommandOptions {
  const asks = (...names: string[]) => names.some((name) => isAsked(query, name))
  const tty = asks('tty')
  return {
    stdin: asks('stdin', 'input'),
    stdout: asks('stdout', 'output'),
    stderr: asks('stderr', 'error') && !tty,
    tty,
  }
}

async function run(
  session: Session,
  handler: RemoteCommandHandler,
  tty: boolean,
  options: HandleRemoteCommandOptions,
): Promise<void> {
  const gone = new AbortController()
  session.closed.then(() => gone.abort())
  const signal = options.signal ? AbortSignal.any([gone.signal, options.signal]) : gone.signal
  const { stdin, stdout, stderr, error } = session
  // A client may leave at any time; the handler learns of it by `signal` and by failing writes, not by a crash.
  for (const stream of [stdin, stdout, stderr, error]) stream?.on('error', () => {})
  const resizes = readTerminalSizes(session.resize)
  const status = await handler({ stdin, stdout, stderr, tty, resizes, signal }).then(
    ({ exitCode }) => exitStatus(exitCode),
    (failure) => failureStatus(failure, options.action ?? 'exec'),
  )
  await Promise.all([flush(stdout), flush(stderr)])
  const text = encodeStatus(status, session.statusAsJson)
  if (text && error.writable) error.write(text)
  await flush(error)
}

/** Ends the stream; resolves when all is sent or the client is gone. */
async function flush(stream: Writable | undefined): Promise<void> {
  if (!stream || stream.destroyed) return
  stream.end()
  await finished(stream, { readable: false }).catch(() => {})
}

type CommandStatus = Omit<Status, 'apiVersion' | 'kind' | 'code' | 'reason'> & { reason?: string; code?: number }

export function exitStatus(exitCode: number): CommandStatus {
  if (exitCode === 0) return { metadata: {}, status: 'Success' }
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  }
}

function failureStatus(failure: unknown, action: 'exec' | 'attach'): CommandStatus {
  const doing = action === 'exec' ? 'error executing command in container' : 'error attaching to container'
  const message = `${doing}: ${failure instanceof Error ? failure.message : String(failure)}`
  return {
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: ${message}`,
    reason: 'InternalError',
    details: { causes: [{ message }] },
    code: 500,
  }
}

function encodeStatus(status: CommandStatus, asJson: boolean): string {
  if (asJson) return JSON.stringify(status)
  return status.status === 'Success' ? '' : (status.message ?? '')
}

/** How long a client may take to show that it listens, before the command is run all the same. */
const patienceMs = 100

async function openWebSocket(upgrade: Upgrade, wanted: RemoteCommandOptions): Promise<Session | undefined> {
  const granted = await grantWebSocket(upgrade, webSocketProtocols)
  if (!granted) return undefined
  const { protocol, socket } = granted
  const channels = new WebSocketChannels(socket, {
    connection: upgrade.socket,
    base64: protocol.includes('base64'),
    closeSignal: protocol.startsWith('v5.'),
  })
  const output = (name: 'stdout' | 'stderr' | 'error') => discarding(channels.open(channelOf[name]))
  const session: Session = {
    ...(wanted.stdin && { stdin: channels.open(channelOf.stdin) }),
    ...(wanted.stdout && { stdout: output('stdout') }),
    ...(wanted.stderr && { stderr: output('stderr') }),
    resize: channels.open(channelOf.resize),
    error: output('error'),
    statusAsJson: /^v[45]\./.test(protocol),
    closed: channels.closed,
    close: () => channels.close(),
  }
  await channels.heard(patienceMs)
  // Clients take the first message, an empty one, as the sign that the command is being run.
  channels.announce(wanted.stdout ? channelOf.stdout : wanted.stderr ? channelOf.stderr : channelOf.error)
  return session
}

/** Nothing is to be read from a stream we only write to; reading lets it see its end. */
function discarding<S extends Readable>(stream: S): S {
  return stream.resume()
}

async function openSpdy(
  upgrade: Upgrade,
  wanted: RemoteCommandOptions,
  timeoutMs: number,
): Promise<Session | undefined> {
  const protocol = grantSpdy(upgrade, spdyProtocols, 'channel.k8s.io')
  if (!protocol) return undefined
  const resizable = wanted.tty && /^v[345]\./.test(protocol)
  const expected = new Set(['error', ...(['stdin', 'stdout', 'stderr'] as const).filter((name) => wanted[name])])
  if (resizable) expected.add('resize')
  const opened = await openStreams(upgrade, expected, timeoutMs)
  if (!opened) return undefined
  const { connection, streams } = opened
  for (const [name, stream] of streams) if (name !== 'stdin' && name !== 'resize') discarding(stream)
  return {
    stdin: streams.get('stdin'),
    stdout: streams.get('stdout'),
    stderr: streams.get('stderr'),
    resize: streams.get('resize'),
    error: streams.get('error')!,
    statusAsJson: /^v[45]\./.test(protocol),
    closed: connection.closed,
    close: () => connection.close(),
  }
}

/** Waits until the client has opened every stream of `expected`; closes the connection when it does not. */
async function openStreams(
  { socket, head }: Upgrade,
  expected: ReadonlySet<string>,
  timeoutMs: number,
): Promise<{ connection: SpdyConnection; streams: Map<string, SpdyStream> } | undefined> {
  const streams = new Map<string, SpdyStream>()
  const complete = Promise.withResolvers<true>()
  const onStream = (stream: SpdyStream) => {
    const name = stream.headers.get('streamtype') ?? ''
    if (!expected.has(name) || streams.has(name)) return stream.refuse()
    stream.accept()
    streams.set(name, stream)
    if (streams.size === expected.size) complete.resolve(true)
  }
  const connection = new SpdyConnection(socket, { role: 'server', onStream, head })
  const late = Promise.withResolvers<false>()
  const timer = setTimeout(() => late.resolve(false), timeoutMs)
  const isOpen = await Promise.race([complete.promise, late.promise, connection.closed.then(() => false)])
  clearTimeout(timer)
  if (isOpen) return { connection, streams }
  connection.close()
  await connection.closed
  return undefined
}
