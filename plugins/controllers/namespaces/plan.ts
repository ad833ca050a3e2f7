import type { Namespace, NamespaceCondition, NamespaceStatus } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { DeepReadonly, Discovery, ServedResource } from '@keelson/client'
import { setCondition } from '@keelson/kit'

/** What the end of a namespace needs and reports. Pure. */

type AnyNamespace = DeepReadonly<Namespace>

export const finalizer = 'kubernetes'

/** What is left of one resource in the namespace after its objects were deleted. */
export interface Remaining {
  resource: ServedResource
  count: number
  /** How many objects wait for each finalizer. */
  finalizers: ReadonlyMap<string, number>
  /** Where a watch of the rest begins. */
  resourceVersion?: string
}

export interface Findings {
  /** Group versions that could not be asked for their resources. */
  undiscovered: readonly string[]
  /** Deletions that failed. */
  failures: readonly string[]
  remaining: readonly Remaining[]
}

/** True when there is something to do for the namespace. */
export const isEnding = ({ metadata, spec }: AnyNamespace): boolean =>
  metadata.deletionTimestamp !== undefined && (spec?.finalizers ?? []).includes(finalizer)

/**
 * The resources whose objects end with the namespace, each in one version, in the order in which they are deleted: pods
 * before all else, so that what protects them (such as network policies) outlives them.
 */
export function planStages({ resources }: Discovery): ServedResource[][] {
  const deletable = resources.filter(
    ({ namespaced, isPreferred, verbs }) =>
      namespaced && isPreferred && verbs.includes('list') && verbs.includes('delete'),
  )
  const isPods = ({ group, resource }: ServedResource) => group === '' && resource === 'pods'
  const stored = deletable.filter(({ group }) => group !== 'events.k8s.io')
  return [stored.filter(isPods), stored.filter((one) => !isPods(one))]
}

/** True when nothing keeps the namespace from going. */
export const isEmpty = ({ undiscovered, failures, remaining }: Findings): boolean =>
  undiscovered.length === 0 && failures.length === 0 && remaining.length === 0

/** @param now RFC 3339 */
export function planStatus({ status }: AnyNamespace, findings: Findings, now: string): NamespaceStatus {
  const before = (status?.conditions ?? []) as NamespaceCondition[]
  const conditions = conditionsOf(findings).reduce((list, condition) => setCondition(list, condition, now), before)
  return { ...status, phase: 'Terminating', conditions }
}

function conditionsOf({ undiscovered, failures, remaining }: Findings): NamespaceCondition[] {
  return [
    pick('NamespaceDeletionDiscoveryFailure', {
      holds: undiscovered.length > 0,
      yes: [
        'DiscoveryFailed',
        `Discovery failed for some groups, ${undiscovered.length} failing: ${undiscovered.join(', ')}`,
      ],
      no: ['ResourcesDiscovered', 'All resources successfully discovered'],
    }),
    pick('NamespaceDeletionGroupVersionParsingFailure', {
      holds: false,
      yes: ['GroupVersionParsingFailed', ''],
      no: ['ParsedGroupVersions', 'All legacy kube types successfully parsed'],
    }),
    pick('NamespaceDeletionContentFailure', {
      holds: failures.length > 0,
      yes: [
        'ContentDeletionFailed',
        `Failed to delete all resource types, ${failures.length} remaining: ${failures.join(', ')}`,
      ],
      no: ['ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
    }),
    pick('NamespaceContentRemaining', {
      holds: remaining.length > 0,
      yes: ['SomeResourcesRemain', `Some resources are remaining: ${remaining.map(describe).sort().join(', ')}`],
      no: ['ContentRemoved', 'All content successfully removed'],
    }),
    pick('NamespaceFinalizersRemaining', {
      holds: finalizersIn(remaining).size > 0,
      yes: [
        'SomeFinalizersRemain',
        `Some content in the namespace has finalizers remaining: ${describeFinalizers(remaining)}`,
      ],
      no: ['ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
    }),
  ]
}

type Wording = [reason: string, message: string]

function pick(type: string, { holds, yes, no }: { holds: boolean; yes: Wording; no: Wording }): NamespaceCondition {
  const [reason, message] = holds ? yes : no
  return { type, status: holds ? 'True' : 'False', reason, message }
}

const describe = ({ resource, count }: Remaining) =>
  `${resource.resource}.${resource.group} has ${count} resource instances`

function finalizersIn(remaining: readonly Remaining[]): Map<string, number> {
  const total = new Map<string, number>()
  for (const { finalizers } of remaining) {
    for (const [name, count] of finalizers) total.set(name, (total.get(name) ?? 0) + count)
  }
  return total
}

const describeFinalizers = (remaining: readonly Remaining[]) =>
  [...finalizersIn(remaining)]
    .map(([name, count]) => `${name} in ${count} resource instances`)
    .sort()
    .join(', ')

/** The namespace without our finalizer, to be sent to its `finalize` subresource. */
export function finalized(namespace: AnyNamespace): AnyNamespace {
  const finalizers = (namespace.spec?.finalizers ?? []).filter((one) => one !== finalizer)
  return { ...namespace, spec: { ...namespace.spec, finalizers } }
}
