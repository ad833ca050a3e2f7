/** Which taints keep a pod off a node. Pure. @see https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/ */
import type { Taint, Toleration } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { DeepReadonly } from '@keelson/client'
import { toleratesTaint } from '@keelson/kit'

/** The first taint that keeps pods off and that no toleration covers. */
export function findForbiddingTaint(
  taints: readonly DeepReadonly<Taint>[],
  tolerations: readonly DeepReadonly<Toleration>[] = [],
): DeepReadonly<Taint> | undefined {
  return taints.find((taint) => isHard(taint) && !tolerations.some((one) => toleratesTaint(one, taint)))
}

const isHard = ({ effect }: { effect: string }) => effect === 'NoSchedule' || effect === 'NoExecute'
