import assert from 'node:assert/strict'
import { configmaps } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'
import { configMap } from '../runner/fixtures.ts'

const docs = 'https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes'

async function pathOf(t: CaseContext, query: string): Promise<string> {
  return `/api/v1/namespaces/${await t.namespace()}/configmaps?watch=1&${query}`
}

/** The version of a list of nothing that anybody else changes. */
async function versionNow(t: CaseContext): Promise<string> {
  return (await (await t.in(configmaps)).list()).metadata.resourceVersion!
}

const mine = 'labelSelector=mine%3Dyes'
const labelled = (name: string, mine: string, data = {}) => configMap(name, data, { labels: { mine } })

export const cases = [
  defineCase({
    name: 'watch: creation, change and deletion come in this order',
    stands: 'Watchers should observe add, update, and delete watch notifications on configmaps',
    async run(t) {
      const door = await t.in(configmaps)
      const watch = await t.watch(await pathOf(t, `${mine}&resourceVersion=${await versionNow(t)}`))
      const made = await door.create(labelled('one', 'yes'))
      await door.update({ ...made, data: { a: '1' } })
      await door.delete('one')
      const events = [await watch.next(), await watch.next(), await watch.next()]
      assert.deepEqual(
        events.map((event) => event?.type),
        ['ADDED', 'MODIFIED', 'DELETED'],
      )
      assert.equal(events[0]?.object.metadata.resourceVersion, made.metadata.resourceVersion)
      assert.deepEqual(events[2]?.object.data, { a: '1' })
      const versions = events.map((event) => Number(event?.object.metadata.resourceVersion))
      assert.ok(versions[0]! < versions[1]! && versions[1]! < versions[2]!, String(versions))
    },
  }),
  defineCase({
    name: 'watch: from a version, all that came later is repeated',
    stands: 'Watchers should be able to start watching from a specific resource version',
    async run(t) {
      const door = await t.in(configmaps)
      const made = await door.create(labelled('one', 'yes'))
      const changed = await door.update({ ...made, data: { a: '1' } })
      await door.delete('one')
      const watch = await t.watch(await pathOf(t, `${mine}&resourceVersion=${made.metadata.resourceVersion}`))
      const event = await watch.next()
      assert.deepEqual(
        [event?.type, event?.object.metadata.resourceVersion],
        ['MODIFIED', changed.metadata.resourceVersion],
      )
      assert.equal((await watch.next())?.type, 'DELETED')
    },
  }),
  defineCase({
    name: 'watch: another watch goes on where the last one stopped',
    stands: 'Watchers should be able to restart watching from the last resource version observed by the previous watch',
    async run(t) {
      const door = await t.in(configmaps)
      const path = (version: string) => pathOf(t, `${mine}&resourceVersion=${version}`)
      const first = await t.watch(await path(await versionNow(t)))
      await door.create(labelled('one', 'yes'))
      const seen = (await first.next())!.object.metadata.resourceVersion!
      await first[Symbol.asyncDispose]()
      await door.patch('one', { type: 'merge', body: { data: { a: '1' } } })
      const second = await t.watch(await path(seen))
      assert.equal((await second.next())?.type, 'MODIFIED')
    },
  }),
  defineCase({
    name: 'watch: who leaves the selection is deleted, who enters it is added',
    stands: 'Watchers should observe an object deletion if it stops meeting the requirements of the selector',
    async run(t) {
      const door = await t.in(configmaps)
      const watch = await t.watch(await pathOf(t, `${mine}&resourceVersion=${await versionNow(t)}`))
      const label = (mine: string) => door.patch('one', { type: 'merge', body: { metadata: { labels: { mine } } } })
      await door.create(labelled('one', 'yes'))
      await label('no')
      await label('yes')
      const events = [await watch.next(), await watch.next(), await watch.next()]
      assert.deepEqual(
        events.map((event) => event?.type),
        ['ADDED', 'DELETED', 'ADDED'],
      )
    },
  }),
  defineCase({
    name: 'watch: without a version it begins with what is there',
    stands: 'https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-watch',
    async run(t) {
      await (await t.in(configmaps)).create(labelled('one', 'yes'))
      for (const version of ['', '0']) {
        const watch = await t.watch(await pathOf(t, `${mine}&resourceVersion=${version}`))
        const event = await watch.next()
        assert.deepEqual([event?.type, event?.object.metadata.name], ['ADDED', 'one'])
      }
    },
  }),
  defineCase({
    name: 'watch: one object is watched by its name',
    stands: docs,
    async run(t) {
      const door = await t.in(configmaps)
      const watch = await t.watch(
        await pathOf(t, `fieldSelector=metadata.name%3Dtwo&resourceVersion=${await versionNow(t)}`),
      )
      await door.create(configMap('one'))
      await door.create(configMap('two'))
      assert.equal((await watch.next())?.object.metadata.name, 'two')
    },
  }),
  defineCase({
    name: 'watch: timeoutSeconds ends it in peace',
    stands: docs,
    async run(t) {
      const watch = await t.watch(await pathOf(t, `${mine}&resourceVersion=${await versionNow(t)}&timeoutSeconds=1`))
      assert.equal(await watch.next(), undefined)
    },
  }),
  defineCase({
    name: 'watch: initial events end with a bookmark that says so',
    stands: 'https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists',
    async run(t) {
      const made = await (await t.in(configmaps)).create(labelled('one', 'yes'))
      const query = 'sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan'
      const watch = await t.watch(await pathOf(t, `${mine}&${query}`))
      assert.equal((await watch.next())?.type, 'ADDED')
      const { type, object } = (await watch.next())!
      assert.deepEqual([type, object.kind], ['BOOKMARK', 'ConfigMap'])
      assert.equal(object.metadata.annotations?.['k8s.io/initial-events-end'], 'true')
      assert.ok(Number(object.metadata.resourceVersion) >= Number(made.metadata.resourceVersion))
    },
  }),
  defineCase({
    name: 'watch: a version that is no number is refused',
    stands: 'https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions',
    async run(t) {
      const { status } = await t.http({ path: await pathOf(t, 'resourceVersion=soon') })
      assert.ok(status === 400 || status === 422, String(status))
    },
  }),
  defineCase({
    name: 'watch: a list of the far future is not waited for',
    stands: 'https://kubernetes.io/docs/reference/using-api/api-concepts/#unavailable-resource-versions',
    async run(t) {
      const path = `/api/v1/namespaces/${await t.namespace()}/configmaps?resourceVersion=999999999999`
      const { status, json } = await t.http({ path })
      assert.equal(status, 504)
      const { reason, message } = json<{ reason: string; message: string }>()
      assert.equal(reason, 'Timeout')
      assert.match(message, /Too large resource version/)
    },
  }),
  defineCase({
    name: 'watch: all namespaces are watched at once',
    stands: docs,
    async run(t) {
      const label = t.unique('mark')
      const door = await t.in(configmaps)
      const watch = await t.watch(`/api/v1/configmaps?watch=1&labelSelector=mark%3D${label}`)
      await door.create(configMap('one', {}, { labels: { mark: label } }))
      assert.equal((await watch.next())?.object.metadata.namespace, await t.namespace())
    },
  }),
  defineCase({
    name: 'watch: ten watchers see the same in the same order',
    stands: 'Watchers should receive events on concurrent watches in same order',
    async run(t) {
      const door = await t.in(configmaps)
      const path = await pathOf(t, `${mine}&resourceVersion=${await versionNow(t)}`)
      const watches = await Promise.all(Array.from({ length: 10 }, () => t.watch(path)))
      await Promise.all(Array.from({ length: 20 }, (_, at) => door.create(labelled(`c-${at}`, 'yes'))))
      const seen = await Promise.all(
        watches.map(async (watch) => {
          const versions: unknown[] = []
          while (versions.length < 20) versions.push((await watch.next())?.object.metadata.resourceVersion)
          return versions.join()
        }),
      )
      assert.equal(new Set(seen).size, 1)
    },
  }),
]
