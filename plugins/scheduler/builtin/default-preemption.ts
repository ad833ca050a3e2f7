import { overdrawing } from '../framework/disruption-budgets.ts'
import { availability, countReasons } from '../framework/message.ts'
import type { NodeInfo } from '../framework/node-info.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type {
  Cluster,
  CycleState,
  Diagnosis,
  FilterRunner,
  PluginContext,
  PostFilterPlugin,
  SchedulerApi,
} from '../framework/types.ts'

/** Room that could be made: evict `victims` and the pod fits on `node`. */
export interface Candidate {
  readonly node: string
  /** Highest priority first; not empty. */
  readonly victims: readonly PodInfo[]
  /** How many of them are under a disruption budget that has nothing left. */
  readonly violations: number
}

/** A search that finds candidates stops at this many, or at a tenth of the nodes if that is more. */
const minCandidates = 100

const startOf = (pod: PodInfo) => Date.parse(pod.pod.status?.startTime ?? pod.pod.metadata.creationTimestamp ?? '') || 0

/** More important first: higher priority, then longer running. */
export function byImportance(a: PodInfo, b: PodInfo): number {
  return b.priority - a.priority || startOf(a) - startOf(b)
}

/**
 * Evicts pods of lower priority where that makes room for a pod that fits nowhere.
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
 */
export function defaultPreemption({ api, filters }: PluginContext): PostFilterPlugin {
  return {
    name: 'default-preemption',
    postFilter(state, pod, cluster, diagnosis) {
      const why = whyNotEligible(pod, cluster)
      if (why) return { message: `preemption: ${why}`, keepsNomination: true }
      const candidates = findCandidates(filters, state, pod, cluster, diagnosis)
      const best = pickCandidate(candidates)
      if (!best) return { message: `preemption: ${describeHopeless(diagnosis)}` }
      return { message: '', nominated: { node: best.node, make: (signal) => evict(api, best, pod, signal) } }
    },
  }
}

/** A pod that has made room already waits for its victims to end before it evicts others. */
function whyNotEligible({ pod, priority }: PodInfo, cluster: Cluster): string | undefined {
  if (pod.spec?.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.'
  const node = cluster.node(pod.status?.nominatedNodeName ?? '')
  for (const other of node?.pods.values() ?? []) {
    if (other.isTerminating && other.priority < priority) {
      return 'not eligible due to a terminating pod on the nominated node.'
    }
  }
  return undefined
}

function describeHopeless({ nodeCount, rejections }: Diagnosis): string {
  const reason = (resolvable: boolean) =>
    resolvable ? 'No preemption victims found for incoming pod' : 'Preemption is not helpful for scheduling'
  const named = [...rejections.values()].map(({ resolvable }) => ({ reasons: [reason(resolvable)] }))
  const leftOut = new Array(nodeCount - rejections.size).fill({ reasons: [reason(false)] })
  return availability(nodeCount, countReasons([...named, ...leftOut]))
}

function findCandidates(
  filters: FilterRunner,
  state: CycleState,
  pod: PodInfo,
  cluster: Cluster,
  { rejections }: Diagnosis,
): Candidate[] {
  const enough = Math.max(minCandidates, Math.floor(cluster.nodes.length / 10))
  const candidates: Candidate[] = []
  for (const [node, { resolvable }] of rejections) {
    if (!resolvable) continue
    const candidate = tryNode(filters, state, pod, node, cluster)
    if (candidate) candidates.push(candidate)
    if (candidates.length >= enough) break
  }
  return candidates
}

/**
 * Victims are as few as possible: all less important pods are taken off by way of trial, then as many as still fit come
 * back, those first whose disruption budget has nothing left.
 */
function tryNode(
  filters: FilterRunner,
  cycleState: CycleState,
  pod: PodInfo,
  node: NodeInfo,
  cluster: Cluster,
): Candidate | undefined {
  const lesser = [...node.pods.values()].filter((other) => other.priority < pod.priority).sort(byImportance)
  if (!lesser.length) return undefined
  const [state, trial] = [cycleState.clone(), node.clone()]
  for (const other of lesser) filters.removePod(state, pod, other, trial, cluster)
  if (filters.filter(state, pod, trial, cluster)) return undefined
  const over = overdrawing(lesser, cluster.budgets)
  const cannotStay = (other: PodInfo) => {
    filters.addPod(state, pod, other, trial, cluster)
    if (!filters.filter(state, pod, trial, cluster)) return false
    filters.removePod(state, pod, other, trial, cluster)
    return true
  }
  const violating = lesser.filter((other) => over.has(other)).filter(cannotStay)
  const others = lesser.filter((other) => !over.has(other)).filter(cannotStay)
  return { node: node.name, victims: [...violating, ...others].sort(byImportance), violations: violating.length }
}

/** Where least is lost: the fewest violated budgets, the lowest most important victim, the lowest sum of priorities, the fewest, the youngest. */
export function pickCandidate(candidates: readonly Candidate[]): Candidate | undefined {
  const cost = ({ victims, violations }: Candidate) => [
    violations,
    victims[0]?.priority ?? Number.NEGATIVE_INFINITY,
    victims.reduce((sum, { priority }) => sum + priority + 2 ** 31, 0),
    victims.length,
    -Math.min(...victims.filter(({ priority }) => priority === victims[0]?.priority).map(startOf)),
  ]
  const cheaper = (a: Candidate, b: Candidate) => {
    const [left, right] = [cost(a), cost(b)]
    const at = left.findIndex((value, index) => value !== right[index])
    return at >= 0 && right[at]! < left[at]! ? b : a
  }
  return candidates.length ? candidates.reduce(cheaper) : undefined
}

async function evict(
  api: SchedulerApi,
  { node, victims }: Candidate,
  pod: PodInfo,
  signal: AbortSignal,
): Promise<void> {
  const ending = victims.filter((victim) => !victim.isTerminating)
  await Promise.all(ending.map((victim) => api.preempt(victim, pod, node, signal)))
}
