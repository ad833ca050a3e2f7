import type { FilterPlugin, Rejection } from '../framework/types.ts'

const otherName: Rejection = { resolvable: false, reasons: ["node(s) didn't match the requested node name"] }

/** A pod that names its node goes there or nowhere. */
export const nodeName: FilterPlugin = {
  name: 'node-name',
  filter(_state, { pod }, node) {
    const wanted = pod.spec?.nodeName
    return !wanted || wanted === node.name ? undefined : otherName
  },
}
