import assert from 'node:assert/strict'
import { deployments, replicasets } from '@keelson/apis/apps/v1/zz_generated.types.ts'
import {
  type ConfigMap,
  configmaps,
  type Pod,
  pods,
  type ReplicationController,
  replicationcontrollers,
} from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { KubeObject, OwnerReference } from '@keelson/apis/meta/v1/types.ts'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'
import { configMap, deployment, replicationController, runningPod } from '../runner/fixtures.ts'

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

const orphanDocs = 'https://kubernetes.io/docs/concepts/architecture/garbage-collection/#orphaned-dependents'
const hold = 'example.com/hold'

/** A replication controller and as many pods, which run nowhere. */
async function makeReplicas(t: CaseContext, name: string, replicas: number): Promise<ReplicationController> {
  await (await t.in(replicationcontrollers)).create(replicationController(t, name, replicas))
  return t.until(replicationcontrollers, name, ({ status }) => status?.replicas === replicas)
}

const podsOf = async (t: CaseContext, name: string): Promise<Pod[]> =>
  (await (await t.in(pods)).list({ labelSelector: `app=${name}` })).items

const referenceTo = ({ apiVersion, kind, metadata }: KubeObject, more: object = {}): OwnerReference => ({
  apiVersion: apiVersion!,
  kind: kind!,
  name: metadata.name!,
  uid: metadata.uid!,
  ...more,
})

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
    stands: cascadeDocs,
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
    stands: orphanDocs,
    async run(t) {
      const { door } = await makeFamily(t)
      await door.delete('owner', { propagationPolicy: 'Orphan' })
      await t.untilGone(configmaps, 'owner')
      assert.deepEqual((await door.get('child')).metadata.ownerReferences ?? [], [])
    },
  }),
  defineCase({
    name: 'gc: one living owner is enough',
    stands: cascadeDocs,
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
    name: 'gc: pods follow their replication controller',
    stands: 'Garbage collector should delete pods created by rc when not orphaning',
    async run(t) {
      await makeReplicas(t, 'web', 2)
      const door = await t.in(replicationcontrollers)
      await door.delete('web', { propagationPolicy: 'Background' })
      await t.rejects(door.get('web'), { code: 404 })
      await t.eventually(async () => (await podsOf(t, 'web')).length === 0)
    },
  }),
  defineCase({
    name: 'gc: a replication controller waits for the last of its pods',
    stands: 'Garbage collector should keep the rc around until all its pods are deleted if the deleteOptions says so',
    async run(t) {
      await makeReplicas(t, 'web', 3)
      const [held] = await podsOf(t, 'web')
      const finalize = (finalizers: string[] | null) =>
        t
          .in(pods)
          .then((door) => door.patch(held!.metadata.name!, { type: 'merge', body: { metadata: { finalizers } } }))
      await finalize([hold])
      t.cleanup(() => finalize(null))
      const door = await t.in(replicationcontrollers)
      await door.delete('web', { propagationPolicy: 'Foreground' })
      await t.eventually(async () => (await podsOf(t, 'web')).length === 1)
      const { metadata } = await door.get('web')
      assert.ok(metadata.deletionTimestamp)
      assert.deepEqual(metadata.finalizers, ['foregroundDeletion'])
      await finalize(null)
      await t.untilGone(replicationcontrollers, 'web')
      assert.deepEqual(await podsOf(t, 'web'), [])
    },
  }),
  defineCase({
    name: 'gc: pods of two replication controllers outlive one of them',
    stands:
      "Garbage collector should not delete dependents that have both valid owner and owner that's waiting for dependents to be deleted",
    async run(t) {
      await makeReplicas(t, 'going', 4)
      const staying = await makeReplicas(t, 'staying', 0)
      const door = await t.in(pods)
      const shared = (await podsOf(t, 'going')).slice(0, 2)
      for (const { metadata } of shared)
        await door.patch(metadata.name!, {
          type: 'strategic',
          body: { metadata: { ownerReferences: [referenceTo(staying)] } },
        })
      await (await t.in(replicationcontrollers)).delete('going', { propagationPolicy: 'Foreground' })
      await t.untilGone(replicationcontrollers, 'going')
      const left = await podsOf(t, 'going')
      assert.deepEqual(
        left.map(({ metadata }) => [metadata.name, metadata.deletionTimestamp, metadata.ownerReferences?.at(-1)?.uid]),
        shared.map(({ metadata }) => [metadata.name, undefined, staying.metadata.uid]),
      )
    },
  }),
  defineCase({
    name: 'gc: pods stay behind when their replication controller leaves them',
    stands: 'Garbage collector should orphan pods created by rc if delete options say so',
    async run(t) {
      await makeReplicas(t, 'web', 3)
      await (await t.in(replicationcontrollers)).delete('web', { propagationPolicy: 'Orphan' })
      await t.untilGone(replicationcontrollers, 'web')
      const left = await podsOf(t, 'web')
      assert.equal(left.length, 3)
      for (const { metadata } of left)
        assert.deepEqual([metadata.ownerReferences ?? [], metadata.deletionTimestamp], [[], undefined])
    },
  }),
  defineCase({
    name: 'gc: the replica set of a deployment stays behind when it leaves it',
    stands: 'Garbage collector should orphan RS created by deployment when deleteOptions.PropagationPolicy is Orphan',
    async run(t) {
      const door = await t.in(deployments)
      await door.create(deployment(t, 'web', 0))
      await t.until(deployments, 'web', ({ status }) => status?.observedGeneration === 1)
      await door.delete('web', { propagationPolicy: 'Orphan' })
      await t.untilGone(deployments, 'web')
      const { items } = await (await t.in(replicasets)).list({ labelSelector: 'app=web' })
      assert.deepEqual(
        items.map(({ metadata }) => metadata.ownerReferences ?? []),
        [[]],
      )
    },
  }),
  defineCase({
    name: 'gc: owners that own each other in a circle go together',
    stands: 'Garbage collector should not be blocked by dependency circle',
    async run(t) {
      const door = await t.in(pods)
      const names = ['a', 'b', 'c']
      const made = await Promise.all(names.map((name) => door.create(runningPod(t, name, { schedulerName: 'nobody' }))))
      for (const [at, name] of names.entries()) {
        const ownerReferences = [referenceTo(made.at(at - 1)!, { controller: true, blockOwnerDeletion: true })]
        await door.patch(name, { type: 'strategic', body: { metadata: { ownerReferences } } })
      }
      await door.delete('a', { propagationPolicy: 'Foreground' })
      for (const name of names) await t.untilGone(pods, name)
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
