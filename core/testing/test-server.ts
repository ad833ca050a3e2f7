import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { type ClientHttp2Session, connect } from 'node:http2'
import { Agent, request as h1Request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))

/** An answer, read to its end. */
export interface TestAnswer {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
  /** The text as JSON. Loosely typed: tests say what they expect of it. */
  json<T = TestObject>(): T
}

/** Any object of the API, or a Status. */
export interface TestObject {
  kind: string
  apiVersion: string
  metadata: { name?: string; uid?: string; resourceVersion: string; continue?: string; [field: string]: unknown }
  code?: number
  reason?: string
  message?: string
  [field: string]: unknown
}

export type TestBody = string | Buffer | Record<string, unknown> | unknown[] | undefined

/** `keelson server` in a process of its own, as users run it, on a data directory that goes when it is disposed of. */
export interface TestServer extends AsyncDisposable {
  readonly directory: string
  readonly kubeconfig: string
  readonly port: number
  readonly pid: number
  /** Of the administrator. */
  readonly tls: { ca: string; cert: string; key: string }
  /** What it wrote to stderr so far, but for notices that a start is slow. */
  stderr(): string
  /**
   * One request as the administrator, over a shared HTTP/2 connection. An object is sent as JSON.
   * @param target path and query
   */
  request(method: string, target: string, body?: TestBody, headers?: Record<string, string>): Promise<TestAnswer>
  /** The same over HTTP/1.1. */
  requestH1(method: string, target: string, body?: TestBody, headers?: Record<string, string>): Promise<TestAnswer>
  /** A connection after its TLS handshake, for what no client library would send. */
  socket(protocol?: 'h2' | 'http/1.1'): Promise<TLSSocket>
  /** An HTTP/2 connection of its own. */
  session(): ClientHttp2Session
  /** SIGTERM. @returns the exit status */
  stop(): Promise<number | null>
  /** Ends it as a power cut would. */
  kill9(): Promise<void>
  /** Starts it again, on the same port and data; stops it first when it runs. */
  restart(): Promise<void>
}

/**
 * Starts a server and waits until it is ready.
 * @param flags further ones: `['--log-level', 'debug']`
 * @param prepare puts things into its data directory before it starts
 */
export async function startTestServer(
  flags: readonly string[] = [],
  prepare?: (directory: string) => Promise<void>,
): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), 'keelson-test-'))
  await prepare?.(directory)
  const server = new ChildServer(directory, flags)
  try {
    await server.start(0)
    return server
  } catch (error) {
    await server[Symbol.asyncDispose]()
    throw error
  }
}

/** Runs the command line to its end. */
export async function runKeelson(args: readonly string[]): Promise<{ status: number | null; stderr: string }> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const [status] = (await once(child, 'close')) as [number | null]
  return { status, stderr: withoutNotices(stderr) }
}

/** On a busy machine a start takes its time, and says so. */
const withoutNotices = (stderr: string) => stderr.replaceAll('still starting ...\n', '')

class ChildServer implements TestServer {
  readonly directory: string
  readonly #flags: readonly string[]
  #child: ChildProcess | undefined
  #exited: Promise<number | null> = Promise.resolve(null)
  #stderr = ''
  #session: ClientHttp2Session | undefined
  #agent: Agent | undefined
  port = 0
  tls = { ca: '', cert: '', key: '' }

  constructor(directory: string, flags: readonly string[]) {
    this.directory = directory
    this.#flags = flags
  }

