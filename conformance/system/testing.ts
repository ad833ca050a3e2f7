import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { namespaces, nodes } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { plugins } from '@keelson/apis/keelson/v1/zz_generated.types.ts'
import { afterAll, beforeAll, test } from 'vitest'
import { type CaseContext, type Cluster, openCluster, openContext } from '../runner/context.ts'
import { kubectlBinary } from '../runner/kubectl.ts'
import { findStaticBusybox, image } from './image.ts'

/**
 * Whole clusters for tests: the server as a process of its own, with its node agent and, on docker, real containers.
 * Whatever a test does, nothing is left behind: no process, container, mount or file.
 */

const run = promisify(execFile)
export const main = resolve(import.meta.dirname, '../../core/main.ts')
const ownerLabel = 'dev.keelson.owner'
const startsWithinMs = 60_000
const stopsWithinMs = 15_000
const testTimeoutMs = 150_000

export interface SystemOptions {
  cri: 'docker' | 'sim'
  /** Default 1. */
  nodes?: number
  /** Of the server, beside this process's. */
  env?: Record<string, string>
}

/** A container as the engine has it; sandboxes have no `container`. */
export interface EngineContainer {
  id: string
  /** `running`, `exited`, ... */
  state: string
  pod: string
  container: string
}

export interface System extends AsyncDisposable {
  readonly dataDir: string
  /** The server that runs now: each start has its own address. */
  readonly cluster: Cluster
  /** Starts the server, again after a stop; resolves when every node is ready. */
  start(): Promise<void>
  /** SIGTERM. @returns the exit status; null when it had to be killed because it took too long */
  stop(options?: { withinMs: number }): Promise<number | null>
  /** SIGKILL. */
  kill(): Promise<void>
  /** The process of the node agent; resolves once one runs that is not `before`. */
  agentPid(before?: number): Promise<number>
  /** What the engine has of this cluster, sandboxes included. */
  containers(): Promise<EngineContainer[]>
  /** What the server wrote to its log last. */
  log(): Promise<string>
}

/** Why this machine cannot run such a system; undefined when it can. @throws instead, with KEELSON_REQUIRE_ALL=1 */
export async function whyNot({ cri }: Pick<SystemOptions, 'cri'>): Promise<string | undefined> {
  const works = (file: string, args: string[]) =>
    run(file, args).then(
      () => true,
      () => false,
    )
  const missing =
    (!(await works(kubectlBinary, ['version', '--client'])) && `${kubectlBinary} does not run here`) ||
    (cri === 'docker' && !(await works('docker', ['version'])) && 'no docker engine answers') ||
    (cri === 'docker' && !(await findStaticBusybox()) && 'there is no static busybox')
  if (missing && process.env.KEELSON_REQUIRE_ALL === '1') throw new Error(missing)
  return missing || undefined
}

export async function startSystem(options: SystemOptions): Promise<System> {
  const system = new SystemProcess(options, await mkdtemp(join(tmpdir(), 'keelson-system-')))
  try {
    await system.start()
    return system
  } catch (error) {
    const log = await system.log()
    await system[Symbol.asyncDispose]()
    throw new Error(`the system did not start; its log ends with\n${log}`, { cause: error })
  }
}

class SystemProcess implements System {
  readonly dataDir: string
  readonly #options: SystemOptions
  #server: ChildProcess | undefined
  #cluster: Cluster | undefined
  #owner: string | undefined

  constructor(options: SystemOptions, dataDir: string) {
    this.#options = options
    this.dataDir = dataDir
  }

  get cluster(): Cluster {
    if (!this.#cluster) throw new Error('the server is not running')
    return this.#cluster
  }

  async start(): Promise<void> {
    const { cri, nodes = 1, env } = this.#options
    const args = ['up', '--cri', cri, '--nodes', String(nodes), '--port', '0', '--data-dir', join(this.dataDir, 'data')]
    const log = await open(join(this.dataDir, 'server.log'), 'a')
    this.#server = spawn(process.execPath, [main, ...args], {
      stdio: ['ignore', 'pipe', log.fd],
      env: { ...process.env, ...env },
    })
    await log.close()
    this.#cluster = await openCluster(await kubeconfigOf(this.#server))
    const { client } = this.#cluster
    this.#owner = (await client.resource(namespaces).get('kube-system')).metadata.uid
    await whenReady(this.#cluster, this.#server.pid!, nodes)
  }

  async stop({ withinMs } = { withinMs: stopsWithinMs }): Promise<number | null> {
    return this.#end('SIGTERM', withinMs)
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL', stopsWithinMs)
  }

