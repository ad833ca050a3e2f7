/**
 * The extension points of the scheduler, in the order a pod meets them. A plugin is an object with a name and any of
 * the `XPlugin` interfaces below; the framework discovers which by looking for their methods.
 *
 * From preFilter to reserve a cycle is synchronous: nothing else runs meanwhile, so plugins read the cache itself instead of a copy.
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/scheduling-framework/
 */
import type { Pod } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { DeepReadonly } from '@keelson/client'
import type { DisruptionBudget } from './disruption-budgets.ts'
import type { NodeInfo } from './node-info.ts'
import type { NamespaceLabels, PodInfo } from './pod-info.ts'

export interface Plugin {
  readonly name: string
}

/** Why a pod cannot be placed; the absence of one means that it can. */
export interface Rejection {
  /** False when evicting other pods could not change the answer. */
  readonly resolvable: boolean
  /** As shown to the user after a count of nodes: `Insufficient cpu`. */
  readonly reasons: readonly string[]
}

/** Answer of a `pre` step: there is nothing for this plugin to do about this pod, so its later step is left out. */
export const skip = Symbol('skip')
export type Skip = typeof skip

/** The cluster as a cycle sees it: live, complete with assumed pods, and not to be changed by plugins. */
export interface Cluster {
  /** Nodes of different zones take turns. */
  readonly nodes: readonly NodeInfo[]
  node(name: string): NodeInfo | undefined
  /** Those nodes that hold pods whose affinity, or preferred anti-affinity, counts in scores. */
  readonly nodesWithDrawingPods: ReadonlySet<NodeInfo>
  readonly nodesWithAntiAffinity: ReadonlySet<NodeInfo>
  readonly namespaceLabels: NamespaceLabels
  readonly budgets: readonly DisruptionBudget[]
  /** How many nodes have the image. */
  imageSpread(image: string): number
}

/** What one plugin remembers during one cycle. `clone` when later steps change it. */
export interface CycleData {
  clone?(): CycleData
}

/** Names a plugin's data in the CycleState and, to the compiler, its type. */
export interface StateKey<T extends CycleData> {
  readonly name: string
  readonly dataType?: T
}

/** Carries what plugins worked out in an earlier step of the same cycle. */
export class CycleState {
  readonly #data = new Map<StateKey<CycleData>, CycleData>()
  /** Filter plugins that skipped this pod. */
  readonly skippedFilters = new Set<Plugin>()

  write<T extends CycleData>(key: StateKey<T>, data: T): void {
    this.#data.set(key, data)
  }

  /** @throws when the earlier step did not write it */
  read<T extends CycleData>(key: StateKey<T>): T {
    const data = this.#data.get(key)
    if (!data) throw new Error(`no data of ${key.name} in this cycle`)
    return data as T
  }

