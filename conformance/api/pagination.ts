import assert from 'node:assert/strict'
import { secrets } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { KubeObject } from '@keelson/apis/meta/v1/types.ts'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'

const docs = 'https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks'

async function makeSecrets(t: CaseContext, count: number) {
  const door = await t.in(secrets)
  const names = Array.from({ length: count }, (_, at) => `s-${at}`)
  await Promise.all(
    names.map((name) => door.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name, labels: { mine: 'yes' } } })),
  )
  return { door, names }
}

const namesOf = ({ items }: { items: readonly KubeObject[] }) => items.map(({ metadata }) => metadata.name)

/**
 * What a server answers to the token when it has forgotten the moment that it is of. To wait for that takes minutes, so
 * the token is made one of the first moment; a server so young that it still knows that is asked to go on from any.
 */
async function lateToken(t: CaseContext, token: string): Promise<{ token: string }> {
  const parts = JSON.parse(Buffer.from(token, 'base64url').toString()) as object
  const withRevision = (rv: number) => Buffer.from(JSON.stringify({ ...parts, rv })).toString('base64url')
  const path = `/api/v1/namespaces/${await t.namespace()}/secrets?limit=1&continue=${withRevision(1)}`
  const { status, json } = await t.http({ path })
  if (status === 200) return { token: withRevision(-1) }
  assert.equal(status, 410)
  const answer = json<{ reason: string; metadata: { continue: string } }>()
  assert.equal(answer.reason, 'Expired')
  return { token: answer.metadata.continue }
}

export const cases = [
  defineCase({
    name: 'pagination: pages add up to the list, without gap or repetition',
    stands: 'Servers with support for API chunking should return chunks of results for list calls',
    async run(t) {
      const { door, names } = await makeSecrets(t, 5)
      const pages: string[][] = []
      let next: string | undefined
      do {
        const { items, metadata } = await door.list({ limit: 2, ...(next && { continue: next }) })
        pages.push(items.map((item) => item.metadata.name!))
        next = metadata.continue
      } while (next)
      assert.deepEqual(
        pages.map((page) => page.length),
        [2, 2, 1],
      )
      assert.deepEqual(pages.flat(), names)
    },
  }),
  defineCase({
    name: 'pagination: all pages are of one moment, and say how much is left',
    stands: docs,
    async run(t) {
      const { door, names } = await makeSecrets(t, 4)
      const first = await door.list({ limit: 2 })
      assert.equal(first.metadata.remainingItemCount, 2)
      await door.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's-9' } })
      await door.delete('s-3')
      const second = await door.list({ limit: 9, continue: first.metadata.continue! })
      assert.deepEqual(
        [...first.items, ...second.items].map(({ metadata }) => metadata.name),
        names,
      )
      assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion)
      assert.equal(second.metadata.continue ?? '', '')
    },
  }),
  defineCase({
    name: 'pagination: who comes too late for a moment goes on with what is there now',
    stands:
      'Servers with support for API chunking should support continue listing from the last key if the original version has been compacted away, though the list is inconsistent',
    async run(t) {
      const { door, names } = await makeSecrets(t, 4)
      const first = await door.list({ limit: 1 })
      await door.delete('s-2')
      const { token } = await lateToken(t, first.metadata.continue!)
      const second = await door.list({ limit: 1, continue: token })
      assert.deepEqual(namesOf(second), ['s-1'])
      assert.equal(second.metadata.remainingItemCount, 1)
      const third = await door.list({ limit: 1, continue: second.metadata.continue! })
      assert.deepEqual([...namesOf(first), ...namesOf(second), ...namesOf(third)], names.toSpliced(2, 1))
      assert.equal(third.metadata.resourceVersion, second.metadata.resourceVersion)
      assert.equal(third.metadata.continue ?? '', '')
    },
  }),
  defineCase({
    name: 'pagination: limits count what a selector lets through',
    stands: docs,
    async run(t) {
      const { door } = await makeSecrets(t, 3)
      await door.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a-first' } })
      const { items, metadata } = await door.list({ labelSelector: 'mine=yes', limit: 2 })
      assert.deepEqual(
        items.map((item) => item.metadata.name),
        ['s-0', 's-1'],
      )
      const rest = await door.list({ labelSelector: 'mine=yes', limit: 2, continue: metadata.continue! })
      assert.deepEqual(
        rest.items.map((item) => item.metadata.name),
        ['s-2'],
      )
    },
  }),
  defineCase({
    name: 'pagination: a made-up continue token is refused',
    stands: docs,
    async run(t) {
      const door = await t.in(secrets)
      for (const token of ['nonsense', Buffer.from('{"v":"x"}').toString('base64url')]) {
        await t.rejects(door.list({ limit: 1, continue: token }), { code: 400 })
      }
    },
  }),
  defineCase({
    name: 'pagination: a list can be had of an earlier moment',
    stands: 'https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list',
    async run(t) {
      const { door } = await makeSecrets(t, 1)
      const { metadata } = await door.list()
      await door.delete('s-0')
      const then = await door.list({ resourceVersion: metadata.resourceVersion!, resourceVersionMatch: 'Exact' })
      assert.deepEqual(
        then.items.map((item) => item.metadata.name),
        ['s-0'],
      )
      assert.equal(then.metadata.resourceVersion, metadata.resourceVersion)
      assert.deepEqual((await door.list({ resourceVersion: '0' })).kind, 'SecretList')
    },
  }),
]
