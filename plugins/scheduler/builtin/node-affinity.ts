import { compileNodeTerm, compileRequirements, equalities, type NodeMatcher } from '../framework/selectors.ts'
import type {
  CycleData,
  FilterPlugin,
  PreFilterPlugin,
  PreScorePlugin,
  ReadonlyPod,
  Rejection,
  RequeuePlugin,
  ScorePlugin,
  StateKey,
} from '../framework/types.ts'
import { skip } from '../framework/types.ts'
import { normalise } from './normalise.ts'

interface Required extends CycleData {
  matches: NodeMatcher
}
interface Preferred extends CycleData {
  terms: readonly { weight: number; matches: NodeMatcher }[]
}

const required: StateKey<Required> = { name: 'node-affinity' }
const preferred: StateKey<Preferred> = { name: 'node-affinity preferences' }
const mismatch: Rejection = { resolvable: false, reasons: ["node(s) didn't match Pod's node affinity/selector"] }

const requiredTerms = (pod: ReadonlyPod) =>
  pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
const preferredTerms = (pod: ReadonlyPod) =>
  pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []

/** `spec.nodeSelector` and one of the required affinity terms; undefined when the pod asks for neither. */
export function compileNodeRequirements(pod: ReadonlyPod): NodeMatcher | undefined {
  const terms = requiredTerms(pod)?.map(compileNodeTerm)
  const selector = equalities(pod.spec?.nodeSelector)
  if (!terms && !selector.length) return undefined
  const bySelector = compileRequirements(selector)
  return (labels, name) => bySelector(labels) && (!terms || terms.some((matches) => matches(labels, name)))
}

/** The only nodes a pod may go to when every term of it names some, as DaemonSet pods do. */
export function namedNodes(pod: ReadonlyPod): ReadonlySet<string> | undefined {
  const terms = requiredTerms(pod)
  if (!terms?.length) return undefined
  const names = new Set<string>()
  for (const { matchFields = [] } of terms) {
    const field = matchFields.find((one) => one.key === 'metadata.name' && one.operator === 'In')
    if (!field) return undefined
    for (const name of field.values ?? []) names.add(name)
  }
  return names
}

/** Places pods on nodes whose labels they ask for. @see https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/ */
export const nodeAffinity: PreFilterPlugin & FilterPlugin & PreScorePlugin & ScorePlugin & RequeuePlugin = {
  name: 'node-affinity',

  preFilter(state, { pod }) {
    const matches = compileNodeRequirements(pod)
    if (!matches) return skip
    state.write(required, { matches })
    const nodeNames = namedNodes(pod)
    return nodeNames && { nodeNames }
  },

  filter: (state, _pod, node) => (state.read(required).matches(node.labels, node.name) ? undefined : mismatch),

  preScore(state, { pod }) {
    const terms = preferredTerms(pod).map(({ weight, preference }) => ({
      weight,
      matches: compileNodeTerm(preference),
    }))
    if (!terms.length) return skip
    state.write(preferred, { terms })
    return undefined
  },

  score(state, _pod, node) {
    let sum = 0
    for (const { weight, matches } of state.read(preferred).terms) if (matches(node.labels, node.name)) sum += weight
    return sum
  },

  normalise: (_state, _pod, _nodes, scores) => normalise(scores),

  couldHelp: ({ pod }, event) =>
    (event.type === 'node added' || event.type === 'node updated') &&
    compileNodeRequirements(pod)?.(event.node.labels, event.node.name) !== false,
}
