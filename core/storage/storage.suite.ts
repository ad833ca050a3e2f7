/** What every storage driver must do. A driver's test calls `runStorageSuite` in one line. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Also, Condition, Storage, StorageErrorCode, StoredList, StoreEvent, WatchSink } from './storage.ts'
import { ConditionError, maxAlso, StorageError } from './storage.ts'

/** A store for one test. Several tests may share a backend: what they write is under a prefix of their own. */
export interface StorageUnderTest {
  storage: Storage
  /** Makes the time to live of keys pass; absent when the backend owns time, then `ttlSeconds` passes by itself. */
  advance?(ms: number): void
}

/** @param open opens a store whose revisions other tests do not touch meanwhile; disposed of through `storage` */
export function runStorageSuite(name: string, open: () => Promise<StorageUnderTest>): void {
  describe(`${name} keeps the storage contract`, () => {
    writes(open)
    transactions(open)
    reads(open)
    watches(open)
    compactions(open)
    expiries(open)
    models(open)
  })
}

type Open = () => Promise<StorageUnderTest>

let prefixes = 0

/** A prefix no other test uses. */
export function freshPrefix(): string {
  return `/registry/suite/${process.pid}-${Date.now()}-${++prefixes}/`
}

export const bytes = (text: string) => Buffer.from(text)

/** Asserts that a promise rejects with a StorageError of this code. */
export async function expectCode(promise: Promise<unknown>, code: StorageErrorCode): Promise<StorageError> {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(StorageError)
  expect((error as StorageError).code).toBe(code)
  return error as StorageError
}

/** Collects what a watch hands over; `until` resolves once `count` events are there. */
export class Recorder implements WatchSink {
  readonly events: StoreEvent[] = []
  readonly progress: number[] = []
  ended: StorageError | undefined
  #wake: (() => void)[] = []

  onEvents(events: readonly StoreEvent[]): void {
    this.events.push(...events)
    this.#signal()
  }

  onProgress(revision: number): void {
    this.progress.push(revision)
    this.#signal()
  }

  onEnd(error: StorageError): void {
    expect(this.ended).toBeUndefined()
    this.ended = error
    this.#signal()
  }

