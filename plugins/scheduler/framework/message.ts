/** Why a pod is not scheduled, in the words of Kubernetes' scheduler. Pure. */
import type { Diagnosis, Plugin, Rejection } from './types.ts'

/** `1 Insufficient cpu, 2 node(s) were unschedulable`: reasons counted, in alphabetical order. */
export function countReasons(rejections: Iterable<Pick<Rejection, 'reasons'>>): string {
  const counts = new Map<string, number>()
  for (const { reasons } of rejections) {
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  }
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(', ')
}

export const availability = (nodeCount: number, reasons: string) =>
  `0/${nodeCount} nodes are available${reasons ? `: ${reasons}` : ''}.`

/** The message of the FailedScheduling event and of the PodScheduled condition. `postFilter` may be empty. */
export function describeFailure(diagnosis: Diagnosis, postFilter: string): string {
  if (!diagnosis.nodeCount) return 'no nodes available to schedule pods'
  const main = availability(diagnosis.nodeCount, reasonsOf(diagnosis))
  return postFilter ? `${main} ${postFilter}` : main
}

function reasonsOf({ refused, rejections, nodeCount, plugins }: Diagnosis): string {
  if (refused) return refused.reasons.join(', ')
  const leftOut = nodeCount - rejections.size
  const counted = countReasons(rejections.values())
  if (!leftOut) return counted
  const others = `${leftOut} node(s) didn't satisfy plugin(s) [${[...plugins].map(upstreamName).join(' ')}]`
  return counted ? `${counted}, ${others}` : others
}

/** `node-affinity` is `NodeAffinity` to Kubernetes' users. */
const upstreamName = ({ name }: Plugin) => name.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())
