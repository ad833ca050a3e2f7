/**
 * The scheduler itself: keeps its cache and queue up to date from informers, runs one cycle at a time and binds in the
 * background, several pods at once. A pod counts as placed from the moment it is chosen; a failed binding takes that back.
 */
import { setImmediate } from 'node:timers/promises'
import { namespaces, nodes, type Pod, pods } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { Logger } from '@keelson/apis/plugin/v1/host.ts'
import { poddisruptionbudgets } from '@keelson/apis/policy/v1/zz_generated.types.ts'
import type { DeepReadonly } from '@keelson/client'
import type { Clock, EventRecorder, Informers } from '@keelson/kit'
import { buildPlugins } from './builtin/registry.ts'
import { SchedulerCache } from './cache/cache.ts'
import { Nominations } from './cache/nominations.ts'
import type { SchedulerConfig } from './config.ts'
import { type CycleResult, SchedulingCycle } from './framework/cycle.ts'
import { budgetOf } from './framework/disruption-budgets.ts'
import { Framework } from './framework/framework.ts'
import { describeFailure } from './framework/message.ts'
import type { NodeInfo } from './framework/node-info.ts'
import { type PodInfo, podInfoOf } from './framework/pod-info.ts'
import { noLabels } from './framework/selectors.ts'
import type { ClusterEvent, CycleState, Diagnosis, Plugin, QueuedPod, SchedulerApi } from './framework/types.ts'
import type { PodWriter } from './pod-writer.ts'
import { SchedulingQueue } from './queue/queue.ts'

export interface SchedulerDependencies {
  informers: Informers
  writer: PodWriter
  recorder: EventRecorder
  log: Logger
  clock: Clock
  /** 0..1, as Math.random. */
  random: () => number
}

/** Bindings under way at once; enough to hide the round trip, few enough not to flood the server. */
const maxBindings = 64
/** How long cycles run before other work, such as watch events, gets its turn. */
const sliceMs = 8
/** Pods that have ended need no node and hold none. */
const notEnded = 'status.phase!=Succeeded,status.phase!=Failed'

export class Scheduler {
  readonly #config: SchedulerConfig
  readonly #dependencies: SchedulerDependencies
  readonly #cache = new SchedulerCache()
  readonly #nominations = new Nominations()
  readonly #framework: Framework
  readonly #cycle: SchedulingCycle
  readonly #queue: SchedulingQueue
  readonly #bindings = new Set<Promise<void>>()
  #wake: () => void = () => {}

