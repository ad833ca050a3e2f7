import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { UnstructuredObject } from './meta/v1/types.ts'
import { rules } from './rules.ts'

type Part = Record<string, unknown>

function objectOf(part: Part): UnstructuredObject {
  const metadata = { name: 'x', namespace: 'default', uid: 'u', ...((part.metadata as object) ?? {}) }
  return structuredClone({ apiVersion: 'v1', kind: 'X', ...part, metadata })
}

/** What a create of the object is told, once it has its defaults. */
function refusals(resource: string, part: Part): string[] {
  const object = objectOf(part)
  const { default: setDefaults, prepareCreate, validate } = rules.get(resource)!
  setDefaults?.(object)
  prepareCreate?.(object)
  return (validate?.(object) ?? []).map(({ field, message }) => `${field}: ${message}`)
}

function updateRefusals(resource: string, old: Part, part: Part, subresource = ''): string[] {
  const errors = rules.get(resource)!.validateUpdate?.(objectOf(part), objectOf(old), subresource) ?? []
  return errors.map(({ field, message }) => `${field}: ${message}`)
}

function defaulted(resource: string, part: Part): UnstructuredObject {
  const object = objectOf(part)
  rules.get(resource)!.default!(object)
  return object
}

const containers = [{ name: 'a', image: 'nginx:1' }]
const labels = { app: 'x' }
const template = { metadata: { labels }, spec: { containers, restartPolicy: 'Always' } }
const jobTemplate = { metadata: { labels }, spec: { containers, restartPolicy: 'Never' } }
const selector = { matchLabels: labels }
const claimSpec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
const volumeSpec = { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } }
const port = { port: 80, protocol: 'TCP' }
const request = Buffer.from('-----BEGIN CERTIFICATE REQUEST-----').toString('base64')
const webhook = {
  name: 'a.b.c',
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
  clientConfig: { url: 'https://host/path' },
}
const backend = (service: Part) => ({ spec: { defaultBackend: { service } } })
const scaled = (more: Part) => ({
  apiVersion: 'autoscaling/v2',
  spec: { scaleTargetRef: { kind: 'Deployment', name: 'd' }, maxReplicas: 3, ...more },
})

