import assert from 'node:assert/strict'
import { configmaps } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { Status } from '@keelson/apis/meta/v1/types.ts'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'
import { configMap } from '../runner/fixtures.ts'

const versions = 'https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions'
const chunks = 'https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks'
const streaming = 'https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists'

interface List {
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number }
  items: { metadata: { name: string; resourceVersion: string } }[]
}

async function pathOf(t: CaseContext, query = ''): Promise<string> {
  return `/api/v1/namespaces/${await t.namespace()}/configmaps${query && `?${query}`}`
}

const mine = 'labelSelector=mine%3Dyes'
const marked = (name: string) => configMap(name, {}, { labels: { mine: 'yes' } })
const token = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** What does not go together, and what nobody can read: the query, the status it gets, and what the message says. */
const refused: [query: string, code: number, message: string][] = [
  ['resourceVersionMatch=Exact', 422, 'resourceVersionMatch is forbidden unless resourceVersion is provided'],
  ['resourceVersion=0&resourceVersionMatch=Exact', 422, '"exact" is forbidden for resourceVersion "0"'],
  ['resourceVersion=1&resourceVersionMatch=Newest', 422, 'Unsupported value: "Newest"'],
  ['resourceVersion=1&resourceVersionMatch=Exact&continue=x', 422, 'is forbidden when continue is provided'],
  ['sendInitialEvents=true', 422, 'sendInitialEvents is forbidden for list'],
  ['resourceVersion=soon', 400, 'resourceVersion: Invalid value: "soon"'],
  ['resourceVersion=-1', 400, 'resourceVersion: Invalid value: "-1"'],
  ['resourceVersion=5&continue=x', 400, 'specifying resource version is not allowed when using continue'],
  ['continue=x', 400, 'invalid continue token: continue key is not valid'],
  [`continue=${token({ v: 'meta.k8s.io/v1', rv: 0, start: 'a' })}`, 400, 'continue key is not valid'],
  [`continue=${token({ v: 'meta.k8s.io/v1', rv: 5, start: '../../secrets/x' })}`, 400, 'continue key is not valid'],
  ['limit=few', 400, 'strconv.ParseInt: parsing "few": invalid syntax'],
  ['limit=99999999999999999999', 400, 'value out of range'],
  ['watch=1&resourceVersionMatch=NotOlderThan', 422, 'forbidden for watch unless sendInitialEvents is provided'],
  ['watch=1&sendInitialEvents=true', 422, 'requires setting resourceVersionMatch to NotOlderThan'],
  ['watch=1&sendInitialEvents=true&resourceVersionMatch=Exact', 422, 'Unsupported value: "Exact"'],
  ['watch=1&timeoutSeconds=soon', 400, 'strconv.ParseInt: parsing "soon": invalid syntax'],
]

