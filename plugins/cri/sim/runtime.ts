import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type Duplex, PassThrough } from 'node:stream'
import type {
  AttachRequest,
  AuthConfig,
  Container,
  ContainerConfig,
  ContainerEvent,
  ContainerFilter,
  ContainerRuntime,
  ContainerStatus,
  ExecRequest,
  ExecSyncResponse,
  Image,
  LogOptions,
  PodSandbox,
  PodSandboxConfig,
  PodSandboxFilter,
  PodSandboxStatus,
  ProcessStreams,
  RuntimeFeatures,
  RuntimeStatus,
  RuntimeVersion,
} from '@keelson/apis/plugin/v1/cri.ts'
import { RuntimeError } from '@keelson/apis/plugin/v1/cri.ts'
import { AddressPool } from './addresses.ts'
import { Broadcast } from './broadcast.ts'
import { readScript, scriptAnnotations } from './script.ts'
import { runCommand, startCommand } from './shell.ts'

interface SandboxRecord {
  config: PodSandboxConfig
  status: PodSandboxStatus
  containers: Set<string>
}

interface ContainerRecord {
  config: ContainerConfig
  sandbox: SandboxRecord
  status: ContainerStatus
  /** Aborted when the container has ended. */
  ended: AbortController
  timer?: NodeJS.Timeout
}

const killedExitCode = 137
const terminatedExitCode = 0
const simulatedImageBytes = 1 << 20

export interface SimOptions {
  capacity?: RuntimeFeatures['capacity']
  now?: () => number
}

/** Sandboxes and containers as small records that follow the script in their pod's annotations. */
export class SimRuntime implements ContainerRuntime {
  readonly #sandboxes = new Map<string, SandboxRecord>()
  readonly #containers = new Map<string, ContainerRecord>()
  readonly #images = new Map<string, Image>()
  readonly #addresses = new AddressPool()
  readonly #events = new Broadcast<ContainerEvent>()
  readonly #stopping = new AbortController()
  readonly #features: RuntimeFeatures
  readonly #now: () => number

  constructor({ capacity, now = Date.now }: SimOptions = {}) {
    this.#now = now
    const pretended = { cpu: '32', memory: '256Gi', ephemeralStorage: '1Ti', pods: '110', ...capacity }
    this.#features = { hostMounts: false, podNetwork: false, capacity: pretended }
  }

  async version(): Promise<RuntimeVersion> {
    return { runtimeName: 'sim', runtimeVersion: '0.1.0', runtimeApiVersion: 'v1' }
  }