  async until(isDone: (recorder: Recorder) => boolean): Promise<void> {
    while (!isDone(this)) await new Promise<void>((resolve) => this.#wake.push(resolve))
  }

  count(count: number): Promise<void> {
    return this.until(({ events }) => events.length >= count)
  }

  #signal(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }
}

const keysOf = ({ items }: StoredList) => items.map(({ key }) => key)
const brief = ({ type, key, value, revision, createRevision }: StoreEvent) =>
  `${type} ${key} ${value} @${revision} from ${createRevision}`

function writes(open: Open): void {
  test('a created key is read back with its revisions', async () => {
    await using storage = (await open()).storage
    const key = `${freshPrefix()}a`
    const revision = await storage.create(key, bytes('one'))
    expect(await storage.get(key)).toEqual({
      key,
      value: bytes('one'),
      createRevision: revision,
      modRevision: revision,
    })
    expect(await storage.currentRevision()).toBe(revision)
  })

  test('an update keeps the revision of the creation', async () => {
    await using storage = (await open()).storage
    const key = `${freshPrefix()}a`
    const created = await storage.create(key, bytes('one'))
    const updated = await storage.update(key, bytes('two'), created)
    expect(updated).toBeGreaterThan(created)
    expect(await storage.get(key)).toEqual({ key, value: bytes('two'), createRevision: created, modRevision: updated })
  })

  test('a deleted key is gone, and one created again starts a new life', async () => {
    await using storage = (await open()).storage
    const key = `${freshPrefix()}a`
    const created = await storage.create(key, bytes('one'))
    const deleted = await storage.delete(key, created)
    expect(deleted).toBeGreaterThan(created)
    expect(await storage.get(key)).toBeUndefined()
    const again = await storage.create(key, bytes('two'))
    expect(await storage.get(key)).toMatchObject({ createRevision: again, modRevision: again })
  })

  test.each<{
    name: string
    code: StorageErrorCode
    act: (storage: Storage, key: string, at: number) => Promise<unknown>
  }>([
    { name: 'creating an existing key', code: 'KeyExists', act: (s, key) => s.create(key, bytes('x')) },
    { name: 'updating at another revision', code: 'Conflict', act: (s, key, at) => s.update(key, bytes('x'), at - 1) },
    {
      name: 'updating at a revision to come',
      code: 'Conflict',
      act: (s, key, at) => s.update(key, bytes('x'), at + 1),
    },
    { name: 'deleting at another revision', code: 'Conflict', act: (s, key, at) => s.delete(key, at - 1) },
    { name: 'updating an absent key', code: 'KeyNotFound', act: (s, key, at) => s.update(`${key}x`, bytes('x'), at) },
    { name: 'deleting an absent key', code: 'KeyNotFound', act: (s, key, at) => s.delete(`${key}x`, at) },
  ])('$name fails with $code and changes nothing', async ({ code, act }) => {
    await using storage = (await open()).storage
    const key = `${freshPrefix()}a`
    const revision = await storage.create(key, bytes('one'))
    await expectCode(act(storage, key, revision), code)
    expect(await storage.get(key)).toMatchObject({ value: bytes('one'), modRevision: revision })
    expect(await storage.currentRevision()).toBe(revision)
  })

  test('of many that create the same key at once, one succeeds', async () => {
    await using storage = (await open()).storage
    const key = `${freshPrefix()}a`
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => storage.create(key, bytes(`${i}`))))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason.code).toBe('KeyExists')
  })

  test('of many that update from the same revision at once, one succeeds', async () => {
    await using storage = (await open()).storage
    const key = `${freshPrefix()}a`
    const created = await storage.create(key, bytes('start'))
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => storage.update(key, bytes(`${i}`), created)),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason.code).toBe('Conflict')
  })

  test('concurrent writes take different revisions', async () => {
    await using storage = (await open()).storage
    const prefix = freshPrefix()
    const revisions = await Promise.all(
      Array.from({ length: 200 }, (_, i) => storage.create(`${prefix}${i}`, bytes('x'))),
    )
    expect(new Set(revisions).size).toBe(200)
    expect(await storage.currentRevision()).toBe(Math.max(...revisions))
  })

  test.each([
    { name: 'empty', value: Buffer.alloc(0) },
    { name: 'binary', value: Buffer.from([0, 255, 0, 10, 13, 128]) },
    { name: 'of a mebibyte', value: Buffer.alloc(1 << 20, 'keel') },
  ])('a value that is $name comes back as it was', async ({ value }) => {
    await using storage = (await open()).storage
    const key = `${freshPrefix()}a`
    await storage.create(key, value)
    expect((await storage.get(key))?.value.equals(value)).toBe(true)
  })

  test.each(['__proto__', 'constructor', 'ünïcödé', 'with space', "quote'--"])(
    'the name %j is a name',
    async (name) => {
      await using storage = (await open()).storage
      const prefix = freshPrefix()
      await storage.create(`${prefix}${name}`, bytes('x'))
      expect(keysOf(await storage.list(prefix))).toEqual([`${prefix}${name}`])
    },
  )
}

const no: Also = { conditions: [], changes: [] }

/** What each kind of write does to `main`, which is there unless it is created. */
const ways: { way: string; act: (storage: Storage, main: string, at: number, also: Also) => Promise<number> }[] = [
  { way: 'a creation', act: (storage, main, _at, also) => storage.create(`${main}new`, bytes('new'), { also }) },
  { way: 'an update', act: (storage, main, at, also) => storage.update(main, bytes('two'), at, { also }) },
  { way: 'a deletion', act: (storage, main, at, also) => storage.delete(main, at, { also }) },
]

