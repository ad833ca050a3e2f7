import { type ConfigMap, configmaps, pods } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { ApiError } from '@keelson/client'
import { expect, test } from 'vitest'
import { createInformers } from './informers.ts'
import { createFakeClient, type FakeClient } from './testing/fake-client.ts'
import { createFakeClock, settle } from './testing/fake-clock.ts'
import type { Informer } from './types.ts'

const config = (name: string, data: Record<string, string> = {}, namespace = 'default'): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, labels: { app: name } },
  data,
})

function setUp(pageSize = 2) {
  const clock = createFakeClock()
  const client = createFakeClient({ clock })
  const informers = createInformers(client, { clock, random: () => 0.5, pageSize })
  return { clock, client, informers }
}

/** Everything an informer tells, as short strings. */
function listen(informer: Informer<ConfigMap>): string[] {
  const told: string[] = []
  informer.on({
    added: (object) => told.push(`added ${object.metadata.name}`),
    updated: (object, old) => told.push(`updated ${object.metadata.name} ${old.data?.v} ${object.data?.v}`),
    deleted: (object) => told.push(`deleted ${object.metadata.name}`),
  })
  return told
}

const maps = (client: FakeClient) => client.resource(configmaps).in('default')

test('lists in pages, then follows the watch', async () => {
  const { client, informers } = setUp()
  client.seed(configmaps, config('a'), config('b'), config('c', { v: '1' }))
  const lists: string[] = []
  client.intercept((call) => call.verb === 'list' && lists.push(call.resource))
  const informer = informers.for(configmaps)
  const told = listen(informer)
  await informer.synced
  expect(lists).toHaveLength(2)
  await settle()
  await maps(client).create(config('d'))
  await maps(client).patch('c', { type: 'merge', body: { data: { v: '2' } } })
  await maps(client).delete('a')
  await settle()
  expect(told).toEqual(['added a', 'added b', 'added c', 'added d', 'updated c 1 2', 'deleted a'])
  expect(informer.get('default', 'c')?.data).toEqual({ v: '2' })
  expect(informer.list().map((object) => object.metadata.name)).toEqual(['b', 'c', 'd'])
  informers.stop()
})

test('one list and one watch serve all who ask', async () => {
  const { client, informers } = setUp()
  const calls: string[] = []
  client.intercept((call) => calls.push(call.verb))
  expect(informers.for(configmaps)).toBe(informers.for(configmaps))
  expect(informers.for(configmaps, { labelSelector: 'app=a' })).not.toBe(informers.for(configmaps))
  expect(informers.for(configmaps, { namespace: 'x' })).not.toBe(informers.for(configmaps))
  await informers.synced()
  await settle()
  expect(calls.sort()).toEqual(['list', 'list', 'list', 'watch', 'watch', 'watch'])
  informers.stop()
})

test('a broken watch goes on where it stopped, without a list', async () => {
  const { client, informers, clock } = setUp()
  client.seed(configmaps, config('a'))
  const informer = informers.for(configmaps)
  await informer.synced
  await settle()
  const calls: string[] = []
  client.intercept((call) => calls.push(call.verb))
  client.breakWatches()
  client.seed(configmaps, config('b'))
  await clock.advance(1_000)
  expect(informer.get('default', 'b')).toBeDefined()
  expect(calls).not.toContain('list')
  informers.stop()
})

test('lost history is made up for by a list that tells the differences', async () => {
  const { client, informers, clock } = setUp()
  client.seed(configmaps, config('a'), config('b', { v: '1' }), config('c'), config('same'))
  const informer = informers.for(configmaps)
  await informer.synced
  await settle()
  const told = listen(informer)
  told.length = 0
  client.breakWatches()
  await maps(client).delete('a')
  await maps(client).patch('b', { type: 'merge', body: { data: { v: '2' } } })
  await maps(client).delete('c')
  client.seed(configmaps, config('c'), config('d'))
  client.compact()
  await clock.advance(5_000)
  expect(told.sort()).toEqual(['added c', 'added d', 'deleted a', 'deleted c', 'updated b 1 2'])
  informers.stop()
})

