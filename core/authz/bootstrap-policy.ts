import type { ClusterRole, ClusterRoleBinding, PolicyRule, Subject } from '#apis/rbac/v1/zz_generated.types.ts'
import { groups } from '#core/authn/users.ts'

/**
 * The roles and bindings every cluster starts with, as data. Controllers have none here: each plugin declares what it needs,
 * and installing it makes its role.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings
 */
const rbacGroup = 'rbac.authorization.k8s.io'

const metadata = (name: string, labels: Record<string, string> = {}) => ({
  name,
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
  annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
})

const aggregateTo = (role: string) => `rbac.authorization.k8s.io/aggregate-to-${role}`

const role = (name: string, rules: PolicyRule[], labels?: Record<string, string>): ClusterRole => ({
  apiVersion: `${rbacGroup}/v1`,
  kind: 'ClusterRole',
  metadata: metadata(name, labels),
  rules,
})

/** A role made of those that carry its label, custom ones included. */
const aggregated = (name: string, labels?: Record<string, string>): ClusterRole => ({
  ...role(name, [], labels),
  aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [aggregateTo(name)]: 'true' } }] },
})

const binding = (name: string, subjects: Subject[], roleName = name): ClusterRoleBinding => ({
  apiVersion: `${rbacGroup}/v1`,
  kind: 'ClusterRoleBinding',
  metadata: metadata(name),
  roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name: roleName },
  subjects,
})

const group = (name: string): Subject => ({ apiGroup: rbacGroup, kind: 'Group', name })
const user = (name: string): Subject => ({ apiGroup: rbacGroup, kind: 'User', name })

const on = (apiGroup: string, resources: string[], verbs: string[], resourceNames?: string[]): PolicyRule => ({
  apiGroups: [apiGroup],
  resources,
  verbs,
  ...(resourceNames && { resourceNames }),
})
const at = (nonResourceURLs: string[]): PolicyRule => ({ nonResourceURLs, verbs: ['get'] })

const read = ['get', 'list', 'watch']
const write = ['create', 'delete', 'deletecollection', 'patch', 'update']
const record = ['create', 'patch', 'update']

const apps = 'apps'
const authentication = 'authentication.k8s.io'
const authorization = 'authorization.k8s.io'
const certificates = 'certificates.k8s.io'
const coordination = 'coordination.k8s.io'
const networking = 'networking.k8s.io'
const storage = 'storage.k8s.io'
const devices = 'resource.k8s.io'

const withStatus = (...resources: string[]) => resources.flatMap((resource) => [resource, `${resource}/status`])
const withScale = (...resources: string[]) => resources.flatMap((resource) => [resource, `${resource}/scale`])

const recordEvents: PolicyRule = { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: record }
const reviewAccess = [
  on(authentication, ['tokenreviews'], ['create']),
  on(authorization, ['subjectaccessreviews'], ['create']),
]
const electLeader = (lease: string) => [
  on(coordination, ['leases'], ['create']),
  on(coordination, ['leases'], ['get', 'update', 'patch', 'list', 'watch'], [lease]),
]

const healthPaths = ['/healthz', '/livez', '/readyz']
const versionPaths = ['/version', '/version/']

const viewRules = [
  on('', ['pods', ...withScale('replicationcontrollers'), 'serviceaccounts', 'configmaps', 'endpoints'], read),
  on('', withStatus('services', 'persistentvolumeclaims'), read),
  on('', ['bindings', 'events', 'limitranges', 'namespaces', 'namespaces/status', 'pods/log', 'pods/status'], read),
  on('', ['replicationcontrollers/status', 'resourcequotas', 'resourcequotas/status'], read),
  on('discovery.k8s.io', ['endpointslices'], read),
  on(apps, ['controllerrevisions', ...withStatus('daemonsets', 'deployments', 'replicasets', 'statefulsets')], read),
  on(apps, ['deployments/scale', 'replicasets/scale', 'statefulsets/scale'], read),
  on('autoscaling', withStatus('horizontalpodautoscalers'), read),
  on('batch', withStatus('cronjobs', 'jobs'), read),
  on('policy', withStatus('poddisruptionbudgets'), read),
  on(networking, [...withStatus('ingresses'), 'networkpolicies'], read),
  on(devices, [...withStatus('resourceclaims'), 'resourceclaimtemplates'], read),
]