const refused: [resource: string, part: Part, ...want: string[]][] = [
  ['node.k8s.io/runtimeclasses', { handler: 'a.b' }, 'handler: Invalid value: "a.b": must not contain dots'],
  [
    'flowcontrol.apiserver.k8s.io/flowschemas',
    { spec: { matchingPrecedence: 0, priorityLevelConfiguration: { name: 'p' } } },
    'spec.matchingPrecedence: Invalid value: 0: must be between 1 and 10000, inclusive',
  ],
  [
    'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations',
    { spec: { type: 'Limited' } },
    'spec.limited: Required value: must not be empty when type is Limited',
  ],
  [
    'core/configmaps',
    { data: { 'a b': '' } },
    "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
  ],
  [
    'core/configmaps',
    { data: { a: '' }, binaryData: { a: '' } },
    'data[a]: Invalid value: "a": duplicate of key present in binaryData',
  ],
  ['core/configmaps', { data: { a: 'é'.repeat(524289) } }, ': Too long: may not be more than 1048576 bytes'],
  ['core/secrets', { type: 'kubernetes.io/tls' }, 'data[tls.crt]: Required value', 'data[tls.key]: Required value'],
  [
    'core/secrets',
    { type: 'kubernetes.io/basic-auth' },
    'data[username]: Required value',
    'data[password]: Required value',
  ],
  ['core/secrets', { type: 'kubernetes.io/ssh-auth' }, 'data[ssh-privatekey]: Required value'],
  ['core/secrets', { type: 'kubernetes.io/dockerconfigjson' }, 'data[.dockerconfigjson]: Required value'],
  [
    'core/secrets',
    { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': 'x' } },
    'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": invalid character in JSON',
  ],
  [
    'core/secrets',
    { type: 'kubernetes.io/service-account-token' },
    'metadata.annotations[kubernetes.io/service-account.name]: Required value',
  ],
  ['core/services', { spec: {} }, 'spec.ports: Required value'],
  [
    'core/services',
    { spec: { ports: [port, { port: 81 }] } },
    'spec.ports[0].name: Required value',
    'spec.ports[1].name: Required value',
  ],
  [
    'core/services',
    { spec: { ports: [{ port: 0 }] } },
    'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
    'spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive',
  ],
  [
    'core/services',
    { spec: { ports: [{ ...port, nodePort: 30000 }] } },
    "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
  ],
  [
    'core/services',
    {
      spec: {
        ports: [
          { ...port, name: 'a' },
          { ...port, name: 'b' },
        ],
      },
    },
    'spec.ports[1]: Duplicate value: {"port":80,"protocol":"TCP"}',
  ],
  ['core/services', { spec: { type: 'ExternalName' } }, 'spec.externalName: Required value'],
  [
    'core/services',
    { spec: { type: 'NodePort', clusterIP: 'None', ports: [port] } },
    'spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services',
  ],
  [
    'core/services',
    { spec: { ports: [port], clusterIP: 'x' } },
    'spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
  ],
  [
    'core/services',
    { spec: { ports: [port], clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', '10.0.0.2'] } },
    'spec.clusterIPs: Invalid value: ["10.0.0.1","10.0.0.2"]: may specify no more than one IP for each IP family, i.e 192.168.0.0 and 2001:db8::1',
  ],
  [
    'core/services',
    { spec: { ports: [port], clusterIPs: ['10.0.0.1'] } },
    'spec.clusterIPs: Invalid value: ["10.0.0.1"]: must be empty when `clusterIP` is not specified',
  ],
  [
    'core/services',
    { spec: { ports: [port], externalTrafficPolicy: 'Local' } },
    'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
  ],
  [
    'core/services',
    {
      spec: { ports: [port], sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 0 } } },
    },
    'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than 0 and less than 86400',
  ],
  [
    'core/services',
    { spec: { ports: [port], externalIPs: ['127.0.0.1'] } },
    'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
  ],
  [
    'core/services',
    { spec: { ports: [port], loadBalancerClass: 'a/b' } },
    "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
  ],
  ['core/endpoints', { subsets: [{}] }, 'subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`'],
  [
    'core/endpoints',
    { subsets: [{ addresses: [{ ip: '0.0.0.0' }, { ip: '127.0.0.1' }, { ip: 'fe80::1' }, { ip: '224.0.0.1' }] }] },
    'subsets[0].addresses[0].ip: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0 or ::)',
    'subsets[0].addresses[1].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
    'subsets[0].addresses[2].ip: Invalid value: "fe80::1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
    'subsets[0].addresses[3].ip: Invalid value: "224.0.0.1": may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
  ],
  [
    'core/endpoints',
    { subsets: [{ addresses: [{ ip: 'x' }] }] },
    'subsets[0].addresses[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
  ],
  [
    'core/nodes',
    {
      spec: {
        taints: [
          { key: 'a', effect: 'NoSchedule' },
          { key: 'a', effect: 'NoSchedule' },
        ],
      },
    },
    'metadata.taints[1]: Duplicate value: {"key":"a","effect":"NoSchedule"}: taints must be unique by key and effect pair',
  ],
  [
    'core/nodes',
    { spec: { podCIDRs: ['10.0.0.0/24', '10.1.0.0/24'] } },
    'spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.1.0.0/24"]: may specify no more than one CIDR for each IP family',
  ],
  ['core/persistentvolumes', { spec: volumeSpec }, 'spec: Required value: must specify a volume type'],
  [
    'core/persistentvolumes',
    { spec: { ...volumeSpec, local: { path: '/x' } } },
    'spec.nodeAffinity: Required value: Local volume requires node affinity',
  ],
  [
    'core/persistentvolumes',
    { spec: { ...volumeSpec, hostPath: { path: '/' }, nfs: { server: 's', path: '/' } } },
    'spec.nfs: Forbidden: may not specify more than 1 volume type',
  ],
  [
    'core/persistentvolumes',
    { spec: { accessModes: ['ReadWriteOnce'], hostPath: { path: '/' } } },
    'spec.capacity: Required value',
    'spec.capacity: Unsupported value: {}: supported values: "storage"',
  ],
  [
    'core/persistentvolumeclaims',
    { spec: {} },
    'spec.accessModes: Required value: at least 1 access mode is required',
    'spec.resources[storage]: Required value',
  ],
  [
    'core/persistentvolumeclaims',
    { spec: { ...claimSpec, resources: { requests: { storage: '0' } } } },
    'spec.resources[storage]: Invalid value: "0": must be greater than zero',
  ],
  [
    'core/persistentvolumeclaims',
    { spec: { ...claimSpec, accessModes: ['ReadWriteOncePod', 'ReadWriteOnce'] } },
    'spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes',
  ],
  [
    'core/resourcequotas',
    { spec: { hard: { storage: '1' } } },
    'spec.hard[storage]: Invalid value: "storage": must be a standard resource for quota',
  ],
  [
    'core/resourcequotas',
    { spec: { scopes: ['BestEffort', 'NotBestEffort'] } },
    'spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes',
  ],
  [
    'core/limitranges',
    { spec: { limits: [{ type: 'Container', min: { cpu: '2' }, max: { cpu: '1' } }] } },
    'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
    'spec.limits[0].defaultRequest[cpu]: Invalid value: "1": min value 2 is greater than default request value 1',
    'spec.limits[0].default[cpu]: Invalid value: "2": min value 2 is greater than default value 1',
  ],
  [
    'core/limitranges',
    { spec: { limits: [{ type: 'Pod', default: { cpu: '1' } }] } },
    "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
  ],
  [
    'core/limitranges',
    { spec: { limits: [{ type: 'Node' }] } },
    'spec.limits[0].type: Invalid value: "Node": must be a standard limit type or fully qualified',
  ],
  [
    'core/events',
    { involvedObject: { namespace: 'other' } },
    'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
  ],
  ['core/replicationcontrollers', { spec: {} }, 'spec.selector: Required value', 'spec.template: Required value'],
  [
    'apps/deployments',
    { spec: { selector: {}, template } },
    'spec.selector: Invalid value: {}: empty selector is invalid for deployment',
  ],
  [
    'apps/deployments',
    { spec: { selector: { matchLabels: { app: 'y' } }, template } },
    'spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`',
  ],
  [
    'apps/deployments',
    { spec: { selector, template: { ...template, spec: { containers: [{ name: 'a' }] } } } },
    'spec.template.spec.containers[0].image: Required value',
  ],
  [
    'apps/deployments',
    { spec: { selector, template: jobTemplate } },
    'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
  ],
  [
    'apps/deployments',
    { spec: { selector, template, strategy: { type: 'Recreate', rollingUpdate: {} } } },
    "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
  ],
  [
    'apps/deployments',
    { spec: { selector, template, strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } } },
    'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0',
  ],
  [
    'apps/deployments',
    { spec: { selector, template, strategy: { rollingUpdate: { maxSurge: 'x', maxUnavailable: '101%' } } } },
    'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
    "spec.strategy.rollingUpdate.maxSurge: Invalid value: \"x\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
  ],
  [
    'apps/deployments',
    { spec: { selector, template, progressDeadlineSeconds: 5, minReadySeconds: 5 } },
    'spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds',
  ],
  [
    'apps/statefulsets',
    { spec: { selector, template, updateStrategy: { type: 'OnDelete', rollingUpdate: { partition: 1 } } } },
    'spec.updateStrategy.rollingUpdate: Invalid value: {"partition":1}: only allowed for updateStrategy \'RollingUpdate\'',
  ],
  [
    'apps/daemonsets',
    { spec: { selector, template, updateStrategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } } },
    'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero',
  ],
  ['apps/controllerrevisions', { revision: 1 }, 'data: Required value: data is mandatory'],
  [
    'batch/jobs',
    { spec: { template } },
    'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
  ],
  [
    'batch/jobs',
    { spec: { completionMode: 'Indexed', parallelism: 1, template: jobTemplate } },
    'spec.completions: Required value: when completion mode is Indexed',
  ],
  ['batch/jobs', { spec: { manualSelector: true, template: jobTemplate } }, 'spec.selector: Required value'],
  [
    'batch/jobs',
    { spec: { selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'other' } }, template: jobTemplate } },
    'spec.template.metadata.labels: Invalid value: {"controller-uid":"u","job-name":"x","batch.kubernetes.io/controller-uid":"u","batch.kubernetes.io/job-name":"x","app":"x"}: `selector` does not match template `labels`',
    'spec.selector: Invalid value: {"matchLabels":{"batch.kubernetes.io/controller-uid":"other"}}: `selector` not auto-generated',
  ],
  [
    'batch/cronjobs',
    { spec: { schedule: '* * *', jobTemplate: { spec: { template: jobTemplate } } } },
    'spec.schedule: Invalid value: "* * *": expected exactly 5 fields, found 3: [* * *]',
  ],
  [
    'batch/cronjobs',
    { spec: { schedule: 'TZ=UTC * * * * *', jobTemplate: { spec: { template: jobTemplate } } } },
    'spec.schedule: Invalid value: "TZ=UTC * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
  ],
  [
    'batch/cronjobs',
    { spec: { schedule: '@daily', timeZone: 'Nowhere/X', jobTemplate: { spec: { template: jobTemplate } } } },
    'spec.timeZone: Invalid value: "Nowhere/X": unknown time zone Nowhere/X',
  ],
  [
    'autoscaling/horizontalpodautoscalers',
    scaled({ maxReplicas: 0 }),
    'spec.maxReplicas: Invalid value: 0: must be greater than 0',
  ],
  [
    'autoscaling/horizontalpodautoscalers',
    scaled({ minReplicas: 4 }),
    'spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`',
  ],
  [
    'autoscaling/horizontalpodautoscalers',
    scaled({ minReplicas: 0 }),
    'spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas',
  ],
  [
    'autoscaling/horizontalpodautoscalers',
    scaled({ metrics: [{ type: 'Resource' }] }),
    'spec.metrics[0].resource: Required value: must populate information for the given metric source',
  ],
  ['networking.k8s.io/servicecidrs', { spec: {} }, 'spec.cidrs: Required value: at least one CIDR required'],
  [
    'networking.k8s.io/servicecidrs',
    { spec: { cidrs: ['10.0.0.0/8', '11.0.0.0/8'] } },
    'spec.cidrs: Invalid value: ["10.0.0.0/8","11.0.0.0/8"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
  ],
  [
    'networking.k8s.io/servicecidrs',
    { spec: { cidrs: ['10.0.0.1/8', 'x'] } },
    'spec.cidrs[0]: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length',
    'spec.cidrs[1]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
  ],
  [
    'networking.k8s.io/servicecidrs',
    { spec: { cidrs: ['FD00::/64'] } },
    'spec.cidrs[0]: Invalid value: "FD00::/64": must be in canonical form ("fd00::/64")',
  ],
  [
    'networking.k8s.io/ipaddresses',
    { spec: { parentRef: { resource: 'a/b', name: '..' } } },
    `spec.parentRef.resource: Invalid value: "a/b": may not contain '/'`,
    `spec.parentRef.name: Invalid value: "..": may not be '..'`,
  ],
  [
    'networking.k8s.io/ingresses',
    { spec: {} },
    'spec: Invalid value: []: either `defaultBackend` or `rules` must be specified',
  ],
  [
    'networking.k8s.io/ingresses',
    backend({ name: 's' }),
    'spec.defaultBackend: Required value: port name or number is required',
  ],
  [
    'networking.k8s.io/ingresses',
    backend({ name: 's', port: { name: 'a', number: 1 } }),
    'spec.defaultBackend: Invalid value: "": cannot set both port name & port number',
  ],
  [
    'networking.k8s.io/ingresses',
    { spec: { rules: [{ host: '1.2.3.4', http: { paths: [{ path: 'a', pathType: 'Prefix', backend: {} }] } }] } },
    'spec.rules[0].host: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
    'spec.rules[0].http.paths[0].path: Invalid value: "a": must be an absolute path',
    'spec.rules[0].http.paths[0].backend: Invalid value: "": resource or service backend is required',
  ],
  [
    'networking.k8s.io/ingressclasses',
    { spec: { controller: 'x' } },
    'spec.controller: Invalid value: "x": must be a domain-prefixed path (such as "acme.io/foo")',
  ],
  [
    'networking.k8s.io/networkpolicies',
    { spec: { ingress: [{ from: [{}] }] } },
    'spec.ingress[0].from[0]: Required value: must specify a peer',
  ],
  [
    'networking.k8s.io/networkpolicies',
    { spec: { egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.0.0.0/8'] } }] }] } },
    'spec.egress[0].to[0].ipBlock.except[0]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`',
  ],
  [
    'networking.k8s.io/networkpolicies',
    { spec: { ingress: [{ ports: [{ port: 80, endPort: 70 }] }] } },
    'spec.ingress[0].ports[0].endPort: Invalid value: 70: must be greater than or equal to `port`',
  ],
  [
    'policy/poddisruptionbudgets',
    { spec: { minAvailable: 1, maxUnavailable: 1 } },
    'spec: Invalid value: {"minAvailable":1,"maxUnavailable":1}: minAvailable and maxUnavailable cannot be both set',
  ],
  [
    'rbac.authorization.k8s.io/roles',
    { rules: [{ verbs: [], apiGroups: [''], resources: ['pods'] }] },
    'rules[0].verbs: Required value: verbs must contain at least one value',
  ],
  [
    'rbac.authorization.k8s.io/roles',
    { rules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }] },
    'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
  ],
  [
    'rbac.authorization.k8s.io/clusterroles',
    { rules: [{ verbs: ['get'] }] },
    'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
    'rules[0].resources: Required value: resource rules must supply at least one resource',
  ],
  [
    'rbac.authorization.k8s.io/clusterrolebindings',
    { roleRef: { kind: 'Role', name: 'r' } },
    'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
  ],
  [
    'rbac.authorization.k8s.io/clusterrolebindings',
    { roleRef: { kind: 'ClusterRole', name: 'r' }, subjects: [{ kind: 'ServiceAccount', name: 's' }] },
    'subjects[0].namespace: Required value',
  ],
  [
    'coordination.k8s.io/leases',
    { spec: { leaseDurationSeconds: 0 } },
    'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
  ],
  [
    'discovery.k8s.io/endpointslices',
    { addressType: 'IPv4', endpoints: [{ addresses: ['::1'] }] },
    'endpoints[0].addresses[0]: Invalid value: "::1": must be a valid IPv4 address',
  ],
  [
    'scheduling.k8s.io/priorityclasses',
    { metadata: { name: 'system-x' } },
    "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: priority class system-x is not a known system priority class",
  ],
  [
    'scheduling.k8s.io/priorityclasses',
    { value: 1000000001 },
    'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
  ],
  ['storage.k8s.io/storageclasses', { provisioner: '' }, 'provisioner: Required value'],
  [
    'certificates.k8s.io/certificatesigningrequests',
    { spec: { request, signerName: 'x', usages: ['any'] } },
    'spec.signerName: Invalid value: "x": must be a fully qualified domain and path of the form "example.com/signer-name"',
  ],
  [
    'certificates.k8s.io/certificatesigningrequests',
    { spec: { request, signerName: 'a.b/c', usages: ['any'], expirationSeconds: 5 } },
    'spec.expirationSeconds: Invalid value: 5: may not specify a duration less than 600 seconds (10 minutes)',
  ],
  [
    'admissionregistration.k8s.io/validatingwebhookconfigurations',
    { webhooks: [{ ...webhook, name: 'a' }] },
    'webhooks[0].name: Invalid value: "a": should be a domain with at least three segments separated by dots',
  ],
  [
    'admissionregistration.k8s.io/validatingwebhookconfigurations',
    { webhooks: [{ ...webhook, clientConfig: {} }] },
    'webhooks[0].clientConfig: Required value: exactly one of url or service is required',
  ],
  [
    'admissionregistration.k8s.io/mutatingwebhookconfigurations',
    { webhooks: [{ ...webhook, clientConfig: { url: 'http://x' } }] },
    'webhooks[0].clientConfig.url: Invalid value: "http": \'https\' is the only allowed URL scheme; desired format: https://host[/path]',
  ],
]

