/** Kinds whose every operation an official test asks for, whatever else the cluster does with their objects. */
import assert from 'node:assert/strict'
import {
  mutatingadmissionpolicies,
  mutatingadmissionpolicybindings,
  validatingadmissionpolicies,
  validatingadmissionpolicybindings,
} from '@keelson/apis/admissionregistration/v1/zz_generated.types.ts'
import { flowschemas, prioritylevelconfigurations } from '@keelson/apis/flowcontrol/v1/zz_generated.types.ts'
import type { KubeObject, ResourceRef } from '@keelson/apis/meta/v1/types.ts'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'

interface Subject {
  stands: string
  ref: ResourceRef
  spec: object
  /** What is written to the status subresource, for kinds that have one. */
  status?: object
}

const condition = { type: 'Tested', status: 'True', reason: 'Tested', message: 'by the conformance suite' }
const conditions = [{ ...condition, lastTransitionTime: '2026-01-01T00:00:00Z' }]
/** Matches nothing that any cluster has. */
const nowhere = {
  resourceRules: [
    { apiGroups: ['nowhere.example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['nothings'] },
  ],
}

const subjects: readonly Subject[] = [
  {
    stands: 'API priority and fairness should support FlowSchema API operations',
    ref: flowschemas,
    spec: { matchingPrecedence: 10_000, priorityLevelConfiguration: { name: 'nobody-has-this' } },
    status: { conditions },
  },
  {
    stands: 'API priority and fairness should support PriorityLevelConfiguration API operations',
    ref: prioritylevelconfigurations,
    spec: { type: 'Limited', limited: { nominalConcurrencyShares: 2, limitResponse: { type: 'Reject' } } },
    status: { conditions },
  },
  {
    stands: 'ValidatingAdmissionPolicy should support ValidatingAdmissionPolicy API operations',
    ref: validatingadmissionpolicies,
    spec: { matchConstraints: nowhere, validations: [{ expression: 'true' }] },
    status: { conditions },
  },
  {
    stands: 'ValidatingAdmissionPolicy should support ValidatingAdmissionPolicyBinding API operations',
    ref: validatingadmissionpolicybindings,
    spec: { policyName: 'nobody-has-this.example.com', validationActions: ['Deny'] },
  },
  {
    stands: 'MutatingAdmissionPolicy should support MutatingAdmissionPolicy API operations',
    ref: mutatingadmissionpolicies,
    spec: {
      matchConstraints: nowhere,
      reinvocationPolicy: 'Never',
      mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{}' } }],
    },
  },
  {
    stands: 'MutatingAdmissionPolicy should support MutatingAdmissionPolicyBinding API operations',
    ref: mutatingadmissionpolicybindings,
    spec: { policyName: 'nobody-has-this.example.com' },
  },
]

interface Resources {
  resources: { name: string; verbs: string[] }[]
}

async function isDiscovered(t: CaseContext, { ref, status }: Subject): Promise<void> {
  const { groups } = await t.api<{ groups: { name: string }[] }>('GET', '/apis')
  assert.ok(groups.some(({ name }) => name === ref.group))
  const group = await t.api<{ versions: { version: string }[] }>('GET', `/apis/${ref.group}`)
  assert.ok(group.versions.some(({ version }) => version === ref.version))
  const { resources } = await t.api<Resources>('GET', `/apis/${ref.group}/${ref.version}`)
  const found = resources.find(({ name }) => name === ref.resource)
  const all = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
  assert.deepEqual(found?.verbs.toSorted(), all)
  if (status) assert.ok(resources.some(({ name }) => name === `${ref.resource}/status`))
}

async function isOperated(t: CaseContext, { ref, spec, status }: Subject): Promise<void> {
  const door = t.client.resource(ref)
  const mark = t.unique('mark')
  const labelSelector = `mark=${mark}`
  t.cleanup(() => door.deleteCollection({ labelSelector }))
  const make = (name: string): KubeObject & { spec: object } => ({
    apiVersion: `${ref.group}/${ref.version}`,
    kind: ref.kind,
    metadata: { name, labels: { mark } },
    spec,
  })
  const made = await door.create(make(`${mark}-a`))
  const name = made.metadata.name!
  const { items, metadata } = await door.list({ labelSelector })
  assert.deepEqual(
    items.map((item) => item.metadata.uid),
    [made.metadata.uid],
  )
  const watch = await t.watch(
    `/apis/${ref.group}/${ref.version}/${ref.resource}?watch=1&labelSelector=mark%3D${mark}&resourceVersion=${metadata.resourceVersion}`,
  )
  const { metadata: patched } = await door.patch(name, {
    type: 'merge',
    body: { metadata: { annotations: { patched: 'true' } } },
  })
  assert.equal(patched.annotations?.patched, 'true')
  const current = await door.get(name)
  current.metadata.annotations = { ...current.metadata.annotations, updated: 'true' }
  assert.equal((await door.update(current)).metadata.annotations?.updated, 'true')
  for (const annotation of ['patched', 'updated'])
    await watch.find(({ type, object }) => type === 'MODIFIED' && annotation in (object.metadata.annotations ?? {}))
  if (status) {
    await door.patch(name, { type: 'merge', body: { status } }, { subresource: 'status' })
    const read = await door.getSubresource<{ status: typeof status }>(name, 'status')
    assert.partialDeepStrictEqual(read.status, status)
  }
  await door.delete(name)
  await watch.find(({ type }) => type === 'DELETED')
  await t.rejects(door.get(name), { code: 404 })
  await door.create(make(`${mark}-b`))
  await door.deleteCollection({ labelSelector })
  await t.eventually(async () => (await door.list({ labelSelector })).items.length === 0)
}

export const cases = subjects.map((subject) =>
  defineCase({
    name: `operations: ${subject.ref.kind} has all of them`,
    stands: subject.stands,
    async run(t) {
      await isDiscovered(t, subject)
      await isOperated(t, subject)
    },
  }),
)
