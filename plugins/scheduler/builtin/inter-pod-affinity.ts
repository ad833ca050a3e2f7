import type { NodeInfo } from '../framework/node-info.ts'
import type { AffinityTerm, PodInfo } from '../framework/pod-info.ts'
import { labelOf } from '../framework/selectors.ts'
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
import { TopologyCounts } from './topology-counts.ts'

/** Who is where, as far as it matters to the incoming pod. */
class Neighbours implements CycleData {
  /** Pods whose own anti-affinity keeps the incoming pod out. */
  readonly repelling: TopologyCounts
  /** Pods that match all affinity terms of the incoming pod. */
  readonly wanted: TopologyCounts
  /** Pods that match any anti-affinity term of the incoming pod. */
  readonly unwanted: TopologyCounts
  /** The incoming pod matches its own affinity terms. */
  readonly attractsItself: boolean

  constructor(attractsItself: boolean, from?: Neighbours) {
    this.attractsItself = attractsItself
    this.repelling = from?.repelling.clone() ?? new TopologyCounts()
    this.wanted = from?.wanted.clone() ?? new TopologyCounts()
    this.unwanted = from?.unwanted.clone() ?? new TopologyCounts()
  }

  count(pod: PodInfo, other: PodInfo, node: NodeInfo, cluster: Cluster, change: 1 | -1): void {
    this.countRepelling(pod, other, node, cluster, change)
    this.countOwn(pod, other, node, cluster, change)
  }

  countRepelling(pod: PodInfo, other: PodInfo, node: NodeInfo, cluster: Cluster, change: 1 | -1): void {
    for (const term of other.antiAffinity) {
      if (term.matches(pod, cluster.namespaceLabels)) this.repelling.add(term.topologyKey, node, change)
    }
  }

  countOwn(pod: PodInfo, other: PodInfo, node: NodeInfo, cluster: Cluster, change: 1 | -1): void {
    if (pod.affinity.length && matchesAll(pod.affinity, other, cluster)) {
      for (const term of pod.affinity) this.wanted.add(term.topologyKey, node, change)
    }
    for (const term of pod.antiAffinity) {
      if (term.matches(other, cluster.namespaceLabels)) this.unwanted.add(term.topologyKey, node, change)
    }
  }

  clone(): Neighbours {
    return new Neighbours(this.attractsItself, this)
  }
}

interface Attraction extends CycleData {
  counts: TopologyCounts
}

const neighbours: StateKey<Neighbours> = { name: 'inter-pod-affinity' }
const attraction: StateKey<Attraction> = { name: 'inter-pod-affinity preferences' }

const affinityFails: Rejection = { resolvable: false, reasons: ["node(s) didn't match pod affinity rules"] }
const antiAffinityFails: Rejection = { resolvable: true, reasons: ["node(s) didn't match pod anti-affinity rules"] }
const existingFails: Rejection = {
  resolvable: true,
  reasons: ["node(s) didn't satisfy existing pods anti-affinity rules"],
}

function matchesAll(terms: readonly AffinityTerm[], pod: PodInfo, cluster: Pick<Cluster, 'namespaceLabels'>): boolean {
  return terms.every((term) => term.matches(pod, cluster.namespaceLabels))
}

function countNeighbours(pod: PodInfo, cluster: Cluster): Neighbours {
  const found = new Neighbours(matchesAll(pod.affinity, pod, cluster))
  for (const node of cluster.nodesWithAntiAffinity) {
    for (const other of node.podsWithAntiAffinity) found.countRepelling(pod, other, node, cluster, 1)
  }
  if (!pod.affinity.length && !pod.antiAffinity.length) return found
  for (const node of cluster.nodes) {
    for (const other of node.pods.values()) found.countOwn(pod, other, node, cluster, 1)
  }
  return found
}

/** The first of a group that wants to be together has nobody to join: it may start anywhere. */
function isAffinityMet(pod: PodInfo, node: NodeInfo, { wanted, attractsItself }: Neighbours) {
  if (pod.affinity.some((term) => labelOf(node.labels, term.topologyKey) === undefined)) return false
  if (pod.affinity.every((term) => wanted.at(term.topologyKey, node) > 0)) return true
  return wanted.isZero && attractsItself
}

/**
 * Pods together with, or apart from, other pods: the incoming pod's required terms and, the other way round, the
 * anti-affinity of pods already placed. Scores by the preferred terms of both.
 */
export const interPodAffinity: PreFilterPlugin & FilterPlugin & PreScorePlugin & ScorePlugin & RequeuePlugin = {
  name: 'inter-pod-affinity',

  preFilter(state, pod, cluster) {
    const found = countNeighbours(pod, cluster)
    if (!pod.affinity.length && !pod.antiAffinity.length && found.repelling.isEmpty) return skip
    state.write(neighbours, found)
    return undefined
  },

  trial: {
    addPod: (state, pod, added, node, cluster) => recount(state, pod, added, node, cluster, 1),
    removePod: (state, pod, removed, node, cluster) => recount(state, pod, removed, node, cluster, -1),
  },

  filter(state, pod, node) {
    const found = state.read(neighbours)
    if (pod.affinity.length && !isAffinityMet(pod, node, found)) return affinityFails
    if (pod.antiAffinity.length && found.unwanted.someAt(node)) return antiAffinityFails
    return found.repelling.someAt(node) ? existingFails : undefined
  },

  preScore(state, pod, _nodes, cluster) {
    const counts = countAttraction(pod, cluster)
    if (counts.isEmpty) return skip
    state.write(attraction, { counts })
    return undefined
  },

  score: (state, _pod, node) => state.read(attraction).counts.total(node),

  normalise(_state, _pod, _nodes, scores) {
    const min = Math.min(...scores)
    const range = Math.max(...scores) - min
    for (const [index, score] of scores.entries()) {
      scores[index] = range ? Math.floor((maxScore * (score - min)) / range) : 0
    }
  },

  couldHelp(pod, event) {
    if (event.type === 'pod placed') return pod.affinity.length > 0
    return event.type !== 'pod gone' || pod.antiAffinity.length > 0 || event.pod.antiAffinity.length > 0
  },
}

function recount(state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo, cluster: Cluster, change: 1 | -1) {
  state.read(neighbours).count(pod, other, node, cluster, change)
}

/** Required affinity of placed pods draws a little, too: where they are is where their group is. */
const requiredWeight = 1

function countAttraction(pod: PodInfo, cluster: Cluster): TopologyCounts {
  const counts = new TopologyCounts()
  const hasPreferences = pod.preferredAffinity.length > 0 || pod.preferredAntiAffinity.length > 0
  for (const node of hasPreferences ? cluster.nodes : cluster.nodesWithDrawingPods) {
    for (const other of hasPreferences ? node.pods.values() : node.drawingPods) {
      countPair(counts, pod, other, node, cluster)
    }
  }
  return counts
}

function countPair(counts: TopologyCounts, pod: PodInfo, other: PodInfo, node: NodeInfo, cluster: Cluster): void {
  const count = (term: AffinityTerm, about: PodInfo, weight: number) => {
    if (term.matches(about, cluster.namespaceLabels)) counts.add(term.topologyKey, node, weight)
  }
  for (const { term, weight } of pod.preferredAffinity) count(term, other, weight)
  for (const { term, weight } of pod.preferredAntiAffinity) count(term, other, -weight)
  for (const { term, weight } of other.preferredAffinity) count(term, pod, weight)
  for (const { term, weight } of other.preferredAntiAffinity) count(term, pod, -weight)
  for (const term of other.affinity) count(term, pod, requiredWeight)
}
