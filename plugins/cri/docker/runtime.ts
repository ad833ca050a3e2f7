import { readFile } from 'node:fs/promises'
import type { Duplex } from 'node:stream'
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
  LinuxContainerResources,
  LogOptions,
  PodSandbox,
  PodSandboxConfig,
  PodSandboxFilter,
  PodSandboxStatus,
  ProcessStreams,
  RuntimeStatus,
  RuntimeVersion,
} from '@keelson/apis/plugin/v1/cri.ts'
import { RuntimeError } from '@keelson/apis/plugin/v1/cri.ts'
import type { ContainerCreateOptions, ContainerInfo, ContainerInspectInfo } from 'dockerode'
import { containerOptions, resourceOptions, sandboxOptions } from './create-options.ts'
import type { Engine } from './engine.ts'
import { calling, ensuring, messageOf, statusCodeOf } from './engine.ts'
import { dockerEvents } from './event-stream.ts'
import { normalizedImage } from './image-name.ts'
import { imageRecord, pullImage } from './images.ts'
import { inspectedContainer, listedContainer, listedSandbox } from './inspection.ts'
import type { DockerType } from './naming.ts'
import { labels, readLabels, selectorTerms } from './naming.ts'
import { ensurePauseImage } from './pause-image.ts'
import { dialPod } from './port-forward.ts'
import { attachTo, execSync, startExec } from './processes.ts'
import { merged } from './streams.ts'

/** Pods on a Docker Engine: a pause container holds the namespaces that the pod's containers join. */
export class DockerRuntime implements ContainerRuntime {
  readonly #engine: Engine
  readonly #own: Readonly<Record<string, string>>
  readonly #stopping = new AbortController()
  /** Repository digests by image id: an image's never change while it is here. */
  readonly #digests = new Map<string, readonly string[]>()
  #pauseImage: Promise<void> | undefined

  /** @param own labels of all that is made here, and without which nothing is seen */
  constructor(engine: Engine, own: Readonly<Record<string, string>>) {
    this.#engine = engine
    this.#own = own
    this.#preparePauseImage().catch(() => undefined)
  }