function transactions(open: Open): void {
  test.each(ways)('$way changes other keys with it', async ({ act }) => {
    await using storage = (await open()).storage
    const prefix = freshPrefix()
    const main = await storage.create(`${prefix}main`, bytes('one'))
    const old = await storage.create(`${prefix}old`, bytes('old'))
    const recorder = new Recorder()
    storage.watch(prefix, old, recorder)
    const changes = [
      { key: `${prefix}made`, value: bytes('made') },
      { key: `${prefix}old` },
      { key: `${prefix}absent` },
    ]
    const revision = await act(storage, `${prefix}main`, main, { conditions: [], changes })
    expect(await storage.get(`${prefix}old`)).toBeUndefined()
    const made = (await storage.get(`${prefix}made`))!
    expect(made).toMatchObject({ value: bytes('made'), createRevision: made.modRevision })
    expect(made.modRevision).toBeLessThanOrEqual(revision)
    expect(await storage.currentRevision()).toBe(revision)
    await recorder.count(3)
    expect(
      recorder.events
        .map(({ key }) => key.slice(prefix.length))
        .filter((key) => key !== 'mainnew' && key !== 'main')
        .sort(),
    ).toEqual(['made', 'old'])
    expect(recorder.events.find(({ key }) => key === `${prefix}old`)).toMatchObject({
      type: 'delete',
      value: bytes('old'),
    })
  })

  const conditions: { name: string; of: (prefix: string, at: number) => Condition; holds: boolean }[] = [
    { name: 'a key at its revision', of: (prefix, at) => ({ key: `${prefix}other`, revision: at }), holds: true },
    {
      name: 'a key at another revision',
      of: (prefix, at) => ({ key: `${prefix}other`, revision: at - 1 }),
      holds: false,
    },
    {
      name: 'an absent key at a revision',
      of: (prefix, at) => ({ key: `${prefix}absent`, revision: at }),
      holds: false,
    },
    { name: 'an absent key being absent', of: (prefix) => ({ key: `${prefix}absent`, revision: 0 }), holds: true },
    {
      name: 'a key being absent that is there',
      of: (prefix) => ({ key: `${prefix}other`, revision: 0 }),
      holds: false,
    },
    { name: 'a key that is there', of: (prefix) => ({ exists: `${prefix}other` }), holds: true },
    { name: 'a key being there that is absent', of: (prefix) => ({ exists: `${prefix}othe` }), holds: false },
    { name: 'nothing under an empty prefix', of: (prefix) => ({ empty: `${prefix}none/` }), holds: true },
    { name: 'nothing under a prefix with a key', of: (prefix) => ({ empty: `${prefix}oth` }), holds: false },
  ]
  describe.each(conditions)('a write that depends on $name', ({ of, holds }) => {
    test.each(ways)(`${holds ? 'is' : 'is not'} done as $way`, async ({ act }) => {
      await using storage = (await open()).storage
      const prefix = freshPrefix()
      const main = await storage.create(`${prefix}main`, bytes('one'))
      const other = await storage.create(`${prefix}other`, bytes('other'))
      const first: Condition = { exists: `${prefix}main` }
      const condition = of(prefix, other)
      const also = { conditions: [first, condition], changes: [{ key: `${prefix}made`, value: bytes('made') }] }
      const acting = act(storage, `${prefix}main`, main, also)
      if (holds) return void (await acting)
      const error = await expectCode(acting, 'ConditionFailed')
      expect((error as ConditionError).condition).toEqual(condition)
      expect(await storage.currentRevision()).toBe(other)
      expect(keysOf(await storage.list(prefix))).toEqual([`${prefix}main`, `${prefix}other`])
    })
  })

  test.each<{
    name: string
    code: StorageErrorCode
    act: (storage: Storage, key: string, also: Also) => Promise<unknown>
  }>([
    { name: 'a creation', code: 'KeyExists', act: (storage, key, also) => storage.create(key, bytes('x'), { also }) },
    { name: 'an update', code: 'Conflict', act: (storage, key, also) => storage.update(key, bytes('x'), 1, { also }) },
    { name: 'a deletion', code: 'Conflict', act: (storage, key, also) => storage.delete(key, 1, { also }) },
    {
      name: 'an update of an absent key',
      code: 'KeyNotFound',
      act: (storage, key, also) => storage.update(`${key}x`, bytes('x'), 1, { also }),
    },
  ])('the key of $name itself comes first: $code', async ({ code, act }) => {
    await using storage = (await open()).storage
    const prefix = freshPrefix()
    await storage.create(`${prefix}first`, bytes('first'))
    const revision = await storage.create(`${prefix}main`, bytes('one'))
    const also = { conditions: [{ exists: `${prefix}absent` }], changes: [{ key: `${prefix}made`, value: bytes('x') }] }
    await expectCode(act(storage, `${prefix}main`, also), code)
    expect(await storage.currentRevision()).toBe(revision)
  })

  test('of many that claim the same key at once with a key of their own, one succeeds', async () => {
    await using storage = (await open()).storage
    const prefix = freshPrefix()
    const claim = `${prefix}claim`
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => {
        const also = { conditions: [{ key: claim, revision: 0 }], changes: [{ key: claim, value: bytes(`${i}`) }] }
        return storage.create(`${prefix}own/${i}`, bytes('x'), { also })
      }),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(ConditionError)
    const [own] = (await storage.list(`${prefix}own/`)).items
    expect((await storage.get(claim))?.value.toString()).toBe(own!.key.slice(`${prefix}own/`.length))
  })

  test('who is refused can read what is in the way', async () => {
    await using storage = (await open()).storage
    const prefix = freshPrefix()
    const claim = `${prefix}claim`
    const also = { conditions: [{ key: claim, revision: 0 }], changes: [{ key: claim, value: bytes('x') }] }
    const seen = await Promise.all(
      Array.from({ length: 5 }, async (_, i) => {
        const error = await storage.create(`${prefix}${i}`, bytes('x'), { also }).catch((error) => error)
        return typeof error === 'number' || (await storage.get(claim)) !== undefined
      }),
    )
    expect(seen).toEqual([true, true, true, true, true])
  })

  test('a prefix is empty for one who removes it, or has a key for one who makes it, never both', async () => {
    await using storage = (await open()).storage
    const prefix = freshPrefix()
    for (let round = 0; round < 20; round++) {
      const target = `${prefix}target/${round}`
      const at = await storage.create(target, bytes('target'))
      const make = () =>
        storage.create(`${prefix}referrer/${round}`, bytes('referrer'), {
          also: {
            conditions: [{ exists: target }],
            changes: [{ key: `${prefix}reference/${round}/a`, value: bytes('') }],
          },
        })
      const remove = () =>
        storage.delete(target, at, { also: { ...no, conditions: [{ empty: `${prefix}reference/${round}/` }] } })
      const acts = round % 2 === 0 ? [make, remove] : [remove, make]
      const outcomes = await Promise.allSettled(acts.map((act) => act()))
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    }
  })

  test('as many conditions and changes go together as the contract says', async () => {
    await using storage = (await open()).storage
    const prefix = freshPrefix()
    const keys = Array.from({ length: maxAlso }, (_, at) => `${prefix}${1_000 + at}`)
    const also = {
      conditions: keys.map((key) => ({ key, revision: 0 })),
      changes: keys.map((key) => ({ key, value: bytes('x') })),
    }
    await storage.create(`${prefix}main`, bytes('main'), { also })
    expect(keysOf(await storage.list(prefix))).toEqual([...keys, `${prefix}main`])
    const error = await expectCode(storage.create(`${prefix}more`, bytes('main'), { also }), 'ConditionFailed')
    expect((error as ConditionError).condition).toEqual({ key: keys[0], revision: 0 })
  })
}

