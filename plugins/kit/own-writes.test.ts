import { type Pod, pods } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { expect, test } from 'vitest'
import { createInformers } from './informers.ts'
import { trackOwnWrites } from './own-writes.ts'
import { createFakeClient } from './testing/fake-client.ts'
import { createFakeClock, settle } from './testing/fake-clock.ts'

const pod = (name: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'x' },
  spec: { containers: [] },
})

test('the view is ahead of the cache until the cache has caught up', async () => {
  const clock = createFakeClock()
  const client = createFakeClient({ clock })
  const [old] = client.seed(pods, pod('old'))
  const informers = createInformers(client, { clock })
  const informer = informers.for(pods)
  await informer.synced
  await settle()
  const writes = trackOwnWrites(informer, clock)
  const view = () => writes.view('owner', informer.list()).map((object) => object.metadata.name)

  writes.created('owner', await client.resource(pods).in('x').create(pod('new')))
  await client.resource(pods).in('x').delete('old')
  writes.deleted('owner', old!)
  expect(informer.list().map((object) => object.metadata.name)).toEqual(['old'])
  expect(view()).toEqual(['new'])
  await settle()
  expect(informer.list().map((object) => object.metadata.name)).toEqual(['new'])
  expect(view()).toEqual(['new'])
  await client.resource(pods).in('x').delete('new')
  await settle()
  expect(view()).toEqual([])
  informers.stop()
})

test('a deletion is remembered while other changes of the object are seen', async () => {
  const client = createFakeClient()
  const [old] = client.seed(pods, pod('old'))
  const informers = createInformers(client)
  const informer = informers.for(pods)
  await informer.synced
  await settle()
  const writes = trackOwnWrites(informer)
  writes.deleted('owner', old!)
  await client
    .resource(pods)
    .in('x')
    .patch('old', { type: 'merge', body: { metadata: { labels: { a: 'b' } } } })
  await settle()
  expect(informer.list()[0]!.metadata.labels).toEqual({ a: 'b' })
  expect(writes.view('owner', informer.list())).toEqual([])
  informers.stop()
})

test('a write that the cache never shows is forgotten after a while', async () => {
  const clock = createFakeClock()
  const client = createFakeClient({ clock })
  const informers = createInformers(client, { clock })
  const informer = informers.for(pods)
  await informer.synced
  const writes = trackOwnWrites(informer, clock)
  writes.created('owner', { ...pod('ghost'), metadata: { name: 'ghost', namespace: 'x', uid: 'ghost' } })
  expect(writes.view('owner', [])).toHaveLength(1)
  await clock.advance(6 * 60_000)
  expect(writes.view('owner', [])).toHaveLength(0)
  informers.stop()
})
