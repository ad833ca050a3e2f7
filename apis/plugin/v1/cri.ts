import type { Duplex, Readable, Writable } from 'node:stream'

/**
 * The contract between the node agent and a container runtime, in the words and message shapes of CRI v1 (`runtime.v1`).
 *
 * Differences from the wire, each for one reason:
 * - requests with one field are plain arguments, and answers with one field are the value;
 * - times are milliseconds since the epoch (`...Ms`), because CRI's nanoseconds do not fit a number;
 * - `exec`, `attach` and `portForward` give streams instead of the URL of a streaming server;
 * - logs are read through the runtime, so it is free to keep them where it likes;
 * - absent optional fields are absent, never zero values.
 *
 * Stopping or removing what is already stopped or gone succeeds. Asking for the status of what is gone throws NotFound.
 * @see https://github.com/kubernetes/cri-api/blob/master/pkg/apis/runtime/v1/api.proto
 */
export interface ContainerRuntime extends AsyncDisposable {
  version(): Promise<RuntimeVersion>
  status(): Promise<RuntimeStatus>

  /** Creates and starts the pod's sandbox. @returns its id, once the sandbox has its network */
  runPodSandbox(config: PodSandboxConfig): Promise<string>
  /** Ends everything in the sandbox by force and gives its network back. */
  stopPodSandbox(podSandboxId: string): Promise<void>
  /** Removes the sandbox with its containers. */
  removePodSandbox(podSandboxId: string): Promise<void>
  podSandboxStatus(podSandboxId: string): Promise<PodSandboxStatus>
  listPodSandbox(filter?: PodSandboxFilter): Promise<PodSandbox[]>

  /** @returns the new container's id */
  createContainer(podSandboxId: string, config: ContainerConfig, sandboxConfig: PodSandboxConfig): Promise<string>
  startContainer(containerId: string): Promise<void>
  /** Sends the stop signal, and SIGKILL after `timeoutSeconds`; 0 kills at once. Resolves when the container has ended. */
  stopContainer(containerId: string, timeoutSeconds: number): Promise<void>
  /** Removes the container, by force if it runs. */
  removeContainer(containerId: string): Promise<void>
  listContainers(filter?: ContainerFilter): Promise<Container[]>
  containerStatus(containerId: string): Promise<ContainerStatus>
  updateContainerResources(containerId: string, resources: LinuxContainerResources): Promise<void>

  /** Runs a command and waits for it. @throws RuntimeError `DeadlineExceeded` after `timeoutSeconds`; 0 waits for ever */
  execSync(containerId: string, cmd: readonly string[], timeoutSeconds: number): Promise<ExecSyncResponse>
  exec(request: ExecRequest): Promise<ProcessStreams>
  attach(request: AttachRequest): Promise<ProcessStreams>
  /** Connects to a TCP port inside the pod. */
  portForward(podSandboxId: string, port: number): Promise<Duplex>
  /** The container's output, oldest first, in chunks of whole or partial lines; ends at the last line unless `follow`. */
  containerLogs(containerId: string, options: LogOptions, signal?: AbortSignal): AsyncIterable<Uint8Array>

  listImages(): Promise<Image[]>
  /** Undefined when the image is not on this node. */
  imageStatus(image: string): Promise<Image | undefined>
  /** @param sandboxConfig the pod it is for. @returns the id of the image pulled. @throws RuntimeError `ImagePull`, `InvalidImageName` or `RegistryUnavailable` */
  pullImage(image: string, auth?: AuthConfig, sandboxConfig?: PodSandboxConfig): Promise<string>
  removeImage(image: string): Promise<void>

  /**
   * Every change of a container or sandbox from now on. It outlives a runtime that restarts: `UNAVAILABLE` says that it is
   * gone, and `RESYNC`, also the first event of all, that it answers again and events may have been missed: the caller lists. Ends when
   * `signal` aborts.
   */
  events(signal: AbortSignal): AsyncIterable<ContainerEvent>
}

/** What a runtime package exports by default. `options` are the administrator's, from the agent's configuration. */
export type CreateRuntime = (options: Readonly<Record<string, unknown>>) => Promise<ContainerRuntime>