function reads(open: Open): void {
  async function threeKeys(storage: Storage) {
    const prefix = freshPrefix()
    for (const name of ['b', 'c', 'a']) await storage.create(`${prefix}${name}`, bytes(name))
    return prefix
  }

  test('list is in key order and stays under its prefix', async () => {
    await using storage = (await open()).storage
    const prefix = await threeKeys(storage)
    await storage.create(`${prefix.slice(0, -1)}0`, bytes('a sibling'))
    const list = await storage.list(prefix)
    expect(list.items.map(({ value }) => value.toString())).toEqual(['a', 'b', 'c'])
    expect(list).toMatchObject({ more: false, revision: await storage.currentRevision() })
    expect(await storage.list(`${prefix}none`)).toMatchObject({ items: [], more: false })
  })

  test.each([
    { name: 'limit 2', options: { limit: 2 }, want: ['a', 'b'], more: true },
    { name: 'limit 3', options: { limit: 3 }, want: ['a', 'b', 'c'], more: false },
    { name: 'behind a', options: { after: 'a' }, want: ['b', 'c'], more: false },
    { name: 'behind an absent key', options: { after: 'aa' }, want: ['b', 'c'], more: false },
    { name: 'limit 1 behind a', options: { after: 'a', limit: 1 }, want: ['b'], more: true },
    { name: 'behind the last', options: { after: 'c', limit: 1 }, want: [], more: false },
  ])('list with $name', async ({ options, want, more }) => {
    await using storage = (await open()).storage
    const prefix = await threeKeys(storage)
    const after = 'after' in options ? `${prefix}${options.after}` : undefined
    const list = await storage.list(prefix, { ...options, after })
    expect(keysOf(list)).toEqual(want.map((name) => `${prefix}${name}`))
    expect(list.more).toBe(more)
  })

  test('pages at one revision do not see later writes', async () => {
    await using storage = (await open()).storage
    const prefix = await threeKeys(storage)
    const first = await storage.list(prefix, { limit: 1 })
    const b = (await storage.get(`${prefix}b`))!
    await storage.update(b.key, bytes('changed'), b.modRevision)
    await storage.create(`${prefix}bb`, bytes('new'))
    const c = (await storage.get(`${prefix}c`))!
    await storage.delete(c.key, c.modRevision)
    const rest = await storage.list(prefix, { after: first.items[0]!.key, revision: first.revision })
    expect(rest.items.map(({ key, value }) => `${key.slice(prefix.length)}=${value}`)).toEqual(['b=b', 'c=c'])
    expect(rest.revision).toBe(first.revision)
    expect(rest.items).toEqual([b, c])
    const latest = await storage.list(prefix)
    expect(latest.items.map(({ value }) => value.toString())).toEqual(['a', 'changed', 'new'])
  })

  test('a list of more than a page is whole, at one revision', async () => {
    await using storage = (await open()).storage
    const prefix = freshPrefix()
    const names = Array.from({ length: 2_300 }, (_, at) => `${prefix}${10_000 + at}`)
    await Promise.all(names.map((key) => storage.create(key, bytes('x'))))
    const { items, revision, more } = await storage.list(prefix)
    expect(items.map(({ key }) => key)).toEqual(names)
    expect(more).toBe(false)
    expect(revision).toBe(await storage.currentRevision())
    const cut = await storage.list(prefix, { limit: 2_200 })
    expect(cut.items.map(({ key }) => key)).toEqual(names.slice(0, 2_200))
    expect(cut.more).toBe(true)
  })

  test('list at a revision that is not reached fails with FutureRevision', async () => {
    await using storage = (await open()).storage
    await threeKeys(storage)
    const revision = (await storage.currentRevision()) + 1_000
    await expectCode(storage.list('/registry/', { revision }), 'FutureRevision')
  })
}

