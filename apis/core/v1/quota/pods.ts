import type { Quantity } from '../../../meta/v1/quantity.ts'
import { type Amounts, one, readAmounts } from '../amounts.ts'
import { qosClassOf } from '../pod-qos.ts'
import { podLimits, podRequests } from '../pod-resources.ts'
import { isExtended, isHugePages, isNative } from '../resource-names.ts'
import type { Pod, PodAffinityTerm, PodSpec, ScopedResourceSelectorRequirement } from '../zz_generated.types.ts'
import type { Evaluator } from './evaluator.ts'
import { selectsValues } from './scope-values.ts'

const computed = ['cpu', 'memory', 'ephemeral-storage'] as const
const names: ReadonlySet<string> = new Set([
  'pods',
  'count/pods',
  ...computed.flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
])
/** A quota of these asks every container to say how much it needs. */
const demanded: ReadonlySet<string> = new Set(
  ['cpu', 'memory'].flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
)

/** Pods count by what they request and may use, until they have ended; `count/pods` counts those that have ended too. */
export const podEvaluator: Evaluator = {
  changedBy: ['resize'],
  counts: (name) =>
    names.has(name) ||
    isHugePages(name) ||
    name.startsWith('requests.hugepages-') ||
    (name.startsWith('requests.') && !isNative(name)),
  usage(object, nowMs) {
    const pod = object as unknown as Pod
    if (hasEnded(pod, nowMs)) return new Map([['count/pods', one]])
    return new Map([['count/pods', one], ...computeUsage(podRequests(pod), podLimits(pod))])
  },
  isIn: (scope, object) => isIn(scope, (object as unknown as Pod).spec ?? { containers: [] }),
  missing: (limited, object) => missing(limited, (object as unknown as Pod).spec),
}

/** When a pod that is being deleted stops to count although it is still there, in milliseconds. */
export function forgottenAt({ metadata }: Pod): number | undefined {
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return undefined
  return Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000
}

/** A pod that should be gone by now may be on a node that is lost: its owner may have another. */
function hasEnded(pod: Pod, nowMs: number): boolean {
  const phase = pod.status?.phase
  return phase === 'Succeeded' || phase === 'Failed' || nowMs > (forgottenAt(pod) ?? Number.POSITIVE_INFINITY)
}

function computeUsage(requests: Amounts, limits: Amounts): Amounts {
  const usage = new Map<string, Quantity>([['pods', one]])
  for (const name of computed) {
    const request = requests.get(name)
    const limit = limits.get(name)
    if (request) usage.set(name, request).set(`requests.${name}`, request)
    if (limit) usage.set(`limits.${name}`, limit)
  }
  for (const [name, request] of requests) {
    if (isHugePages(name)) usage.set(name, request).set(`requests.${name}`, request)
    else if (isExtended(name)) usage.set(`requests.${name}`, request)
  }
  return usage
}

function isIn(scope: ScopedResourceSelectorRequirement, spec: PodSpec): boolean {
  switch (scope.scopeName) {
    case 'Terminating':
      return spec.activeDeadlineSeconds !== undefined
    case 'NotTerminating':
      return spec.activeDeadlineSeconds === undefined
    case 'BestEffort':
      return qosClassOf(spec) === 'BestEffort'
    case 'NotBestEffort':
      return qosClassOf(spec) !== 'BestEffort'
    case 'PriorityClass':
      return selectsValues(scope, spec.priorityClassName ? [spec.priorityClassName] : [])
    case 'CrossNamespacePodAffinity':
      return affinityTerms(spec).some((term) => term.namespaces?.length || term.namespaceSelector)
    default:
      return false
  }
}

function affinityTerms({ affinity }: PodSpec): PodAffinityTerm[] {
  return [affinity?.podAffinity, affinity?.podAntiAffinity].flatMap((side) => [
    ...(side?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(side?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((preferred) => preferred.podAffinityTerm),
  ])
}

/** `must specify limits.cpu for: a,b; memory for: a` */
function missing(limited: readonly string[], spec: PodSpec | undefined): string | undefined {
  const whole = readAmounts(spec?.resources?.requests)
  const wholeLimits = readAmounts(spec?.resources?.limits)
  const lacking = limited
    .filter((name) => demanded.has(name) && !computeUsage(whole, wholeLimits).has(name))
    .sort()
    .map((name) => ({ name, containers: containersWithout(name, spec) }))
    .filter(({ containers }) => containers.length > 0)
  if (lacking.length === 0) return undefined
  return `must specify ${lacking.map(({ name, containers }) => `${name} for: ${containers.join(',')}`).join('; ')}`
}

function containersWithout(name: string, spec: PodSpec | undefined): string[] {
  return [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]
    .filter(({ resources }) => {
      return !computeUsage(readAmounts(resources?.requests), readAmounts(resources?.limits)).has(name)
    })
    .map((container) => container.name)
    .sort()
}