  get kubeconfig(): string {
    return join(this.directory, 'admin.kubeconfig')
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  stderr(): string {
    return withoutNotices(this.#stderr)
  }

  async start(port: number): Promise<void> {
    const args = [main, 'server', '--data-dir', this.directory, '--port', String(port), ...this.#flags]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    this.#exited = once(child, 'exit').then(([code]) => code as number | null)
    child.stderr.on('data', (chunk) => {
      this.#stderr += chunk
    })
    this.port = await portOf(child, () => this.#stderr)
    this.tls = await adminTls(this.kubeconfig)
    await this.#ready()
  }

  async #ready(): Promise<void> {
    while ((await this.request('GET', '/readyz')).status !== 200);
  }

  request(method: string, target: string, body?: TestBody, headers: Record<string, string> = {}): Promise<TestAnswer> {
    if (!this.#session || this.#session.closed || this.#session.destroyed) this.#session = this.session()
    const session = this.#session
    const bytes = bytesOf(body)
    return new Promise((resolve, reject) => {
      const stream = session.request(
        { ':method': method, ':path': target, ...typeOf(body), ...headers },
        { endStream: bytes === undefined },
      )
      const chunks: Buffer[] = []
      let head: TestAnswer['headers'] = {}
      stream.on('response', (received) => {
        head = received as TestAnswer['headers']
      })
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => resolve(answerOf(Number(head[':status']), head, chunks)))
      stream.on('error', reject)
      if (bytes !== undefined) stream.end(bytes)
    })
  }

  requestH1(
    method: string,
    target: string,
    body?: TestBody,
    headers: Record<string, string> = {},
  ): Promise<TestAnswer> {
    this.#agent ??= new Agent({ keepAlive: true, ...this.tls })
    const bytes = bytesOf(body)
    return new Promise((resolve, reject) => {
      const sent = h1Request(
        {
          agent: this.#agent,
          host: '127.0.0.1',
          port: this.port,
          path: target,
          method,
          headers: { ...typeOf(body), ...(bytes && { 'content-length': bytes.length }), ...headers },
        },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('end', () => resolve(answerOf(response.statusCode ?? 0, response.headers, chunks)))
          response.on('error', reject)
        },
      )
      sent.on('error', reject)
      sent.end(bytes)
    })
  }

  async socket(protocol: 'h2' | 'http/1.1' = 'http/1.1'): Promise<TLSSocket> {
    const socket = connectTls({ host: '127.0.0.1', port: this.port, ALPNProtocols: [protocol], ...this.tls })
    socket.on('error', () => {})
    await once(socket, 'secureConnect')
    return socket
  }

  session(): ClientHttp2Session {
    const session = connect(`https://127.0.0.1:${this.port}`, this.tls)
    // Requests in flight hear of it themselves.
    session.on('error', () => {})
    session.setMaxListeners(0)
    return session
  }

  stop(): Promise<number | null> {
    return this.#end('SIGTERM')
  }

  async kill9(): Promise<void> {
    await this.#end('SIGKILL')
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    this.#child?.kill(signal)
    const status = await this.#exited
    this.#child = undefined
    this.#session?.destroy()
    this.#session = undefined
    this.#agent?.destroy()
    this.#agent = undefined
    return status
  }

  async restart(): Promise<void> {
    if (this.#child) await this.stop()
    await this.start(this.port)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill9()
    await rm(this.directory, { recursive: true, force: true })
  }
}

/** The server's greeting names its address once it serves. */
async function portOf(child: ChildProcess, stderr: () => string): Promise<number> {
  for await (const line of createInterface({ input: child.stdout! })) {
    const found = /https:\/\/[^:]+:(\d+)/.exec(line)
    if (!found) continue
    child.stdout!.resume()
    return Number(found[1])
  }
  throw new Error(`the server ended before it said where it serves:\n${stderr()}`)
}

async function adminTls(kubeconfig: string): Promise<TestServer['tls']> {
  const text = await readFile(kubeconfig, 'utf8')
  const read = (field: string) =>
    Buffer.from(new RegExp(`${field}: "?([A-Za-z0-9+/=]+)`).exec(text)![1]!, 'base64').toString('utf8')
  return {
    ca: read('certificate-authority-data'),
    cert: read('client-certificate-data'),
    key: read('client-key-data'),
  }
}

function bytesOf(body: TestBody): Buffer | undefined {
  if (body === undefined || Buffer.isBuffer(body)) return body
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}

function typeOf(body: TestBody): Record<string, string> {
  return body === undefined ? {} : { 'content-type': 'application/json' }
}

function answerOf(status: number, headers: TestAnswer['headers'], chunks: Buffer[]): TestAnswer {
  const text = Buffer.concat(chunks).toString('utf8')
  return { status, headers, text, json: <T>() => JSON.parse(text) as T }
}