  async status(): Promise<RuntimeStatus> {
    const conditions = ['RuntimeReady', 'NetworkReady'].map((type) => ({ type, status: true, reason: '', message: '' }))
    return { conditions, features: this.#features }
  }

  async runPodSandbox(config: PodSandboxConfig): Promise<string> {
    const id = newId()
    const onHost = config.linux.securityContext.namespaceOptions.network === 'NODE'
    const { metadata, labels, annotations } = config
    const network = { ...(!onHost && { ip: this.#addresses.take() }), additionalIps: [] }
    const status = {
      id,
      metadata,
      state: 'SANDBOX_READY' as const,
      createdAtMs: this.#now(),
      labels,
      annotations,
      network,
    }
    this.#sandboxes.set(id, { config, status, containers: new Set() })
    this.#announce('CONTAINER_STARTED_EVENT', id, metadata.uid)
    return id
  }

  async stopPodSandbox(podSandboxId: string): Promise<void> {
    const sandbox = this.#sandboxes.get(podSandboxId)
    if (sandbox?.status.state !== 'SANDBOX_READY') return
    for (const id of sandbox.containers) this.#end(id, killedExitCode)
    if (sandbox.status.network.ip) this.#addresses.give(sandbox.status.network.ip)
    sandbox.status = { ...sandbox.status, state: 'SANDBOX_NOTREADY', network: { additionalIps: [] } }
    this.#announce('CONTAINER_STOPPED_EVENT', podSandboxId, sandbox.config.metadata.uid)
  }

  async removePodSandbox(podSandboxId: string): Promise<void> {
    const sandbox = this.#sandboxes.get(podSandboxId)
    if (!sandbox) return
    await this.stopPodSandbox(podSandboxId)
    for (const id of sandbox.containers) this.#containers.delete(id)
    this.#sandboxes.delete(podSandboxId)
    this.#announce('CONTAINER_DELETED_EVENT', podSandboxId, sandbox.config.metadata.uid)
  }

  async podSandboxStatus(podSandboxId: string): Promise<PodSandboxStatus> {
    return this.#sandbox(podSandboxId).status
  }

  async listPodSandbox(filter: PodSandboxFilter = {}): Promise<PodSandbox[]> {
    const all = [...this.#sandboxes.values()].map(({ status }) => status)
    return all.filter((sandbox) => isSelected(sandbox, filter))
  }

  async createContainer(podSandboxId: string, config: ContainerConfig): Promise<string> {
    const sandbox = this.#sandbox(podSandboxId)
    const image = await this.imageStatus(config.image)
    if (!image) throw new RuntimeError('NotFound', `no such image: ${config.image}`)
    const id = newId()
    const { metadata, labels, annotations } = config
    const status: ContainerStatus = {
      ...{ id, podSandboxId, metadata, labels, annotations, image: config.image },
      ...{ imageId: image.id, imageRef: image.id, state: 'CONTAINER_CREATED', createdAtMs: this.#now() },
    }
    this.#containers.set(id, { config, sandbox, status, ended: new AbortController() })
    sandbox.containers.add(id)
    this.#announce('CONTAINER_CREATED_EVENT', id, sandbox.config.metadata.uid)
    return id
  }

  async startContainer(containerId: string): Promise<void> {
    const container = this.#container(containerId)
    const { startMs, runMs, exitCode } = readScript(container.sandbox.config.annotations)
    if (startMs > 0) await this.#pause(container, startMs)
    if (container.status.state !== 'CONTAINER_CREATED') return
    container.status = { ...container.status, state: 'CONTAINER_RUNNING', startedAtMs: this.#now() }
    this.#announce('CONTAINER_STARTED_EVENT', containerId, container.sandbox.config.metadata.uid)
    if (Number.isFinite(runMs)) container.timer = setTimeout(() => this.#end(containerId, exitCode), runMs)
  }

  async stopContainer(containerId: string, timeoutSeconds: number): Promise<void> {
    this.#end(containerId, timeoutSeconds > 0 ? terminatedExitCode : killedExitCode)
  }

  async removeContainer(containerId: string): Promise<void> {
    const container = this.#containers.get(containerId)
    if (!container) return
    this.#end(containerId, killedExitCode)
    this.#containers.delete(containerId)
    container.sandbox.containers.delete(containerId)
    this.#announce('CONTAINER_DELETED_EVENT', containerId, container.sandbox.config.metadata.uid)
  }

  async listContainers(filter: ContainerFilter = {}): Promise<Container[]> {
    const all = [...this.#containers.values()].map(({ status }) => status)
    return all.filter(
      (one) => isSelected(one, filter) && (filter.podSandboxId ?? one.podSandboxId) === one.podSandboxId,
    )
  }

  async containerStatus(containerId: string): Promise<ContainerStatus> {
    return this.#container(containerId).status
  }

  async updateContainerResources(containerId: string): Promise<void> {
    this.#container(containerId)
  }

  async execSync(containerId: string, cmd: readonly string[]): Promise<ExecSyncResponse> {
    const { config, sandbox } = this.#running(containerId)
    const { stdout, stderr, exitCode } = runCommand(cmd, config, sandbox.config.hostname)
    return { stdout: Buffer.from(stdout), stderr: Buffer.from(stderr), exitCode }
  }

  async exec(request: ExecRequest): Promise<ProcessStreams> {
    const { config, sandbox } = this.#running(request.containerId)
    return startCommand(request, config, sandbox.config.hostname)
  }

  /** A simulated container is silent: what is attached sees its end only. */
  async attach(request: AttachRequest): Promise<ProcessStreams> {
    const container = this.#running(request.containerId)
    const stdout = new PassThrough()
    const exitCode = endOf(container).then(() => container.status.exitCode ?? 0)
    exitCode.then(() => stdout.end())
    return { stdout, resize: async () => undefined, exitCode, [Symbol.dispose]: () => void stdout.destroy() }
  }

  async portForward(podSandboxId: string, port: number): Promise<Duplex> {
    this.#sandbox(podSandboxId)
    throw new RuntimeError('Unavailable', `failed to connect to localhost:${port} inside the pod: it is simulated`)
  }

  async *containerLogs(containerId: string, options: LogOptions, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const { status, ended, config } = this.#container(containerId)
    const { startedAtMs } = status
    if (startedAtMs !== undefined && startedAtMs >= (options.sinceMs ?? 0) && options.tailLines !== 0) {
      const time = options.timestamps ? `${new Date(startedAtMs).toISOString().replace('Z', '000000Z')} ` : ''
      yield Buffer.from(`${time}container ${config.metadata.name} started, attempt ${config.metadata.attempt}\n`)
    }
    const until = signal ? AbortSignal.any([signal, ended.signal]) : ended.signal
    if (options.follow && !until.aborted) await once(until, 'abort')
  }

  async listImages(): Promise<Image[]> {
    return [...this.#images.values()]
  }

  async imageStatus(image: string): Promise<Image | undefined> {
    return this.#images.get(image)
  }

  /** Every image exists, except the one that the pod's annotation names. */
  async pullImage(image: string, _auth?: AuthConfig, sandboxConfig?: PodSandboxConfig): Promise<string> {
    if (sandboxConfig?.annotations[scriptAnnotations.failImage] === image) {
      throw new RuntimeError('ImagePull', `failed to pull ${image}: the pod's annotation says so`)
    }
    const id = `sha256:${createHash('sha256').update(image).digest('hex')}`
    this.#images.set(image, { id, repoTags: [image], repoDigests: [], sizeBytes: simulatedImageBytes })
    return id
  }

  async removeImage(image: string): Promise<void> {
    this.#images.delete(image)
  }

  events(signal: AbortSignal): AsyncGenerator<ContainerEvent> {
    return this.#events.listen(AbortSignal.any([signal, this.#stopping.signal]), [{ type: 'RESYNC' }])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    for (const { timer } of this.#containers.values()) clearTimeout(timer)
  }

  #sandbox(id: string): SandboxRecord {
    const sandbox = this.#sandboxes.get(id)
    if (!sandbox) throw new RuntimeError('NotFound', `pod sandbox ${JSON.stringify(id)} not found`)
    return sandbox
  }

  #container(id: string): ContainerRecord {
    const container = this.#containers.get(id)
    if (!container) throw new RuntimeError('NotFound', `container ${JSON.stringify(id)} not found`)
    return container
  }

  #running(id: string): ContainerRecord {
    const container = this.#container(id)
    if (container.status.state !== 'CONTAINER_RUNNING') {
      throw new RuntimeError('Unknown', `container ${JSON.stringify(id)} is not running`)
    }
    return container
  }

  #pause(container: ContainerRecord, ms: number): Promise<void> {
    return new Promise((resolve) => {
      container.timer = setTimeout(resolve, ms)
      container.ended.signal.addEventListener('abort', () => resolve())
    })
  }

  #end(id: string, exitCode: number): void {
    const container = this.#containers.get(id)
    if (!container || container.status.state === 'CONTAINER_EXITED') return
    clearTimeout(container.timer)
    const reason = exitCode === 0 ? 'Completed' : 'Error'
    const finishedAtMs = this.#now()
    container.status = { ...container.status, state: 'CONTAINER_EXITED', exitCode, reason, finishedAtMs }
    container.ended.abort()
    this.#announce('CONTAINER_STOPPED_EVENT', id, container.sandbox.config.metadata.uid)
  }

  #announce(
    type: Exclude<ContainerEvent['type'], 'RESYNC' | 'UNAVAILABLE'>,
    containerId: string,
    podUid: string,
  ): void {
    this.#events.publish({ type, containerId, podUid, createdAtMs: this.#now() })
  }
}

async function endOf({ ended }: ContainerRecord): Promise<void> {
  if (!ended.signal.aborted) await once(ended.signal, 'abort')
}

const newId = () => randomBytes(32).toString('hex')

interface Selectable {
  id: string
  state: string
  labels: Record<string, string>
}

function isSelected(one: Selectable, filter: { id?: string; state?: string; labelSelector?: Record<string, string> }) {
  if (filter.id !== undefined && filter.id !== one.id) return false
  if (filter.state !== undefined && filter.state !== one.state) return false
  return Object.entries(filter.labelSelector ?? {}).every(([key, value]) => one.labels[key] === value)
}