const podChannels = ['pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy']

const editRules = [
  on('', [...podChannels, 'secrets', 'services/proxy'], read),
  on('', ['serviceaccounts'], ['impersonate']),
  on('', ['pods', ...podChannels], write),
  on('', ['pods/eviction', 'serviceaccounts/token'], ['create']),
  on('', [...withScale('replicationcontrollers'), 'configmaps', 'events', 'persistentvolumeclaims', 'secrets'], write),
  on('', ['serviceaccounts', 'services', 'services/proxy'], write),
  on(apps, ['daemonsets', 'deployments/rollback', ...withScale('deployments', 'replicasets', 'statefulsets')], write),
  on('autoscaling', ['horizontalpodautoscalers'], write),
  on('batch', ['cronjobs', 'jobs'], write),
  on('policy', ['poddisruptionbudgets'], write),
  on(networking, ['ingresses', 'networkpolicies'], write),
  on(coordination, ['leases'], [...read, ...write]),
  on(devices, ['resourceclaims', 'resourceclaimtemplates'], write),
]

const adminRules = [
  on(authorization, ['localsubjectaccessreviews'], ['create']),
  on(rbacGroup, ['roles', 'rolebindings'], [...read, ...write]),
]

const schedulerRules = [
  recordEvents,
  ...electLeader('kube-scheduler'),
  ...reviewAccess,
  on('', ['nodes', 'namespaces', 'persistentvolumes', 'replicationcontrollers', 'services'], read),
  on('', ['pods'], [...read, 'delete']),
  on('', ['bindings', 'pods/binding'], ['create']),
  on('', ['pods/status'], ['patch', 'update']),
  on('', ['persistentvolumeclaims', 'persistentvolumeclaims/status'], [...read, 'patch', 'update']),
  on(apps, ['replicasets', 'statefulsets'], read),
  on('policy', ['poddisruptionbudgets'], read),
  on(storage, ['csidrivers', 'csinodes', 'csistoragecapacities', 'storageclasses', 'volumeattachments'], read),
  on(devices, ['deviceclasses', 'resourceslices', 'devicetaintrules'], read),
  on(devices, ['resourceclaims'], [...read, 'patch', 'update']),
  on(devices, ['resourceclaims/status'], ['patch', 'update']),
]

const controllerManagerRules = [
  recordEvents,
  ...electLeader('kube-controller-manager'),
  ...reviewAccess,
  on('', ['secrets', 'serviceaccounts'], ['create', 'get', 'update']),
  on('', ['secrets'], ['delete']),
  on('', ['serviceaccounts/token'], ['create']),
  on('', ['configmaps', 'namespaces'], ['get']),
  on('*', ['*'], ['list', 'watch']),
]

/** What a kubelet needs. Granted by the node authorizer to each node for its own objects, not by a binding. */
export const nodeRules: readonly PolicyRule[] = [
  ...reviewAccess,
  recordEvents,
  on('', ['services', 'configmaps', 'secrets', 'persistentvolumeclaims', 'persistentvolumes'], read),
  on('', ['nodes'], [...read, 'create', 'patch', 'update']),
  on('', ['nodes/status', 'pods/status', 'persistentvolumeclaims/status'], ['get', 'patch', 'update']),
  on('', ['pods'], [...read, 'create', 'delete']),
  on('', ['pods/eviction', 'serviceaccounts/token'], ['create']),
  on('', ['serviceaccounts'], ['get']),
  on(certificates, ['certificatesigningrequests'], [...read, 'create']),
  on(coordination, ['leases'], ['get', 'create', 'delete', 'patch', 'update']),
  on(storage, ['csidrivers', 'volumeattachments'], read),
  on(storage, ['csinodes'], ['get', 'create', 'delete', 'patch', 'update']),
  on('node.k8s.io', ['runtimeclasses'], read),
  on(devices, ['resourceclaims'], read),
  on(devices, ['resourceslices'], [...read, ...write]),
]

