import type { NodeInfo } from '../framework/node-info.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import {
  type FilterPlugin,
  type PreFilterPlugin,
  type Rejection,
  type RequeuePlugin,
  skip,
} from '../framework/types.ts'

const taken: Rejection = { resolvable: true, reasons: ["node(s) didn't have free ports for the requested pod ports"] }
const arePortsFree = (pod: PodInfo, node: NodeInfo) => !pod.ports.some((port) => node.hasPort(port))

/** No two pods on one port of a node. */
export const nodePorts: PreFilterPlugin & FilterPlugin & RequeuePlugin = {
  name: 'node-ports',
  preFilter: (_state, { ports }) => (ports.length ? undefined : skip),
  filter: (_state, pod, node) => (arePortsFree(pod, node) ? undefined : taken),
  couldHelp(pod, event) {
    if (event.type === 'node added' || event.type === 'node updated') return arePortsFree(pod, event.node)
    return event.type === 'pod gone' && (event.node === undefined || arePortsFree(pod, event.node))
  },
}