test.each(refused)('%s are refused: %j', (resource, part, ...want) => {
  expect(refusals(resource, part)).toEqual(want)
})

const accepted: [resource: string, part: Part][] = [
  ['core/services', { spec: { ports: [port] } }],
  ['core/services', { spec: { clusterIP: 'None' } }],
  ['core/services', { spec: { type: 'LoadBalancer', ports: [port] } }],
  ['core/persistentvolumeclaims', { spec: claimSpec }],
  ['core/persistentvolumes', { spec: { ...volumeSpec, csi: { driver: 'a.b', volumeHandle: 'h' } } }],
  ['apps/deployments', { spec: { selector, template } }],
  ['apps/daemonsets', { spec: { selector, template } }],
  [
    'apps/statefulsets',
    {
      spec: {
        selector,
        template: {
          ...template,
          spec: { containers: [{ ...containers[0], volumeMounts: [{ name: 'data', mountPath: '/d' }] }] },
        },
        volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claimSpec }],
      },
    },
  ],
  ['batch/jobs', { spec: { template: jobTemplate } }],
  [
    'batch/cronjobs',
    { spec: { schedule: '*/5 * * * *', timeZone: 'Europe/Berlin', jobTemplate: { spec: { template: jobTemplate } } } },
  ],
  ['networking.k8s.io/ingresses', backend({ name: 's', port: { number: 80 } })],
  [
    'rbac.authorization.k8s.io/rolebindings',
    {
      roleRef: { kind: 'Role', name: 'r' },
      subjects: [
        { kind: 'User', name: 'u' },
        { kind: 'ServiceAccount', name: 's' },
      ],
    },
  ],
  ['scheduling.k8s.io/priorityclasses', { metadata: { name: 'system-node-critical' }, value: 2000001000 }],
  ['certificates.k8s.io/certificatesigningrequests', { spec: { request, signerName: 'a.b/c', usages: ['any'] } }],
  ['admissionregistration.k8s.io/validatingwebhookconfigurations', { webhooks: [webhook] }],
]

