import { expect, test } from 'vitest'
import { podRules } from './pod-rules.ts'
import type { Container, EnvVar, Pod, PodSpec, Probe, Toleration, Volume, VolumeMount } from './zz_generated.types.ts'

const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const qualified =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
const labelText =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
const ip = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'
const bytes = '1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei'

const base: Container = { name: 'a', image: 'nginx:1' }

function podOf(spec: Partial<PodSpec>, metadata: Pod['metadata'] = {}): Pod {
  const common = { restartPolicy: 'Always', dnsPolicy: 'ClusterFirst', terminationGracePeriodSeconds: 30 } as const
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default', ...metadata },
    spec: { ...common, containers: [base], ...spec },
  }
}

function errorsOf(pod: Pod): string[] {
  const object = structuredClone(pod)
  podRules.default!(object)
  return podRules.validate!(object).map(({ field, message }) => `${field}: ${message}`)
}

const container = (more: Partial<Container>): Partial<PodSpec> => ({ containers: [{ ...base, ...more }] })
const env = (one: EnvVar) => container({ env: [one] })
const init = (more: Partial<Container>): Partial<PodSpec> => ({ initContainers: [{ ...base, name: 'i', ...more }] })
const probe = (more: Probe) => container({ livenessProbe: { successThreshold: 1, ...more } })
const volume = (one: Partial<Volume>): Partial<PodSpec> => ({ volumes: [{ name: 'v', ...one }] })
const mount = (one: Partial<VolumeMount>): Partial<PodSpec> => ({
  ...container({ volumeMounts: [{ name: 'v', mountPath: '/v', ...one }] }),
  ...volume({ emptyDir: {} }),
})
const resources = (limits?: object, requests?: object) =>
  container({ resources: { ...(limits && { limits: { ...limits } }), ...(requests && { requests: { ...requests } }) } })