export interface RuntimeVersion {
  runtimeName: string
  runtimeVersion: string
  runtimeApiVersion: string
}

export interface RuntimeStatus {
  /** `RuntimeReady` and `NetworkReady` at least. */
  conditions: { type: string; status: boolean; reason: string; message: string }[]
  features: RuntimeFeatures
}

export interface RuntimeFeatures {
  /** False when containers see no host files: the agent then materialises no volumes. */
  hostMounts: boolean
  /** False when pod addresses cannot be dialled: the agent then lets network probes pass. */
  podNetwork: boolean
  /** What the runtime pretends to have; absent: this machine's. */
  capacity?: { cpu: string; memory: string; ephemeralStorage: string; pods: string }
}

export const namespaceModes = ['POD', 'CONTAINER', 'NODE', 'TARGET'] as const
export type NamespaceMode = (typeof namespaceModes)[number]

export interface NamespaceOption {
  network: NamespaceMode
  pid: NamespaceMode
  ipc: NamespaceMode
  /** The container whose PID namespace is joined when `pid` is TARGET. */
  targetId?: string
}

export interface PodSandboxMetadata {
  name: string
  uid: string
  namespace: string
  attempt: number
}

export interface PodSandboxConfig {
  metadata: PodSandboxMetadata
  /** Empty with the host's network. */
  hostname: string
  dnsConfig?: { servers: string[]; searches: string[]; options: string[] }
  portMappings: PortMapping[]
  labels: Record<string, string>
  annotations: Record<string, string>
  linux: {
    sysctls: Record<string, string>
    securityContext: { namespaceOptions: NamespaceOption; privileged: boolean; supplementalGroups: number[] }
  }
}

export interface PortMapping {
  protocol: 'TCP' | 'UDP' | 'SCTP'
  containerPort: number
  hostPort: number
  hostIp?: string
}

export interface PodSandbox {
  id: string
  metadata: PodSandboxMetadata
  state: 'SANDBOX_READY' | 'SANDBOX_NOTREADY'
  createdAtMs: number
  labels: Record<string, string>
  annotations: Record<string, string>
}

export interface PodSandboxStatus extends PodSandbox {
  /** No `ip` with the host's network, or once stopped. */
  network: { ip?: string; additionalIps: string[] }
}

export interface PodSandboxFilter {
  id?: string
  state?: PodSandbox['state']
  labelSelector?: Record<string, string>
}

export interface ContainerMetadata {
  name: string
  attempt: number
}

export interface ContainerConfig {
  metadata: ContainerMetadata
  image: string
  /** Replaces the image's entrypoint; empty keeps it. */
  command: string[]
  /** Replaces the image's arguments; empty keeps them unless `command` is given. */
  args: string[]
  workingDir?: string
  envs: { key: string; value: string }[]
  mounts: Mount[]
  devices: { containerPath: string; hostPath: string; permissions: string }[]
  labels: Record<string, string>
  annotations: Record<string, string>
  stdin: boolean
  stdinOnce: boolean
  tty: boolean
  stopSignal?: string
  linux: { resources: LinuxContainerResources; securityContext: LinuxContainerSecurityContext }
}

export interface Mount {
  containerPath: string
  hostPath: string
  readonly: boolean
  propagation: 'PROPAGATION_PRIVATE' | 'PROPAGATION_HOST_TO_CONTAINER' | 'PROPAGATION_BIDIRECTIONAL'
}

/** Absent fields are left to the runtime. */
export interface LinuxContainerResources {
  cpuPeriod?: number
  cpuQuota?: number
  cpuShares?: number
  memoryLimitInBytes?: number
  oomScoreAdj?: number
  cpusetCpus?: string
  cpusetMems?: string
}

export interface LinuxContainerSecurityContext {
  capabilities: { addCapabilities: string[]; dropCapabilities: string[] }
  privileged: boolean
  namespaceOptions: NamespaceOption
  runAsUser?: number
  runAsGroup?: number
  supplementalGroups: number[]
  readonlyRootfs: boolean
  noNewPrivs: boolean
  /** Absent: the runtime's default profile. */
  seccomp?: { profileType: 'RuntimeDefault' | 'Unconfined' | 'Localhost'; localhostRef?: string }
}

