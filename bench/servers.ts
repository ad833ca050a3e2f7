import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type ClientHttp2Session, connect } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../core/main.ts', import.meta.url))
const bare = fileURLToPath(new URL('./bare-server.ts', import.meta.url))

/** What a client needs to talk to a server of a benchmark. */
export interface Target {
  pid: number
  port: number
  tls: { ca: string; cert: string; key: string }
}

export interface KeelsonServer extends Target, AsyncDisposable {
  directory: string
  /** From starting the process to the first good /readyz. */
  readyMs: number
  /** Ends it with SIGTERM, keeping its data. */
  stop(): Promise<void>
}

/** A fresh directory that `remove` takes away again. */
export function scratch(): { directory: string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'keelson-bench-'))
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) }
}

/**
 * Starts Keelson as a user would, and waits until it is ready. What it logs goes to a file in its directory.
 * @param command `up` or `server` and further flags
 * @param compileCache where the process keeps compiled code; absent: where node does by default
 */
export async function startKeelson(
  directory: string,
  command: readonly string[],
  compileCache?: string,
): Promise<KeelsonServer> {
  const logFile = join(directory, 'bench-keelson.log')
  const log = openSync(logFile, 'a')
  const flags = ['--data-dir', directory, '--port', '0', '--log-level', 'error']
  const started = performance.now()
  const child = spawn(process.execPath, [main, ...command, ...flags], {
    stdio: ['ignore', 'pipe', log],
    env: { ...process.env, ...(compileCache && { NODE_COMPILE_CACHE: compileCache }) },
  })
  closeSync(log)
  const exited = once(child, 'exit')
  const port = await portOf(child, logFile)
  const target = { pid: child.pid!, port, tls: adminTls(directory) }
  await ready(target)
  const readyMs = performance.now() - started
  const stop = async () => {
    child.kill('SIGTERM')
    await exited
  }
  return { ...target, directory, readyMs, stop, [Symbol.asyncDispose]: stop }
}

/** The server's greeting names its address once it serves. */
async function portOf(child: ChildProcess, logFile: string): Promise<number> {
  for await (const line of createInterface({ input: child.stdout! })) {
    const found = /https:\/\/[^:]+:(\d+)/.exec(line)
    if (found) {
      child.stdout!.resume()
      return Number(found[1])
    }
  }
  throw new Error(`the server ended before it said where it serves:\n${readFileSync(logFile, 'utf8').slice(-2_000)}`)
}

function adminTls(directory: string): Target['tls'] {
  const kubeconfig = readFileSync(join(directory, 'admin.kubeconfig'), 'utf8')
  const read = (field: string) =>
    Buffer.from(new RegExp(`${field}: "?([A-Za-z0-9+/=]+)`).exec(kubeconfig)![1]!, 'base64').toString('utf8')
  return {
    ca: read('certificate-authority-data'),
    cert: read('client-certificate-data'),
    key: read('client-key-data'),
  }
}

async function ready(target: Target): Promise<void> {
  const session = openSession(target)
  try {
    for (;;) {
      const { status } = await request(session, { ':path': '/readyz' })
      if (status === 200) return
    }
  } finally {
    session.close()
  }
}

/** Starts the yardstick with the certificates of a Keelson server. */
export async function startBare(
  keelson: KeelsonServer,
  object: Buffer = Buffer.from('{}'),
  list: Buffer = object,
): Promise<Target & AsyncDisposable> {
  const objectFile = join(keelson.directory, 'bench-object.json')
  const listFile = join(keelson.directory, 'bench-list.json')
  writeFileSync(objectFile, object)
  writeFileSync(listFile, list)
  const child = spawn(process.execPath, [bare, join(keelson.directory, 'pki'), objectFile, listFile], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string]
  return {
    pid: child.pid!,
    port: Number(line),
    tls: keelson.tls,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM')
      await exited
    },
  }
}

export function openSession({ port, tls }: Target): ClientHttp2Session {
  const session = connect(`https://127.0.0.1:${port}`, { ...tls, settings: { initialWindowSize: 16 * 1024 * 1024 } })
  session.on('connect', () => session.destroyed || session.setLocalWindowSize(64 * 1024 * 1024))
  session.setMaxListeners(0)
  return session
}

export interface Answer {
  status: number
  body: Buffer
}

/** One request over an open session. */
export function request(session: ClientHttp2Session, headers: Record<string, string>, body?: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers, { endStream: body === undefined })
    const chunks: Buffer[] = []
    let status = 0
    stream.on('response', (response) => {
      status = response[':status']!
    })
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => resolve({ status, body: Buffer.concat(chunks) }))
    stream.on('error', reject)
    if (body) stream.end(body)
  })
}