const toleration = (one: Toleration): Partial<PodSpec> => ({ tolerations: [one] })
const spread = { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' } as const
const required = 'requiredDuringSchedulingIgnoredDuringExecution'
const preferred = 'preferredDuringSchedulingIgnoredDuringExecution'
const at = 'spec.containers[0]'

const refused: [name: string, spec: Partial<PodSpec>, ...want: string[]][] = [
  ['no container', { containers: [] }, 'spec.containers: Required value'],
  ['an empty name', container({ name: '' }), `${at}.name: Required value`],
  ['a name in capitals', container({ name: 'A' }), `${at}.name: Invalid value: "A": ${label}`],
  ['a name with dots', container({ name: 'a.b' }), `${at}.name: Invalid value: "a.b": must not contain dots`],
  ['a name twice', { containers: [base, base] }, 'spec.containers[1].name: Duplicate value: "a"'],
  ['no image', container({ image: undefined }), `${at}.image: Required value`],
  ['an empty image', container({ image: '' }), `${at}.image: Required value`],
  [
    'an image with blanks',
    container({ image: ' nginx:1' }),
    `${at}.image: Invalid value: " nginx:1": must not have leading or trailing whitespace`,
  ],
  ['port 0', container({ ports: [{ containerPort: 0 }] }), `${at}.ports[0].containerPort: Required value`],
  [
    'port 65536',
    container({ ports: [{ containerPort: 65536 }] }),
    `${at}.ports[0].containerPort: Invalid value: 65536: must be between 1 and 65535, inclusive`,
  ],
  [
    'host port 70000',
    container({ ports: [{ containerPort: 80, hostPort: 70000 }] }),
    `${at}.ports[0].hostPort: Invalid value: 70000: must be between 1 and 65535, inclusive`,
  ],
  [
    'a long port name',
    container({ ports: [{ containerPort: 80, name: 'abcdefghijklmnop' }] }),
    `${at}.ports[0].name: Invalid value: "abcdefghijklmnop": must be no more than 15 bytes`,
  ],
  [
    'a port name in capitals',
    container({ ports: [{ containerPort: 80, name: 'Web' }] }),
    `${at}.ports[0].name: Invalid value: "Web": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)`,
  ],
  [
    'a port name of digits',
    container({ ports: [{ containerPort: 80, name: '80' }] }),
    `${at}.ports[0].name: Invalid value: "80": must contain at least one letter (a-z)`,
  ],
  [
    'a port name twice',
    container({
      ports: [
        { containerPort: 80, name: 'w' },
        { containerPort: 81, name: 'w' },
      ],
    }),
    `${at}.ports[1].name: Duplicate value: "w"`,
  ],
  [
    'a host port twice',
    container({
      ports: [
        { containerPort: 80, hostPort: 80, protocol: 'TCP' },
        { containerPort: 81, hostPort: 80, protocol: 'TCP' },
      ],
    }),
    `${at}.ports[1].hostPort: Duplicate value: "TCP//80"`,
  ],
  [
    'a host port in two containers',
    {
      containers: [
        { ...base, ports: [{ containerPort: 80, hostPort: 80 }] },
        { ...base, name: 'b', ports: [{ containerPort: 80, hostPort: 80 }] },
      ],
    },
    'spec.containers[1].ports[0].hostPort: Duplicate value: "TCP//80"',
  ],
  [
    "another host port on the host's network",
    { hostNetwork: true, ...container({ ports: [{ containerPort: 80, hostPort: 81 }] }) },
    `${at}.ports[0].hostPort: Invalid value: 81: must match \`containerPort\` when \`hostNetwork\` is true`,
  ],
  ['a variable without name', env({ name: '' }), `${at}.env[0].name: Required value`],
  [
    'a variable with =',
    env({ name: 'A=B' }),
    `${at}.env[0].name: Invalid value: "A=B": a valid environment variable name must consist only of printable ASCII characters other than '='`,
  ],
  [
    'an empty valueFrom',
    env({ name: 'A', valueFrom: {} }),
    `${at}.env[0].valueFrom: Invalid value: "": must specify one of: \`fieldRef\`, \`resourceFieldRef\`, \`configMapKeyRef\`, \`secretKeyRef\` or \`fileKeyRef\``,
  ],
  [
    'value and valueFrom',
    env({ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }),
    `${at}.env[0].valueFrom: Invalid value: "": may not be specified when \`value\` is not empty`,
  ],
  [
    'two sources of a value',
    env({ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' }, secretKeyRef: { name: 's', key: 'k' } } }),
    `${at}.env[0].valueFrom: Invalid value: "": may not have more than one field specified at a time`,
  ],
  [
    'an empty field path',
    env({ name: 'A', valueFrom: { fieldRef: { fieldPath: '' } } }),
    `${at}.env[0].valueFrom.fieldRef.fieldPath: Required value`,
  ],
  [
    'an unknown field path',
    env({ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.x' } } }),
    `${at}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.x": error converting fieldPath: field label not supported: metadata.x`,
  ],
  [
    'a field path of volumes only',
    env({ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.labels' } } }),
    `${at}.env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"`,
  ],
  [
    'a subscript where there is none',
    env({ name: 'A', valueFrom: { fieldRef: { fieldPath: "metadata.name['x']" } } }),
    `${at}.env[0].valueFrom.fieldRef: Invalid value: "metadata.name": does not support subscript`,
  ],
  [
    'a bad label to read',
    env({ name: 'A', valueFrom: { fieldRef: { fieldPath: "metadata.labels['-']" } } }),
    `${at}.env[0].valueFrom.fieldRef: Invalid value: "-": ${qualified}`,
  ],
  [
    'an unknown resource to read',
    env({ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.x' } } }),
    `${at}.env[0].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.x": supported values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"`,
  ],
  [
    'a bad divisor of cpu',
    env({ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '2' } } }),
    `${at}.env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor's values 1m and 1 are supported with the cpu resource`,
  ],
  [
    'a bad divisor of memory',
    env({ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '2Mi' } } }),
    `${at}.env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.memory": only divisor's values ${bytes} are supported with the memory resource`,
  ],
  [
    'a key reference without name',
    env({ name: 'A', valueFrom: { configMapKeyRef: { key: 'k' } } }),
    `${at}.env[0].valueFrom.configMapKeyRef.name: Invalid value: "": ${subdomain}`,
  ],
  [
    'a key reference without key',
    env({ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: '' } } }),
    `${at}.env[0].valueFrom.secretKeyRef.key: Required value`,
  ],
  [
    'a bad key',
    env({ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: '..' } } }),
    `${at}.env[0].valueFrom.secretKeyRef.key: Invalid value: "..": must not be '..'`,
  ],
  [
    'an empty envFrom',
    container({ envFrom: [{}] }),
    `${at}.envFrom: Invalid value: "": must specify one of: \`configMapRef\` or \`secretRef\``,
  ],
  [
    'two sources in one envFrom',
    container({ envFrom: [{ configMapRef: { name: 'a' }, secretRef: { name: 'b' } }] }),
    `${at}.envFrom: Invalid value: "": may not have more than one field specified at a time`,
  ],
  [
    'envFrom without name',
    container({ envFrom: [{ configMapRef: {} }] }),
    `${at}.envFrom[0].configMapRef.name: Required value`,
  ],
  [
    'a bad prefix',
    container({ envFrom: [{ prefix: '=', configMapRef: { name: 'a' } }] }),
    `${at}.envFrom[0].prefix: Invalid value: "=": a valid environment variable name must consist only of printable ASCII characters other than '='`,
  ],
  [
    'a mount of an unknown volume',
    container({ volumeMounts: [{ name: 'x', mountPath: '/x' }] }),
    `${at}.volumeMounts[0].name: Not found: "x"`,
  ],
  ['a mount without path', mount({ mountPath: '' }), `${at}.volumeMounts[0].mountPath: Required value`],
  [
    'a mount path twice',
    {
      ...volume({}),
      ...container({
        volumeMounts: [
          { name: 'v', mountPath: '/v' },
          { name: 'v', mountPath: '/v' },
        ],
      }),
    },
    `${at}.volumeMounts[1].mountPath: Invalid value: "/v": must be unique`,
  ],
  [
    'an absolute subPath',
    mount({ subPath: '/x' }),
    `${at}.volumeMounts.subPath: Invalid value: "/x": must be a relative path`,
  ],
  [
    'a subPath with ..',
    mount({ subPath: 'a/../b' }),
    `${at}.volumeMounts.subPath: Invalid value: "a/../b": must not contain '..'`,
  ],
  [
    'subPath and subPathExpr',
    mount({ subPath: 'a', subPathExpr: 'b' }),
    `${at}.volumeMounts[0].subPathExpr: Invalid value: "b": subPathExpr and subPath are mutually exclusive`,
  ],
  [
    'propagation without privileges',
    mount({ mountPropagation: 'Bidirectional' }),
    `${at}.volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers`,
  ],
  [
    'recursiveReadOnly on a writable mount',
    mount({ recursiveReadOnly: 'Enabled' }),
    `${at}.volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true`,
  ],
  [
    'a device of a directory',
    { ...container({ volumeDevices: [{ name: 'v', devicePath: '/d' }] }), ...volume({}) },
    `${at}.volumeDevices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode`,
  ],
  [
    'a device of an unknown volume',
    container({ volumeDevices: [{ name: 'x', devicePath: '/d' }] }),
    `${at}.volumeDevices[0].name: Not found: "x"`,
  ],
  ['a volume without name', { volumes: [{ name: '' }] }, 'spec.volumes[0].name: Required value'],
  ['a volume twice', { volumes: [{ name: 'v' }, { name: 'v' }] }, 'spec.volumes[1].name: Duplicate value: "v"'],
  [
    'two sources in one volume',
    volume({ emptyDir: {}, hostPath: { path: '/x' } }),
    'spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type',
  ],
  [
    'a host path with ..',
    volume({ hostPath: { path: '/a/../b' } }),
    `spec.volumes[0].hostPath.path: Invalid value: "/a/../b": must not contain '..'`,
  ],
  ['a host path without path', volume({ hostPath: { path: '' } }), 'spec.volumes[0].hostPath.path: Required value'],
  ['a secret without name', volume({ secret: {} }), 'spec.volumes[0].secret.secretName: Required value'],
  ['a config map without name', volume({ configMap: {} }), 'spec.volumes[0].configMap.name: Required value'],
  [
    'a mode out of range',
    volume({ secret: { secretName: 's', defaultMode: 512 } }),
    'spec.volumes[0].secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive',
  ],
  [
    'an item with an absolute path',
    volume({ configMap: { name: 'c', items: [{ key: 'k', path: '/x' }] } }),
    'spec.volumes[0].configMap.items[0].path: Invalid value: "/x": must be a relative path',
  ],
  [
    'an item of reserved name',
    volume({ configMap: { name: 'c', items: [{ key: 'k', path: '..x' }] } }),
    'spec.volumes[0].configMap.items[0].path: Invalid value: "..x": must not start with \'..\'',
  ],
  [
    'a claim without name',
    volume({ persistentVolumeClaim: { claimName: '' } }),
    'spec.volumes[0].persistentVolumeClaim.claimName: Required value',
  ],
  [
    'nfs with a relative path',
    volume({ nfs: { server: 's', path: 'x' } }),
    'spec.volumes[0].nfs.path: Invalid value: "x": must be an absolute path',
  ],
  [
    'a CSI driver with a bad name',
    volume({ csi: { driver: '-' } }),
    `spec.volumes[0].csi.driver: Invalid value: "-": ${subdomain}`,
  ],
  [
    'a projection of two sources',
    volume({ projected: { sources: [{ secret: { name: 'a' }, configMap: { name: 'b' } }] } }),
    'spec.volumes[0].projected.sources[0]: Forbidden: may not specify more than 1 volume type per source',
  ],
  [
    'a projection without name',
    volume({ projected: { sources: [{ secret: {} }] } }),
    'spec.volumes[0].projected.sources[0].secret.name: Required value',
  ],
  [
    'two projections onto one path',
    volume({
      projected: {
        sources: [
          { secret: { name: 'a', items: [{ key: 'k', path: 'p' }] } },
          { configMap: { name: 'b', items: [{ key: 'k', path: 'p' }] } },
        ],
      },
    }),
    'spec.volumes[0].projected: Invalid value: "b": conflicting duplicate paths',
  ],
  [
    'a short-lived token',
    {
      serviceAccountName: 's',
      ...volume({ projected: { sources: [{ serviceAccountToken: { path: 'p', expirationSeconds: 60 } }] } }),
    },
    'spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes',
  ],
  [
    'a token of nobody',
    volume({ projected: { sources: [{ serviceAccountToken: { path: 'p' } }] } }),
    'spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set',
  ],
  [
    'a downward file of nothing',
    volume({ downwardAPI: { items: [{ path: 'p' }] } }),
    'spec.volumes[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required',
  ],
  [
    'a downward resource of no container',
    volume({ downwardAPI: { items: [{ path: 'p', resourceFieldRef: { resource: 'limits.cpu' } }] } }),
    'spec.volumes[0].downwardAPI.resourceFieldRef.containerName: Required value',
  ],
  [
    'an ephemeral volume without template',
    volume({ ephemeral: {} }),
    'spec.volumes[0].ephemeral.volumeClaimTemplate: Required value',
  ],
  [
    'an ephemeral volume without modes and size',
    volume({ ephemeral: { volumeClaimTemplate: { spec: {} } } }),
    'spec.volumes[0].ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required',
    'spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value',
  ],
  ['an image volume without reference', volume({ image: {} }), 'spec.volumes[0].image.reference: Required value'],
  ['a probe without handler', probe({}), `${at}.livenessProbe: Required value: must specify a handler type`],
  [
    'a probe with two handlers',
    probe({ exec: { command: ['a'] }, tcpSocket: { port: 1 } }),
    `${at}.livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type`,
  ],
  ['a probe without command', probe({ exec: {} }), `${at}.livenessProbe.exec.command: Required value`],
  [
    'a probe of port 0',
    probe({ httpGet: { port: 0, path: '/' } }),
    `${at}.livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive`,
  ],
  [
    'a probe of a bad port name',
    probe({ tcpSocket: { port: '-' } }),
    `${at}.livenessProbe.tcpSocket.port: Invalid value: "-": must contain at least one letter (a-z)`,
    `${at}.livenessProbe.tcpSocket.port: Invalid value: "-": must not begin or end with a hyphen`,
  ],
  [
    'a probe with a bad header',
    probe({ httpGet: { port: 80, path: '/', httpHeaders: [{ name: 'a b', value: '' }] } }),
    `${at}.livenessProbe.httpGet.httpHeaders: Invalid value: "a b": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')`,
  ],
  [
    'a liveness probe with two successes',
    probe({ tcpSocket: { port: 1 }, successThreshold: 2 }),
    `${at}.livenessProbe.successThreshold: Invalid value: 2: must be 1`,
  ],
  [
    'a probe with no grace',
    probe({ tcpSocket: { port: 1 }, terminationGracePeriodSeconds: 0 }),
    `${at}.livenessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0`,
  ],
  [
    'a readiness probe with grace',
    container({ readinessProbe: { tcpSocket: { port: 1 }, terminationGracePeriodSeconds: 5 } }),
    `${at}.readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes`,
  ],
  [
    'a hook without handler',
    container({ lifecycle: { preStop: {} } }),
    `${at}.lifecycle.preStop: Required value: must specify a handler type`,
  ],
  [
    'a hook that sleeps too long',
    container({ lifecycle: { preStop: { sleep: { seconds: 31 } } } }),
    `${at}.lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)`,
  ],
  [
    'a request above its limit',
    resources({ cpu: '1' }, { cpu: '2' }),
    `${at}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`,
  ],
  [
    'a negative limit',
    resources({ cpu: '-1' }),
    `${at}.resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0`,
    `${at}.resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0`,
  ],
  [
    'an unknown resource',
    resources(undefined, { gpu: 1 }),
    `${at}.resources.requests[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified`,
    `${at}.resources.requests[gpu]: Invalid value: "gpu": must be a standard resource for containers`,
  ],
  [
    'a resource of quotas only',
    resources(undefined, { pods: 1 }),
    `${at}.resources.requests[pods]: Invalid value: "pods": must be a standard resource for containers`,
  ],
  [
    'an extended resource without limit',
    resources(undefined, { 'example.com/gpu': 1 }),
    `${at}.resources.limits: Required value: Limit must be set for non overcommitable resources`,
  ],
  [
    'less of an extended resource than its limit',
    resources({ 'example.com/gpu': 2 }, { 'example.com/gpu': 1 }),
    `${at}.resources.requests: Invalid value: "1": must be equal to example.com/gpu limit of 2`,
  ],
  [
    'half an extended resource',
    resources({ 'example.com/gpu': '500m' }),
    `${at}.resources.limits[example.com/gpu]: Invalid value: "500m": must be an integer`,
    `${at}.resources.requests[example.com/gpu]: Invalid value: "500m": must be an integer`,
  ],
  [
    'huge pages alone',
    resources({ 'hugepages-2Mi': '2Mi' }),
    `${at}.resources: Forbidden: HugePages require cpu or memory`,
  ],
  [
    'half a huge page',
    resources({ cpu: 1, 'hugepages-2Mi': '3Mi' }),
    `${at}.resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi`,
    `${at}.resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi`,
  ],
  [
    'None of DNS',
    { dnsPolicy: 'None' },
    'spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None',
  ],
  [
    'None of DNS without servers',
    { dnsPolicy: 'None', dnsConfig: {} },
    'spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None',
  ],
  [
    'four name servers',
    { dnsConfig: { nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'] } },
    'spec.dnsConfig.nameservers: Invalid value: ["1.1.1.1","1.1.1.2","1.1.1.3","1.1.1.4"]: must not have more than 3 nameservers',
  ],
  [
    'a bad name server',
    { dnsConfig: { nameservers: ['x'] } },
    `spec.dnsConfig.nameservers[0]: Invalid value: "x": ${ip}`,
  ],
  [
    'a DNS option without name',
    { dnsConfig: { options: [{ value: 'x' }] } },
    'spec.dnsConfig.options[0]: Required value: must not be empty',
  ],
  ['a bad hostname', { hostname: 'a.b' }, 'spec.hostname: Invalid value: "a.b": must not contain dots'],
  ['a bad subdomain', { subdomain: 'A' }, `spec.subdomain: Invalid value: "A": ${label}`],
  ['a bad service account', { serviceAccountName: 'A' }, `spec.serviceAccountName: Invalid value: "A": ${subdomain}`],
  ['a bad node name', { nodeName: 'A' }, `spec.nodeName: Invalid value: "A": ${subdomain}`],
  ['a bad priority class', { priorityClassName: 'A' }, `spec.priorityClassName: Invalid value: "A": ${subdomain}`],
  ['a bad runtime class', { runtimeClassName: '' }, `spec.runtimeClassName: Invalid value: "": ${subdomain}`],
  [
    'no time to run',
    { activeDeadlineSeconds: 0 },
    'spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive',
  ],
  ['a bad node selector', { nodeSelector: { a: '-' } }, `spec.nodeSelector: Invalid value: "-": ${labelText}`],
  [
    'node affinity without terms',
    { affinity: { nodeAffinity: { [required]: { nodeSelectorTerms: [] } } } },
    `spec.affinity.nodeAffinity.${required}.nodeSelectorTerms: Required value: must have at least one node selector term`,
  ],
  [
    'node affinity In nothing',
    {
      affinity: {
        nodeAffinity: { [required]: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In' }] }] } },
      },
    },
    `spec.affinity.nodeAffinity.${required}.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`,
  ],
  [
    'node affinity to an unknown field',
    {
      affinity: {
        nodeAffinity: {
          [required]: { nodeSelectorTerms: [{ matchFields: [{ key: 'a', operator: 'In', values: ['b'] }] }] },
        },
      },
    },
    `spec.affinity.nodeAffinity.${required}.nodeSelectorTerms[0].matchFields[0].key: Invalid value: "a": not a valid field selector key`,
  ],
  [
    'a heavy preference',
    { affinity: { nodeAffinity: { [preferred]: [{ weight: 101, preference: {} }] } } },
    `spec.affinity.nodeAffinity.${preferred}[0].weight: Invalid value: 101: must be in the range 1-100`,
  ],
  [
    'pod affinity without topology',
    { affinity: { podAffinity: { [required]: [{ topologyKey: '' }] } } },
    `spec.affinity.podAffinity.${required}[0].topologyKey: Required value: can not be empty`,
    `spec.affinity.podAffinity.${required}[0].topologyKey: Invalid value: "": name part must be non-empty`,
    `spec.affinity.podAffinity.${required}[0].topologyKey: Invalid value: "": ${qualified}`,
  ],
  [
    'pod affinity to a bad namespace',
    { affinity: { podAntiAffinity: { [required]: [{ topologyKey: 'z', namespaces: ['a.b'] }] } } },
    `spec.affinity.podAntiAffinity.${required}[0].namespace: Invalid value: "a.b": must not contain dots`,
  ],
  [
    'label keys without a selector',
    { affinity: { podAffinity: { [required]: [{ topologyKey: 'z', matchLabelKeys: ['a'] }] } } },
    `spec.affinity.podAffinity.${required}[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set`,
  ],
  [
    'a selector with an unknown operator',
    {
      affinity: {
        podAffinity: {
          [required]: [
            { topologyKey: 'z', labelSelector: { matchExpressions: [{ key: 'a', operator: 'Is' as 'In' }] } },
          ],
        },
      },
    },
    `spec.affinity.podAffinity.${required}[0].labelSelector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator`,
  ],
  [
    'a toleration of everything that names nothing',
    toleration({}),
    'spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, which means "match all values and all keys"',
  ],
  [
    'a toleration that exists with a value',
    toleration({ key: 'a', operator: 'Exists', value: 'b' }),
    'spec.tolerations[0].operator: Invalid value: "b": value must be empty when `operator` is \'Exists\'',
  ],
  [
    'tolerationSeconds without NoExecute',
    toleration({ key: 'a', operator: 'Exists', tolerationSeconds: 5 }),
    'spec.tolerations[0].effect: Invalid value: "": effect must be \'NoExecute\' when `tolerationSeconds` is set',
  ],
  [
    'a bad toleration key',
    toleration({ key: '-', operator: 'Exists' }),
    `spec.tolerations[0].key: Invalid value: "-": ${qualified}`,
  ],
  [
    'no skew',
    { topologySpreadConstraints: [{ ...spread, maxSkew: 0 }] },
    'spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
  ],
  [
    'a spread twice',
    { topologySpreadConstraints: [spread, spread] },
    'spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, DoNotSchedule}"',
  ],
  [
    'minDomains as a wish',
    { topologySpreadConstraints: [{ ...spread, whenUnsatisfiable: 'ScheduleAnyway', minDomains: 2 }] },
    'spec.topologySpreadConstraints[0].minDomains: Invalid value: 2: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway',
  ],
  [
    'a negative user',
    { securityContext: { runAsUser: -1 } },
    'spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive',
  ],
  [
    'a negative group among others',
    { securityContext: { supplementalGroups: [1, -1] } },
    'spec.securityContext.supplementalGroups[1]: Invalid value: -1: must be between 0 and 2147483647, inclusive',
  ],
  [
    'a sysctl of the host',
    { hostNetwork: true, securityContext: { sysctls: [{ name: 'net.core.x', value: '1' }] } },
    'spec.securityContext.sysctls[0].name: Invalid value: "net.core.x": may not be specified when \'hostNetwork\' is true',
  ],
  [
    'a bad sysctl',
    { securityContext: { sysctls: [{ name: 'A', value: '1' }] } },
    'spec.securityContext.sysctls[0].name: Invalid value: "A": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$',
  ],
  [
    'a sysctl twice',
    {
      securityContext: {
        sysctls: [
          { name: 'a', value: '1' },
          { name: 'a', value: '1' },
        ],
      },
    },
    'spec.securityContext.sysctls[1].name: Duplicate value: "a"',
  ],
  [
    'a local seccomp profile without name',
    { securityContext: { seccompProfile: { type: 'Localhost' } } },
    'spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost',
  ],
  [
    'privileges that cannot grow',
    container({ securityContext: { privileged: true, allowPrivilegeEscalation: false } }),
    `${at}.securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set \`allowPrivilegeEscalation\` to false and \`privileged\` to true`,
  ],
  [
    'own users but the host network',
    { hostUsers: false, hostNetwork: true },
    'spec.hostNetwork: Forbidden: when `pod.Spec.HostUsers` is false',
  ],
  [
    'a shared process namespace and the host',
    { shareProcessNamespace: true, hostPID: true },
    'spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled',
  ],
  [
    'Linux with options of Windows',
    { os: { name: 'linux' }, securityContext: { windowsOptions: {} } },
    'spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod',
  ],
  [
    'Windows with a user number',
    { os: { name: 'windows' }, ...container({ securityContext: { runAsUser: 1 } }) },
    `${at}.securityContext.runAsUser: Forbidden: cannot be set for a windows pod`,
  ],
  ['an init container of the same name', init({ name: 'a' }), 'spec.initContainers[0].name: Duplicate value: "a"'],
  [
    'an init container with a probe',
    init({ readinessProbe: { tcpSocket: { port: 1 } } }),
    'spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
  ],
  [
    'an init container with hooks',
    init({ lifecycle: {} }),
    'spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always',
  ],
  [
    'restart rules without a policy',
    container({ restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [1] } }] }),
    `${at}.restartPolicy: Required value: must specify restartPolicy when restart rules are used`,
  ],
  [
    'ephemeral containers at once',
    { ephemeralContainers: [{ name: 'e', image: 'x' }] },
    'spec.ephemeralContainers: Forbidden: cannot be set on create',
  ],
  [
    'a gate and a node',
    { nodeName: 'n', schedulingGates: [{ name: 'g' }] },
    'spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared',
  ],
  [
    'a gate twice',
    { schedulingGates: [{ name: 'g' }, { name: 'g' }] },
    'spec.schedulingGates[1]: Duplicate value: "g"',
  ],
  ['a bad gate', { schedulingGates: [{ name: '-' }] }, `spec.schedulingGates[0]: Invalid value: "-": ${qualified}`],
  [
    'a bad readiness gate',
    { readinessGates: [{ conditionType: '-' }] },
    `spec.readinessGates[0].conditionType: Invalid value: "-": ${qualified}`,
  ],
  [
    'a bad alias',
    { hostAliases: [{ ip: 'x', hostnames: ['A'] }] },
    `spec.hostAliases[0].ip: Invalid value: "x": ${ip}`,
    `spec.hostAliases[0].hostnames[0]: Invalid value: "A": ${subdomain}`,
  ],
  [
    'negative overhead',
    { overhead: { cpu: '-1' } },
    'spec.overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
  ],
  [
    'a claim of nothing',
    { resourceClaims: [{ name: 'c' }] },
    'spec.resourceClaims[0]: Invalid value: {"name":"c"}: must specify one of: `resourceClaimName`, `resourceClaimTemplateName`',
  ],
  [
    'claims at the level of the pod',
    { resources: { claims: [] } },
    'spec.resources.claims: Forbidden: claims cannot be set for Resources at pod-level',
  ],
  [
    'a resize policy that restarts what may not',
    {
      restartPolicy: 'Never',
      ...container({ resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] }),
    },
    `${at}.resizePolicy: Invalid value: "RestartContainer": must be 'NotRequired' when \`restartPolicy\` is 'Never'`,
  ],
]

