import type { ContainerEvent, ContainerStatus, PodSandboxStatus } from '@keelson/apis/plugin/v1/cri.ts'
import { runtimeErrorCode } from '@keelson/apis/plugin/v1/cri.ts'
import { Prober } from '../probes/prober.ts'
import type { PodContext } from './context.ts'
import type { PodMemory, PodObject, PodView } from './model.ts'
import { attemptsOf, hasExited, isRunning, knownStatus, newMemory, readySandbox, rolesOf } from './model.ts'
import { performerOf } from './perform.ts'
import type { Action } from './plan.ts'
import { isEnding, keyOf, plan } from './plan.ts'
import { RuntimeState } from './runtime-state.ts'
import { podStatus } from './status.ts'
import { StatusWriter } from './status-writer.ts'

/** What the runtime has of a pod when the agent first looks. */
export interface Adopted {
  sandboxes: PodSandboxStatus[]
  containers: ContainerStatus[]
}

const retryMs = 1_000
/** While steps are under way a status is held back this long: most pods then need one write to be Running. */
const settleMs = 50

/**
 * Brings one pod to what its spec asks for: looks, plans, acts, and reports, again after everything that happens to it.
 * Actions of one plan run side by side.
 */
export class PodWorker {
  readonly uid: string
  readonly memory: PodMemory = newMemory()
  readonly state = new RuntimeState()
  readonly #context: PodContext
  readonly #status: StatusWriter
  readonly #perform: (action: Action) => Promise<void>
  readonly #probers = new Map<string, Prober>()
  readonly #refreshing = new Set<string>()
  readonly #stopping = new AbortController()
  #pod: PodObject
  #exists = true
  #isStepDue = false
  #cancelWake = () => {}
  #cancelPublish: (() => void) | undefined

  constructor(context: PodContext, pod: PodObject, adopted?: Adopted) {
    this.#context = context
    this.#pod = pod
    this.uid = pod.metadata.uid ?? ''
    const { client, clock, log, statusLimit: limit } = context
    this.#status = new StatusWriter({ client, clock, log, limit, signal: this.#stopping.signal })
    this.#perform = performerOf(context, this)
    if (adopted) this.resync(adopted)
    this.update(pod)
  }

  get pod(): PodObject {
    return this.#pod
  }

  get signal(): AbortSignal {
    return this.#stopping.signal
  }

  view(): PodView {
    return {
      pod: this.#status.overlay(this.#pod),
      nowMs: this.#context.clock.now(),
      exists: this.#exists,
      sandboxes: this.state.sandboxes,
      containers: this.state.containers,
      memory: this.memory,
      node: this.#context.node,
    }
  }

  update(pod: PodObject): void {
    this.#pod = pod
    this.#noteEnding()
    this.wake()
  }

  /** The API has no such pod any more. */
  gone(pod: PodObject): void {
    this.#exists = false
    this.update(pod)
  }

  /** The node will not run the pod, or no longer. */
  fail(reason: string, message: string): void {
    this.memory.failed = { reason, message }
    this.#noteEnding()
    this.wake()
  }

  /** Something that a volume or a variable is made of has changed: what failed for want of it is tried again. */
  objectsChanged(): void {
    this.memory.volumesWanted++
    for (const what of this.memory.failures.keys()) {
      if (what === 'volumes' || what.startsWith('start:')) this.memory.failures.delete(what)
    }
    this.wake()
  }

  /** All that the runtime has of this pod now. */
  resync({ sandboxes, containers }: Adopted): void {
    const found = new Set([...sandboxes, ...containers].map(({ id }) => id))
    for (const id of this.state.ids()) if (!found.has(id)) this.forget(id)
    for (const sandbox of sandboxes) this.state.putSandbox(sandbox)
    for (const container of containers) {
      this.#take(container)
      if (hasExited(container)) void this.#readMessage(container).then(() => this.wake())
    }
    this.wake()
  }

  runtimeChanged({ type, containerId: id }: Exclude<ContainerEvent, { type: 'RESYNC' | 'UNAVAILABLE' }>): void {
    if (type === 'CONTAINER_DELETED_EVENT') this.forget(id)
    if (type === 'CONTAINER_STOPPED_EVENT') this.#refresh(id)
    if (type === 'CONTAINER_STARTED_EVENT' && this.state.container(id)?.state === 'CONTAINER_CREATED') this.#refresh(id)
  }

  /** Takes in what the runtime says of a container; of one that ended together with its last words. */
  async learn(status: ContainerStatus): Promise<void> {
    if (hasExited(status)) await this.#readMessage(status)
    this.#take(status)
  }

