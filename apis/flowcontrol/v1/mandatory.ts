import type { FlowSchemaSpec, PriorityLevelConfigurationSpec, Subject } from './zz_generated.types.ts'

/**
 * The specs that are the same in every cluster, whoever writes them: without them some requests would have no place, and
 * administrators none that is theirs. Defaults are written out.
 * @see https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#mandatory-configuration-objects
 */
const all = ['*']

function everythingOf(groups: readonly string[]): FlowSchemaSpec['rules'] {
  const subjects = groups.map((name): Subject => ({ kind: 'Group', group: { name } }))
  const everywhere = { verbs: all, apiGroups: all, resources: all, namespaces: all, clusterScope: true }
  return [{ subjects, resourceRules: [everywhere], nonResourceRules: [{ verbs: all, nonResourceURLs: all }] }]
}

export const mandatorySchemaSpecs: ReadonlyMap<string, FlowSchemaSpec> = new Map([
  [
    'exempt',
    {
      priorityLevelConfiguration: { name: 'exempt' },
      matchingPrecedence: 1,
      rules: everythingOf(['system:masters']),
    },
  ],
  [
    'catch-all',
    {
      priorityLevelConfiguration: { name: 'catch-all' },
      matchingPrecedence: 10_000,
      distinguisherMethod: { type: 'ByUser' },
      rules: everythingOf(['system:unauthenticated', 'system:authenticated']),
    },
  ],
])

export const mandatoryLevelSpecs: ReadonlyMap<string, PriorityLevelConfigurationSpec> = new Map([
  ['exempt', { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } }],
  [
    'catch-all',
    {
      type: 'Limited',
      limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: 'Reject' } },
    },
  ],
])
