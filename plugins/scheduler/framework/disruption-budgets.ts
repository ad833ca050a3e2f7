/** What PodDisruptionBudgets say about evictions. Pure. @see https://kubernetes.io/docs/concepts/workloads/pods/disruptions/ */
import type { PodDisruptionBudget } from '@keelson/apis/policy/v1/zz_generated.types.ts'
import type { DeepReadonly } from '@keelson/client'
import type { PodInfo } from './pod-info.ts'
import { compileLabelSelector, type LabelMatcher } from './selectors.ts'

export interface DisruptionBudget {
  readonly namespace: string
  /** Pods that may still be evicted. */
  readonly allowed: number
  readonly matches: LabelMatcher
  /** Names of pods that are being evicted and counted already. */
  readonly disrupted: ReadonlySet<string>
}

export function budgetOf({ metadata, spec, status }: DeepReadonly<PodDisruptionBudget>): DisruptionBudget {
  return {
    namespace: metadata.namespace ?? '',
    allowed: status?.disruptionsAllowed ?? 0,
    matches: compileLabelSelector(spec?.selector),
    disrupted: new Set(Object.keys(status?.disruptedPods ?? {})),
  }
}

/** Those of `pods` whose eviction would overdraw a budget when all are evicted in this order. */
export function overdrawing(pods: readonly PodInfo[], budgets: readonly DisruptionBudget[]): Set<PodInfo> {
  const left = new Map(budgets.map((budget) => [budget, budget.allowed]))
  const over = new Set<PodInfo>()
  for (const pod of pods) {
    for (const [budget, allowed] of left) {
      if (budget.namespace !== pod.namespace || budget.disrupted.has(pod.name) || !budget.matches(pod.labels)) continue
      left.set(budget, allowed - 1)
      if (allowed <= 0) over.add(pod)
    }
  }
  return over
}