test.each(accepted)('%s are accepted: %j', (resource, part) => expect(refusals(resource, part)).toEqual([]))

const updates: [resource: string, old: Part, part: Part, ...want: string[]][] = [
  [
    'core/configmaps',
    { immutable: true, data: { a: '1' } },
    { immutable: true, data: { a: '2' } },
    'data: Forbidden: field is immutable when `immutable` is set',
  ],
  ['core/configmaps', { immutable: true }, {}, 'immutable: Forbidden: field is immutable when `immutable` is set'],
  ['core/secrets', { type: 'a' }, { type: 'b' }, 'type: Invalid value: "b": field is immutable'],
  [
    'core/nodes',
    { spec: { podCIDRs: ['10.0.0.0/24'] } },
    { spec: {} },
    'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
  ],
  [
    'core/services',
    { spec: { clusterIPs: ['10.0.0.1'] } },
    { spec: { clusterIPs: ['10.0.0.2'] } },
    'spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set',
  ],
  [
    'networking.k8s.io/servicecidrs',
    { spec: { cidrs: ['10.0.0.0/8'] } },
    { spec: { cidrs: ['11.0.0.0/8'] } },
    'spec.cidrs[0]: Invalid value: "11.0.0.0/8": field is immutable',
  ],
  [
    'networking.k8s.io/servicecidrs',
    { spec: { cidrs: ['10.0.0.0/8'] } },
    { spec: { cidrs: ['10.0.0.0/8', 'fd00::/64'] } },
  ],
  [
    'networking.k8s.io/ipaddresses',
    { spec: { parentRef: { resource: 'services', name: 'a' } } },
    { spec: { parentRef: { resource: 'services', name: 'b' } } },
    'spec.parentRef: Invalid value: {"resource":"services","name":"b"}: field is immutable',
  ],
  ['core/persistentvolumeclaims', { spec: claimSpec }, { spec: { ...claimSpec, volumeName: 'v' } }],
  [
    'core/persistentvolumeclaims',
    { spec: claimSpec },
    { spec: { ...claimSpec, accessModes: ['ReadOnlyMany'] } },
    'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
  ],
  [
    'core/persistentvolumes',
    { spec: { hostPath: { path: '/a' } } },
    { spec: { hostPath: { path: '/b' } } },
    'spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation',
  ],
  [
    'apps/deployments',
    { spec: { selector } },
    { spec: { selector: { matchLabels: { a: 'b' } } } },
    'spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: field is immutable',
  ],
  [
    'apps/statefulsets',
    { spec: { selector, serviceName: 'a' } },
    { spec: { selector, serviceName: 'b' } },
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
  ],
  [
    'apps/controllerrevisions',
    { data: { a: 1 } },
    { data: { a: 2 } },
    'data: Invalid value: {"a":2}: field is immutable',
  ],
  [
    'batch/jobs',
    { spec: { completions: 1, template: jobTemplate } },
    { spec: { completions: 2, template: jobTemplate } },
    'spec.completions: Invalid value: 2: field is immutable',
  ],
  [
    'batch/jobs',
    { spec: { suspend: true, template: jobTemplate } },
    { spec: { suspend: true, template: { ...jobTemplate, spec: { ...jobTemplate.spec, nodeSelector: { a: 'b' } } } } },
  ],
  [
    'rbac.authorization.k8s.io/rolebindings',
    { roleRef: { kind: 'Role', name: 'a' } },
    { roleRef: { kind: 'Role', name: 'b' } },
    'roleRef: Invalid value: {"kind":"Role","name":"b"}: cannot change roleRef',
  ],
  [
    'scheduling.k8s.io/priorityclasses',
    { value: 1 },
    { value: 2 },
    'value: Forbidden: may not be changed in an update.',
  ],
  [
    'storage.k8s.io/storageclasses',
    { provisioner: 'a' },
    { provisioner: 'b' },
    'provisioner: Forbidden: updates to provisioner are forbidden.',
  ],
  [
    'discovery.k8s.io/endpointslices',
    { addressType: 'IPv4' },
    { addressType: 'IPv6' },
    'addressType: Invalid value: "IPv6": field is immutable',
  ],
]

