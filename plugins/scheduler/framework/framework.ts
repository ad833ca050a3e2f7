/** Runs the enabled plugins, extension point by extension point. It decides nothing itself. */
import type { Nominations } from '../cache/nominations.ts'
import type { NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'
import {
  type BindPlugin,
  type Cluster,
  type ClusterEvent,
  type CycleState,
  type Diagnosis,
  type FilterPlugin,
  type FilterRunner,
  type PermitPlugin,
  type Plugin,
  type PostBindPlugin,
  type PostFilterPlugin,
  type PostFilterResult,
  type PreBindPlugin,
  type PreEnqueuePlugin,
  type PreFilterPlugin,
  type PreScorePlugin,
  type QueuedPod,
  type QueueSortPlugin,
  type Rejected,
  type Rejection,
  type RequeuePlugin,
  type ReservePlugin,
  type ScorePlugin,
  skip,
} from './types.ts'

export interface EnabledPlugin {
  readonly plugin: Plugin
  /** What its scores count; 1 when it has none. */
  readonly weight: number
}

/** Plugins that have a method, in order. */
function having<P extends Plugin>(plugins: readonly EnabledPlugin[], method: Exclude<keyof P, 'name'>): P[] {
  return plugins.map(({ plugin }) => plugin).filter((plugin): plugin is P => method in plugin)
}

/** Which nodes are worth filtering: all, or those that preFilter plugins named. */
export interface PreFiltered {
  readonly nodeNames?: ReadonlySet<string>
  /** Who left nodes out. */
  readonly narrowedBy: readonly Plugin[]
}

export class Framework implements FilterRunner {
  readonly #nominations: Nominations
  readonly #weights: ReadonlyMap<Plugin, number>
  readonly #preEnqueue: readonly PreEnqueuePlugin[]
  readonly #queueSort: QueueSortPlugin
  readonly #preFilter: readonly PreFilterPlugin[]
  readonly #filter: readonly FilterPlugin[]
  readonly #postFilter: readonly PostFilterPlugin[]
  readonly #preScore: readonly PreScorePlugin[]
  readonly #score: readonly ScorePlugin[]
  readonly #reserve: readonly ReservePlugin[]
  readonly #permit: readonly PermitPlugin[]
  readonly #preBind: readonly PreBindPlugin[]
  readonly #bind: readonly BindPlugin[]
  readonly #postBind: readonly PostBindPlugin[]

  /** @param build makes the plugins, some of which run the filters of the framework they are part of */
  constructor(nominations: Nominations, build: (filters: FilterRunner) => readonly EnabledPlugin[]) {
    const plugins = build(this)
    const [queueSort, ...others] = having<QueueSortPlugin>(plugins, 'compare')
    if (!queueSort || others.length) throw new Error('exactly one queueSort plugin must be enabled')
    this.#nominations = nominations
    this.#weights = new Map(plugins.map(({ plugin, weight }) => [plugin, weight]))
    this.#queueSort = queueSort
    this.#preEnqueue = having(plugins, 'preEnqueue')
    this.#preFilter = having(plugins, 'preFilter')
    this.#filter = having(plugins, 'filter')
    this.#postFilter = having(plugins, 'postFilter')
    this.#preScore = having(plugins, 'preScore')
    this.#score = having(plugins, 'score')
    this.#reserve = having(plugins, 'reserve')
    this.#permit = having(plugins, 'permit')
    this.#preBind = having(plugins, 'preBind')
    this.#bind = having(plugins, 'bind')
    this.#postBind = having(plugins, 'postBind')
  }

  preEnqueue(pod: PodInfo): Rejected | undefined {
    return firstRejection(this.#preEnqueue, (plugin) => plugin.preEnqueue(pod))
  }

  readonly compareQueued = (a: QueuedPod, b: QueuedPod): number => this.#queueSort.compare(a, b)

  preFilter(state: CycleState, pod: PodInfo, cluster: Cluster): PreFiltered | Rejected {
    let nodeNames: ReadonlySet<string> | undefined
    const narrowedBy: Plugin[] = []
    for (const plugin of this.#preFilter) {
      const result = plugin.preFilter(state, pod, cluster)
      if (result === skip) state.skippedFilters.add(plugin)
      else if (result && 'reasons' in result) return { ...result, plugin }
      else if (result) {
        nodeNames = nodeNames?.intersection(result.nodeNames) ?? result.nodeNames
        narrowedBy.push(plugin)
      }
    }
    return { ...(nodeNames && { nodeNames }), narrowedBy }
  }

  filter(state: CycleState, pod: PodInfo, node: NodeInfo, cluster: Cluster): Rejected | undefined {
    const ahead = this.#nominations.ahead(pod, node.name)
    if (ahead.length) {
      const [trialState, trialNode] = [state.clone(), node.clone()]
      for (const other of ahead) this.addPod(trialState, pod, other, trialNode, cluster)
      const rejected = this.#runFilters(trialState, pod, trialNode)
      if (rejected) return rejected
    }
    return this.#runFilters(state, pod, node)
  }

  addPod(state: CycleState, pod: PodInfo, added: PodInfo, node: NodeInfo, cluster: Cluster): void {
    node.addPod(added)
    for (const plugin of this.#trials(state)) plugin.trial?.addPod(state, pod, added, node, cluster)
  }

  removePod(state: CycleState, pod: PodInfo, removed: PodInfo, node: NodeInfo, cluster: Cluster): void {
    node.removePod(removed.uid)
    for (const plugin of this.#trials(state)) plugin.trial?.removePod(state, pod, removed, node, cluster)
  }

  /** Asks the plugins in turn until one makes room; their messages are joined. */
  postFilter(state: CycleState, pod: PodInfo, cluster: Cluster, diagnosis: Diagnosis): PostFilterResult {
    const messages: string[] = []
    for (const plugin of this.#postFilter) {
      const result = plugin.postFilter(state, pod, cluster, diagnosis)
      if (result.nominated) return result
      if (result.message) messages.push(result.message)
    }
    return { message: messages.join(', ') }
  }

  /** The weighted sum of all scores for each of `nodes`, in their order. */
  score(state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[], cluster: Cluster): number[] {
    const skipped = new Set<Plugin>()
    for (const plugin of this.#preScore) if (plugin.preScore(state, pod, nodes, cluster) === skip) skipped.add(plugin)
    const totals = new Array<number>(nodes.length).fill(0)
    for (const plugin of this.#score) {
      if (skipped.has(plugin)) continue
      const weight = this.#weights.get(plugin) ?? 1
      const scores = nodes.map((node) => plugin.score(state, pod, node, cluster))
      plugin.normalise?.(state, pod, nodes, scores)
      for (let at = 0; at < totals.length; at++) totals[at]! += weight * scores[at]!
    }
    return totals
  }

  reserve(state: CycleState, pod: PodInfo, node: NodeInfo): Rejected | undefined {
    const rejected = firstRejection(this.#reserve, (plugin) => plugin.reserve(state, pod, node))
    if (rejected) this.unreserve(state, pod, node)
    return rejected
  }

  unreserve(state: CycleState, pod: PodInfo, node: NodeInfo): void {
    for (const plugin of this.#reserve.toReversed()) plugin.unreserve(state, pod, node)
  }

  /** Permit, preBind, bind and postBind. @returns the rejection of a permit plugin @throws when the pod could not be bound */
  async bind(state: CycleState, pod: PodInfo, node: string, signal: AbortSignal): Promise<Rejected | undefined> {
    for (const plugin of this.#permit) {
      const rejection = await plugin.permit(state, pod, node, signal)
      if (rejection) return { ...rejection, plugin }
    }
    for (const plugin of this.#preBind) await plugin.preBind(state, pod, node, signal)
    await this.#bindWithFirst(state, pod, node, signal)
    for (const plugin of this.#postBind) plugin.postBind(state, pod, node)
    return undefined
  }

  /** Whether any of the plugins that rejected the pod might think otherwise after the event. */
  couldHelp(rejectedBy: ReadonlySet<Plugin>, pod: PodInfo, event: ClusterEvent): boolean {
    // Nobody rejected a pod for which there was no node to look at.
    if (rejectedBy.size === 0) return true
    for (const plugin of rejectedBy) {
      if (!('couldHelp' in plugin) || (plugin as RequeuePlugin).couldHelp(pod, event)) return true
    }
    return false
  }

  #runFilters(state: CycleState, pod: PodInfo, node: NodeInfo): Rejected | undefined {
    for (const plugin of this.#filter) {
      if (state.skippedFilters.has(plugin)) continue
      const rejection = plugin.filter(state, pod, node)
      if (rejection) return { resolvable: rejection.resolvable, reasons: rejection.reasons, plugin }
    }
    return undefined
  }

  #trials(state: CycleState): PreFilterPlugin[] {
    return this.#preFilter.filter((plugin) => plugin.trial && !state.skippedFilters.has(plugin))
  }

  async #bindWithFirst(state: CycleState, pod: PodInfo, node: string, signal: AbortSignal): Promise<void> {
    for (const plugin of this.#bind) {
      if ((await plugin.bind(state, pod, node, signal)) !== skip) return
    }
    throw new Error('no bind plugin took the pod')
  }
}

function firstRejection<P extends Plugin>(
  plugins: readonly P[],
  run: (plugin: P) => Rejection | undefined,
): Rejected | undefined {
  for (const plugin of plugins) {
    const rejection = run(plugin)
    if (rejection) return { ...rejection, plugin }
  }
  return undefined
}
