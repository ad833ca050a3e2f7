import type { Pod } from '../../core/v1/zz_generated.types.ts'
import type { PodDisruptionBudget } from './zz_generated.types.ts'

/** More evictions than the controller has seen yet, and it is better to wait for it. */
const maxDisruptedPods = 2_000

/**
 * What a budget says to the eviction of one of its pods: `spend` takes a disruption from it, `spare` lets a pod go that is
 * not healthy anyhow (as long as it stays so), `later` has none left (with the words of the cause), `never` is broken.
 */
export type EvictionPlan =
  | { action: 'spend'; status: NonNullable<PodDisruptionBudget['status']> }
  | { action: 'spare' }
  | { action: 'later'; why: string; retryAfterSeconds?: number }
  | { action: 'never'; why: string }

/** Pods that have ended or not begun may always go. */
export function needsBudget({ status, metadata }: Pod): boolean {
  return !metadata.deletionTimestamp && !['Succeeded', 'Failed', 'Pending'].includes(status?.phase ?? 'Pending')
}

/**
 * @param now RFC 3339
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
 */
export function planEviction(
  { metadata, spec, status = {} }: PodDisruptionBudget,
  pod: Pod,
  now: string,
): EvictionPlan {
  const { desiredHealthy = 0, currentHealthy = 0, disruptionsAllowed = 0, disruptedPods = {} } = status
  if (!isReady(pod)) {
    const isHealthyEnough = desiredHealthy > 0 && currentHealthy >= desiredHealthy
    if (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow' || isHealthyEnough) return { action: 'spare' }
  }
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) {
    const why = `The disruption budget ${metadata.name} is still being processed by the server.`
    return { action: 'later', why, retryAfterSeconds: 10 }
  }
  if (disruptionsAllowed < 0) return { action: 'never', why: 'pdb disruptions allowed is negative' }
  if (Object.keys(disruptedPods).length > maxDisruptedPods) {
    return {
      action: 'never',
      why: 'DisruptedPods map too big - too many evictions not confirmed by PDB controller',
    }
  }
  if (disruptionsAllowed === 0) {
    const why = `The disruption budget ${metadata.name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`
    return { action: 'later', why }
  }
  return {
    action: 'spend',
    status: {
      ...status,
      disruptionsAllowed: disruptionsAllowed - 1,
      disruptedPods: { ...disruptedPods, [pod.metadata.name ?? '']: now },
    },
  }
}

function isReady({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
}
