import { toleratesTaint } from '@keelson/kit'
import type { FilterPlugin, Rejection, RequeuePlugin } from '../framework/types.ts'

const cordoned: Rejection = { resolvable: false, reasons: ['node(s) were unschedulable'] }
const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const

/** Keeps pods off cordoned nodes, except those that tolerate the taint that goes with it. */
export const nodeUnschedulable: FilterPlugin & RequeuePlugin = {
  name: 'node-unschedulable',
  filter(_state, { pod }, node) {
    if (!node.isUnschedulable) return undefined
    return pod.spec?.tolerations?.some((one) => toleratesTaint(one, taint)) ? undefined : cordoned
  },
  couldHelp: (_pod, event) =>
    (event.type === 'node added' || event.type === 'node updated') && !event.node.isUnschedulable,
}
