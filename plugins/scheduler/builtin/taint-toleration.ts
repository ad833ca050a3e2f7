import type { Toleration } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { DeepReadonly } from '@keelson/client'
import { toleratesTaint } from '@keelson/kit'
import type {
  CycleData,
  FilterPlugin,
  PreScorePlugin,
  RequeuePlugin,
  ScorePlugin,
  StateKey,
} from '../framework/types.ts'
import { skip } from '../framework/types.ts'
import { normaliseReversed } from './normalise.ts'
import { findForbiddingTaint } from './tolerations.ts'

interface SoftTolerations extends CycleData {
  tolerations: readonly DeepReadonly<Toleration>[]
}

const soft: StateKey<SoftTolerations> = { name: 'taint-toleration' }
const isSoft = (taint: { effect: string }) => taint.effect === 'PreferNoSchedule'

/** Keeps pods off nodes with taints they do not tolerate; prefers nodes with the fewest soft ones. */
export const taintToleration: FilterPlugin & PreScorePlugin & ScorePlugin & RequeuePlugin = {
  name: 'taint-toleration',

  filter(_state, { pod }, node) {
    if (!node.taints.length) return undefined
    const taint = findForbiddingTaint(node.taints, pod.spec?.tolerations)
    if (!taint) return undefined
    return { resolvable: false, reasons: [`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`] }
  },

  preScore(state, { pod }, nodes) {
    if (!nodes.some((node) => node.taints.some(isSoft))) return skip
    const tolerations = (pod.spec?.tolerations ?? []).filter((one) => !one.effect || isSoft({ effect: one.effect }))
    state.write(soft, { tolerations })
    return undefined
  },

  score(state, _pod, node) {
    const { tolerations } = state.read(soft)
    return node.taints.filter((taint) => isSoft(taint) && !tolerations.some((one) => toleratesTaint(one, taint))).length
  },

  normalise: (_state, _pod, _nodes, scores) => normaliseReversed(scores),

  couldHelp: ({ pod }, event) =>
    (event.type === 'node added' || event.type === 'node updated') &&
    !findForbiddingTaint(event.node.taints, pod.spec?.tolerations),
}
