/** A real etcd for tests and benchmarks: processes of its own on ports nobody else has, in a folder that goes with them. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { EtcdClient } from '../etcd-client.ts'
import type { TlsFiles } from '../grpc-channel.ts'
import { decodeStatus, encodeRange, rpc } from '../messages.ts'

export interface EtcdMember {
  readonly url: string
  /** Starts it, again after it ended, with the data it has. */
  start(): Promise<void>
  /** @param signal SIGKILL ends it as a power cut would */
  stop(signal?: NodeJS.Signals): Promise<void>
  /** SIGSTOP: it keeps its connections and says nothing. */
  freeze(): void
  thaw(): void
}

export interface EtcdCluster extends AsyncDisposable {
  readonly members: readonly EtcdMember[]
  readonly urls: string[]
  /** The member that leads; asks each. */
  leader(): Promise<EtcdMember>
}

/** Why there is no etcd here; undefined when there is. @throws instead, with KEELSON_REQUIRE_ALL=1 */
export async function whyNoEtcd(): Promise<string | undefined> {
  const works = await promisify(execFile)('etcd', ['--version']).then(
    () => true,
    () => false,
  )
  if (works) return undefined
  if (process.env.KEELSON_REQUIRE_ALL === '1') throw new Error('etcd is not installed')
  return 'etcd is not installed'
}

/** How members and their clients know each other. */
export interface EtcdTls {
  /** Flags of etcd: what a member shows, and whom it lets in. */
  flags: readonly string[]
  client: TlsFiles
}

/** Starts so many members and waits until they have a leader. @param tls absent: anybody may connect, in the clear */
export async function startEtcd(size = 1, tls?: EtcdTls): Promise<EtcdCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'keelson-etcd-'))
  const ports = await freePorts(2 * size)
  const peers = Array.from({ length: size }, (_, at) => `m${at}=http://127.0.0.1:${ports[2 * at + 1]}`).join(',')
  const members = Array.from({ length: size }, (_, at) => {
    return new MemberProcess(join(directory, `m${at}`), ports[2 * at]!, tls, [
      ...['--name', `m${at}`, '--initial-cluster', peers],
      ...['--listen-peer-urls', `http://127.0.0.1:${ports[2 * at + 1]}`],
      ...['--initial-advertise-peer-urls', `http://127.0.0.1:${ports[2 * at + 1]}`],
    ])
  })
  const cluster: EtcdCluster = {
    members,
    urls: members.map(({ url }) => url),
    leader: () => leaderOf(members),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(members.map((member) => member.stop('SIGKILL')))
      await rm(directory, { recursive: true, force: true })
    },
  }
  try {
    await Promise.all(members.map((member) => member.start()))
    return cluster
  } catch (error) {
    await cluster[Symbol.asyncDispose]()
    throw error
  }
}

const readyWithinMs = 20_000

class MemberProcess implements EtcdMember {
  readonly url: string
  readonly #directory: string
  readonly #flags: readonly string[]
  readonly #tls: TlsFiles | undefined
  #child: ChildProcess | undefined

  constructor(directory: string, port: number, tls: EtcdTls | undefined, flags: readonly string[]) {
    this.url = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`
    this.#directory = directory
    this.#flags = [...flags, ...(tls?.flags ?? [])]
    this.#tls = tls?.client
  }

  async start(): Promise<void> {
    const log = await open(`${this.#directory}.log`, 'a')
    const own = ['--data-dir', this.#directory, '--listen-client-urls', this.url, '--advertise-client-urls', this.url]
    this.#child = spawn('etcd', [...own, ...this.#flags], { stdio: ['ignore', log.fd, log.fd] })
    await log.close()
    await using client = disposable(
      new EtcdClient({ endpoints: [this.url], timeoutMs: readyWithinMs, ...(this.#tls && { tls: this.#tls }) }),
    )
    try {
      await client.call(rpc.range, encodeRange({ key: 'any' }))
    } catch (cause) {
      const text = await readFile(`${this.#directory}.log`, 'utf8')
      throw new Error(`etcd did not start:\n${text.slice(-2_000)}`, { cause })
    }
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill(signal)
    await exit
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child?.kill('SIGCONT')
  }
}

function disposable(client: EtcdClient): EtcdClient & AsyncDisposable {
  return Object.assign(client, { [Symbol.asyncDispose]: async () => client.close() })
}

async function leaderOf(members: readonly EtcdMember[]): Promise<EtcdMember> {
  for (const member of members) {
    await using client = disposable(new EtcdClient({ endpoints: [member.url], timeoutMs: 1_000 }))
    const status = await client.call(rpc.status, Buffer.alloc(0)).then(decodeStatus, () => undefined)
    if (status?.isLeader) return member
  }
  throw new Error('no member leads')
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}