test.each(refused)('a pod is refused for %s', (_, spec, ...want) => {
  expect(errorsOf(podOf(spec))).toEqual(want)
})

test('over a hundred kinds of pods are refused', () => expect(refused.length).toBeGreaterThan(100))

test('the cost of a deletion is a number', () => {
  const pod = podOf({}, { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '+1' } })
  expect(errorsOf(pod)).toEqual([
    'metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "+1": must be a 32bit integer',
  ])
})

const accepted: [string, Partial<PodSpec>][] = [
  ['nothing special', {}],
  ['requests without limits', resources(undefined, { cpu: '100m', memory: '1Gi' })],
  ['an extended resource', resources({ 'example.com/gpu': 1 })],
  [
    'a volume used twice',
    {
      ...volume({}),
      ...container({
        volumeMounts: [
          { name: 'v', mountPath: '/a' },
          { name: 'v', mountPath: '/b', subPath: 'b' },
        ],
      }),
    },
  ],
  [
    'a sidecar with a probe',
    init({ restartPolicy: 'Always', startupProbe: { tcpSocket: { port: 1 }, successThreshold: 1 } }),
  ],
  [
    'the same port for TCP and UDP',
    container({
      ports: [
        { containerPort: 53, hostPort: 53, protocol: 'TCP' },
        { containerPort: 53, hostPort: 53, protocol: 'UDP' },
      ],
    }),
  ],
  ['a toleration of everything', toleration({ operator: 'Exists' })],
  [
    'the values of the pod',
    env({
      name: 'a.b-c',
      valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: "metadata.annotations['Example.com/x']" } },
    }),
  ],
  [
    'an empty secret key that is optional',
    env({ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: true } } }),
  ],
  ['search domains with _', { dnsConfig: { searches: ['_tcp.example.com.', '.'] } }],
]