function watches(open: Open): void {
  test('a watch hands over history and then live events, each once and in order', async () => {
    await using storage = (await open()).storage
    const prefix = freshPrefix()
    const key = `${prefix}a`
    const created = await storage.create(key, bytes('one'))
    const updated = await storage.update(key, bytes('two'), created)
    const recorder = new Recorder()
    const watch = storage.watch(prefix, created - 1, recorder)
    const deleted = await storage.delete(key, updated)
    const again = await storage.create(key, bytes('three'))
    await recorder.count(4)
    watch.stop()
    expect(recorder.events.map(brief)).toEqual([
      `put ${key} one @${created} from ${created}`,
      `put ${key} two @${updated} from ${created}`,
      `delete ${key} two @${deleted} from ${created}`,
      `put ${key} three @${again} from ${again}`,
    ])
  })

  test('a watch starts behind its revision and stays under its prefix', async () => {
    await using storage = (await open()).storage
    const prefix = freshPrefix()
    const first = await storage.create(`${prefix}a`, bytes('a'))
    await storage.create(`${prefix.slice(0, -1)}0`, bytes('a sibling'))
    await storage.create(`${prefix}b`, bytes('b'))
    const recorder = new Recorder()
    storage.watch(prefix, first, recorder)
    await recorder.count(1)
    await storage.create(`${prefix.slice(0, -1)}1`, bytes('another sibling'))
    await storage.create(`${prefix}c`, bytes('c'))
    await recorder.count(2)
    expect(recorder.events.map(({ value }) => value.toString())).toEqual(['b', 'c'])
  })

  test('a live watch has been handed a write when the write resolves', async () => {
    await using storage = (await open()).storage
    const prefix = freshPrefix()
    const recorder = new Recorder()
    storage.watch(prefix, await storage.currentRevision(), recorder)
    const seen = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const revision = await storage.create(`${prefix}${i}`, bytes('x'))
        return recorder.events.some((event) => event.revision === revision)
      }),
    )
    expect(seen).not.toContain(false)
  })

  test('watches begun amid writes miss nothing and repeat nothing', async () => {
    await using storage = (await open()).storage
    const prefix = freshPrefix()
    const start = await storage.currentRevision()
    const recorders: Recorder[] = []
    const revisions = await Promise.all(
      Array.from({ length: 8 }, async (_, writer) => {
        const own: number[] = []
        for (let i = 0; i < 40; i++) {
          own.push(await storage.create(`${prefix}${writer}-${i}`, bytes('x')))
          const recorder = new Recorder()
          if (i % 10 === 0) recorders.push(recorder)
          if (i % 10 === 0) storage.watch(prefix, start, recorder)
        }
        return own
      }),
    )
    const want = revisions.flat().sort((a, b) => a - b)
    for (const recorder of recorders) {
      await recorder.count(want.length)
      expect(recorder.events.map(({ revision }) => revision)).toEqual(want)
    }
  })

  test('progress never runs ahead of events', async () => {
    await using storage = (await open()).storage
    const prefix = freshPrefix()
    const recorder = new Recorder()
    let ahead = 0
    const sink: WatchSink = {
      onEvents: (events) => {
        for (const { revision } of events) if (revision <= (recorder.progress.at(-1) ?? 0)) ahead++
        recorder.onEvents(events)
      },
      onProgress: (revision) => recorder.onProgress(revision),
      onEnd: (error) => recorder.onEnd(error),
    }
    storage.watch(prefix, await storage.currentRevision(), sink)
    await Promise.all(Array.from({ length: 30 }, (_, i) => storage.create(`${prefix}${i}`, bytes('x'))))
    await recorder.count(30)
    expect(ahead).toBe(0)
  })

  test('a stopped watch is told nothing more', async () => {
    await using storage = (await open()).storage
    const prefix = freshPrefix()
    const [stopped, running] = [new Recorder(), new Recorder()]
    const start = await storage.currentRevision()
    const watch = storage.watch(prefix, start, stopped)
    storage.watch(prefix, start, running)
    watch.stop()
    watch.stop()
    await storage.create(`${prefix}a`, bytes('x'))
    await running.count(1)
    expect(stopped.events).toEqual([])
  })

  test('closing ends watches and refuses calls with Closed', async () => {
    const { storage } = await open()
    const recorder = new Recorder()
    storage.watch(freshPrefix(), await storage.currentRevision(), recorder)
    await storage[Symbol.asyncDispose]()
    await recorder.until(({ ended }) => ended !== undefined)
    expect(recorder.ended?.code).toBe('Closed')
    await expectCode(storage.create('/registry/a', bytes('x')), 'Closed')
    await expectCode(storage.get('/registry/a'), 'Closed')
    await storage[Symbol.asyncDispose]()
  })
}

