import { rfc3339 } from '../../meta/v1/time.ts'
import type { Binding, Pod } from './zz_generated.types.ts'

/**
 * Assigns a pod to the node that a Binding names; changes `pod`.
 * @returns why it cannot be, or undefined when it is done
 */
export function bindPod(pod: Pod, binding: Binding, now: Date): string | undefined {
  const { spec, metadata } = pod
  if (binding.metadata.uid && binding.metadata.uid !== metadata.uid) {
    return `Precondition failed: UID in precondition: ${binding.metadata.uid}, UID in object meta: ${metadata.uid}`
  }
  if (metadata.deletionTimestamp) return `pod ${metadata.name} is being deleted, cannot be assigned to a host`
  if (!spec) return `pod ${metadata.name} has no spec`
  if (spec.nodeName) return `pod ${metadata.name} is already assigned to node "${spec.nodeName}"`
  if (spec.schedulingGates?.length) return `pod ${metadata.name} has non-empty .spec.schedulingGates`
  spec.nodeName = binding.target.name
  if (binding.metadata.annotations) metadata.annotations = { ...metadata.annotations, ...binding.metadata.annotations }
  pod.status = { ...pod.status }
  const others = (pod.status.conditions ?? []).filter((condition) => condition.type !== 'PodScheduled')
  const lastTransitionTime = rfc3339(now.getTime())
  pod.status.conditions = [...others, { type: 'PodScheduled', status: 'True', lastTransitionTime }]
  return undefined
}
