import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { encodeObject } from '#core/machinery/canonical.ts'
import { openEmbeddedStorage } from '../embedded/embedded-storage.ts'
import { StorageError } from '../storage.ts'
import { Cacher, storageKey } from './cacher.ts'

async function openStorage() {
  const directory = await mkdtemp(join(tmpdir(), 'keelson-cacher-'))
  const storage = await openEmbeddedStorage({ directory: join(directory, 'store') })
  onTestFinished(async () => {
    await storage[Symbol.asyncDispose]()
    await rm(directory, { recursive: true, force: true })
  })
  return storage
}

function bytesOf(name: string): Buffer {
  const object: UnstructuredObject = { apiVersion: 'v1', kind: 'Thing', metadata: { name } }
  return encodeObject(object, object)
}

test('what was stored before is loaded, page by page, under its revisions', async () => {
  const storage = await openStorage()
  const names = Array.from({ length: 5_300 }, (_, at) => `n-${String(at).padStart(5, '0')}`)
  const revisions = await Promise.all(
    names.map((name) => storage.create(storageKey('', 'things', `a/${name}`), bytesOf(name))),
  )
  await using cacher = await Cacher.start(storage)
  const { entries } = cacher.resource('core/things').list('')
  expect(entries.map((entry) => entry.key)).toEqual(names.map((name) => `a/${name}`))
  expect(entries.map((entry) => entry.revision)).toEqual(revisions)
  expect(cacher.revision).toBe(revisions.at(-1))
})

test('who awaits a write reads it', async () => {
  const storage = await openStorage()
  await using cacher = await Cacher.start(storage)
  const cache = cacher.resource('core/things')
  const write = async (name: string) => {
    const key = storageKey('', 'things', name)
    const created = await storage.create(key, bytesOf(name))
    expect(cache.get(name)?.revision).toBe(created)
    const updated = await storage.update(key, bytesOf(name), created)
    expect(cache.get(name)?.revision).toBe(updated)
    expect(cache.get(name)?.bytes.toString()).toContain(`"resourceVersion":"${updated}"`)
    await storage.delete(key, updated)
    expect(cache.get(name)).toBeUndefined()
  }
  await Promise.all(Array.from({ length: 50 }, (_, at) => write(`n-${at}`)))
})

test('waiting for a revision ends when it is reached, and when it is given up', async () => {
  const storage = await openStorage()
  await using cacher = await Cacher.start(storage)
  await expect(cacher.reached(cacher.revision)).resolves.toBeUndefined()
  const next = cacher.reached(cacher.revision + 1)
  const given = new AbortController()
  const never = cacher.reached(cacher.revision + 1_000, given.signal)
  await storage.create(storageKey('', 'things', 'a'), bytesOf('a'))
  await next
  given.abort(new Error('given up'))
  await expect(never).rejects.toThrow('given up')
  await expect(cacher.reached(cacher.revision + 1, AbortSignal.abort(new Error('too late')))).rejects.toThrow(
    'too late',
  )
})

test('a cache that lost its store says so', async () => {
  const storage = await openStorage()
  await using cacher = await Cacher.start(storage)
  expect(cacher.failure).toBeUndefined()
  await storage[Symbol.asyncDispose]()
  expect(cacher.failure).toBeInstanceOf(StorageError)
  await expect(cacher.lost).rejects.toBe(cacher.failure)
})

test('keys that are no objects are left alone', async () => {
  const storage = await openStorage()
  await storage.create('/registry/odd', Buffer.from('x'))
  await using cacher = await Cacher.start(storage)
  await storage.create('/registry/odd-too', Buffer.from('x'))
  expect([...cacher.resources()].filter(([, cache]) => cache.size > 0)).toEqual([])
})
