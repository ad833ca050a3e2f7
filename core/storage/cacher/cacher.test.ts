import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { encodeObject } from '#core/machinery/canonical.ts'
import { openEmbeddedStorage } from '../embedded/embedded-storage.ts'
import { type SharedStorage, type Storage, StorageError, type WatchSink } from '../storage.ts'
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

test('what happened before a start is known as it happened, and what is forgotten is not', async () => {
  const storage = await openStorage()
  const key = (name: string) => storageKey('', 'things', name)
  const kept = await storage.create(key('kept'), bytesOf('kept'))
  const gone = await storage.create(key('gone'), bytesOf('gone'))
  const changed = await storage.update(key('kept'), bytesOf('kept'), kept)
  const removed = await storage.delete(key('gone'), gone)
  const added = await storage.create(key('added'), bytesOf('added'))
  const changesOf = (cacher: Cacher, after: number) =>
    cacher
      .resource('core/things')
      .changesAfter(after)
      ?.map(({ type, entry, previous }) => [type, entry.key, entry.revision, previous?.revision])
  const since = [
    ['MODIFIED', 'kept', changed, kept],
    ['DELETED', 'gone', removed, gone],
    ['ADDED', 'added', added, undefined],
  ]
  {
    await using cacher = await Cacher.start(storage)
    expect(cacher.revision).toBe(added)
    expect(
      cacher
        .resource('core/things')
        .list('')
        .entries.map((entry) => entry.key),
    ).toEqual(['added', 'kept'])
    expect(changesOf(cacher, gone)).toEqual(since)
  }
  await storage.compact(changed)
  await using cacher = await Cacher.start(storage)
  expect(
    cacher
      .resource('core/things')
      .list('')
      .entries.map((entry) => entry.key),
  ).toEqual(['added', 'kept'])
  expect(changesOf(cacher, gone)).toBeUndefined()
  expect(changesOf(cacher, added)).toEqual([])
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

/** A store whose watch may lose what happened: what a cut-off server meets when others compacted meanwhile. */
function forgetful(storage: Storage): { storage: SharedStorage; miss(writes: () => Promise<unknown>): Promise<void> } {
  let live: { sink: WatchSink; isDeaf: boolean } | undefined
  const shared: SharedStorage = {
    ...methodsOf(storage),
    watch(prefix, after, sink) {
      const mine = { sink, isDeaf: false }
      live = mine
      return storage.watch(prefix, after, {
        ...sink,
        onEvents: (events) => mine.isDeaf || sink.onEvents(events),
        onProgress: (revision) => mine.isDeaf || sink.onProgress?.(revision),
      })
    },
    synced: () => storage.currentRevision(),
    failure: undefined,
  }
  return {
    storage: shared,
    miss: async (writes) => {
      const lost = live!
      lost.isDeaf = true
      await writes()
      lost.sink.onEnd(new StorageError('Compacted', 'too late'))
    },
  }
}

function methodsOf(storage: Storage): Storage {
  return {
    create: (...args) => storage.create(...args),
    update: (...args) => storage.update(...args),
    delete: (...args) => storage.delete(...args),
    get: (key) => storage.get(key),
    list: (...args) => storage.list(...args),
    currentRevision: () => storage.currentRevision(),
    watch: (...args) => storage.watch(...args),
    compact: (revision) => storage.compact(revision),
    [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
  }
}

test('a cache that lost its place in the history starts over: listeners hear the differences, watches end', async () => {
  const { storage, miss } = forgetful(await openStorage())
  const key = (name: string) => storageKey('', 'things', `a/${name}`)
  const created = await Promise.all(['same', 'changed', 'gone'].map((name) => storage.create(key(name), bytesOf(name))))
  await using cacher = await Cacher.start(storage)
  const cache = cacher.resource('core/things')
  const heard: string[] = []
  cache.onChange((change) => heard.push(`${change.type} ${change.entry.key}`))
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  cache.subscribe({ id: 'all', keyPrefix: '' }, { deliver: () => {}, end: resolve })
  await miss(async () => {
    await storage.update(key('changed'), bytesOf('changed'), created[1]!)
    await storage.delete(key('gone'), created[2]!)
    await storage.create(key('new'), bytesOf('new'))
  })
  await ended
  await cacher.synced!()
  expect(heard.sort()).toEqual(['ADDED a/new', 'DELETED a/gone', 'MODIFIED a/changed'])
  expect(cache.list('').entries.map((entry) => entry.key)).toEqual(['a/changed', 'a/new', 'a/same'])
  expect(cache.changesAfter(created[2]!)).toBeUndefined()
  expect(cacher.failure).toBeUndefined()
  const revision = await storage.create(key('later'), bytesOf('later'))
  expect(cache.get('a/later')?.revision).toBe(revision)
})
