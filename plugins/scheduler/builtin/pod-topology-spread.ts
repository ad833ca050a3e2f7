import type { TopologySpreadConstraint } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { DeepReadonly } from '@keelson/client'
import { remembering } from '../framework/intern.ts'
import type { NodeInfo } from '../framework/node-info.ts'
import { type PodInfo, withMatchLabelKeys } from '../framework/pod-info.ts'
import { type LabelMatcher, labelOf, type NodeMatcher } from '../framework/selectors.ts'
import {
  type Cluster,
  type CycleData,
  type CycleState,
  type FilterPlugin,
  maxScore,
  type PreFilterPlugin,
  type PreScorePlugin,
  type Rejection,
  type RequeuePlugin,
  type ScorePlugin,
  type StateKey,
  skip,
} from '../framework/types.ts'
import { compileNodeRequirements } from './node-affinity.ts'
import { findForbiddingTaint } from './tolerations.ts'

interface Constraint {
  readonly topologyKey: string
  readonly maxSkew: number
  readonly minDomains: number
  readonly matches: LabelMatcher
  /** Whether pods on this node count at all. */
  includes(node: NodeInfo): boolean
}

/** Matching pods in each domain, for one constraint. */
class Domains {
  readonly constraint: Constraint
  readonly #counts: Map<string, number>
  #minimum: number | undefined

  constructor(constraint: Constraint, counts = new Map<string, number>()) {
    this.constraint = constraint
    this.#counts = counts
  }

  /** Makes the node's domain known, and counts `pods` more in it. */
  add(node: NodeInfo, pods: number): void {
    const value = labelOf(node.labels, this.constraint.topologyKey)
    if (value === undefined) return
    this.#counts.set(value, (this.#counts.get(value) ?? 0) + pods)
    this.#minimum = undefined
  }

  at(value: string): number {
    return this.#counts.get(value) ?? 0
  }

  get size(): number {
    return this.#counts.size
  }

