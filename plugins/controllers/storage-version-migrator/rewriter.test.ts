import { configmaps } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { KubeObject } from '@keelson/apis/meta/v1/types.ts'
import { ApiError, type Client, type MetadataClient, type ServedResource } from '@keelson/client'
import { expect, test } from 'vitest'
import { beginning, createRewriter, type Progress } from './rewriter.ts'

const resource: ServedResource = { ...configmaps, verbs: [], subresources: [], isPreferred: true }
const { signal } = new AbortController()
const object = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'X', metadata: { name, namespace: 'n' } })

type Parts = Pick<MetadataClient, 'list' | 'patch'>
const clientOf = (parts: Parts) => ({ metadata: () => ({ ...parts, in: () => parts }) }) as unknown as Client

const page = (items: KubeObject[], metadata: { continue?: string; remainingItemCount?: number } = {}) => ({
  apiVersion: 'v1',
  kind: 'List',
  metadata,
  items,
})

const failure = (code: number, reason: 'Expired' | 'NotFound' | 'Conflict' | 'Invalid', token?: string) =>
  new ApiError({ kind: 'Status', apiVersion: 'v1', metadata: { continue: token }, status: 'Failure', code, reason })

test('at most 16 objects are written at the same time, of all resources together', async () => {
  let running = 0
  let most = 0
  const rewriter = createRewriter(
    clientOf({
      list: async () => page(Array.from({ length: 100 }, (_, at) => object(`o${at}`))),
      async patch(name) {
        most = Math.max(most, ++running)
        await new Promise(setImmediate)
        running--
        return object(name)
      },
    }),
  )
  const run = () => rewriter.rewrite(resource, beginning, async () => true, signal)
  expect(await Promise.all([run(), run()])).toEqual([100, 100])
  expect(most).toBe(16)
})

test('pages are noted, and one that is too old goes on with what is there now', async () => {
  const asked: (string | undefined)[] = []
  const noted: Progress[] = []
  const rewriter = createRewriter(
    clientOf({
      async list({ continue: token } = {}) {
        asked.push(token)
        if (token === undefined) return page([object('a'), object('b')], { continue: 'old', remainingItemCount: 1 })
        if (token === 'old') throw failure(410, 'Expired', 'fresh')
        return page([object('c')])
      },
      patch: async (name) => object(name),
    }),
  )
  const note = async (progress: Progress) => {
    noted.push(progress)
    return true
  }
  expect(await rewriter.rewrite(resource, beginning, note, signal)).toBe(3)
  expect(asked).toEqual([undefined, 'old', 'fresh'])
  expect(noted).toEqual([
    { token: 'old', done: 2, total: 3 },
    { token: '', done: 3, total: 3 },
  ])
})

test('what was deleted or written meanwhile needs nothing; the first other failure ends it', async () => {
  const written: string[] = []
  const errors = new Map([
    ['gone', failure(404, 'NotFound')],
    ['changed', failure(409, 'Conflict')],
  ])
  const rewriter = createRewriter(
    clientOf({
      list: async () =>
        page(['gone', 'changed', ...Array.from({ length: 50 }, (_, at) => `o${at}`)].map((one) => object(one))),
      async patch(name) {
        written.push(name)
        const error = errors.get(name)
        if (error) throw error
        return object(name)
      },
    }),
  )
  expect(await rewriter.rewrite(resource, beginning, async () => true, signal)).toBe(52)
  errors.set('o3', failure(422, 'Invalid'))
  written.length = 0
  await expect(rewriter.rewrite(resource, beginning, async () => true, signal)).rejects.toThrow(errors.get('o3'))
  expect(written.length).toBeLessThan(40)
})

test('a migration that is not wanted any more ends behind its page', async () => {
  const rewriter = createRewriter(
    clientOf({ list: async () => page([object('a')], { continue: 'more' }), patch: async (name) => object(name) }),
  )
  expect(await rewriter.rewrite(resource, beginning, async () => false, signal)).toBeUndefined()
})