test.each(accepted)('a pod may have %s', (_, spec) => expect(errorsOf(podOf(spec))).toEqual([]))

const updatable =
  '`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

function updateErrors(old: Partial<PodSpec>, spec: Partial<PodSpec>, subresource = ''): string[] {
  const errors = podRules.validateUpdate!(podOf(spec), podOf(old), subresource)
  return errors.map(({ field, message }) => `${field}: ${message}`)
}

const tolerations: Toleration[] = [{ key: 'a', operator: 'Exists' }]
const updates: [string, Partial<PodSpec>, Partial<PodSpec>, ...string[]][] = [
  ['nothing', {}, {}],
  ['an image', {}, container({ image: 'nginx:2' })],
  ['what Go leaves out', { hostNetwork: false, nodeName: '', ...resources({ cpu: '1000m' }) }, resources({ cpu: '1' })],
  ['a new deadline', {}, { activeDeadlineSeconds: 5 }],
  ['a nearer deadline', { activeDeadlineSeconds: 5 }, { activeDeadlineSeconds: 4 }],
  ['one more toleration', { tolerations }, { tolerations: [...tolerations, { key: 'b', operator: 'Exists' }] }],
  ['a negative grace', { terminationGracePeriodSeconds: -5 }, { terminationGracePeriodSeconds: 1 }],
  ['a gate less', { schedulingGates: [{ name: 'g' }, { name: 'h' }] }, { schedulingGates: [{ name: 'h' }] }],
  [
    'fewer nodes behind a gate',
    { schedulingGates: [{ name: 'g' }] },
    { schedulingGates: [{ name: 'g' }], nodeSelector: { a: 'b' } },
  ],
  [
    'one container more',
    {},
    { containers: [base, { ...base, name: 'b' }] },
    'spec.containers: Forbidden: pod updates may not add or remove containers',
  ],
  [
    'a command',
    {},
    container({ command: ['x'] }),
    `spec: Forbidden: pod updates may not change fields other than ${updatable}\nchanged: spec.containers`,
  ],
  [
    'a node',
    {},
    { nodeName: 'n' },
    `spec: Forbidden: pod updates may not change fields other than ${updatable}\nchanged: spec.nodeName`,
  ],
  [
    'a source of a volume',
    volume({ emptyDir: {} }),
    volume({ hostPath: { path: '/' } }),
    `spec: Forbidden: pod updates may not change fields other than ${updatable}\nchanged: spec.volumes`,
  ],
  [
    'a later deadline',
    { activeDeadlineSeconds: 5 },
    { activeDeadlineSeconds: 6 },
    'spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to previous value',
  ],
  [
    'no deadline any longer',
    { activeDeadlineSeconds: 5 },
    {},
    'spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value',
  ],
  [
    'a toleration less',
    { tolerations },
    {},
    'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds',
  ],
  [
    'a new gate',
    {},
    { schedulingGates: [{ name: 'g' }] },
    "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'g'",
  ],
]

