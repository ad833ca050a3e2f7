import assert from 'node:assert/strict'
import { secrets } from '@keelson/apis/core/v1/zz_generated.types.ts'
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