const expired = new ApiError({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  reason: 'Expired',
  code: 410,
})

test('a continue token that expired is made up for by one whole list', async () => {
  const { client, informers } = setUp()
  client.seed(configmaps, config('a'), config('b'), config('c'))
  let lists = 0
  client.intercept((call) => {
    if (call.verb === 'list' && ++lists === 2) throw expired
  })
  const informer = informers.for(configmaps)
  await informer.synced
  expect(lists).toBe(3)
  expect(informer.list()).toHaveLength(3)
  informers.stop()
})

test('what is served no more is worth a warning only to whom never saw it', async () => {
  const clock = createFakeClock()
  const client = createFakeClient({ clock })
  const warned: string[] = []
  const ignore = () => {}
  const log = { debug: ignore, info: ignore, error: ignore, warn: (message: string) => warned.push(message) }
  const informers = createInformers(client, { clock, log, random: () => 0.5 })
  await informers.for(configmaps).synced
  client.intercept(() => {
    throw new ApiError({ ...expired.status, reason: 'NotFound', code: 404 })
  })
  client.breakWatches()
  await clock.advance(5_000)
  expect(warned).toEqual([])
  informers.for(pods)
  await settle()
  expect(warned).toEqual(['watch failed'])
  informers.stop()
})

test('indexes follow changes and know what was there before them', async () => {
  const { client, informers } = setUp()
  client.seed(configmaps, config('a', { owner: 'x' }), config('b', { owner: 'y' }))
  const informer = informers.for(configmaps)
  await informer.synced
  await settle()
  informer.addIndex('owner', (object) => (object.data?.owner ? [object.data.owner] : []))
  const names = (key: string) => informer.byIndex('owner', key).map((object) => object.metadata.name)
  expect(names('x')).toEqual(['a'])
  await maps(client).patch('a', { type: 'merge', body: { data: { owner: 'y' } } })
  await settle()
  expect([names('x'), names('y').sort()]).toEqual([[], ['a', 'b']])
  await maps(client).delete('b')
  await settle()
  expect(names('y')).toEqual(['a'])
  expect(() => informer.byIndex('none', 'x')).toThrow('no index named "none"')
  informers.stop()
})

test('a selector makes an object that leaves it look deleted', async () => {
  const { client, informers } = setUp()
  client.seed(configmaps, config('a'), config('b'))
  const informer = informers.for(configmaps, { labelSelector: 'app=a' })
  const told = listen(informer)
  await informer.synced
  await settle()
  await maps(client).patch('a', { type: 'merge', body: { metadata: { labels: { app: 'z' } } } })
  await settle()
  expect(told).toEqual(['added a', 'deleted a'])
  informers.stop()
})

test('a handler that throws does not keep others from hearing', async () => {
  const { client, informers } = setUp()
  client.seed(configmaps, config('a'))
  const informer = informers.for(configmaps)
  informer.on({
    added() {
      throw new Error('bad handler')
    },
  })
  const told = listen(informer)
  await informer.synced
  expect(told).toEqual(['added a'])
  informers.stop()
})

test('a stopped informer rejects who still waits for it', async () => {
  const { client, informers } = setUp()
  client.intercept(() => {
    throw new Error('down')
  })
  const informer = informers.for(pods)
  informers.stop()
  await expect(informer.synced).rejects.toThrow('the informer of pods was stopped')
})

test('relations only: an object is its identity, its owners and its end', async () => {
  const { client, informers } = setUp()
  const owner = { apiVersion: 'v1', kind: 'Node', name: 'a', uid: 'u' }
  const given = config('web', { large: 'x' })
  client.seed(configmaps, { ...given, metadata: { ...given.metadata, ownerReferences: [owner] } })
  const informer = informers.for(configmaps, { relationsOnly: true })
  await informer.synced
  const [found] = informer.list()
  expect(Object.keys(found!)).toEqual(['apiVersion', 'kind', 'metadata'])
  expect(found!.metadata).toEqual({
    name: 'web',
    namespace: 'default',
    uid: expect.any(String),
    resourceVersion: expect.any(String),
    ownerReferences: [owner],
  })
  informers.stop()
})