test.each(updates)('an update of %s from %j to %j', (resource, old, part, ...want) => {
  expect(updateRefusals(resource, old, part)).toEqual(want)
})

test('secrets take text and keep base64', () => {
  const secret = defaulted('core/secrets', { data: { a: 'AA==' }, stringData: JSON.parse('{"b":"é","__proto__":"x"}') })
  expect(secret.type).toBe('Opaque')
  expect(secret.stringData).toBeUndefined()
  expect(Object.entries(secret.data as object)).toEqual([
    ['a', 'AA=='],
    ['b', 'w6k='],
    ['__proto__', 'eA=='],
  ])
})

test('services fill in ports, policies and addresses', () => {
  const service = objectOf({ spec: { type: 'LoadBalancer', clusterIP: 'fd00::1', ports: [{ port: 80 }] } })
  rules.get('core/services')!.default!(service)
  rules.get('core/services')!.prepareCreate!(service)
  expect(service.spec).toEqual({
    type: 'LoadBalancer',
    clusterIP: 'fd00::1',
    clusterIPs: ['fd00::1'],
    ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
    sessionAffinity: 'None',
    internalTrafficPolicy: 'Cluster',
    externalTrafficPolicy: 'Cluster',
    allocateLoadBalancerNodePorts: true,
  })
})