export const bootstrapClusterRoles: readonly ClusterRole[] = [
  role('cluster-admin', [
    { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
    { nonResourceURLs: ['*'], verbs: ['*'] },
  ]),
  aggregated('admin'),
  aggregated('edit', { [aggregateTo('admin')]: 'true' }),
  aggregated('view', { [aggregateTo('edit')]: 'true' }),
  role('system:aggregate-to-admin', adminRules, { [aggregateTo('admin')]: 'true' }),
  role('system:aggregate-to-edit', editRules, { [aggregateTo('edit')]: 'true' }),
  role('system:aggregate-to-view', viewRules, { [aggregateTo('view')]: 'true' }),
  role('system:discovery', [
    at(['/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*', ...healthPaths, ...versionPaths]),
  ]),
  role('system:public-info-viewer', [at([...healthPaths, ...versionPaths])]),
  role('system:monitoring', [at([...healthPaths.flatMap((path) => [path, `${path}/*`]), '/metrics', '/metrics/slis'])]),
  role('system:basic-user', [
    on(authorization, ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'], ['create']),
    on(authentication, ['selfsubjectreviews'], ['create']),
  ]),
  role('system:service-account-issuer-discovery', [at(['/.well-known/openid-configuration', '/openid/v1/jwks'])]),
  role('system:auth-delegator', reviewAccess),
  role('system:kubelet-api-admin', [
    on('', ['nodes'], [...read, 'proxy']),
    on(
      '',
      ['nodes/configz', 'nodes/healthz', 'nodes/log', 'nodes/metrics', 'nodes/pods', 'nodes/proxy', 'nodes/stats'],
      ['*'],
    ),
  ]),
  role('system:node', [...nodeRules]),
  role('system:node-bootstrapper', [on(certificates, ['certificatesigningrequests'], [...read, 'create'])]),
  role('system:node-problem-detector', [on('', ['nodes'], ['get']), on('', ['nodes/status'], ['patch']), recordEvents]),
  role('system:node-proxier', [
    on('', ['services', 'endpoints', 'nodes'], read),
    on('discovery.k8s.io', ['endpointslices'], read),
    on(networking, ['servicecidrs'], read),
    recordEvents,
  ]),
  role('system:kube-scheduler', schedulerRules),
  role('system:kube-controller-manager', controllerManagerRules),
  role('system:persistent-volume-provisioner', [
    on('', ['persistentvolumes'], [...read, 'create', 'delete']),
    on('', ['persistentvolumeclaims'], [...read, 'update']),
    on(storage, ['storageclasses'], read),
    on('', ['events'], [...record, 'watch']),
  ]),
]

export const bootstrapClusterRoleBindings: readonly ClusterRoleBinding[] = [
  binding('cluster-admin', [group(groups.masters)]),
  binding('system:monitoring', [group('system:monitoring')]),
  binding('system:discovery', [group(groups.authenticated)]),
  binding('system:basic-user', [group(groups.authenticated)]),
  binding('system:public-info-viewer', [group(groups.authenticated), group(groups.unauthenticated)]),
  binding('system:service-account-issuer-discovery', [group(groups.serviceAccounts)]),
  binding('system:node', []),
  binding('system:node-proxier', [user('system:kube-proxy')]),
  binding('system:kube-scheduler', [user('system:kube-scheduler')]),
  binding('system:kube-controller-manager', [user('system:kube-controller-manager')]),
]
