import assert from 'node:assert/strict'
import { pods, type ResourceRequirements } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { defineCase } from '../runner/case.ts'
import { runningPod } from '../runner/fixtures.ts'

const docs = 'https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/'

const main = { name: 'main', image: 'example.com/app:1' }
const only = (fields: object) => ({ containers: [{ ...main, ...fields }] })

const badSpecs: { what: string; spec: object; field: string; says: string }[] = [
  { what: 'no container', spec: { containers: [] }, field: 'spec.containers', says: 'Required value' },
  {
    what: 'a container without a name',
    spec: { containers: [{ image: 'x' }] },
    field: 'spec.containers[0].name',
    says: 'Required value',
  },
  {
    what: 'a container without an image',
    spec: { containers: [{ name: 'main' }] },
    field: 'spec.containers[0].image',
    says: 'Required value',
  },
  {
    what: 'two containers of one name',
    spec: { containers: [main, main] },
    field: 'spec.containers[1].name',
    says: 'Duplicate value: "main"',
  },
  {
    what: 'an upper-case container name',
    spec: only({ name: 'Main' }),
    field: 'spec.containers[0].name',
    says: 'a lowercase RFC 1123 label',
  },
  {
    what: 'a port beyond all ports',
    spec: only({ ports: [{ containerPort: 65536 }] }),
    field: 'spec.containers[0].ports[0].containerPort',
    says: 'must be between 1 and 65535, inclusive',
  },
  {
    what: 'an unknown restart policy',
    spec: { ...only({}), restartPolicy: 'Sometimes' },
    field: 'spec.restartPolicy',
    says: 'Unsupported value: "Sometimes"',
  },
  {
    what: 'an unknown pull policy',
    spec: only({ imagePullPolicy: 'Perhaps' }),
    field: 'spec.containers[0].imagePullPolicy',
    says: 'Unsupported value: "Perhaps"',
  },
  {
    what: 'a request above the limit',
    spec: only({ resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }),
    field: 'spec.containers[0].resources.requests',
    says: 'must be less than or equal to cpu limit',
  },
  {
    what: 'a negative request',
    spec: only({ resources: { requests: { cpu: '-1' } } }),
    field: 'spec.containers[0].resources.requests[cpu]',
    says: 'must be greater than or equal to 0',
  },
  {
    what: 'a mount of a volume that is not there',
    spec: only({ volumeMounts: [{ name: 'none', mountPath: '/x' }] }),
    field: 'spec.containers[0].volumeMounts[0].name',
    says: 'Not found: "none"',
  },
  {
    what: 'two volumes of one name',
    spec: {
      ...only({}),
      volumes: [
        { name: 'v', emptyDir: {} },
        { name: 'v', emptyDir: {} },
      ],
    },
    field: 'spec.volumes[1].name',
    says: 'Duplicate value: "v"',
  },
  {
    what: 'a volume of two kinds',
    spec: { ...only({}), volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/x' } }] },
    field: 'spec.volumes[0]',
    says: 'may not specify more than 1 volume type',
  },
  {
    what: 'a variable without a name',
    spec: only({ env: [{ value: 'x' }] }),
    field: 'spec.containers[0].env[0].name',
    says: 'Required value',
  },
  {
    what: 'a probe of two kinds',
    spec: only({ livenessProbe: { exec: { command: ['a'] }, tcpSocket: { port: 1 } } }),
    field: 'spec.containers[0].livenessProbe',
    says: 'may not specify more than 1 handler type',
  },
  {
    what: 'a deadline of no time',
    spec: { ...only({}), activeDeadlineSeconds: 0 },
    field: 'spec.activeDeadlineSeconds',
    says: 'must be between 1 and',
  },
  {
    what: 'a toleration without a key',
    spec: { ...only({}), tolerations: [{ operator: 'Equal', value: 'x' }] },
    field: 'spec.tolerations[0].operator',
    says: 'operator must be Exists when `key` is empty',
  },
  {
    what: 'a bad node selector',
    spec: { ...only({}), nodeSelector: { 'bad key': 'x' } },
    field: 'spec.nodeSelector',
    says: 'Invalid value: "bad key"',
  },
]

export const cases = [
  ...badSpecs.map(({ what, spec, field, says }) =>
    defineCase({
      name: `pod validation: ${what} is refused`,
      stands: docs,
      async run(t) {
        const namespace = await t.namespace()
        const body = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bad' }, spec }
        const { status, json } = await t.http({ method: 'POST', path: `/api/v1/namespaces/${namespace}/pods`, body })
        const answer = json<{ message: string; details?: { causes?: { field: string; message: string }[] } }>()
        assert.equal(status, 422, answer.message)
        const causes = answer.details?.causes ?? []
        assert.ok(
          causes.some((cause) => cause.field.startsWith(field) && cause.message.includes(says)),
          JSON.stringify(causes),
        )
        assert.match(answer.message, /^Pod "bad" is invalid: /)
      },
    }),
  ),
  defineCase({
    name: 'pod validation: defaults are filled in',
    stands: docs,
    async run(t) {
      const { spec, status } = await (await t.in(pods)).create({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'one' },
        spec: { schedulerName: 'nobody', containers: [{ name: 'main', image: 'example.com/app' }] },
      })
      assert.deepEqual(
        [
          spec.restartPolicy,
          spec.dnsPolicy,
          spec.terminationGracePeriodSeconds,
          spec.serviceAccountName,
          spec.enableServiceLinks,
        ],
        ['Always', 'ClusterFirst', 30, 'default', true],
      )
      const { imagePullPolicy, terminationMessagePath, resources } = spec.containers[0]!
      assert.deepEqual([imagePullPolicy, terminationMessagePath, resources], ['Always', '/dev/termination-log', {}])
      assert.deepEqual([status?.phase, status?.qosClass], ['Pending', 'BestEffort'])
      const keys = spec.tolerations?.map(({ key }) => key).toSorted()
      assert.deepEqual(keys, ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'])
    },
  }),
  ...[
    { requests: { cpu: '1', memory: '1Mi' }, limits: { cpu: '1', memory: '1Mi' }, qosClass: 'Guaranteed' },
    { requests: { cpu: '1' }, limits: {}, qosClass: 'Burstable' },
  ].map(({ qosClass, ...resources }) =>
    defineCase({
      name: `pod validation: a pod is ${qosClass} by its resources`,
      stands:
        'Pods Extended Pods Set QOS Class should be set on Pods with matching resource requests and limits for memory and cpu',
      async run(t) {
        const pod = runningPod(t, 'one', { schedulerName: 'nobody' })
        pod.spec.containers[0]!.resources = resources as ResourceRequirements
        assert.equal((await (await t.in(pods)).create(pod)).status?.qosClass, qosClass)
      },
    }),
  ),
  defineCase({
    name: 'pod validation: limits stand in for requests',
    stands: 'https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/',
    async run(t) {
      const pod = runningPod(t, 'one', { schedulerName: 'nobody' })
      pod.spec.containers[0]!.resources = { limits: { cpu: '500m' } }
      const { spec } = await (await t.in(pods)).create(pod)
      assert.deepEqual(spec.containers[0]!.resources?.requests, { cpu: '500m' })
    },
  }),
  defineCase({
    name: 'pod validation: of a pod’s spec only little may change',
    stands: 'https://kubernetes.io/docs/concepts/workloads/pods/#pod-update-and-replacement',
    async run(t) {
      const door = await t.in(pods)
      const made = await door.create(runningPod(t, 'one', { schedulerName: 'nobody' }))
      const containers = [{ ...made.spec.containers[0]!, command: ['other'] }]
      await t.rejects(door.update({ ...made, spec: { ...made.spec, containers } }), {
        code: 422,
        messageIncludes: 'spec: Forbidden: pod updates may not change fields other than',
      })
      const newImage = [{ ...made.spec.containers[0]!, image: 'example.com/other:2' }]
      assert.equal(
        (await door.update({ ...made, spec: { ...made.spec, containers: newImage } })).spec.containers[0]!.image,
        'example.com/other:2',
      )
    },
  }),
  defineCase({
    name: 'pod validation: all faults are told at once',
    stands: docs,
    async run(t) {
      const body = { metadata: { name: 'bad' }, spec: { containers: [{ name: 'A', image: '' }], restartPolicy: 'x' } }
      const { json } = await t.http({ method: 'POST', path: `/api/v1/namespaces/${await t.namespace()}/pods`, body })
      const { details, message } = json<{ details: { causes: object[] }; message: string }>()
      assert.ok(details.causes.length >= 3, message)
      assert.match(message, /is invalid: \[/)
    },
  }),
]
