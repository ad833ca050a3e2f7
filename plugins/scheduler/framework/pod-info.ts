/** What the scheduler wants to know of a pod, worked out once when the pod is first seen. Pure. */
import type { Pod, PodAffinityTerm } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { DeepReadonly } from '@keelson/client'
import { interner, remembering } from './intern.ts'
import { assumedRequests, podRequests, type ResourceVector } from './resources.ts'
import { compileLabelSelector, type LabelMatcher, type Labels, noLabels } from './selectors.ts'

export interface PodInfo {
  readonly pod: DeepReadonly<Pod>
  readonly uid: string
  /** `namespace/name`. */
  readonly key: string
  readonly namespace: string
  readonly name: string
  /** One object for all pods with the same labels. */
  readonly labels: Labels
  readonly priority: number
  readonly isTerminating: boolean
  readonly requests: ResourceVector
  /** As `requests`, with an assumed amount for containers that request nothing; only scores use it. */
  readonly assumed: ResourceVector
  readonly ports: readonly HostPort[]
  readonly affinity: readonly AffinityTerm[]
  readonly antiAffinity: readonly AffinityTerm[]
  readonly preferredAffinity: readonly WeightedTerm[]
  readonly preferredAntiAffinity: readonly WeightedTerm[]
}

export interface HostPort {
  readonly ip: string
  readonly protocol: string
  readonly port: number
}

/** "Pods like these, in the same `topologyKey`." */
export interface AffinityTerm {
  readonly topologyKey: string
  matches(pod: Pick<PodInfo, 'namespace' | 'labels'>, namespaceLabels: NamespaceLabels): boolean
}

export interface WeightedTerm {
  readonly weight: number
  readonly term: AffinityTerm
}

export type NamespaceLabels = (namespace: string) => Labels

export function podInfoOf(pod: DeepReadonly<Pod>): PodInfo {
  const { namespace = '', name = '', uid = '', deletionTimestamp } = pod.metadata
  const labels = internLabels(pod.metadata.labels ?? noLabels)
  const term = (of: DeepReadonly<PodAffinityTerm>) => affinityTerm(of, namespace, labels)
  const weighted = (of: DeepReadonly<{ weight: number; podAffinityTerm: PodAffinityTerm }>): WeightedTerm => ({
    weight: of.weight,
    term: term(of.podAffinityTerm),
  })
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {}
  return {
    pod,
    uid,
    key: `${namespace}/${name}`,
    namespace,
    name,
    labels,
    priority: pod.spec?.priority ?? 0,
    isTerminating: deletionTimestamp !== undefined,
    requests: podRequests(pod.spec),
    assumed: assumedRequests(pod.spec),
    ports: hostPortsOf(pod),
    affinity: (podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(term),
    antiAffinity: (podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(term),
    preferredAffinity: (podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(weighted),
    preferredAntiAffinity: (podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(weighted),
  }
}

interface LocatedTerm {
  of: DeepReadonly<PodAffinityTerm>
  ownNamespace: string
  /** Only when the term speaks of them. */
  ownLabels: Labels
}

const internLabels = interner((labels: Labels) => labels)

const internTerm = interner(({ of, ownNamespace, ownLabels }: LocatedTerm): AffinityTerm => {
  const named = new Set(of.namespaces?.length || of.namespaceSelector ? of.namespaces : [ownNamespace])
  const inNamespace = compileLabelSelector(of.namespaceSelector)
  const byLabels = remembering(withMatchLabelKeys(of, ownLabels))
  return {
    topologyKey: of.topologyKey,
    matches: (pod, namespaceLabels) =>
      (named.has(pod.namespace) || inNamespace(namespaceLabels(pod.namespace))) && byLabels(pod.labels),
  }
})

/** Without namespaces and without a namespace selector a term speaks of the pod's own namespace. */
function affinityTerm(of: DeepReadonly<PodAffinityTerm>, ownNamespace: string, labels: Labels): AffinityTerm {
  const ownLabels = of.matchLabelKeys?.length || of.mismatchLabelKeys?.length ? labels : noLabels
  return internTerm({ of, ownNamespace, ownLabels })
}

interface KeyedSelector {
  labelSelector?: DeepReadonly<PodAffinityTerm>['labelSelector']
  matchLabelKeys?: readonly string[]
  mismatchLabelKeys?: readonly string[]
}

/**
 * The selector narrowed to pods with the same (or other) values of the named labels as the pod itself.
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#matchlabelkeys
 */
export function withMatchLabelKeys(of: KeyedSelector, ownLabels: Labels): LabelMatcher {
  if (!of.labelSelector) return () => false
  const requirement = (operator: string) => (key: string) => ({ key, operator, values: [ownLabels[key]!] })
  const isOwn = (key: string) => Object.hasOwn(ownLabels, key)
  const extra = [
    ...(of.matchLabelKeys ?? []).filter(isOwn).map(requirement('In')),
    ...(of.mismatchLabelKeys ?? []).filter(isOwn).map(requirement('NotIn')),
  ]
  const { matchLabels, matchExpressions = [] } = of.labelSelector
  return compileLabelSelector({
    ...(matchLabels && { matchLabels }),
    matchExpressions: [...matchExpressions, ...extra] as typeof matchExpressions,
  })
}

function hostPortsOf(pod: DeepReadonly<Pod>): HostPort[] {
  const sidecars = (pod.spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always')
  return [...(pod.spec?.containers ?? []), ...sidecars].flatMap((container) =>
    (container.ports ?? [])
      .filter((port) => (port.hostPort ?? 0) > 0)
      .map((port) => ({ ip: port.hostIP || '0.0.0.0', protocol: port.protocol ?? 'TCP', port: port.hostPort! })),
  )
}