export const containerStates = [
  'CONTAINER_CREATED',
  'CONTAINER_RUNNING',
  'CONTAINER_EXITED',
  'CONTAINER_UNKNOWN',
] as const
export type ContainerState = (typeof containerStates)[number]

export interface Container {
  id: string
  podSandboxId: string
  metadata: ContainerMetadata
  /** As asked for in the container's configuration. */
  image: string
  imageId: string
  state: ContainerState
  createdAtMs: number
  labels: Record<string, string>
  annotations: Record<string, string>
}

export interface ContainerStatus extends Container {
  /** What the image was pulled by: a digest when known, otherwise the image's id. */
  imageRef: string
  /** Absent until started. */
  startedAtMs?: number
  /** Absent until ended, like `exitCode` and `reason`. */
  finishedAtMs?: number
  exitCode?: number
  /** `Completed`, `Error`, `OOMKilled`, or `ContainerCannotRun` with the runtime's complaint in `message`. */
  reason?: string
  message?: string
}

export interface ContainerFilter {
  id?: string
  state?: ContainerState
  podSandboxId?: string
  labelSelector?: Record<string, string>
}

export interface ExecSyncResponse {
  stdout: Uint8Array
  stderr: Uint8Array
  exitCode: number
}

export interface ExecRequest {
  containerId: string
  cmd: readonly string[]
  tty: boolean
  stdin: boolean
  stdout: boolean
  /** Ignored with `tty`: a terminal has one output. */
  stderr: boolean
}

export type AttachRequest = Omit<ExecRequest, 'cmd'>

/** A process at the other end of streams. Destroying it lets go of the process without ending it. */
export interface ProcessStreams extends Disposable {
  stdin?: Writable
  stdout?: Readable
  stderr?: Readable
  /** In characters; does nothing without a terminal. */
  resize(width: number, height: number): Promise<void>
  /** Settles after the last byte of output. Of an attached container it is the container's. */
  exitCode: Promise<number>
}

export interface LogOptions {
  follow?: boolean
  /** Only the last so many lines; absent: all. */
  tailLines?: number
  /** Only what was written at or after. */
  sinceMs?: number
  /** Puts RFC 3339 nanoseconds and a space before each line. */
  timestamps?: boolean
}

export interface Image {
  id: string
  repoTags: string[]
  repoDigests: string[]
  sizeBytes: number
  /** The user the image asks for, numeric or by name; absent: root. */
  user?: string
}

export interface AuthConfig {
  username?: string
  password?: string
  auth?: string
  serverAddress?: string
  identityToken?: string
  registryToken?: string
}

export type ContainerEvent =
  | { type: 'RESYNC' }
  | { type: 'UNAVAILABLE'; message: string }
  | {
      type:
        | 'CONTAINER_CREATED_EVENT'
        | 'CONTAINER_STARTED_EVENT'
        | 'CONTAINER_STOPPED_EVENT'
        | 'CONTAINER_DELETED_EVENT'
      /** Of the container, or of the sandbox itself. */
      containerId: string
      podUid: string
      createdAtMs: number
    }

export type RuntimeErrorCode =
  | 'NotFound'
  | 'ImagePull'
  | 'InvalidImageName'
  | 'RegistryUnavailable'
  | 'DeadlineExceeded'
  | 'Unavailable'
  | 'Unknown'

const brand = Symbol.for('keelson.dev/RuntimeError')

/** A runtime's refusal, in terms the agent can act on; seen across two copies of this module. */
export class RuntimeError extends Error {
  readonly [brand] = true
  readonly code: RuntimeErrorCode

  constructor(code: RuntimeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RuntimeError'
    this.code = code
  }
}

export function runtimeErrorCode(error: unknown): RuntimeErrorCode | undefined {
  for (let at = error; at instanceof Error; at = at.cause) if (brand in at) return (at as RuntimeError).code
  return undefined
}

/** Labels every sandbox and container carries, so that a restarted agent recognises its own. */
export const runtimeLabels = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
} as const