test('an update that leaves out what was allocated keeps it', () => {
  const old = objectOf({
    spec: { type: 'NodePort', clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ports: [{ ...port, nodePort: 30000 }] },
  })
  const service = objectOf({ spec: { type: 'NodePort', ports: [port] } })
  rules.get('core/services')!.prepareUpdate!(service, old, '')
  expect(service.spec).toMatchObject({ clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ports: [{ nodePort: 30000 }] })
  const internal = objectOf({ spec: { type: 'ClusterIP', ports: [{ ...port, nodePort: 30000 }] } })
  rules.get('core/services')!.prepareUpdate!(internal, old, '')
  expect(internal.spec).toMatchObject({ clusterIP: '10.0.0.1', ports: [port] })
})

test('jobs get labels and a selector of their own', () => {
  const job = defaulted('batch/jobs', { spec: { template: jobTemplate } })
  rules.get('batch/jobs')!.prepareCreate!(job)
  expect(job.metadata.labels).toEqual(labels)
  expect(job.spec).toMatchObject({
    completions: 1,
    parallelism: 1,
    backoffLimit: 6,
    podReplacementPolicy: 'TerminatingOrFailed',
    selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u' } },
    template: {
      metadata: { labels: { app: 'x', 'job-name': 'x', 'batch.kubernetes.io/job-name': 'x', 'controller-uid': 'u' } },
    },
  })
})