test.each(updates)('an update may change %s, or hears why not', (_, old, spec, ...want) => {
  expect(updateErrors(old, spec)).toEqual(want)
})

test('ephemeral containers stay', () => {
  const one = { name: 'e', image: 'x' }
  const old = { ephemeralContainers: [one] }
  expect(updateErrors(old, { ephemeralContainers: [one, { name: 'f', image: 'x' }] }, 'ephemeralcontainers')).toEqual(
    [],
  )
  expect(updateErrors(old, {}, 'ephemeralcontainers')).toEqual([
    'spec.ephemeralContainers: Forbidden: existing ephemeral containers "e" may not be removed\n',
  ])
  expect(updateErrors(old, { ephemeralContainers: [{ ...one, image: 'y' }] }, 'ephemeralcontainers')).toEqual([
    'spec.ephemeralContainers: Forbidden: existing ephemeral containers "e" may not be changed\n',
  ])
})

test('a resize changes CPU and memory within its class of service', () => {
  const old = resources({ cpu: '2', memory: '1Gi' }, { cpu: '1', memory: '1Gi' })
  expect(updateErrors(old, resources({ cpu: '3', memory: '2Gi' }, { cpu: '2', memory: '1Gi' }), 'resize')).toEqual([])
  expect(updateErrors(old, resources({ cpu: '2', memory: '1Gi' }, { cpu: '2', memory: '1Gi' }), 'resize')).toEqual([
    'spec: Invalid value: "Guaranteed": Pod QOS Class may not change as a result of resizing',
  ])
  expect(updateErrors(old, resources({ cpu: '2', memory: '512Mi' }, { cpu: '1', memory: '512Mi' }), 'resize')).toEqual([
    `${at}.resources.limits[memory]: Forbidden: memory limits cannot be decreased unless resizePolicy is RestartContainer`,
  ])
})

test('a container that has ended for good stays so', () => {
  const ended = { name: 'a', image: '', imageID: '', ready: false, restartCount: 0 }
  const old = podOf({ restartPolicy: 'Never' })
  old.status = { containerStatuses: [{ ...ended, state: { terminated: { exitCode: 0 } } }] }
  const pod = podOf({ restartPolicy: 'Never' })
  pod.status = { containerStatuses: [{ ...ended, state: { running: {} } }] }
  expect(podRules.validateUpdate!(pod, old, 'status')).toMatchObject([
    {
      field: 'status.containerStatuses[0].state',
      message: 'Forbidden: may not be transitioned to non-terminated state',
    },
  ])
})

test('label keys are merged into selectors', () => {
  const pod = podOf(
    { topologySpreadConstraints: [{ ...spread, labelSelector: {}, matchLabelKeys: ['app', 'absent'] }] },
    { labels: { app: 'x' } },
  )
  podRules.prepareCreate!(pod)
  expect(pod.spec.topologySpreadConstraints![0]!.labelSelector).toEqual({
    matchExpressions: [{ key: 'app', operator: 'In', values: ['x'] }],
  })
  expect(errorsOf(pod)).toEqual([])
})