export const cases = [
  ...refused.map(([query, code, message]) =>
    defineCase({
      name: `reads: ?${query} is refused`,
      stands: versions,
      async run(t) {
        const { status, json, text } = await t.http({ path: `/api/v1/namespaces/default/configmaps?${query}` })
        const answer = json<Status>()
        assert.deepEqual([status, answer.reason], [code, code === 422 ? 'Invalid' : 'BadRequest'])
        assert.ok(answer.message?.includes(message), text)
      },
    }),
  ),
  defineCase({
    name: 'reads: an exact version shows how it was, a limit means one, NotOlderThan shows how it is',
    stands: versions,
    async run(t) {
      const door = await t.in(configmaps)
      const made = await door.create(marked('one'))
      const then = made.metadata.resourceVersion!
      await door.create(marked('two'))
      await door.delete('one')
      const read = async (query: string) => {
        const { items, metadata } = await t.api<List>('GET', await pathOf(t, `${mine}&resourceVersion=${then}${query}`))
        return { names: items.map((item) => item.metadata.name), version: metadata.resourceVersion }
      }
      assert.deepEqual(await read('&resourceVersionMatch=Exact'), { names: ['one'], version: then })
      assert.deepEqual(await read('&limit=5'), { names: ['one'], version: then })
      for (const query of ['', '&resourceVersionMatch=NotOlderThan', '&limit=5&resourceVersionMatch=NotOlderThan']) {
        const { names, version } = await read(query)
        assert.deepEqual(names, ['two'])
        assert.ok(Number(version) > Number(then))
      }
    },
  }),
  defineCase({
    name: 'reads: one object is never older than what is asked for, and never of the future',
    stands: 'https://kubernetes.io/docs/reference/using-api/api-concepts/#unavailable-resource-versions',
    async run(t) {
      const { metadata } = await (await t.in(configmaps)).create(configMap('one'))
      const path = `${await pathOf(t)}/one`
      for (const version of ['', '0', metadata.resourceVersion]) {
        assert.equal((await t.http({ path: `${path}?resourceVersion=${version}` })).status, 200)
      }
      const { status, headers, json } = await t.http({ path: `${path}?resourceVersion=999999999999` })
      const { reason, message, details } = json<Status>()
      assert.deepEqual([status, reason, headers['retry-after']], [504, 'Timeout', '1'])
      assert.match(message!, /^Timeout: Too large resource version: 999999999999, current: \d+$/)
      assert.deepEqual(
        [details?.retryAfterSeconds, details?.causes],
        [1, [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }]],
      )
    },
  }),
  defineCase({
    name: 'reads: every page says how much is left, also of a list that has changed since, but not behind a selector',
    stands: chunks,
    async run(t) {
      const door = await t.in(configmaps)
      for (const name of ['a', 'b', 'c', 'd', 'e']) await door.create(marked(name))
      const all = (await t.api<List>('GET', await pathOf(t))).items.length
      const first = await t.api<List>('GET', await pathOf(t, 'limit=1'))
      assert.equal(first.metadata.remainingItemCount, all - 1)
      await door.create(marked('z'))
      await door.delete('e')
      const second = await t.api<List>('GET', await pathOf(t, `limit=2&continue=${first.metadata.continue}`))
      assert.equal(second.metadata.remainingItemCount, all - 3)
      assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion)
      const rest = await t.api<List>('GET', await pathOf(t, `continue=${second.metadata.continue}`))
      assert.deepEqual([rest.items.length, rest.metadata.continue], [all - 3, undefined])
      const selected = await t.api<List>('GET', await pathOf(t, `limit=1&${mine}`))
      assert.ok(selected.metadata.continue)
      assert.equal(selected.metadata.remainingItemCount, undefined)
    },
  }),
  defineCase({
    name: 'reads: a token too old is told so, and answered with one that goes on with what is there now',
    stands: chunks,
    async run(t) {
      const door = await t.in(configmaps)
      for (const name of ['a', 'b', 'c']) await door.create(marked(name))
      // No server keeps its first revision for long; one that has it still may answer as well.
      const old = token({ v: 'meta.k8s.io/v1', rv: -1, start: `${await t.namespace()}/a` })
      const { items, metadata } = await t.api<List>('GET', await pathOf(t, `${mine}&continue=${old}`))
      assert.deepEqual(
        items.map((item) => item.metadata.name),
        ['b', 'c'],
      )
      assert.ok(Number(metadata.resourceVersion) > 0)
    },
  }),
  defineCase({
    name: 'reads: a watch that leaves out what there is says what comes',
    stands: streaming,
    async run(t) {
      const door = await t.in(configmaps)
      await door.create(marked('old'))
      const query = `${mine}&watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan`
      const watch = await t.watch(await pathOf(t, query))
      await door.create(marked('new'))
      assert.equal((await watch.next())?.object.metadata.name, 'new')
    },
  }),
  defineCase({
    name: 'reads: who leaves a selection is shown as it was seen last',
    stands: 'Watchers should observe an object deletion if it stops meeting the requirements of the selector',
    async run(t) {
      const door = await t.in(configmaps)
      const { metadata } = await door.create(marked('one'))
      const watch = await t.watch(await pathOf(t, `${mine}&watch=1&resourceVersion=${metadata.resourceVersion}`))
      const changed = await door.patch('one', { type: 'merge', body: { metadata: { labels: { mine: 'no' } } } })
      const { type, object } = (await watch.next())!
      assert.deepEqual([type, object.metadata.labels], ['DELETED', { mine: 'yes' }])
      assert.equal(object.metadata.resourceVersion, changed.metadata.resourceVersion)
    },
  }),
  defineCase({
    name: 'reads: one object is watched by its path',
    stands: 'https://kubernetes.io/docs/reference/kubernetes-api/common-parameters/common-parameters/#watch',
    async run(t) {
      const door = await t.in(configmaps)
      const namespace = await t.namespace()
      const { metadata } = await door.create(configMap('one'))
      const path = `/api/v1/watch/namespaces/${namespace}/configmaps/one`
      const watch = await t.watch(`${path}?resourceVersion=${metadata.resourceVersion}`)
      await door.create(configMap('other'))
      await door.delete('one')
      const event = (await watch.next())!
      assert.deepEqual([event.type, event.object.metadata.name], ['DELETED', 'one'])
      const { status, json } = await t.http({ path: `${path}?fieldSelector=metadata.name%3Dother` })
      assert.deepEqual(
        [status, json<Status>().message],
        [400, "fieldSelector metadata.name doesn't match requested name"],
      )
      const get = await t.http({ path: `/api/v1/namespaces/${namespace}/configmaps/other?watch=1` })
      assert.deepEqual([get.status, get.json<{ kind: string }>().kind], [200, 'ConfigMap'])
    },
  }),
  defineCase({
    name: 'reads: answers are indented for people and for who asks',
    stands: 'https://kubernetes.io/docs/reference/kubernetes-api/common-parameters/common-parameters/#pretty',
    async run(t) {
      await (await t.in(configmaps)).create(configMap('one'))
      const { metadata } = await t.api<List>('GET', await pathOf(t))
      const version = `resourceVersion=${metadata.resourceVersion}`
      const list = await pathOf(t, `${version}&resourceVersionMatch=Exact`)
      const one = (await pathOf(t, version)).replace('?', '/one?')
      const read = async (path: string, agent?: string) =>
        (await t.http({ path, headers: agent ? { 'user-agent': agent } : {} })).text
      for (const path of [list, one]) {
        const plain = (await read(path)).trim()
        assert.ok(!plain.includes('\n'))
        const lines = JSON.stringify(JSON.parse(plain), null, 2)
        assert.equal((await read(`${path}&pretty=true`)).trim(), lines)
        assert.equal((await read(path, 'curl/8.0')).trim(), lines)
        assert.equal((await read(`${path}&pretty=false`, 'curl/8.0')).trim(), plain)
      }
    },
  }),
  defineCase({
    name: 'reads: large answers are compressed for who takes it, and only then',
    stands: 'https://kubernetes.io/docs/reference/using-api/api-concepts/#api-response-compression',
    async run(t) {
      const door = await t.in(configmaps)
      await door.create(configMap('large', { text: 'x'.repeat(200_000) }))
      await door.create(configMap('small'))
      const encodingOf = async (name: string, accepted: string) => {
        const { headers } = await t.http({
          path: `${await pathOf(t)}/${name}`,
          headers: { 'accept-encoding': accepted },
        })
        return headers['content-encoding']
      }
      assert.equal(await encodingOf('large', 'gzip'), 'gzip')
      assert.equal(await encodingOf('large', 'identity'), undefined)
      assert.equal(await encodingOf('large', 'gzip;q=0'), undefined)
      assert.equal(await encodingOf('small', 'gzip'), undefined)
    },
  }),
]