test('network policies know their types', () => {
  expect(defaulted('networking.k8s.io/networkpolicies', { spec: {} }).spec).toMatchObject({ policyTypes: ['Ingress'] })
  expect(defaulted('networking.k8s.io/networkpolicies', { spec: { egress: [{ ports: [{}] }] } }).spec).toEqual({
    policyTypes: ['Ingress', 'Egress'],
    egress: [{ ports: [{ protocol: 'TCP' }] }],
  })
})

test('limit ranges derive defaults from the least and the greatest', () => {
  const limits = [{ type: 'Container', max: { cpu: '2' }, min: { memory: '1Mi' } }]
  expect(defaulted('core/limitranges', { spec: { limits } }).spec).toMatchObject({
    limits: [{ default: { cpu: '2' }, defaultRequest: { cpu: '2', memory: '1Mi' } }],
  })
})

test('autoscalers survive the way to v1 and back', () => {
  const { convert } = rules.get('autoscaling/horizontalpodautoscalers')!
  const metrics = [
    { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
    { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } } },
    {
      type: 'External',
      external: { metric: { name: 'q', selector: { matchLabels: { a: 'b' } } }, target: { type: 'Value', value: '5' } },
    },
    {
      type: 'Object',
      object: {
        metric: { name: 'r' },
        describedObject: { kind: 'Service', name: 's' },
        target: { type: 'AverageValue', averageValue: '2' },
      },
    },
  ]
  const status = { desiredReplicas: 2, currentReplicas: 1, conditions: [{ type: 'AbleToScale', status: 'True' }] }
  const v2 = objectOf({ ...scaled({ metrics, behavior: { scaleUp: { selectPolicy: 'Max' } } }), status })
  const v1 = convert!(v2, 'autoscaling/v1')
  expect(v1).toMatchObject({ apiVersion: 'autoscaling/v1', spec: { targetCPUUtilizationPercentage: 50 } })
  expect(v1.spec).not.toHaveProperty('metrics')
  expect(convert!(v1, 'autoscaling/v2')).toEqual(v2)
})

