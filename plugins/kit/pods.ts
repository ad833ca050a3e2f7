import type { Pod, PodTemplateSpec } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { KubeObject } from '@keelson/apis/meta/v1/types.ts'
import type { DeepReadonly } from '@keelson/client'
import { findCondition, isConditionTrue } from './conditions.ts'
import { ownerReferenceTo } from './owners.ts'

/** What controllers of pods ask of a pod. All pure. */

type AnyPod = DeepReadonly<Pod>

/** Ran to its end, well or not: it will not run again. */
export const isPodTerminal = (pod: AnyPod): boolean =>
  pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

/** Counts as a replica: neither at its end nor being deleted. */
export const isPodActive = (pod: AnyPod): boolean => !isPodTerminal(pod) && !pod.metadata.deletionTimestamp

export const isPodReady = (pod: AnyPod): boolean => isConditionTrue(pod.status?.conditions, 'Ready')

/** Milliseconds since 1970 at which the pod became ready; undefined while it is not. */
export function podReadySince(pod: AnyPod): number | undefined {
  const ready = findCondition(pod.status?.conditions, 'Ready')
  if (ready?.status !== 'True') return undefined
  return ready.lastTransitionTime ? Date.parse(ready.lastTransitionTime) : 0
}

/** Milliseconds until a ready pod is available; 0 when it is, undefined when it is not ready. */
export function msUntilAvailable(pod: AnyPod, minReadySeconds: number, now: number): number | undefined {
  const since = podReadySince(pod)
  if (since === undefined) return undefined
  return minReadySeconds > 0 ? Math.max(0, since + minReadySeconds * 1000 - now) : 0
}

/** Ready for at least `minReadySeconds`. */
export const isPodAvailable = (pod: AnyPod, minReadySeconds: number, now: number): boolean =>
  msUntilAvailable(pod, minReadySeconds, now) === 0

/** The pod a template describes, managed by `owner`, named by the server after `owner`. */
export function podFromTemplate(template: DeepReadonly<PodTemplateSpec>, owner: DeepReadonly<KubeObject>): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {}
  return structuredClone({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: generateNameFor(owner.metadata.name ?? ''),
      namespace: owner.metadata.namespace,
      labels,
      annotations,
      finalizers,
      ownerReferences: [ownerReferenceTo(owner)],
    },
    spec: template.spec,
  }) as Pod
}

/** The server cuts what does not fit before it appends its suffix; the dash is ours. */
export const generateNameFor = (name: string): string => `${name}-`