  async version(): Promise<RuntimeVersion> {
    const { Version, ApiVersion } = await calling('ask for the version', () => this.#engine.docker.version())
    return { runtimeName: 'docker', runtimeVersion: Version, runtimeApiVersion: ApiVersion }
  }

  async status(): Promise<RuntimeStatus> {
    const problem = await this.#engine.docker.ping().then(() => undefined, messageOf)
    const reason = problem ? 'DockerDaemonNotReady' : ''
    const conditions = ['RuntimeReady', 'NetworkReady'].map((type) => {
      return { type, status: !problem, reason, message: problem ? `docker: ${problem}` : '' }
    })
    return { conditions, features: { hostMounts: true, podNetwork: true } }
  }

  async runPodSandbox(config: PodSandboxConfig): Promise<string> {
    await this.#preparePauseImage()
    const doing = `run the sandbox of pod ${config.metadata.namespace}/${config.metadata.name}`
    const container = await calling(doing, () => this.#create(sandboxOptions(config)))
    try {
      await container.start()
    } catch (error) {
      await this.removeContainer(container.id)
      throw await calling(doing, () => Promise.reject(error))
    }
    return container.id
  }

  async stopPodSandbox(podSandboxId: string): Promise<void> {
    const containers = await this.listContainers({ podSandboxId, state: 'CONTAINER_RUNNING' })
    await Promise.all(containers.map(({ id }) => this.stopContainer(id, 0)))
    await this.stopContainer(podSandboxId, 0)
  }

  async removePodSandbox(podSandboxId: string): Promise<void> {
    const containers = await this.listContainers({ podSandboxId })
    await Promise.all(containers.map(({ id }) => this.removeContainer(id)))
    await this.removeContainer(podSandboxId)
  }

  async podSandboxStatus(podSandboxId: string): Promise<PodSandboxStatus> {
    const info = await this.#inspect(podSandboxId)
    const { pod, attempt, ...read } = readLabels(info.Config.Labels)
    const ip = info.NetworkSettings.Networks.bridge?.IPAddress
    const ip6 = info.NetworkSettings.Networks.bridge?.GlobalIPv6Address
    return {
      id: info.Id,
      metadata: { ...pod, attempt },
      state: info.State.Running ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY',
      createdAtMs: Date.parse(info.Created),
      labels: read.labels,
      annotations: read.annotations,
      network: { ...(ip && { ip }), additionalIps: ip6 ? [ip6] : [] },
    }
  }

  async listPodSandbox(filter: PodSandboxFilter = {}): Promise<PodSandbox[]> {
    const found = await this.#list('podsandbox', filter)
    return found.map(listedSandbox).filter(({ state }) => !filter.state || state === filter.state)
  }

  async createContainer(sandboxId: string, config: ContainerConfig, pod: PodSandboxConfig): Promise<string> {
    const image = normalizedImage(config.image)
    const profile = config.linux.securityContext.seccomp
    const seccomp =
      profile?.profileType === 'Localhost' ? await readFile(profile.localhostRef ?? '', 'utf8') : undefined
    const options = containerOptions({ ...config, image }, pod, sandboxId, seccomp)
    const container = await calling(`create container ${config.metadata.name}`, () => this.#create(options))
    return container.id
  }

  async startContainer(containerId: string): Promise<void> {
    await calling('start the container', () => this.#engine.docker.getContainer(containerId).start())
  }

  async stopContainer(containerId: string, timeoutSeconds: number): Promise<void> {
    const container = this.#engine.docker.getContainer(containerId)
    if (timeoutSeconds > 0) return ensuring('stop the container', () => container.stop({ t: timeoutSeconds }))
    await ensuring('kill the container', async () => {
      await container.kill({ signal: 'SIGKILL' }).catch((error) => {
        if (statusCodeOf(error) !== 409) throw error
      })
      const { State } = await container.inspect()
      if (State.Running) await container.wait({ condition: 'not-running' })
    })
  }

  async removeContainer(containerId: string): Promise<void> {
    const container = this.#engine.docker.getContainer(containerId)
    await ensuring('remove the container', async () => {
      await container.remove({ force: true, v: true }).catch((error) => {
        if (statusCodeOf(error) !== 409) throw error
      })
    })
  }

  async listContainers(filter: ContainerFilter = {}): Promise<Container[]> {
    const sandbox = filter.podSandboxId && { [labels.sandboxId]: filter.podSandboxId }
    const found = await this.#list('container', { ...filter, labelSelector: { ...filter.labelSelector, ...sandbox } })
    return found.map(listedContainer).filter(({ state }) => !filter.state || state === filter.state)
  }

  async containerStatus(containerId: string): Promise<ContainerStatus> {
    const info = await this.#inspect(containerId)
    return inspectedContainer(info, await this.#imageDigests(info.Image))
  }

  async updateContainerResources(containerId: string, resources: LinuxContainerResources): Promise<void> {
    const { OomScoreAdj: _fixedAtStart, ...changes } = resourceOptions(resources)
    await calling('update the container', () => this.#engine.docker.getContainer(containerId).update(changes))
  }

  execSync(containerId: string, cmd: readonly string[], timeoutSeconds: number): Promise<ExecSyncResponse> {
    return execSync(this.#engine, containerId, cmd, timeoutSeconds)
  }

  exec(request: ExecRequest): Promise<ProcessStreams> {
    return startExec(this.#engine, request)
  }

  async attach(request: AttachRequest): Promise<ProcessStreams> {
    const { Config } = await this.#inspect(request.containerId)
    return attachTo(this.#engine, { ...request, tty: Config.Tty }, Config.StdinOnce)
  }

  async portForward(podSandboxId: string, port: number): Promise<Duplex> {
    const info = await this.#inspect(podSandboxId)
    if (!info.State.Running) throw new RuntimeError('NotFound', `pod sandbox ${podSandboxId} is not running`)
    return dialPod(info.NetworkSettings.Networks.bridge?.IPAddress || '127.0.0.1', port, info.State.Pid)
  }

  async *containerLogs(containerId: string, options: LogOptions, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const { Config } = await this.#inspect(containerId)
    const query = {
      stdout: true,
      stderr: true,
      follow: options.follow ?? false,
      timestamps: options.timestamps ?? false,
      tail: options.tailLines ?? 'all',
      ...(options.sinceMs && { since: (options.sinceMs / 1000).toFixed(3) }),
    }
    const path = `/containers/${encodeURIComponent(containerId)}/logs`
    const source = await calling('read the logs', () => this.#engine.stream(path, query, signal))
    try {
      yield* Config.Tty ? (source as AsyncIterable<Uint8Array>) : merged(source)
    } catch (error) {
      if (!signal?.aborted) throw error
    }
  }

  async listImages(): Promise<Image[]> {
    const images = await calling('list images', () => this.#engine.docker.listImages())
    return images.map(imageRecord)
  }

  async imageStatus(image: string): Promise<Image | undefined> {
    const name = normalizedImage(image)
    try {
      return imageRecord(await this.#engine.docker.getImage(name).inspect())
    } catch (error) {
      if (statusCodeOf(error) === 404) return undefined
      throw await calling(`inspect image ${name}`, () => Promise.reject(error))
    }
  }

  async pullImage(image: string, auth?: AuthConfig): Promise<string> {
    const name = normalizedImage(image)
    await pullImage(this.#engine, name, auth)
    const pulled = await this.imageStatus(name)
    if (!pulled) throw new RuntimeError('ImagePull', `image ${name} is not there after its pull`)
    return pulled.id
  }

  async removeImage(image: string): Promise<void> {
    const name = normalizedImage(image)
    await ensuring(`remove image ${name}`, () => this.#engine.docker.getImage(name).remove())
  }

  events(signal: AbortSignal): AsyncGenerator<ContainerEvent> {
    return dockerEvents(this.#engine, this.#own, AbortSignal.any([signal, this.#stopping.signal]))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    this.#engine.close()
  }

  /** Creates; a dead leftover with the same name, of a create whose answer was lost, makes way. */
  async #create(wanted: ContainerCreateOptions) {
    const { docker } = this.#engine
    const options = { ...wanted, Labels: { ...wanted.Labels, ...this.#own } }
    try {
      return await docker.createContainer(options)
    } catch (error) {
      if (statusCodeOf(error) !== 409) throw error
      const leftover = docker.getContainer(options.name ?? '')
      if ((await leftover.inspect()).State.Running) throw error
      await leftover.remove({ force: true, v: true })
      return docker.createContainer(options)
    }
  }

  #inspect(id: string): Promise<ContainerInspectInfo> {
    return calling(`inspect container ${id}`, () => this.#engine.docker.getContainer(id).inspect())
  }

  #list(type: DockerType, filter: { id?: string; labelSelector?: Record<string, string> }): Promise<ContainerInfo[]> {
    const label = selectorTerms({ ...filter.labelSelector, ...this.#own, [labels.type]: type })
    const filters = { label, ...(filter.id && { id: [filter.id] }) }
    return calling('list containers', () => this.#engine.docker.listContainers({ all: true, filters }))
  }

  async #imageDigests(imageId: string): Promise<readonly string[]> {
    const known = this.#digests.get(imageId)
    if (known) return known
    const image = await this.imageStatus(imageId)
    const digests = image?.repoDigests ?? []
    this.#digests.set(imageId, digests)
    return digests
  }

  #preparePauseImage(): Promise<void> {
    this.#pauseImage ??= ensurePauseImage(this.#engine).catch((error) => {
      this.#pauseImage = undefined
      throw error
    })
    return this.#pauseImage
  }
}