function compactions(open: Open): void {
  test('compaction forgets history and keeps the latest values', async () => {
    await using storage = (await open()).storage
    const prefix = freshPrefix()
    const created = await storage.create(`${prefix}a`, bytes('one'))
    const updated = await storage.update(`${prefix}a`, bytes('two'), created)
    const other = await storage.create(`${prefix}b`, bytes('b'))
    await storage.delete(`${prefix}b`, other)
    const floor = await storage.create(`${prefix}c`, bytes('c'))
    const later = await storage.update(`${prefix}a`, bytes('three'), updated)
    await storage.compact(floor)
    await expectCode(storage.list(prefix, { revision: created }), 'Compacted')
    const atFloor = await storage.list(prefix, { revision: floor })
    expect(atFloor.items.map(({ value }) => value.toString())).toEqual(['two', 'c'])
    const latest = await storage.list(prefix)
    expect(latest.items.map(({ value }) => value.toString())).toEqual(['three', 'c'])
    const [old, fresh] = [new Recorder(), new Recorder()]
    storage.watch(prefix, created, old)
    await old.until(({ ended }) => ended !== undefined)
    expect(old.ended?.code).toBe('Compacted')
    expect(old.events).toEqual([])
    storage.watch(prefix, floor, fresh)
    await fresh.count(1)
    expect(fresh.events.map(({ revision }) => revision)).toEqual([later])
  })

  test('what is not reached cannot be compacted, and what is compacted may be so again', async () => {
    await using storage = (await open()).storage
    const revision = await storage.create(`${freshPrefix()}a`, bytes('x'))
    await expectCode(storage.compact(revision + 1_000), 'FutureRevision')
    await storage.compact(revision)
    await storage.compact(revision)
    await storage.compact(revision - 1)
  })

  test('the last value of a key deleted after the compaction is still told', async () => {
    await using storage = (await open()).storage
    const prefix = freshPrefix()
    const created = await storage.create(`${prefix}a`, bytes('one'))
    await storage.compact(created)
    await storage.delete(`${prefix}a`, created)
    const recorder = new Recorder()
    storage.watch(prefix, created, recorder)
    await recorder.count(1)
    expect(recorder.events[0]).toMatchObject({ type: 'delete', value: bytes('one') })
  })

  test('a live watch goes on across a compaction', async () => {
    await using storage = (await open()).storage
    const prefix = freshPrefix()
    const recorder = new Recorder()
    storage.watch(prefix, await storage.currentRevision(), recorder)
    await storage.compact(await storage.create(`${prefix}a`, bytes('x')))
    await storage.create(`${prefix}b`, bytes('y'))
    await recorder.count(2)
    expect(recorder.ended).toBeUndefined()
  })
}

