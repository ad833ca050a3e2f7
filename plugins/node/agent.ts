import type { Pod } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { ContainerEvent, ContainerStatus, PodSandboxStatus } from '@keelson/apis/plugin/v1/cri.ts'
import { runtimeErrorCode, runtimeLabels } from '@keelson/apis/plugin/v1/cri.ts'
import type { Informer } from '@keelson/kit'
import { refusalOf } from './pod/admission.ts'
import { instanceLabel } from './pod/container-config.ts'
import type { PodContext } from './pod/context.ts'
import type { PodObject } from './pod/model.ts'
import type { Adopted } from './pod/worker.ts'
import { PodWorker } from './pod/worker.ts'

export interface AgentOptions {
  context: Omit<PodContext, 'onForgotten'>
  /** Names of the nodes this agent stands for. */
  nodes: ReadonlySet<string>
  pods: Informer<Pod>
  /** Called when the runtime comes (no message) or goes. */
  onRuntime: (problem: string | undefined) => void
}

const orphanGraceSeconds = 2

/**
 * Keeps a worker for each pod of its nodes, tells it of changes in the API and in the runtime, and clears away what the
 * runtime still has of pods that are no more. Stopping it leaves every container running.
 */
export class NodeAgent {
  readonly #options: AgentOptions
  readonly #context: PodContext
  readonly #workers = new Map<string, PodWorker>()
  /** Uids of the pods of each node. */
  readonly #byNode = new Map<string, Set<string>>()
  #unsubscribe = () => {}
  #isFirst = true

  constructor(options: AgentOptions) {
    this.#options = options
    this.#context = { ...options.context, onForgotten: (uid) => this.#forget(uid) }
  }

  get workers(): Iterable<PodWorker> {
    return this.#workers.values()
  }

  worker(uid: string): PodWorker | undefined {
    return this.#workers.get(uid)
  }

  find(namespace: string, name: string): PodWorker | undefined {
    const uid = this.#options.pods.get(namespace, name)?.metadata.uid
    return uid === undefined ? undefined : this.#workers.get(uid)
  }