  constructor(config: SchedulerConfig, dependencies: SchedulerDependencies) {
    this.#config = config
    this.#dependencies = dependencies
    this.#framework = new Framework(this.#nominations, (filters) =>
      buildPlugins({ api: this.#api(dependencies), filters }, config.plugins),
    )
    this.#cycle = new SchedulingCycle(this.#framework, { ...config, random: dependencies.random })
    this.#queue = new SchedulingQueue({
      clock: dependencies.clock,
      compare: this.#framework.compareQueued,
      isGated: (pod) => this.#framework.preEnqueue(pod) !== undefined,
      couldHelp: (rejectedBy, pod, event) => this.#framework.couldHelp(rejectedBy, pod, event),
      onReady: () => this.#wake(),
    })
  }

  /** Resolves when the cache is complete: from then on `run` may decide. */
  async sync(): Promise<void> {
    const { informers } = this.#dependencies
    informers.for(namespaces).on({
      added: (namespace) => this.#onNamespace(namespace.metadata.name ?? '', namespace.metadata.labels),
      updated: (namespace) => this.#onNamespace(namespace.metadata.name ?? '', namespace.metadata.labels),
      deleted: (namespace) => this.#cache.removeNamespace(namespace.metadata.name ?? ''),
    })
    informers.for(nodes).on({
      added: (node) => this.#notify(this.#cache.setNode(node)),
      updated: (node) => this.#notify(this.#cache.setNode(node)),
      deleted: (node) => this.#cache.removeNode(node.metadata.name ?? ''),
    })
    informers.for(poddisruptionbudgets).on({
      added: (budget) => this.#cache.setBudget(budget.metadata.uid ?? '', budgetOf(budget)),
      updated: (budget) => this.#cache.setBudget(budget.metadata.uid ?? '', budgetOf(budget)),
      deleted: (budget) => this.#cache.removeBudget(budget.metadata.uid ?? ''),
    })
    informers.for(pods, { fieldSelector: notEnded }).on({
      added: (pod) => this.#onPod(pod),
      updated: (pod) => this.#onPod(pod),
      deleted: (pod) => this.#forget(pod.metadata.uid ?? ''),
    })
    await informers.synced()
  }

  /** Schedules until `signal` aborts; resolves when no binding is under way any more. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#wake(), { once: true })
    let sliceEnd = performance.now() + sliceMs
    while (!signal.aborted) {
      const next = this.#bindings.size < maxBindings ? this.#queue.pop() : undefined
      if (next) this.#schedule(next, signal)
      else await this.#idle(signal)
      if (performance.now() < sliceEnd) continue
      await setImmediate()
      sliceEnd = performance.now() + sliceMs
    }
    this.#queue.close()
    await Promise.all(this.#bindings)
  }

  /** The writes that plugins may ask for, each with its event. */
  #api({ writer, recorder }: SchedulerDependencies): SchedulerApi {
    return {
      bind: writer.bind,
      async preempt(victim, pod, node, signal) {
        await writer.preempt(victim, pod, node, signal)
        recorder.event(victim.pod, 'Normal', 'Preempted', `Preempted by pod ${pod.uid} on node ${node}`)
      },
    }
  }

  /** Until there is a pod to try or room for another binding. */
  #idle(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
      if (signal.aborted) resolve()
    })
  }

  #onNamespace(name: string, labels: Readonly<Record<string, string>> = noLabels): void {
    this.#notify(this.#cache.setNamespace(name, labels))
  }

  #onPod(pod: DeepReadonly<Pod>): void {
    const uid = pod.metadata.uid ?? ''
    const hasEnded = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
    if (hasEnded) this.#forget(uid)
    else if (pod.spec.nodeName) this.#onPlaced(podInfoOf(pod), pod.spec.nodeName)
    else if (pod.metadata.deletionTimestamp) this.#forget(uid)
    else if (pod.spec.schedulerName === this.#config.schedulerName) this.#onWaiting(podInfoOf(pod))
  }

  #onPlaced(pod: PodInfo, node: string): void {
    this.#queue.delete(pod.uid)
    this.#nominations.delete(pod.uid)
    this.#notify(this.#cache.place(pod, node))
  }

  #onWaiting(pod: PodInfo): void {
    const nominated = pod.pod.status?.nominatedNodeName
    if (nominated && !this.#queue.has(pod.uid)) this.#nominations.set(pod, nominated)
    this.#queue.set(pod)
  }

  /** The pod is gone or needs no node any more. */
  #forget(uid: string): void {
    this.#queue.delete(uid)
    this.#nominations.delete(uid)
    this.#notify(this.#cache.remove(uid))
  }

  #notify(event: ClusterEvent | undefined): void {
    if (event) this.#queue.notify(event)
  }

  #schedule({ info }: QueuedPod, signal: AbortSignal): void {
    try {
      const result = this.#cycle.run(info, this.#cache)
      if (result.node) this.#place(info, result.node, result.state, signal)
      else this.#onNoFit(info, result, signal)
    } catch (error) {
      this.#onError(info, error)
    }
  }

  #place(pod: PodInfo, node: NodeInfo, state: CycleState, signal: AbortSignal): void {
    const nominated = this.#nominations.nodeOf(pod.uid)
    this.#nominations.delete(pod.uid)
    const placed = this.#cache.place(pod, node.name)
    const rejected = this.#framework.reserve(state, pod, node)
    if (rejected) {
      this.#cache.remove(pod.uid)
      this.#onRejected(pod, new Set([rejected.plugin]), rejected.reasons.join(', '), nominated, signal)
      return
    }
    this.#notify(placed)
    this.#inBackground(this.#bind(pod, node, state, signal))
  }

  async #bind(pod: PodInfo, node: NodeInfo, state: CycleState, signal: AbortSignal): Promise<void> {
    try {
      const rejected = await this.#framework.bind(state, pod, node.name, signal)
      if (rejected) {
        this.#takeBack(pod, node, state)
        this.#onRejected(pod, new Set([rejected.plugin]), rejected.reasons.join(', '), undefined, signal)
        return
      }
      this.#dependencies.recorder.event(
        pod.pod,
        'Normal',
        'Scheduled',
        `Successfully assigned ${pod.key} to ${node.name}`,
      )
    } catch (error) {
      this.#takeBack(pod, node, state)
      if (!signal.aborted) this.#onError(pod, error)
    }
  }

  #takeBack(pod: PodInfo, node: NodeInfo, state: CycleState): void {
    this.#framework.unreserve(state, pod, node)
    this.#notify(this.#cache.remove(pod.uid))
  }

  #onNoFit(pod: PodInfo, { state, diagnosis }: CycleResult & { diagnosis: Diagnosis }, signal: AbortSignal): void {
    const result = this.#framework.postFilter(state, pod, this.#cache, diagnosis)
    const { nominated, message, keepsNomination } = result
    if (nominated) this.#nominations.set(pod, nominated.node)
    else if (!keepsNomination) this.#nominations.delete(pod.uid)
    const node = this.#nominations.nodeOf(pod.uid)
    this.#onRejected(pod, diagnosis.plugins, describeFailure(diagnosis, message), node, signal)
    if (nominated) this.#inBackground(this.#makeRoom(pod, nominated.make, signal))
  }

  async #makeRoom(pod: PodInfo, make: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await make(signal)
    } catch (error) {
      if (signal.aborted) return
      this.#dependencies.log.warn('preemption failed', { pod: pod.key, error })
      this.#nominations.delete(pod.uid)
      this.#queue.nudge(pod.uid)
    }
  }

  #onRejected(
    pod: PodInfo,
    by: ReadonlySet<Plugin>,
    message: string,
    nominated: string | undefined,
    signal: AbortSignal,
  ): void {
    const { recorder, writer, log } = this.#dependencies
    this.#queue.park(pod.uid, by)
    recorder.event(pod.pod, 'Warning', 'FailedScheduling', message)
    const report = writer.reportUnschedulable(pod, message, nominated, signal)
    this.#inBackground(
      report.catch((error) => {
        if (!signal.aborted) log.warn('status of unschedulable pod not written', { pod: pod.key, error })
      }),
    )
  }

  /** Something failed that says nothing of the pod: it is tried again after its backoff. */
  #onError(pod: PodInfo, error: unknown): void {
    const { recorder, log } = this.#dependencies
    log.warn('pod not scheduled', { pod: pod.key, error })
    recorder.event(pod.pod, 'Warning', 'FailedScheduling', error instanceof Error ? error.message : String(error))
    this.#queue.retry(pod.uid)
  }

  #inBackground(work: Promise<void>): void {
    const tracked = work.finally(() => {
      this.#bindings.delete(tracked)
      this.#wake()
    })
    this.#bindings.add(tracked)
  }
}