  clone(): CycleState {
    const copy = new CycleState()
    for (const [key, data] of this.#data) copy.write(key, data.clone?.() ?? data)
    for (const plugin of this.skippedFilters) copy.skippedFilters.add(plugin)
    return copy
  }
}

/** Decides whether a pod may enter the queue at all. */
export interface PreEnqueuePlugin extends Plugin {
  preEnqueue(pod: PodInfo): Rejection | undefined
}

/** Exactly one is enabled. */
export interface QueueSortPlugin extends Plugin {
  /** Negative when `a` goes first. */
  compare(a: QueuedPod, b: QueuedPod): number
}

export interface QueuedPod {
  readonly info: PodInfo
  /** When it entered the queue, in milliseconds; kept over retries. */
  readonly queuedAt: number
  readonly attempts: number
}

export interface PreFilterPlugin extends Plugin {
  /** Works out what `filter` needs; may name the only nodes worth looking at, or refuse them all. */
  preFilter(state: CycleState, pod: PodInfo, cluster: Cluster): PreFilterResult
  /** Keeps the data right while pods are added to or taken off a node by way of trial. */
  readonly trial?: PreFilterTrial
}

export type PreFilterResult = undefined | Skip | { readonly nodeNames: ReadonlySet<string> } | Rejection

export interface PreFilterTrial {
  addPod(state: CycleState, pod: PodInfo, added: PodInfo, node: NodeInfo, cluster: Cluster): void
  removePod(state: CycleState, pod: PodInfo, removed: PodInfo, node: NodeInfo, cluster: Cluster): void
}

export interface FilterPlugin extends Plugin {
  filter(state: CycleState, pod: PodInfo, node: NodeInfo): Rejection | undefined
}

/** Called when no node fits; may make room. */
export interface PostFilterPlugin extends Plugin {
  postFilter(state: CycleState, pod: PodInfo, cluster: Cluster, diagnosis: Diagnosis): PostFilterResult
}

export interface PostFilterResult {
  /** Room has been (or is being) made on this node; `make` does what that takes. */
  readonly nominated?: { readonly node: string; make(signal: AbortSignal): Promise<void> }
  /** The pod waits for room made earlier; without this, an earlier nomination is void. */
  readonly keepsNomination?: boolean
  /** Added to the message that says why the pod is not scheduled. */
  readonly message: string
}

export interface PreScorePlugin extends Plugin {
  preScore(state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[], cluster: Cluster): undefined | Skip
}

export const maxScore = 100

export interface ScorePlugin extends Plugin {
  /** Any number when there is a `normalise`, otherwise 0..maxScore. */
  score(state: CycleState, pod: PodInfo, node: NodeInfo, cluster: Cluster): number
  /** Brings all scores of one pod into 0..maxScore. Changes `scores`, whose order is that of `nodes`. */
  normalise?(state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[], scores: number[]): void
}

/** Told when a pod has been put on a node, and when that is taken back. */
export interface ReservePlugin extends Plugin {
  reserve(state: CycleState, pod: PodInfo, node: NodeInfo): Rejection | undefined
  unreserve(state: CycleState, pod: PodInfo, node: NodeInfo): void
}

/** May delay a binding by taking its time; the pod keeps its place meanwhile. */
export interface PermitPlugin extends Plugin {
  permit(state: CycleState, pod: PodInfo, node: string, signal: AbortSignal): Promise<Rejection | undefined>
}

export interface PreBindPlugin extends Plugin {
  preBind(state: CycleState, pod: PodInfo, node: string, signal: AbortSignal): Promise<void>
}

export interface BindPlugin extends Plugin {
  /** @returns skip to leave the pod to the next one */
  bind(state: CycleState, pod: PodInfo, node: string, signal: AbortSignal): Promise<undefined | Skip>
}

export interface PostBindPlugin extends Plugin {
  postBind(state: CycleState, pod: PodInfo, node: string): void
}

/** Says which changes of the cluster could make a pod fit that this plugin had rejected; without it every change could. */
export interface RequeuePlugin extends Plugin {
  couldHelp(pod: PodInfo, event: ClusterEvent): boolean
}

export type ClusterEvent =
  | { type: 'node added'; node: NodeInfo }
  /** Something that schedulers look at has changed. */
  | { type: 'node updated'; node: NodeInfo }
  /** A pod has come to a node, or its labels have changed there. */
  | { type: 'pod placed'; pod: PodInfo; node: NodeInfo | undefined }
  /** A pod has left its node, or frees it of its requests. */
  | { type: 'pod gone'; pod: PodInfo; node: NodeInfo | undefined }
  | { type: 'namespace updated'; name: string }

/** A rejection and who gave it. */
export interface Rejected extends Rejection {
  readonly plugin: Plugin
}

/** What a cycle learnt about a pod that does not fit. */
export interface Diagnosis {
  readonly nodeCount: number
  readonly rejections: ReadonlyMap<NodeInfo, Rejected>
  /** Plugins that rejected the pod, a node, or nodes without looking at them. */
  readonly plugins: ReadonlySet<Plugin>
  /** Set when a preFilter plugin refused the pod as a whole. */
  readonly refused?: Rejected
}

/** What plugins are built with. */
export interface PluginContext {
  readonly api: SchedulerApi
  readonly filters: FilterRunner
}

/** The writes that plugins need; tests hand in their own. */
export interface SchedulerApi {
  bind(pod: PodInfo, node: string, signal: AbortSignal): Promise<void>
  /** Evicts `victim` in favour of `pod`. Resolves also when it is gone already. */
  preempt(victim: PodInfo, pod: PodInfo, node: string, signal: AbortSignal): Promise<void>
}

/** All filters as one. */
export interface FilterRunner {
  /** The verdict on one node as it is, and as it will be once the pods nominated to it have come. */
  filter(state: CycleState, pod: PodInfo, node: NodeInfo, cluster: Cluster): Rejected | undefined
  /** Puts `added` on a clone of a node by way of trial, and keeps the plugins' data right. */
  addPod(state: CycleState, pod: PodInfo, added: PodInfo, node: NodeInfo, cluster: Cluster): void
  removePod(state: CycleState, pod: PodInfo, removed: PodInfo, node: NodeInfo, cluster: Cluster): void
}

export type ReadonlyPod = DeepReadonly<Pod>
