import assert from 'node:assert/strict'
import { type Lease, leases } from '@keelson/apis/coordination/v1/zz_generated.types.ts'
import { type Event, events } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { type Event as NewEvent, events as newEvents } from '@keelson/apis/events/v1/zz_generated.types.ts'
import type { KubeObject, ObjectMeta } from '@keelson/apis/meta/v1/types.ts'
import { defineCase } from '../runner/case.ts'

function anEvent(namespace: string, name: string, about: string): Event {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace },
    involvedObject: { apiVersion: 'v1', kind: 'ConfigMap', name: about, namespace },
    reason: 'Tested',
    message: 'it was tested',
    type: 'Normal',
    source: { component: 'conformance' },
    count: 1,
  }
}

const eventDocs = 'https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/'

function aNewEvent(namespace: string, name: string, metadata: ObjectMeta = {}): NewEvent {
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name, namespace, ...metadata },
    regarding: { apiVersion: 'v1', kind: 'ConfigMap', name: 'one', namespace },
    eventTime: '2026-01-01T00:00:00.123456Z',
    note: 'it was tested',
    action: 'Test',
    reason: 'Tested',
    type: 'Normal',
    reportingController: 'conformance',
    reportingInstance: 'conformance-0',
  }
}

export const cases = [
  defineCase({
    name: 'events: one is made, listed everywhere, changed, counted and deleted',
    stands: 'Events should manage the lifecycle of an event',
    async run(t) {
      const namespace = await t.namespace()
      const mark = t.unique('mark')
      const door = await t.in(events)
      await door.create({
        ...anEvent(namespace, 'first', 'one'),
        metadata: { name: 'first', namespace, labels: { mark } },
      })
      const everywhere = () => t.client.resource(events).list({ labelSelector: `mark=${mark}` })
      assert.equal((await everywhere()).items.length, 1)
      await door.patch('first', { type: 'strategic', body: { message: 'it was patched' } })
      const patched = await door.get('first')
      assert.equal(patched.message, 'it was patched')
      const series = { count: 100, lastObservedTime: '2026-01-01T00:00:00.505050Z' }
      await door.update({ ...patched, series })
      assert.deepEqual((await door.get('first')).series, series)
      await door.delete('first')
      assert.deepEqual((await everywhere()).items, [])
    },
  }),
  defineCase({
    name: 'events: those of the new group are fetched, patched, updated, found and deleted',
    stands: 'Events API should ensure that an event can be fetched, patched, deleted, and listed',
    async run(t) {
      const namespace = await t.namespace()
      const door = await t.in(newEvents)
      const made = await door.create(aNewEvent(namespace, 'first'))
      assert.equal(made.eventTime, '2026-01-01T00:00:00.123456Z')
      const isListed = async (list: { items: NewEvent[] }) =>
        list.items.some(({ metadata }) => metadata.uid === made.metadata.uid)
      assert.ok(await isListed(await t.client.resource(newEvents).list()))
      assert.ok(await isListed(await door.list({ fieldSelector: 'reportingController=conformance' })))
      const series = { count: 2, lastObservedTime: '2026-01-01T00:00:01.000000Z' }
      await door.patch('first', { type: 'strategic', body: { series } })
      const patched = await door.get('first')
      assert.deepEqual(patched.series, series)
      await door.update({ ...patched, series: { ...series, count: 100 } })
      assert.equal((await door.get('first')).series?.count, 100)
      await door.delete('first')
      assert.deepEqual((await door.list()).items, [])
    },
  }),
  defineCase({
    name: 'events: those of the new group are deleted as a collection',
    stands: 'Events API should delete a collection of events',
    async run(t) {
      const namespace = await t.namespace()
      const door = await t.in(newEvents)
      for (const name of ['a', 'b', 'c'])
        await door.create(aNewEvent(namespace, name, { labels: { mine: name === 'c' ? 'no' : 'yes' } }))
      assert.equal((await door.list({ labelSelector: 'mine=yes' })).items.length, 2)
      await door.deleteCollection({ labelSelector: 'mine=yes' })
      const left = (await door.list()).items.map(({ metadata }) => metadata.name)
      assert.deepEqual(left, ['c'])
    },
  }),
  defineCase({
    name: 'events: they are found by what they are about',
    stands: eventDocs,
    async run(t) {
      const namespace = await t.namespace()
      const door = await t.in(events)
      await door.create(anEvent(namespace, 'first', 'one'))
      await door.create(anEvent(namespace, 'second', 'two'))
      const { items } = await door.list({
        fieldSelector: 'involvedObject.kind=ConfigMap,involvedObject.name=two,reason=Tested,type=Normal',
      })
      assert.deepEqual(
        items.map(({ metadata }) => metadata.name),
        ['second'],
      )
    },
  }),
  defineCase({
    name: 'events: both groups show the same ones',
    stands: eventDocs,
    async run(t) {
      const namespace = await t.namespace()
      await (await t.in(events)).create(anEvent(namespace, 'first', 'one'))
      const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events/first`
      const same = await t.api<KubeObject & { regarding: { name: string }; note: string; deprecatedCount: number }>(
        'GET',
        path,
      )
      assert.deepEqual(
        [same.apiVersion, same.regarding.name, same.note, same.deprecatedCount],
        ['events.k8s.io/v1', 'one', 'it was tested', 1],
      )
    },
  }),
  defineCase({
    name: 'events: they are deleted as a collection',
    stands: 'Events should delete a collection of events',
    async run(t) {
      const namespace = await t.namespace()
      const door = await t.in(events)
      for (const name of ['a', 'b'])
        await door.create({
          ...anEvent(namespace, name, 'one'),
          metadata: { name, namespace, labels: { mine: 'yes' } },
        })
      await door.deleteCollection({ labelSelector: 'mine=yes' })
      assert.deepEqual((await door.list({ labelSelector: 'mine=yes' })).items, [])
    },
  }),
  defineCase({
    name: 'events: they are about something in their own namespace',
    stands: eventDocs,
    async run(t) {
      const namespace = await t.namespace()
      const stray = anEvent(namespace, 'stray', 'one')
      stray.involvedObject.namespace = 'elsewhere'
      await t.rejects((await t.in(events)).create(stray), { code: 422, messageIncludes: 'involvedObject.namespace' })
    },
  }),
  defineCase({
    name: 'leases: one is made, renewed and taken over',
    stands: 'Lease lease API should be available',
    async run(t) {
      const door = await t.in(leases)
      const spec = { holderIdentity: 'first', leaseDurationSeconds: 15, renewTime: '2026-01-01T00:00:00.000001Z' }
      const made = await door.create({
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'one' },
        spec,
      })
      assert.equal(made.spec?.renewTime, '2026-01-01T00:00:00.000001Z')
      const renewed = await door.update({ ...made, spec: { ...spec, holderIdentity: 'second', leaseTransitions: 1 } })
      assert.equal(renewed.spec?.holderIdentity, 'second')
      await t.rejects(door.update({ ...made, spec } as Lease), { code: 409 })
    },
  }),
  defineCase({
    name: 'leases: a duration is positive',
    stands: 'https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/',
    async run(t) {
      const lease: Lease = {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'one' },
        spec: { leaseDurationSeconds: 0 },
      }
      await t.rejects((await t.in(leases)).create(lease), {
        code: 422,
        messageIncludes: 'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
      })
    },
  }),
]