function expiries(open: Open): void {
  test('a key whose time to live is over is deleted by the store', async () => {
    const { storage: opened, advance } = await open()
    await using storage = opened
    const prefix = freshPrefix()
    const recorder = new Recorder()
    storage.watch(prefix, await storage.currentRevision(), recorder)
    const kept = await storage.create(`${prefix}kept`, bytes('kept'), { ttlSeconds: 1 })
    await storage.update(`${prefix}kept`, bytes('for good'), kept)
    await storage.create(`${prefix}gone`, bytes('gone'), { ttlSeconds: 1 })
    advance?.(1_000)
    await recorder.count(4)
    expect(recorder.events[3]).toMatchObject({ type: 'delete', key: `${prefix}gone`, value: bytes('gone') })
    expect(keysOf(await storage.list(prefix))).toEqual([`${prefix}kept`])
  })

  test('keys that came together are each told to be gone, once and not before they are', async () => {
    const { storage: opened, advance } = await open()
    await using storage = opened
    const prefix = freshPrefix()
    const recorder = new Recorder()
    storage.watch(prefix, await storage.currentRevision(), recorder)
    const names = Array.from({ length: 20 }, (_, at) => `${prefix}${10 + at}`)
    const created = await Promise.all(names.map((key) => storage.create(key, bytes(key), { ttlSeconds: 1 })))
    const renewed = await storage.update(names[0]!, bytes('renewed'), created[0]!, { ttlSeconds: 3_600 })
    advance?.(1_000)
    await recorder.count(2 * names.length)
    const deletions = recorder.events.slice(names.length + 1)
    expect(deletions.map(({ key }) => key).sort()).toEqual(names.slice(1))
    expect(deletions.every(({ type, key, value }) => type === 'delete' && value.toString() === key)).toBe(true)
    const revisions = recorder.events.map(({ revision }) => revision)
    expect(revisions).toEqual(revisions.toSorted((a, b) => a - b))
    expect((await storage.list(prefix)).items).toMatchObject([{ key: names[0], modRevision: renewed }])
  })
}

type Step =
  | { kind: 'create' | 'update' | 'delete'; name: string; isStale: boolean; value: string }
  | { kind: 'list'; back: number; limit: number | undefined }
  | { kind: 'compact'; back: number }