  /** Starts and stops the container's probes with it. */
  #take(status: ContainerStatus): void {
    if (!this.state.putContainer(status)) return
    if (isRunning(status)) this.#probe(status)
    else this.#unprobe(status.id)
    this.wake()
  }

  forget(id: string): void {
    this.state.remove(id)
    this.#unprobe(id)
    this.wake()
  }

  /** Asks the runtime for what it knows of a sandbox or container. */
  async refresh(id: string): Promise<void> {
    const { runtime } = this.#context
    try {
      if (this.state.hasSandbox(id)) this.state.putSandbox(await runtime.podSandboxStatus(id))
      else await this.learn(await runtime.containerStatus(id))
    } catch (error) {
      if (runtimeErrorCode(error) !== 'NotFound') throw error
      this.forget(id)
    }
  }

  flushStatus(): Promise<void> {
    this.#publish()
    return this.#status.flush()
  }

  /** Plans as soon as what is happening now has happened. */
  wake(): void {
    if (this.#isStepDue || this.signal.aborted) return
    this.#isStepDue = true
    setImmediate(() => {
      this.#isStepDue = false
      if (!this.signal.aborted) this.#step()
    })
  }

  /** Lets go of the pod and leaves its containers as they are. */
  stop(): void {
    this.#stopping.abort()
    this.#cancelWake()
    this.#cancelPublish?.()
    for (const id of [...this.#probers.keys()]) this.#unprobe(id)
  }

  #noteEnding(): void {
    if (this.memory.endingSinceMs === undefined && isEnding(this.view())) {
      this.memory.endingSinceMs = this.#context.clock.now()
    }
  }

  #step(): void {
    const { actions, wakeAtMs } = plan(this.view())
    for (const action of actions) void this.#launch(action)
    this.#cancelWake()
    this.#cancelWake =
      wakeAtMs === undefined ? () => {} : this.#schedule(wakeAtMs - this.#context.clock.now(), () => this.wake())
    if (this.signal.aborted) return
    if (this.memory.busy.size === 0) this.#publish()
    else this.#cancelPublish ??= this.#schedule(settleMs, () => this.#publish())
  }

  #schedule(delayMs: number, run: () => void): () => void {
    return this.#context.clock.schedule(Math.max(0, delayMs), run)
  }

  async #launch(action: Action): Promise<void> {
    const key = keyOf(action)
    this.memory.busy.add(key)
    try {
      await this.#perform(action)
    } catch (error) {
      if (this.signal.aborted) return
      const { name, namespace } = this.#pod.metadata
      this.#context.log.warn('pod action failed', { action: key, pod: name, namespace, error })
      await new Promise<void>((resolve) => this.#schedule(retryMs, resolve))
    } finally {
      this.memory.busy.delete(key)
      this.wake()
    }
  }

  #publish(): void {
    this.#cancelPublish?.()
    this.#cancelPublish = undefined
    if (!this.#exists || this.memory.isFinished) return
    const view = this.view()
    this.#status.publish(this.#pod, podStatus(view))
  }

  #refresh(id: string): void {
    if (this.#refreshing.has(id)) return
    this.#refreshing.add(id)
    this.refresh(id)
      .catch((error) => this.#context.log.warn('runtime did not tell', { id, error }))
      .finally(() => {
        this.#refreshing.delete(id)
        this.wake()
      })
  }

  #probe(status: ContainerStatus): void {
    const { clock, features, runtime, recorder } = this.#context
    const container = rolesOf(this.#pod).find(({ spec }) => spec.name === status.metadata.name)?.spec
    const hasProbes = container?.startupProbe || container?.readinessProbe || container?.livenessProbe
    if (!container || !hasProbes || this.#probers.has(status.id)) return
    const podIP = features.podNetwork ? this.podAddress() : ''
    const prober = new Prober({
      target: { runtime, containerId: status.id, container, podIP },
      startedAtMs: status.startedAtMs ?? clock.now(),
      ...this.#knownProbes(status),
      clock,
      onChange: () => this.wake(),
      onFailure: (kind, output) => recorder.event(this.#pod, 'Warning', 'Unhealthy', `${kind} probe failed: ${output}`),
    })
    this.memory.probes.set(status.id, prober.state)
    this.#probers.set(status.id, prober)
  }

  /** A restart of the agent must not take a ready container out of service. */
  #knownProbes({ id, metadata }: ContainerStatus): { known?: { started: boolean; ready: boolean } } {
    const known = knownStatus({ pod: this.#pod }, metadata.name)
    if (!known?.containerID?.endsWith(`://${id}`)) return {}
    return { known: { started: known.started ?? true, ready: known.ready } }
  }

  #unprobe(id: string): void {
    this.#probers.get(id)?.stop()
    this.#probers.delete(id)
  }

  /** Where the pod can be dialled from this node; empty before it has an address. */
  podAddress(): string {
    const own = readySandbox(this.view())?.network.ip
    return own ?? (this.#pod.spec.hostNetwork ? (this.#context.node.hostIPs[0] ?? '') : '')
  }

  /** Never fails: a message is a courtesy. */
  async #readMessage({ id, metadata, exitCode }: ContainerStatus): Promise<void> {
    const { volumes, log } = this.#context
    if (this.memory.messages.has(id)) return
    try {
      const message = await volumes.terminationMessage(this.#pod, metadata.name, metadata.attempt)
      const role = rolesOf(this.#pod).find(({ spec }) => spec.name === metadata.name)
      const wantsLogs = role?.spec.terminationMessagePolicy === 'FallbackToLogsOnError' && exitCode !== 0
      this.memory.messages.set(id, message || (wantsLogs ? await this.#lastLines(id) : ''))
    } catch (error) {
      log.debug('no termination message', { id, error })
    }
  }

  async #lastLines(id: string): Promise<string> {
    const chunks: Uint8Array[] = []
    for await (const chunk of this.#context.runtime.containerLogs(id, { tailLines: 80 }, this.signal))
      chunks.push(chunk)
    return Buffer.concat(chunks).subarray(-2048).toString()
  }

  /** Why a container that never ran has not started. */
  waitingReason(name: string): string {
    const { containerStatuses = [], initContainerStatuses = [] } = podStatus(this.view())
    const status = [...initContainerStatuses, ...containerStatuses].find((one) => one.name === name)
    return status?.state?.waiting?.reason ?? 'ContainerCreating'
  }

  /** The container that requests about `name` mean: its running attempt, or its last. */
  containerOf(name: string, isPrevious = false): ContainerStatus | undefined {
    return attemptsOf(this.view(), name)[isPrevious ? 1 : 0]
  }
}