  /** Runs until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      for await (const event of this.#context.runtime.events(signal)) await this.#onEvent(event)
    } finally {
      this.#unsubscribe()
      for (const worker of this.#workers.values()) worker.stop()
    }
  }

  async #onEvent(event: ContainerEvent): Promise<void> {
    if (event.type === 'UNAVAILABLE') this.#options.onRuntime(event.message)
    else if (event.type === 'RESYNC') await this.#resync().catch((error) => this.#resyncFailed(error))
    else this.#workers.get(event.podUid)?.runtimeChanged(event)
  }

  #resyncFailed(error: unknown): void {
    this.#context.log.error('runtime not listed', { error })
    this.#options.onRuntime(error instanceof Error ? error.message : String(error))
  }

  /** Gives every worker what the runtime has of its pod. The first time, makes the workers. */
  async #resync(): Promise<void> {
    await this.#options.pods.synced
    const found = await this.#list()
    for (const [uid, worker] of this.#workers) worker.resync(found.get(uid) ?? { sandboxes: [], containers: [] })
    if (this.#isFirst) {
      this.#subscribe(found)
      await this.#removeLeftFiles(found)
    }
    const orphans = [...found].filter(([uid]) => !this.#workers.has(uid))
    for (const [uid, orphan] of orphans) void this.#clearAway(uid, orphan)
    this.#options.onRuntime(undefined)
  }

  #subscribe(found: ReadonlyMap<string, Adopted>): void {
    this.#isFirst = false
    const isOurs = (pod: PodObject) => this.#options.nodes.has(pod.spec.nodeName ?? '')
    const added = (pod: PodObject) => isOurs(pod) && this.#add(pod, found.get(pod.metadata.uid ?? ''))
    this.#unsubscribe = this.#options.pods.on({
      added,
      updated: (pod, old) => {
        const worker = this.#workers.get(pod.metadata.uid ?? '')
        if (pod.metadata.uid !== old.metadata.uid) this.#workers.get(old.metadata.uid ?? '')?.gone(old)
        if (worker) worker.update(pod)
        else added(pod)
      },
      deleted: (pod) => this.#workers.get(pod.metadata.uid ?? '')?.gone(pod),
    })
  }

  /** An agent that was ended between a pod's sandbox and its files has left the files. */
  async #removeLeftFiles(found: ReadonlyMap<string, Adopted>): Promise<void> {
    const { volumes, log } = this.#context
    const left = (await volumes.pods()).filter((uid) => !this.#workers.has(uid) && !found.has(uid))
    const removals = left.map((uid) =>
      volumes.remove(uid).catch((error) => log.warn('files of a pod that is no more are left', { uid, error })),
    )
    await Promise.all(removals)
  }

  #add(pod: PodObject, adopted: Adopted | undefined): void {
    const { uid = '' } = pod.metadata
    const nodeName = pod.spec.nodeName ?? ''
    const ofNode = this.#byNode.get(nodeName) ?? new Set()
    this.#byNode.set(nodeName, ofNode)
    const worker = new PodWorker(this.#context, pod, adopted)
    const isNew = !adopted && (pod.status?.phase ?? 'Pending') === 'Pending' && !pod.metadata.deletionTimestamp
    const others = [...ofNode].flatMap((one) => this.#workers.get(one)?.pod ?? [])
    const refusal = isNew ? refusalOf(pod, others, this.#context.allocatable) : undefined
    if (refusal) worker.fail(refusal.reason, refusal.message)
    ofNode.add(uid)
    this.#workers.set(uid, worker)
  }

  #forget(uid: string): void {
    const worker = this.#workers.get(uid)
    worker?.stop()
    this.#workers.delete(uid)
    this.#byNode.get(worker?.pod.spec.nodeName ?? '')?.delete(uid)
  }

  async #list(): Promise<Map<string, Adopted>> {
    const { runtime, instance } = this.#context
    const labelSelector = { [instanceLabel]: instance }
    const [sandboxes, containers] = await Promise.all([
      runtime.listPodSandbox({ labelSelector }),
      runtime.listContainers({ labelSelector }),
    ])
    const found = new Map<string, Adopted>()
    const of = (labels: Readonly<Record<string, string>>) => {
      const uid = labels[runtimeLabels.podUid] ?? ''
      const known = found.get(uid) ?? { sandboxes: [], containers: [] }
      found.set(uid, known)
      return known
    }
    const statuses = sandboxes.map(({ id }) => present(runtime.podSandboxStatus(id)))
    for (const status of await Promise.all(statuses)) if (status) of(status.labels).sandboxes.push(status)
    const details = containers.map(({ id }) => present(runtime.containerStatus(id)))
    for (const status of await Promise.all(details)) if (status) of(status.labels).containers.push(status)
    return found
  }

  async #clearAway(uid: string, { sandboxes, containers }: Adopted): Promise<void> {
    const { runtime, volumes, log } = this.#context
    try {
      log.info('removing containers of a pod that is no more', { uid })
      await Promise.all(containers.map(({ id }) => runtime.stopContainer(id, orphanGraceSeconds)))
      await Promise.all(sandboxes.map(({ id }) => runtime.stopPodSandbox(id)))
      await Promise.all(containers.map(({ id }) => runtime.removeContainer(id)))
      await Promise.all(sandboxes.map(({ id }) => runtime.removePodSandbox(id)))
      await volumes.remove(uid)
    } catch (error) {
      log.warn('containers of a pod that is no more are left', { uid, error })
    }
  }
}

/** Undefined for what went between the list and the look. */
async function present<T extends PodSandboxStatus | ContainerStatus>(status: Promise<T>): Promise<T | undefined> {
  try {
    return await status
  } catch (error) {
    if (runtimeErrorCode(error) === 'NotFound') return undefined
    throw error
  }
}
