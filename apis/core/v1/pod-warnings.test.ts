import { expect, test } from 'vitest'
import { deploymentRules } from '../../apps/v1/deployment-rules.ts'
import { podWarnings } from './pod-warnings.ts'
import type { Pod } from './zz_generated.types.ts'

const pod = (spec: object, metadata: object = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', ...metadata },
  spec: { containers: [{ name: 'main', image: 'x' }], ...spec },
})
const main = (rest: object) => ({ containers: [{ name: 'main', image: 'x', ...rest }] })
const projected = (sources: object[]) => ({ volumes: [{ name: 'v', projected: { sources } }] })
const token = { serviceAccountToken: { path: 'token' } }

test.each<[string, Pod, string[]]>([
  ['nothing of a plain pod', pod({}), []],
  [
    'a name that is no label',
    pod({}, { name: 'a.b' }),
    [
      "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
    ],
  ],
  [
    'an outdated node label',
    pod({ nodeSelector: { 'beta.kubernetes.io/os': 'linux' } }),
    ['spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'],
  ],
  [
    'an outdated node label in an affinity',
    pod({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'beta.kubernetes.io/arch', operator: 'Exists' }] }],
          },
        },
      },
    }),
    [
      'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/arch is deprecated since v1.14; use "kubernetes.io/arch" instead',
    ],
  ],
  [
    'constraints that match nothing',
    pod({
      topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'a', whenUnsatisfiable: 'DoNotSchedule' }],
      affinity: {
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: { topologyKey: 'a' } }],
        },
      },
    }),
    [
      'spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod',
      'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector: a null labelSelector results in matching no pod',
    ],
  ],
  [
    'annotations that do nothing',
    pod({}, { annotations: { 'scheduler.alpha.kubernetes.io/critical-pod': '' } }),
    [
      'metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the "priorityClassName" field instead',
    ],
  ],
  [
    'volumes nobody mounts any more',
    pod({ volumes: [{ name: 'v', glusterfs: { endpoints: 'a', path: 'b' } }] }),
    ['spec.volumes[0].glusterfs: deprecated in v1.25, non-functional in v1.26+'],
  ],
  [
    'a file that hides the token',
    pod(projected([token, { configMap: { name: 'c', items: [{ key: 'k', path: 'token' }] } }])),
    ['spec.volumes[0].projected.sources.configMap[0]: has duplicated path with ServiceAccountToken "token"'],
  ],
  [
    'the same host and secret again',
    pod({ hostAliases: [{ ip: '1.1.1.1' }, { ip: '1.1.1.1' }], imagePullSecrets: [{ name: 'a' }, { name: 'a' }, {}] }),
    [
      'spec.hostAliases[1].ip: duplicate ip "1.1.1.1"',
      'spec.imagePullSecrets[1].name: duplicate name "a"',
      'spec.imagePullSecrets[2].name: invalid empty name ""',
    ],
  ],
  [
    'parts of bytes',
    pod(main({ resources: { limits: { memory: '100m', cpu: '100m' }, requests: { memory: '1Gi' } } })),
    ['spec.containers[0].resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer'],
  ],
  [
    'a variable that replaces another',
    pod(
      main({
        env: [
          { name: 'A', value: '1' },
          { name: 'A', value: '2' },
        ],
      }),
    ),
    ['spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply'],
  ],
  [
    'nothing of a variable made of its former self',
    pod(
      main({
        env: [
          { name: 'A', value: '1' },
          { name: 'A', value: '$(A)2' },
        ],
      }),
    ),
    [],
  ],
  [
    'ports that meet',
    pod(
      main({
        ports: [
          { containerPort: 80, protocol: 'TCP' },
          { containerPort: 80, protocol: 'TCP' },
          { containerPort: 80, hostPort: 8080, protocol: 'TCP' },
          { containerPort: 81, hostIP: '1.1.1.1', protocol: 'TCP' },
        ],
      }),
    ),
    [
      'spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]',
      'spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[0]',
      'spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[1]',
      'spec.containers[0].ports[3]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:81 Protocol:TCP HostIP:1.1.1.1}',
    ],
  ],
  [
    'a grace period below zero',
    pod({ terminationGracePeriodSeconds: -1 }),
    ['spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1'],
  ],
])('warns of %s', (_, subject, want) => expect(podWarnings(subject)).toEqual(want))

test('a workload warns of its template, again only when it changes', () => {
  const deployment = (generation: number) => ({
    apiVersion: 'apps/v1' as const,
    kind: 'Deployment' as const,
    metadata: { name: 'a', generation },
    spec: { selector: {}, template: { spec: main({ env: [{ name: 'A' }, { name: 'A' }] }) } },
  })
  const want = [
    'spec.template.spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
  ]
  expect(deploymentRules.warnings!(deployment(1))).toEqual(want)
  expect(deploymentRules.warnings!(deployment(2), deployment(1))).toEqual(want)
  expect(deploymentRules.warnings!(deployment(1), deployment(1))).toEqual([])
})