const name = fc.constantFrom('a', 'b', 'c', 'd/e', 'd/f', 'd')

/** Random operations on few keys, so that they meet. */
export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('create', 'update', 'delete'),
    name,
    isStale: fc.boolean(),
    value: fc.string({ maxLength: 8 }),
  }),
  fc.record({ kind: fc.constant('compact' as const), back: fc.nat(6) }),
  fc.record({ kind: fc.constant('list' as const), back: fc.nat(12), limit: fc.option(fc.nat(4), { nil: undefined }) }),
)

/** The store as a list of everything that ever happened under a prefix. */
export class StorageModel {
  readonly prefix = freshPrefix()
  readonly history: StoreEvent[] = []
  #compacted = 0

  /** The objects at a revision, in key order. */
  at(revision: number): Map<string, StoreEvent> {
    const live = new Map<string, StoreEvent>()
    for (const event of this.history) {
      if (event.revision > revision) break
      if (event.type === 'put') live.set(event.key, event)
      else live.delete(event.key)
    }
    return new Map([...live].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  /** Does one step to the store and to the model and compares the outcomes. */
  async step(storage: Storage, step: Step): Promise<void> {
    if (step.kind === 'list') return this.#list(storage, step.back, step.limit)
    if (step.kind === 'compact') return this.#compact(storage, step.back)
    const key = `${this.prefix}${step.name}`
    const live = this.at(Number.POSITIVE_INFINITY).get(key)
    const expected = (live?.revision ?? 1) - (step.isStale ? 1 : 0)
    const value = bytes(step.value)
    if (step.kind === 'create') {
      if (live) return void (await expectCode(storage.create(key, value), 'KeyExists'))
      const revision = await storage.create(key, value)
      this.history.push({ type: 'put', key, value, revision, createRevision: revision })
      return
    }
    const act = () => (step.kind === 'update' ? storage.update(key, value, expected) : storage.delete(key, expected))
    if (!live) return void (await expectCode(act(), 'KeyNotFound'))
    if (step.isStale) return void (await expectCode(act(), 'Conflict'))
    const revision = await act()
    const { createRevision } = live
    if (step.kind === 'update') this.history.push({ type: 'put', key, value, revision, createRevision })
    else this.history.push({ type: 'delete', key, value: live.value, revision, createRevision })
  }

  /** Compares all events that are not compacted with a watch. */
  async compareEvents(storage: Storage): Promise<void> {
    const want = this.history.filter(({ revision }) => revision > this.#compacted)
    const recorder = new Recorder()
    const watch = storage.watch(this.prefix, Math.max(this.#compacted, (want[0]?.revision ?? 1) - 1), recorder)
    await recorder.count(want.length)
    watch.stop()
    expect(recorder.events).toEqual(want)
  }

  async #compact(storage: Storage, back: number): Promise<void> {
    const revision = this.history.at(-1 - back)?.revision ?? 0
    await storage.compact(revision)
    this.#compacted = Math.max(this.#compacted, revision)
  }

  async #list(storage: Storage, back: number, limit: number | undefined): Promise<void> {
    const revision = this.history.at(-1 - back)?.revision
    if (limit === 0) return
    if (revision !== undefined && revision < this.#compacted) {
      return void (await expectCode(storage.list(this.prefix, { revision, limit }), 'Compacted'))
    }
    const list = await storage.list(this.prefix, { revision, limit })
    const live = [...this.at(revision ?? Number.POSITIVE_INFINITY).values()]
    const want = live.slice(0, limit).map(({ key, value, revision: modRevision, createRevision }) => {
      return { key, value, createRevision, modRevision }
    })
    expect(list.items).toEqual(want)
    expect(list.more).toBe(live.length > want.length)
  }
}

function models(open: Open): void {
  test('any sequence of operations ends as in the model', async () => {
    await using storage = (await open()).storage
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 40 }), async (steps) => {
        const model = new StorageModel()
        for (const step of steps) await model.step(storage, step)
        await model.compareEvents(storage)
      }),
      { numRuns: 60 },
    )
  })
}
