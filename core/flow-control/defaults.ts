import { mandatoryLevelSpecs, mandatorySchemaSpecs } from '#apis/flowcontrol/v1/mandatory.ts'
import type {
  FlowSchema,
  FlowSchemaSpec,
  PolicyRulesWithSubjects,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  ResourcePolicyRule,
  Subject,
} from '#apis/flowcontrol/v1/zz_generated.types.ts'
import { groups } from '#core/authn/users.ts'

/**
 * The objects every cluster has: the mandatory ones, without which no request has a place, and the suggested ones of
 * Kubernetes v1.36. Written as they are stored, defaults included.
 * @see https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#defaults
 */
export const autoUpdateAnnotation = 'apf.kubernetes.io/autoupdate-spec'

const apiVersion = 'flowcontrol.apiserver.k8s.io/v1'

function level(name: string, spec: PriorityLevelConfigurationSpec): PriorityLevelConfiguration {
  return {
    apiVersion,
    kind: 'PriorityLevelConfiguration',
    metadata: { name, annotations: { [autoUpdateAnnotation]: 'true' } },
    spec,
  }
}

function queued(
  name: string,
  nominalConcurrencyShares: number,
  lendablePercent: number,
  queues: number,
  handSize: number,
) {
  const limitResponse = { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: 50 } } as const
  return level(name, { type: 'Limited', limited: { nominalConcurrencyShares, lendablePercent, limitResponse } })
}

const all = ['*']
const everyResource: ResourcePolicyRule = {
  verbs: all,
  apiGroups: all,
  resources: all,
  namespaces: all,
  clusterScope: true,
}

/** Whatever these subjects ask. */
function everything(subjects: Subject[]): PolicyRulesWithSubjects {
  return { subjects, resourceRules: [everyResource], nonResourceRules: [{ verbs: all, nonResourceURLs: all }] }
}

function resources(verbs: string[], group: string, names: string[], clusterScope?: true): ResourcePolicyRule {
  return { verbs, apiGroups: [group], resources: names, namespaces: all, ...(clusterScope && { clusterScope }) }
}

const user = (name: string): Subject => ({ kind: 'User', user: { name } })
const group = (name: string): Subject => ({ kind: 'Group', group: { name } })
const serviceAccount = (namespace: string, name: string): Subject => ({
  kind: 'ServiceAccount',
  serviceAccount: { namespace, name },
})

function schemaOf(name: string, spec: FlowSchemaSpec): FlowSchema {
  return { apiVersion, kind: 'FlowSchema', metadata: { name, annotations: { [autoUpdateAnnotation]: 'true' } }, spec }
}

function schema(
  name: string,
  levelName: string,
  matchingPrecedence: number,
  distinguisher: 'ByUser' | 'ByNamespace' | undefined,
  rules: PolicyRulesWithSubjects,
): FlowSchema {
  return schemaOf(name, {
    priorityLevelConfiguration: { name: levelName },
    matchingPrecedence,
    ...(distinguisher && { distinguisherMethod: { type: distinguisher } }),
    rules: [rules],
  })
}

const controllerManager = user('system:kube-controller-manager')
const scheduler = user('system:kube-scheduler')
const kubeSystem = serviceAccount('kube-system', '*')
const everyone = [group(groups.unauthenticated), group(groups.authenticated)]
const readAndWrite = ['get', 'create', 'update']
const leases = resources(readAndWrite, 'coordination.k8s.io', ['leases'])

export const mandatoryLevels: readonly PriorityLevelConfiguration[] = Array.from(mandatoryLevelSpecs, (entry) =>
  level(...entry),
)

export const mandatorySchemas: readonly FlowSchema[] = Array.from(mandatorySchemaSpecs, (entry) => schemaOf(...entry))

export const suggestedLevels: readonly PriorityLevelConfiguration[] = [
  queued('system', 30, 33, 64, 6),
  queued('node-high', 40, 25, 64, 6),
  queued('leader-election', 10, 0, 16, 4),
  queued('workload-high', 40, 50, 128, 6),
  queued('workload-low', 100, 90, 128, 6),
  queued('global-default', 20, 50, 128, 6),
]

export const suggestedSchemas: readonly FlowSchema[] = [
  schema('probes', 'exempt', 2, undefined, {
    subjects: everyone,
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
  }),
  schema('system-leader-election', 'leader-election', 100, 'ByUser', {
    subjects: [controllerManager, scheduler, kubeSystem],
    resourceRules: [leases],
  }),
  schema('endpoint-controller', 'workload-high', 150, 'ByUser', {
    subjects: [
      controllerManager,
      serviceAccount('kube-system', 'endpoint-controller'),
      serviceAccount('kube-system', 'endpointslicemirroring-controller'),
    ],
    resourceRules: [resources(readAndWrite, '', ['endpoints'])],
  }),
  schema('workload-leader-election', 'leader-election', 200, 'ByUser', {
    subjects: [kubeSystem],
    resourceRules: [leases],
  }),
  schema('system-node-high', 'node-high', 400, 'ByUser', {
    subjects: [group(groups.nodes)],
    resourceRules: [
      resources(all, '', ['nodes', 'nodes/status'], true),
      resources(all, 'coordination.k8s.io', ['leases']),
    ],
  }),
  schema('system-nodes', 'system', 500, 'ByUser', everything([group(groups.nodes)])),
  schema('kube-controller-manager', 'workload-high', 800, 'ByNamespace', everything([controllerManager])),
  schema('kube-scheduler', 'workload-high', 800, 'ByNamespace', everything([scheduler])),
  schema('kube-system-service-accounts', 'workload-high', 900, 'ByNamespace', everything([kubeSystem])),
  // Ours: what can wait, and writes every object of a kind again, must not hold up the other plugins.
  schema(
    'keelson-background',
    'workload-low',
    850,
    'ByUser',
    everything([serviceAccount('keelson-system', 'controller-storage-version-migrator')]),
  ),
  // Ours: what Kubernetes' controller manager and scheduler do, plugins do here, each as its own account.
  schema('keelson-plugins', 'workload-high', 900, 'ByUser', everything([serviceAccount('keelson-system', '*')])),
  schema('service-accounts', 'workload-low', 9_000, 'ByUser', everything([group(groups.serviceAccounts)])),
  schema('global-default', 'global-default', 9_900, 'ByUser', everything(everyone)),
]