  async #end(signal: NodeJS.Signals, withinMs: number): Promise<number | null> {
    const server = this.#server
    this.#server = undefined
    await this.#cluster?.[Symbol.asyncDispose]()
    this.#cluster = undefined
    if (!server) return null
    if (server.exitCode !== null || server.signalCode !== null) return server.exitCode
    const exit = once(server, 'exit')
    server.kill(signal)
    const late = setTimeout(() => server.kill('SIGKILL'), withinMs)
    await exit
    clearTimeout(late)
    return server.exitCode
  }

  agentPid(before?: number): Promise<number> {
    return whenAgentRuns(this.cluster, this.#server!.pid!, before)
  }

  async containers(): Promise<EngineContainer[]> {
    if (this.#options.cri !== 'docker' || !this.#owner) return []
    const columns = ['.ID', '.State', '.Label "io.kubernetes.pod.name"', '.Label "io.kubernetes.container.name"']
    const format = columns.map((column) => `{{${column}}}`).join('\t')
    const filter = `label=${ownerLabel}=${this.#owner}`
    const { stdout } = await run('docker', ['ps', '--all', '--no-trunc', '--filter', filter, '--format', format])
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const [id = '', state = '', pod = '', container = ''] = line.split('\t')
        return { id, state, pod, container }
      })
  }

  async log(): Promise<string> {
    const text = await readFile(join(this.dataDir, 'server.log'), 'utf8').catch(() => '')
    return text.split('\n').slice(-40).join('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    const left = await this.containers()
    if (left.length > 0) {
      // One that goes by itself meanwhile is no failure.
      await run('docker', ['rm', '--force', '--volumes', ...left.map(({ id }) => id)]).catch(() => {})
    }
    await unmountBelow(this.dataDir)
    await rm(this.dataDir, { recursive: true, force: true })
  }
}

/** The path that the server names once it is ready. */
async function kubeconfigOf(server: ChildProcess): Promise<string> {
  const late = setTimeout(() => server.kill('SIGKILL'), startsWithinMs)
  try {
    for await (const line of createInterface({ input: server.stdout! })) {
      const path = line.trim().split(/^kubeconfig\s+/)[1]
      if (!path) continue
      server.stdout!.resume()
      return path
    }
  } finally {
    clearTimeout(late)
  }
  throw new Error('the server ended before it was ready')
}

/** The agent of this server runs, and every node is ready: objects from before a restart say so of an agent that is gone. */
async function whenReady(cluster: Cluster, server: number, count: number): Promise<void> {
  await whenAgentRuns(cluster, server)
  const signal = AbortSignal.timeout(startsWithinMs + 60 * count)
  const ready = new Set<string>()
  for await (const { object } of cluster.client.resource(nodes).watch({ signal })) {
    const isReady = object.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
    if (isReady) ready.add(object.metadata.name!)
    if (ready.size >= count) return
  }
  throw new Error(`only ${ready.size} of ${count} nodes became ready`)
}

/** @returns its process, once one of this server runs that is not `before` */
async function whenAgentRuns({ client }: Cluster, server: number, before?: number): Promise<number> {
  const options = { fieldSelector: 'metadata.name=node', signal: AbortSignal.timeout(startsWithinMs) }
  for await (const { object } of client.resource(plugins).watch(options)) {
    const { state, pid = 0 } = object.status?.components?.find(({ name }) => name === 'node') ?? {}
    if (state === 'Running' && pid !== before && (await parentOf(pid)) === server) return pid
  }
  throw new Error('no node agent runs')
}

/** Undefined when there is no such process. */
export async function parentOf(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const parent = /^PPid:\t(\d+)$/m.exec(status)?.[1]
  return parent === undefined ? undefined : Number(parent)
}

async function unmountBelow(folder: string): Promise<void> {
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '')
  for (const mount of mounts.filter((path) => path.startsWith(`${folder}/`)).reverse()) await run('umount', [mount])
}

/** What a test works with: its own namespace, and the system around it. */
export interface SystemContext extends CaseContext {
  readonly system: System
}

export type SystemTest = (name: string, body: (t: SystemContext) => Promise<void>) => void

/** Starts a system for the tests of one file, and gives what to declare them with. They run side by side. */
export function systemTests(options: SystemOptions): SystemTest {
  const skipReason = whyNot(options)
  skipReason.catch(() => {})
  let system: System | undefined
  let usedImage = ''
  beforeAll(async () => {
    if (await skipReason) return
    if (options.cri === 'docker') usedImage = await image()
    system = await startSystem(options)
  }, 2 * startsWithinMs)
  afterAll(async () => system?.[Symbol.asyncDispose](), 2 * startsWithinMs)
  return (name, body) =>
    test(name, { concurrent: true, timeout: testTimeoutMs }, async ({ skip }) => {
      const reason = await skipReason
      if (reason) return skip(reason)
      await withContext(system!, usedImage, body)
    })
}

/** Declares one test that has to itself what it starts. */
export function systemTest(name: string, cri: SystemOptions['cri'], body: (image: string) => Promise<void>): void {
  test(name, { timeout: 2 * testTimeoutMs }, async ({ skip }) => {
    const reason = await whyNot({ cri })
    if (reason) return skip(reason)
    await body(cri === 'docker' ? await image() : '')
  })
}

/** Runs `body` against the system as it runs now; a failure tells what the server logged last. */
export async function withContext<R>(
  system: System,
  usedImage: string,
  body: (t: SystemContext) => Promise<R>,
): Promise<R> {
  const signal = AbortSignal.timeout(testTimeoutMs - 10_000)
  const { context, close } = openContext(system.cluster, signal)
  try {
    return await body({ ...context, ...(usedImage && { image: usedImage }), system })
  } catch (error) {
    const log = await system.log()
    throw new Error(`${error instanceof Error ? error.message : error}\nthe server's log ends with\n${log}`, {
      cause: error,
    })
  } finally {
    await close()
  }
}

/** Resolves with the first result of `look` that is neither undefined nor false, for what nothing tells of. */
export async function eventually<R>(look: () => Promise<R | undefined | false>, withinMs = 60_000): Promise<R> {
  const deadline = Date.now() + withinMs
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (Date.now() > deadline) throw new Error('it did not come about in time')
    await sleep(100)
  }
}