  /** Pods in the emptiest domain; 0 while there are fewer domains than asked for. */
  get minimum(): number {
    if (this.#counts.size < this.constraint.minDomains) return 0
    this.#minimum ??= this.#counts.size ? Math.min(...this.#counts.values()) : 0
    return this.#minimum
  }

  clone(): Domains {
    return new Domains(this.constraint, new Map(this.#counts))
  }
}

class Spread implements CycleData {
  readonly domains: readonly Domains[]

  constructor(domains: readonly Domains[]) {
    this.domains = domains
  }

  clone(): Spread {
    return new Spread(this.domains.map((one) => one.clone()))
  }
}

interface SoftSpread extends CycleData {
  domains: readonly Domains[]
  /** What a pod more in a domain weighs: less where there are fewer domains to choose from. */
  weights: readonly number[]
}

const hard: StateKey<Spread> = { name: 'pod-topology-spread' }
const soft: StateKey<SoftSpread> = { name: 'pod-topology-spread preferences' }

const tooSkewed: Rejection = { resolvable: true, reasons: ["node(s) didn't match pod topology spread constraints"] }
const noLabel: Rejection = {
  resolvable: false,
  reasons: ["node(s) didn't match pod topology spread constraints (missing required label)"],
}

function constraintsOf(info: PodInfo, action: TopologySpreadConstraint['whenUnsatisfiable']): Constraint[] {
  const constraints = info.pod.spec?.topologySpreadConstraints ?? []
  if (!constraints.length) return []
  const byAffinity = compileNodeRequirements(info.pod)
  return constraints.filter((one) => one.whenUnsatisfiable === action).map((one) => compile(one, info, byAffinity))
}

function compile(
  of: DeepReadonly<TopologySpreadConstraint>,
  { pod, labels }: PodInfo,
  byAffinity: NodeMatcher | undefined,
): Constraint {
  const honoursAffinity = of.nodeAffinityPolicy !== 'Ignore'
  const honoursTaints = of.nodeTaintsPolicy === 'Honor'
  return {
    topologyKey: of.topologyKey,
    maxSkew: of.maxSkew,
    minDomains: of.minDomains ?? 1,
    matches: remembering(withMatchLabelKeys(of, labels)),
    includes: (node) =>
      (!honoursAffinity || byAffinity?.(node.labels, node.name) !== false) &&
      (!honoursTaints || !findForbiddingTaint(node.taints, pod.spec?.tolerations)),
  }
}

/** A node counts for any constraint only when it has the label of all. */
function hasAllKeys(node: NodeInfo, constraints: readonly Constraint[]): boolean {
  return constraints.every(({ topologyKey }) => labelOf(node.labels, topologyKey) !== undefined)
}

function countMatching(node: NodeInfo, namespace: string, matches: LabelMatcher): number {
  let count = 0
  for (const other of node.pods.values()) {
    if (other.namespace === namespace && !other.isTerminating && matches(other.labels)) count++
  }
  return count
}

function countDomains(constraints: readonly Constraint[], pod: PodInfo, cluster: Cluster): Domains[] {
  const domains = constraints.map((constraint) => new Domains(constraint))
  for (const node of cluster.nodes) {
    if (!hasAllKeys(node, constraints)) continue
    for (const one of domains) {
      if (!one.constraint.includes(node)) continue
      one.add(node, countMatching(node, pod.namespace, one.constraint.matches))
    }
  }
  return domains
}

/** Spreads the pods of a group over zones, nodes or other domains. @see https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/ */
export const podTopologySpread: PreFilterPlugin & FilterPlugin & PreScorePlugin & ScorePlugin & RequeuePlugin = {
  name: 'pod-topology-spread',

  preFilter(state, pod, cluster) {
    const constraints = constraintsOf(pod, 'DoNotSchedule')
    if (!constraints.length) return skip
    state.write(hard, new Spread(countDomains(constraints, pod, cluster)))
    return undefined
  },

  trial: {
    addPod: (state, pod, added, node) => recount(state, pod, added, node, 1),
    removePod: (state, pod, removed, node) => recount(state, pod, removed, node, -1),
  },

  filter(state, pod, node) {
    for (const domains of state.read(hard).domains) {
      const { topologyKey, maxSkew, matches } = domains.constraint
      const value = labelOf(node.labels, topologyKey)
      if (value === undefined) return noLabel
      const self = matches(pod.labels) ? 1 : 0
      if (domains.at(value) + self - domains.minimum > maxSkew) return tooSkewed
    }
    return undefined
  },

  preScore(state, pod, nodes, cluster) {
    const constraints = constraintsOf(pod, 'ScheduleAnyway')
    if (!constraints.length || !nodes.some((node) => hasAllKeys(node, constraints))) return skip
    const domains = countDomains(constraints, pod, cluster)
    state.write(soft, { domains, weights: domains.map(({ size }) => Math.log(size + 2)) })
    return undefined
  },

  score(state, _pod, node) {
    const { domains, weights } = state.read(soft)
    let sum = 0
    for (const [index, one] of domains.entries()) {
      const value = labelOf(node.labels, one.constraint.topologyKey)
      if (value === undefined) return Number.NaN
      sum += one.at(value) * weights[index]! + (one.constraint.maxSkew - 1)
    }
    return Math.round(sum)
  },

  /** Fewer pods score higher; a node outside every domain scores nothing. */
  normalise(_state, _pod, _nodes, scores) {
    const known = scores.filter((score) => !Number.isNaN(score))
    const [min, max] = [Math.min(...known), Math.max(...known)]
    for (const [index, score] of scores.entries()) {
      if (Number.isNaN(score)) scores[index] = 0
      else scores[index] = max ? Math.floor((maxScore * (max + min - score)) / max) : maxScore
    }
  },

  couldHelp(pod, event) {
    if (event.type !== 'pod placed' && event.type !== 'pod gone') return event.type !== 'namespace updated'
    return (
      event.pod.namespace === pod.namespace &&
      constraintsOf(pod, 'DoNotSchedule').some(({ matches }) => matches(event.pod.labels))
    )
  },
}

function recount(state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo, change: 1 | -1): void {
  const { domains } = state.read(hard)
  const constraints = domains.map((one) => one.constraint)
  if (other.namespace !== pod.namespace || other.isTerminating || !hasAllKeys(node, constraints)) return
  for (const one of domains) {
    if (one.constraint.includes(node) && one.constraint.matches(other.labels)) one.add(node, change)
  }
}
