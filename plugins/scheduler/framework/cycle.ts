/** One pod against the whole cluster: filter, score, choose. Synchronous from end to end. */
import type { Framework, PreFiltered } from './framework.ts'
import type { NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'
import { type Cluster, CycleState, type Diagnosis, type Plugin, type Rejected } from './types.ts'

export type CycleResult =
  | { readonly node: NodeInfo; readonly state: CycleState }
  | { readonly node: undefined; readonly state: CycleState; readonly diagnosis: Diagnosis }

export interface CycleOptions {
  /** 0: chosen by the size of the cluster. */
  readonly percentageOfNodesToScore: number
  /** 0..1, as Math.random. */
  readonly random: () => number
}

const minFeasibleNodes = 100
const minPercentage = 5

/**
 * How many nodes that fit are enough. Small clusters look at all; large ones at a share that falls with their size,
 * so that the time a pod takes grows slower than the cluster.
 */
export function feasibleNodesWanted(nodes: number, percentage: number): number {
  if (nodes < minFeasibleNodes) return nodes
  const share = percentage || Math.max(minPercentage, 50 - Math.floor(nodes / 125))
  return Math.max(minFeasibleNodes, Math.floor((nodes * share) / 100))
}

/** One of the best, at random, so that equal nodes are used equally. `totals` is not empty. */
export function indexOfBest(totals: readonly number[], random: () => number): number {
  let best = 0
  let ties = 1
  for (let at = 1; at < totals.length; at++) {
    if (totals[at]! > totals[best]!) {
      best = at
      ties = 1
    } else if (totals[at] === totals[best] && random() < 1 / ++ties) best = at
  }
  return best
}

export class SchedulingCycle {
  readonly #framework: Framework
  readonly #options: CycleOptions
  /** Where the last search ended: the next goes on from there, so that all nodes get their turn. */
  #start = 0

  constructor(framework: Framework, options: CycleOptions) {
    this.#framework = framework
    this.#options = options
  }

  run(pod: PodInfo, cluster: Cluster): CycleResult {
    const state = new CycleState()
    const preFiltered = this.#framework.preFilter(state, pod, cluster)
    if ('reasons' in preFiltered) return refusal(state, cluster, preFiltered)
    const rejections = new Map<NodeInfo, Rejected>()
    const feasible = this.#findFeasible(state, pod, cluster, preFiltered, rejections)
    if (!feasible.length) {
      const plugins = new Set<Plugin>([...rejections.values()].map(({ plugin }) => plugin))
      for (const plugin of preFiltered.narrowedBy) plugins.add(plugin)
      return { node: undefined, state, diagnosis: { nodeCount: cluster.nodes.length, rejections, plugins } }
    }
    return { node: this.#choose(state, pod, feasible, cluster), state }
  }

  #findFeasible(
    state: CycleState,
    pod: PodInfo,
    cluster: Cluster,
    { nodeNames }: PreFiltered,
    rejections: Map<NodeInfo, Rejected>,
  ): NodeInfo[] {
    const candidates = nodeNames ? namedIn(cluster, nodeNames) : cluster.nodes
    const wanted = feasibleNodesWanted(candidates.length, this.#options.percentageOfNodesToScore)
    const feasible: NodeInfo[] = []
    let looked = 0
    for (; looked < candidates.length && feasible.length < wanted; looked++) {
      const node = candidates[(this.#start + looked) % candidates.length]!
      const rejected = this.#framework.filter(state, pod, node, cluster)
      if (rejected) rejections.set(node, rejected)
      else feasible.push(node)
    }
    if (!nodeNames && candidates.length) this.#start = (this.#start + looked) % candidates.length
    return feasible
  }

  #choose(state: CycleState, pod: PodInfo, feasible: readonly NodeInfo[], cluster: Cluster): NodeInfo {
    if (feasible.length === 1) return feasible[0]!
    const totals = this.#framework.score(state, pod, feasible, cluster)
    return feasible[indexOfBest(totals, this.#options.random)]!
  }
}

function namedIn(cluster: Cluster, names: ReadonlySet<string>): NodeInfo[] {
  return [...names].map((name) => cluster.node(name)).filter((node) => node !== undefined)
}

function refusal(state: CycleState, cluster: Cluster, refused: Rejected): CycleResult {
  const plugins = new Set([refused.plugin])
  return {
    node: undefined,
    state,
    diagnosis: { nodeCount: cluster.nodes.length, rejections: new Map(), plugins, refused },
  }
}
