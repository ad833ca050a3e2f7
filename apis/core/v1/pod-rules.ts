import type { Rules } from '../../meta/v1/rules.ts'
import { defaultPod, syncServiceAccount } from './pod-defaults.ts'
import { podPrinter } from './pod-printer.ts'
import { qosClassOf } from './pod-qos.ts'
import { podWarnings } from './pod-warnings.ts'
import { validatePod } from './validate-pod.ts'
import { validatePodUpdate } from './validate-pod-update.ts'
import { mergeLabelKeys } from './validate-scheduling.ts'
import type { Container, Pod, PodSpec } from './zz_generated.types.ts'

/** Pods: born pending, bound to a node once, ended gracefully. */
export const podRules: Rules<Pod> = {
  default: defaultPod,
  prepareCreate(pod) {
    const { metadata, spec } = pod
    syncServiceAccount(spec)
    mergeLabelKeys(metadata.labels ?? {}, spec.affinity, spec.topologySpreadConstraints)
    pod.status = { phase: 'Pending', qosClass: qosClassOf(spec) }
    if (spec.schedulingGates?.length) pod.status.conditions = [schedulingGated]
  },
  prepareUpdate(pod, old, subresource) {
    switch (subresource) {
      case 'status':
        pod.status = { ...pod.status, qosClass: pod.status?.qosClass || old.status?.qosClass }
        pod.metadata.ownerReferences = old.metadata.ownerReferences
        break
      case 'ephemeralcontainers':
        keepAllBut(pod, old, { ephemeralContainers: pod.spec.ephemeralContainers })
        break
      case 'resize':
        keepAllBut(pod, old, resizedContainers(pod.spec, old.spec))
        break
    }
  },
  gracePeriodSeconds: podGracePeriodSeconds,
  validate: validatePod,
  validateUpdate: validatePodUpdate,
  // Nobody edits pods by hand.
  warnings: (pod, old) => (old ? [] : podWarnings(pod)),
  fields: ({ spec, status }) => ({
    'spec.hostNetwork': String(spec.hostNetwork ?? false),
    'status.podIP': status?.podIPs?.[0]?.ip ?? status?.podIP ?? '',
    // Kubernetes takes the name, and has no value for it.
    'status.podIPs': '',
  }),
  // Every node's agent asks for its own.
  indexedFields: ['spec.nodeName'],
  print: podPrinter,
}

const schedulingGated = {
  type: 'PodScheduled',
  status: 'False',
  reason: 'SchedulingGated',
  message: 'Scheduling is blocked due to non-empty scheduling gates',
}

/**
 * How long a deleted pod may take to end: what the client asked for, else what the pod says; nothing when no node runs it
 * or it has ended already.
 */
function podGracePeriodSeconds({ spec, status }: Pod, requested: number | undefined): number {
  if (!spec.nodeName || status?.phase === 'Succeeded' || status?.phase === 'Failed') return 0
  const seconds = requested ?? spec.terminationGracePeriodSeconds ?? 0
  return seconds < 0 ? 1 : seconds
}

/** Lets a subresource change only its own part of the spec. */
function keepAllBut(pod: Pod, old: Pod, changed: Partial<PodSpec>): void {
  const { generation, resourceVersion } = pod.metadata
  const { metadata, spec, status } = structuredClone(old)
  pod.metadata = { ...metadata, resourceVersion, generation }
  pod.spec = { ...spec, ...changed }
  pod.status = status
}

function resizedContainers(spec: PodSpec, old: PodSpec): Partial<PodSpec> {
  const containers = resized(spec.containers ?? [], old.containers)
  if (!old.initContainers) return { containers }
  return { containers, initContainers: resized(spec.initContainers ?? [], old.initContainers) }
}

function resized(containers: readonly Container[], old: readonly Container[]): Container[] {
  const wanted = new Map(containers.map((container) => [container.name, container]))
  return old.map((container) => {
    const { resources, resizePolicy } = wanted.get(container.name) ?? container
    return { ...container, resources, ...(resizePolicy && { resizePolicy }) }
  })
}
