import { expect, test } from 'vitest'
import { rules } from './rules.ts'

/** What `kubectl get` shows of each kind: `[resource, object, cells]`, with the wide columns at their places. */
const now = Date.parse('2026-01-01T01:00:00Z')
const created = { name: 'x', creationTimestamp: '2026-01-01T00:00:00Z' }

function cellsOf(resource: string, object: object): unknown[] {
  const print = rules.get(resource)!.print!
  const whole = {
    apiVersion: '',
    kind: '',
    ...object,
    metadata: { ...created, ...('metadata' in object ? object.metadata! : {}) },
  }
  const cells = print.row(whole, now)
  expect(cells.length).toBe(print.columns.length)
  return cells
}

const template = {
  metadata: { labels: { app: 'x' } },
  spec: {
    containers: [
      { name: 'a', image: 'nginx:1' },
      { name: 'b', image: 'redis:7' },
    ],
    nodeSelector: { disk: 'ssd' },
  },
}
const selector = {
  matchLabels: { b: '2', a: '1' },
  matchExpressions: [{ key: 'c', operator: 'In', values: ['z', 'y'] }],
}
const made = ['a,b', 'nginx:1,redis:7'] as const

const cases: [resource: string, object: object, cells: unknown[]][] = [
  ['core/namespaces', { status: { phase: 'Active' } }, ['x', 'Active', '60m']],
  ['core/configmaps', { data: { a: '', b: '' }, binaryData: { c: '' } }, ['x', 3, '60m']],
  ['core/secrets', { type: 'Opaque', data: { a: '' } }, ['x', 'Opaque', 1, '60m']],
  ['core/serviceaccounts', {}, ['x', 0, '60m']],
  [
    'core/services',
    {
      spec: {
        type: 'ClusterIP',
        clusterIP: '10.0.0.1',
        ports: [{ port: 80, protocol: 'TCP' }],
        selector: { app: 'x' },
      },
    },
    ['x', 'ClusterIP', '10.0.0.1', '<none>', '80/TCP', '60m', 'app=x'],
  ],
  [
    'core/services',
    {
      spec: {
        type: 'LoadBalancer',
        ports: [
          { port: 80, nodePort: 30080, protocol: 'TCP' },
          { port: 53, protocol: 'UDP' },
        ],
      },
    },
    ['x', 'LoadBalancer', '<none>', '<pending>', '80:30080/TCP,53/UDP', '60m', '<none>'],
  ],
  [
    'core/services',
    {
      spec: { type: 'LoadBalancer', externalIPs: ['1.2.3.4'] },
      status: { loadBalancer: { ingress: [{ hostname: 'lb' }] } },
    },
    ['x', 'LoadBalancer', '<none>', 'lb,1.2.3.4', '<none>', '60m', '<none>'],
  ],
  [
    'core/services',
    { spec: { type: 'ExternalName', externalName: 'a.b' } },
    ['x', 'ExternalName', '<none>', 'a.b', '<none>', '60m', '<none>'],
  ],
  [
    'core/endpoints',
    { subsets: [{ addresses: [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }], ports: [{ port: 80 }, { port: 81 }] }] },
    ['x', '10.0.0.1:80,10.0.0.2:80,10.0.0.1:81 + 1 more...', '60m'],
  ],
  ['core/endpoints', {}, ['x', '<none>', '60m']],
  [
    'core/nodes',
    {
      metadata: { labels: { 'node-role.kubernetes.io/worker': '', 'node-role.kubernetes.io/control-plane': '' } },
      spec: { unschedulable: true },
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
        nodeInfo: {
          kubeletVersion: 'v1.36.0',
          osImage: 'Linux',
          kernelVersion: '6',
          containerRuntimeVersion: 'containerd://2',
        },
      },
    },
    [
      'x',
      'Ready,SchedulingDisabled',
      'control-plane,worker',
      '60m',
      'v1.36.0',
      '10.0.0.1',
      '<none>',
      'Linux',
      '6',
      'containerd://2',
    ],
  ],
  ['core/nodes', {}, ['x', 'Unknown', '<none>', '60m', '', '<none>', '<none>', '<unknown>', '<unknown>', '<unknown>']],
  [
    'core/persistentvolumes',
    {
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteMany', 'ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Retain',
        claimRef: { namespace: 'n', name: 'c' },
        storageClassName: 'fast',
        volumeMode: 'Filesystem',
      },
      status: { phase: 'Bound' },
    },
    ['x', '1Gi', 'RWO,RWX', 'Retain', 'Bound', 'n/c', 'fast', '<unset>', '', '60m', 'Filesystem'],
  ],
  [
    'core/persistentvolumeclaims',
    {
      spec: { volumeName: 'v', volumeMode: 'Block' },
      status: { phase: 'Bound', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOncePod'] },
    },
    ['x', 'Bound', 'v', '1Gi', 'RWOP', '', '<unset>', '60m', 'Block'],
  ],
  [
    'core/persistentvolumeclaims',
    { metadata: { deletionTimestamp: 'now' }, spec: { storageClassName: 'fast' }, status: { phase: 'Pending' } },
    ['x', 'Terminating', '', '', '', 'fast', '<unset>', '60m', '<unset>'],
  ],
  [
    'core/resourcequotas',
    {
      status: { hard: { pods: '10', 'requests.cpu': '2', 'limits.cpu': '4' }, used: { pods: '1', 'limits.cpu': '1' } },
    },
    ['x', 'pods: 1/10, requests.cpu: 0/2', 'limits.cpu: 1/4', '60m'],
  ],
  [
    'core/replicationcontrollers',
    { spec: { replicas: 2, selector: { app: 'x' }, template }, status: { replicas: 2, readyReplicas: 1 } },
    ['x', 2, 2, 1, '60m', ...made, 'app=x'],
  ],
  ['core/podtemplates', { template }, ['x', ...made, 'app=x']],
  [
    'core/events',
    {
      involvedObject: { kind: 'Pod', name: 'web', fieldPath: 'spec' },
      type: 'Normal',
      reason: 'Pulled',
      message: ' done\n',
      source: { component: 'kubelet', host: 'n1' },
      firstTimestamp: '2026-01-01T00:30:00Z',
      lastTimestamp: '2026-01-01T00:59:00Z',
      count: 3,
    },
    ['60s', 'Normal', 'Pulled', 'pod/web', 'spec', 'kubelet, n1', 'done', '30m', 3, 'x'],
  ],
  [
    'events.k8s.io/events',
    {
      regarding: { kind: 'Pod', name: 'web' },
      type: 'Warning',
      reason: 'Failed',
      note: 'no',
      reportingController: 'c',
      eventTime: '2026-01-01T00:59:00Z',
    },
    ['60s', 'Warning', 'Failed', 'pod/web', '', 'c', 'no', '60s', 1, 'x'],
  ],
  [
    'apps/deployments',
    {
      spec: { replicas: 3, template, selector },
      status: { readyReplicas: 1, updatedReplicas: 2, availableReplicas: 1 },
    },
    ['x', '1/3', 2, 1, '60m', ...made, 'a=1,b=2,c in (y,z)'],
  ],
  [
    'apps/replicasets',
    { spec: { replicas: 3, template, selector: {} }, status: { replicas: 2, readyReplicas: 1 } },
    ['x', 3, 2, 1, '60m', ...made, '<none>'],
  ],
  [
    'apps/statefulsets',
    { spec: { replicas: 3, template }, status: { readyReplicas: 1 } },
    ['x', '1/3', '60m', ...made],
  ],
  [
    'apps/daemonsets',
    {
      spec: { template, selector: { matchLabels: { app: 'x' } } },
      status: { desiredNumberScheduled: 3, currentNumberScheduled: 3, numberReady: 2, updatedNumberScheduled: 1 },
    },
    ['x', 3, 3, 2, 1, 0, 'disk=ssd', '60m', ...made, 'app=x'],
  ],
  [
    'apps/controllerrevisions',
    {
      revision: 2,
      metadata: { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'd', controller: true }] },
    },
    ['x', 'daemonset.apps/d', 2, '60m'],
  ],
  [
    'batch/jobs',
    {
      spec: { completions: 3, template, selector: {} },
      status: {
        succeeded: 3,
        startTime: '2026-01-01T00:00:00Z',
        completionTime: '2026-01-01T00:00:10Z',
        conditions: [{ type: 'Complete', status: 'True' }],
      },
    },
    ['x', 'Complete', '3/3', '10s', '60m', ...made, '<none>'],
  ],
  [
    'batch/jobs',
    { spec: { parallelism: 2, template, selector: {} }, status: { startTime: '2026-01-01T00:59:30Z' } },
    ['x', 'Running', '0/1 of 2', '30s', '60m', ...made, '<none>'],
  ],
  [
    'batch/jobs',
    {
      spec: { completions: 1, template, selector: {} },
      status: { conditions: [{ type: 'Suspended', status: 'True' }] },
    },
    ['x', 'Suspended', '0/1', '', '60m', ...made, '<none>'],
  ],
  [
    'batch/cronjobs',
    {
      spec: { schedule: '@daily', suspend: true, jobTemplate: { spec: { template } } },
      status: { active: [{}], lastScheduleTime: '2026-01-01T00:59:00Z' },
    },
    ['x', '@daily', '<none>', 'True', 1, '60s', '60m', ...made],
  ],
  [
    'autoscaling/horizontalpodautoscalers',
    {
      apiVersion: 'autoscaling/v2',
      spec: {
        scaleTargetRef: { kind: 'Deployment', name: 'd' },
        minReplicas: 1,
        maxReplicas: 5,
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
          { type: 'Pods', pods: { metric: { name: 'q' }, target: { type: 'AverageValue', averageValue: '10' } } },
          { type: 'External', external: { metric: { name: 'e' }, target: { type: 'Value', value: '5' } } },
        ],
      },
      status: {
        currentReplicas: 2,
        currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 10 } } }],
      },
    },
    ['x', 'Deployment/d', 'cpu: 10%/80%, <unknown>/10 + 1 more...', '1', 5, 2, '60m'],
  ],
  [
    'networking.k8s.io/ingresses',
    {
      spec: { ingressClassName: 'nginx', rules: ['a', 'b', 'c', 'd'].map((host) => ({ host })), tls: [{}] },
      status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } },
    },
    ['x', 'nginx', 'a,b,c + 1 more...', '1.2.3.4', '80, 443', '60m'],
  ],
  ['networking.k8s.io/ingresses', { spec: {} }, ['x', '<none>', '*', '', '80', '60m']],
  [
    'networking.k8s.io/ingressclasses',
    { spec: { controller: 'c/d', parameters: { apiGroup: 'g', kind: 'K', name: 'n' } } },
    ['x', 'c/d', 'K.g/n', '60m'],
  ],
  ['networking.k8s.io/networkpolicies', { spec: { podSelector: selector } }, ['x', 'a=1,b=2,c in (y,z)', '60m']],
  [
    'policy/poddisruptionbudgets',
    { spec: { minAvailable: '50%' }, status: { disruptionsAllowed: 1 } },
    ['x', '50%', 'N/A', 1, '60m'],
  ],
  [
    'rbac.authorization.k8s.io/rolebindings',
    {
      roleRef: { kind: 'Role', name: 'r' },
      subjects: [
        { kind: 'User', name: 'u' },
        { kind: 'User', name: 'v' },
        { kind: 'ServiceAccount', name: 's', namespace: 'n' },
      ],
    },
    ['x', 'Role/r', '60m', 'u, v', '', 'n/s'],
  ],
  ['coordination.k8s.io/leases', { spec: { holderIdentity: 'me' } }, ['x', 'me', '60m']],
  [
    'discovery.k8s.io/endpointslices',
    { addressType: 'IPv4', ports: [{ port: 80 }, {}], endpoints: [{ addresses: ['10.0.0.1'] }] },
    ['x', 'IPv4', '80,*', '10.0.0.1', '60m'],
  ],
  ['discovery.k8s.io/endpointslices', { addressType: 'IPv4' }, ['x', 'IPv4', '<unset>', '<unset>', '60m']],
  ['scheduling.k8s.io/priorityclasses', { value: 5, preemptionPolicy: 'Never' }, ['x', 5, false, '60m', 'Never']],
  [
    'storage.k8s.io/storageclasses',
    {
      metadata: { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'p',
      reclaimPolicy: 'Delete',
      volumeBindingMode: 'Immediate',
    },
    ['x (default)', 'p', 'Delete', 'Immediate', false, '60m'],
  ],
  ['storage.k8s.io/csinodes', { spec: { drivers: [{}, {}] } }, ['x', 2, '60m']],
  [
    'certificates.k8s.io/certificatesigningrequests',
    {
      spec: { signerName: 's/n', username: 'u', expirationSeconds: 3600 },
      status: { conditions: [{ type: 'Approved' }], certificate: 'c' },
    },
    ['x', '60m', 's/n', 'u', '60m', 'Approved,Issued'],
  ],
  ['certificates.k8s.io/certificatesigningrequests', { spec: {} }, ['x', '60m', '<none>', '', '<none>', 'Pending']],
  ['admissionregistration.k8s.io/validatingwebhookconfigurations', { webhooks: [{}] }, ['x', 1, '60m']],
  [
    'admissionregistration.k8s.io/validatingadmissionpolicies',
    { spec: { validations: [{}], paramKind: { apiVersion: 'v1', kind: 'K' } } },
    ['x', 1, 'v1/K', '60m'],
  ],
]

test.each(cases)('%s with %j show their columns', (resource, object, cells) => {
  expect(cellsOf(resource, object)).toEqual(cells)
})

test('every printer survives an object with nothing but a name', () => {
  for (const [resource, { print }] of rules) {
    if (!print) continue
    const spec = { scaleTargetRef: {}, jobTemplate: {} }
    const bare = { apiVersion: 'v1', kind: 'X', metadata: { name: 'x' }, spec, roleRef: {} }
    expect(print.row(bare, now).length, resource).toBe(print.columns.length)
  }
})