test('events survive the way to the core group and back', () => {
  const { convert } = rules.get('events.k8s.io/events')!
  const event = objectOf({
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    eventTime: '2026-01-01T00:00:00.000000Z',
    regarding: { kind: 'Pod', name: 'web' },
    note: 'n',
    reportingController: 'c',
    reportingInstance: 'i',
    series: { count: 2, lastObservedTime: '2026-01-01T00:00:00.000000Z' },
    deprecatedCount: 3,
    deprecatedSource: { component: 'old' },
  })
  const core = convert!(event, 'v1')
  expect(core).toMatchObject({
    apiVersion: 'v1',
    involvedObject: { name: 'web' },
    message: 'n',
    reportingComponent: 'c',
    count: 3,
    source: { component: 'old' },
  })
  expect(core).not.toHaveProperty('note')
  expect(convert!(core, 'events.k8s.io/v1')).toEqual(event)
})

test('only the approval of a signing request decides', () => {
  const { prepareUpdate } = rules.get('certificates.k8s.io/certificatesigningrequests')!
  const approved = [{ type: 'Approved', status: 'True' }]
  const old = objectOf({ spec: { request } })
  const byStatus = objectOf({ spec: { request }, status: { conditions: approved } })
  prepareUpdate!(byStatus, old, 'status')
  expect(byStatus.status).toEqual({ conditions: [] })
  const byApproval = objectOf({ spec: {}, status: { conditions: approved, certificate: 'evil' } })
  prepareUpdate!(byApproval, old, 'approval')
  expect(byApproval).toMatchObject({ spec: { request }, status: { conditions: approved } })
  expect(byApproval.status).not.toHaveProperty('certificate')
})

/** Their schema gives every one of them a spec. */
const partial: Part[] = [
  { spec: {} },
  { spec: {}, status: {} },
  {
    spec: {
      template: {},
      jobTemplate: {},
      containers: [{}],
      ports: [{}],
      limits: [{}],
      rules: [{}],
      scaleTargetRef: {},
    },
  },
  { spec: { containers: [{ resources: { limits: { cpu: '1.2.3' }, requests: { cpu: '1mm' } } }] } },
  { spec: {}, rules: [{}], subjects: [{}], roleRef: {}, webhooks: [{}], subsets: [{}], endpoints: [{}], ports: [{}] },
]

test('rules survive objects that their schema refuses', () => {
  const subresources = ['', 'status', 'resize', 'ephemeralcontainers', 'approval', 'binding']
  for (const [resource, rule] of rules) {
    for (const part of partial) {
      const old = {
        ...objectOf(part),
        spec: { containers: [], template: { spec: { containers: [] } }, ...(part.spec as object) },
      }
      expect(() => refusals(resource, part), resource).not.toThrow()
      for (const subresource of subresources) {
        const object = objectOf({ spec: {}, ...part })
        expect(() => rule.prepareUpdate?.(object, old, subresource), `${resource} ${subresource}`).not.toThrow()
        expect(() => rule.validateUpdate?.(object, old, subresource), `${resource} ${subresource}`).not.toThrow()
      }
    }
  }
})

test('every rule belongs to a resource', () => {
  const text = readFileSync(new URL('./crds/zz_generated.definitions.json', import.meta.url), 'utf8')
  const { resources } = JSON.parse(text) as { resources: { group: string; resource: string }[] }
  const known = new Set(resources.map(({ group, resource }) => `${group || 'core'}/${resource}`))
  expect([...rules.keys()].filter((key) => !known.has(key))).toEqual([])
})

test.each([
  ['10.0.0.1', []],
  ['fd00::1', []],
  ['FD00::1', ['must be in canonical form ("fd00::1")']],
  ['10.0.0.01', ['must not have leading 0s']],
  ['::ffff:10.0.0.1', ['must not be an IPv4-mapped IPv6 address']],
  ['web', ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']],
])('as the name of an IPAddress, %s has the faults %o', (name, faults) => {
  expect(rules.get('networking.k8s.io/ipaddresses')!.nameFaults!(name)).toEqual(faults)
})
