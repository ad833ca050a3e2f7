import assert from 'node:assert/strict'
import { events } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { KubeObject, Status } from '@keelson/apis/meta/v1/types.ts'
import { defineCase } from '../runner/case.ts'

const docs =
  'https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/#list-of-supported-fields'

const references = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath']

/** What each kind can be selected by, besides its name. */
const supported: [collection: string, fields: string[]][] = [
  [
    '/api/v1/pods',
    [
      'metadata.namespace',
      'spec.nodeName',
      'spec.restartPolicy',
      'spec.schedulerName',
      'spec.serviceAccountName',
      'spec.hostNetwork',
      'status.phase',
      'status.podIP',
      'status.podIPs',
      'status.nominatedNodeName',
    ],
  ],
  [
    '/api/v1/events',
    [
      ...references.map((field) => `involvedObject.${field}`),
      'reason',
      'reportingComponent',
      'source',
      'type',
      'metadata.namespace',
    ],
  ],
  [
    '/apis/events.k8s.io/v1/events',
    [...references.map((field) => `regarding.${field}`), 'reason', 'reportingController', 'type'],
  ],
  ['/api/v1/secrets', ['type', 'metadata.namespace']],
  ['/api/v1/nodes', ['spec.unschedulable']],
  ['/api/v1/namespaces', ['status.phase']],
  ['/api/v1/services', ['spec.clusterIP', 'spec.type', 'metadata.namespace']],
  ['/api/v1/replicationcontrollers', ['status.replicas', 'metadata.namespace']],
  ['/apis/apps/v1/replicasets', ['status.replicas', 'metadata.namespace']],
  ['/apis/batch/v1/jobs', ['status.successful', 'metadata.namespace']],
  ['/apis/certificates.k8s.io/v1/certificatesigningrequests', ['spec.signerName']],
  ['/api/v1/configmaps', ['metadata.namespace']],
]

/** How a field that a kind does not know is refused. */
const unknown: [collection: string, message: string][] = [
  ['/api/v1/pods', 'field label not supported: spec.nobody'],
  ['/api/v1/secrets', 'field label not supported: spec.nobody'],
  ['/apis/batch/v1/jobs', 'field label "spec.nobody" not supported for batchv1.Job'],
  ['/api/v1/configmaps', '"spec.nobody" is not a known field selector: only "metadata.name", "metadata.namespace"'],
  [
    '/apis/apps/v1/deployments',
    '"spec.nobody" is not a known field selector: only "metadata.name", "metadata.namespace"',
  ],
]

export const cases = [
  ...supported.map(([path, fields]) =>
    defineCase({
      name: `field selectors: what ${path} can be selected by`,
      stands: docs,
      async run(t) {
        for (const field of ['metadata.name', ...fields]) {
          const { status, text } = await t.http({ path: `${path}?limit=1&fieldSelector=${field}%3Dnobody` })
          assert.equal(status, 200, `${field}: ${text}`)
        }
      },
    }),
  ),
  ...unknown.map(([path, message]) =>
    defineCase({
      name: `field selectors: ${path} cannot be selected by everything`,
      stands: docs,
      async run(t) {
        const { status, json } = await t.http({ path: `${path}?fieldSelector=spec.nobody%3Dx` })
        assert.deepEqual([status, json<Status>().message], [400, message])
      },
    }),
  ),
  defineCase({
    name: 'field selectors: an event is found by what it is about, under the names of either group',
    stands: docs,
    async run(t) {
      const namespace = await t.namespace()
      const door = await t.in(events)
      for (const about of ['one', 'two']) {
        await door.create({
          apiVersion: 'v1',
          kind: 'Event',
          metadata: { name: `of-${about}`, namespace },
          involvedObject: { kind: 'ConfigMap', name: about, namespace },
          reportingComponent: about,
          source: { component: 'conformance' },
          type: 'Normal',
        })
      }
      const selections = [
        ['/api/v1', 'involvedObject.name=two'],
        ['/api/v1', 'reportingComponent=two,source=conformance'],
        ['/apis/events.k8s.io/v1', 'regarding.name=two,type=Normal'],
        ['/apis/events.k8s.io/v1', 'reportingController=two'],
      ]
      for (const [group, selector] of selections) {
        const query = `fieldSelector=${encodeURIComponent(selector!)}`
        const { items } = await t.api<{ items: KubeObject[] }>(
          'GET',
          `${group}/namespaces/${namespace}/events?${query}`,
        )
        assert.deepEqual([selector, items.map(({ metadata }) => metadata.name)], [selector, ['of-two']])
      }
    },
  }),
]
