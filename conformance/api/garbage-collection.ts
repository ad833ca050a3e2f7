import assert from 'node:assert/strict'
import { type ConfigMap, configmaps } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'
import { configMap } from '../runner/fixtures.ts'

const finalizerDocs = 'https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/'
const cascadeDocs = 'https://kubernetes.io/docs/concepts/architecture/garbage-collection/#cascading-deletion'

const ownedBy = (owner: ConfigMap, name: string, more: object = {}) =>
  configMap(
    name,
    {},
    {
      ownerReferences: [
        { apiVersion: 'v1', kind: 'ConfigMap', name: owner.metadata.name!, uid: owner.metadata.uid!, ...more },
      ],
    },
  )

async function makeFamily(t: CaseContext) {
  const door = await t.in(configmaps)
  const owner = await door.create(configMap('owner'))
  await door.create(ownedBy(owner, 'child', { blockOwnerDeletion: true }))
  return { door, owner }
}

export const cases = [
  defineCase({
    name: 'gc: a finalizer holds a deleted object until it is taken off',
    stands: finalizerDocs,
    async run(t) {
      const door = await t.in(configmaps)
      await door.create(configMap('one', {}, { finalizers: ['example.com/hold'] }))
      await door.delete('one')
      const held = await door.get('one')
      assert.ok(held.metadata.deletionTimestamp)
      assert.equal(held.metadata.deletionGracePeriodSeconds, 0)
      await door.patch('one', { type: 'merge', body: { metadata: { finalizers: null } } })
      await t.rejects(door.get('one'), { code: 404 })
    },
  }),
  defineCase({
    name: 'gc: what is being deleted takes no new finalizers',
    stands: finalizerDocs,
    async run(t) {
      const door = await t.in(configmaps)
      await door.create(configMap('one', {}, { finalizers: ['example.com/hold'] }))
      t.cleanup(() => door.patch('one', { type: 'merge', body: { metadata: { finalizers: null } } }))
      await door.delete('one')
      const body = { metadata: { finalizers: ['example.com/hold', 'example.com/more'] } }
      await t.rejects(door.patch('one', { type: 'merge', body }), {
        code: 422,
        messageIncludes: 'no new finalizers can be added if the object is being deleted',
      })
    },
  }),
  defineCase({
    name: 'gc: the time of deletion stays, however often one deletes',
    stands: finalizerDocs,
    async run(t) {
      const door = await t.in(configmaps)
      await door.create(configMap('one', {}, { finalizers: ['example.com/hold'] }))
      t.cleanup(() => door.patch('one', { type: 'merge', body: { metadata: { finalizers: null } } }))
      await door.delete('one')
      const { metadata } = await door.get('one')
      await door.delete('one')
      assert.equal((await door.get('one')).metadata.resourceVersion, metadata.resourceVersion)
    },
  }),
  defineCase({
    name: 'gc: in the background, the owner goes at once and its dependents follow',
    stands: cascadeDocs,
    async run(t) {
      const { door } = await makeFamily(t)
      await door.delete('owner', { propagationPolicy: 'Background' })
      await t.rejects(door.get('owner'), { code: 404 })
      await t.untilGone(configmaps, 'child')
    },
  }),
  defineCase({
    name: 'gc: in the foreground, the owner waits for its dependents',
    stands: 'Garbage collector should keep the rc around until all its pods are deleted if the deleteOptions says so',
    async run(t) {
      const { door } = await makeFamily(t)
      await door.patch('child', { type: 'merge', body: { metadata: { finalizers: ['example.com/hold'] } } })
      await door.delete('owner', { propagationPolicy: 'Foreground' })
      await t.until(configmaps, 'child', ({ metadata }) => metadata.deletionTimestamp)
      assert.deepEqual((await door.get('owner')).metadata.finalizers, ['foregroundDeletion'])
      await door.patch('child', { type: 'merge', body: { metadata: { finalizers: null } } })
      await t.untilGone(configmaps, 'owner')
    },
  }),
  defineCase({
    name: 'gc: orphans stay and forget their owner',
    stands: 'Garbage collector should orphan pods created by rc if delete options say so',
    async run(t) {
      const { door } = await makeFamily(t)
      await door.delete('owner', { propagationPolicy: 'Orphan' })
      await t.untilGone(configmaps, 'owner')
      assert.deepEqual((await door.get('child')).metadata.ownerReferences ?? [], [])
    },
  }),
  defineCase({
    name: 'gc: one living owner is enough',
    stands:
      "Garbage collector should not delete dependents that have both valid owner and owner that's waiting for dependents to be deleted",
    async run(t) {
      const door = await t.in(configmaps)
      const [first, second] = [await door.create(configMap('first')), await door.create(configMap('second'))]
      const child = ownedBy(first, 'child')
      child.metadata.ownerReferences!.push(ownedBy(second, '').metadata.ownerReferences![0]!)
      await door.create(child)
      await door.create(ownedBy(first, 'only-child'))
      await door.delete('first')
      await t.untilGone(configmaps, 'only-child')
      assert.ok((await door.get('child')).metadata.ownerReferences?.some(({ uid }) => uid === second.metadata.uid))
    },
  }),
  defineCase({
    name: 'gc: an owner that never was is no owner',
    stands: 'https://kubernetes.io/docs/concepts/architecture/garbage-collection/#owners-dependents',
    async run(t) {
      const door = await t.in(configmaps)
      const ghost = configMap('ghost', {}, { uid: '11111111-2222-4333-8444-555555555555' })
      await door.create(ownedBy(ghost, 'child'))
      await t.untilGone(configmaps, 'child')
    },
  }),
  defineCase({
    name: 'gc: only one owner is the controller',
    stands: 'https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/',
    async run(t) {
      const door = await t.in(configmaps)
      const owner = await door.create(configMap('owner'))
      const child = ownedBy(owner, 'child', { controller: true })
      child.metadata.ownerReferences!.push({ ...child.metadata.ownerReferences![0]!, name: 'other', uid: 'x' })
      await t.rejects(door.create(child), {
        code: 422,
        messageIncludes: 'Only one reference can have Controller set to true',
      })
    },
  }),
]
