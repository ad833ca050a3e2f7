import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { ManualClock } from '#core/testing/manual-clock.ts'
import { anyStep, bytes, expectCode, Recorder, runStorageSuite, StorageModel } from '../storage.suite.ts'
import { StorageError } from '../storage.ts'
import { type EmbeddedStorageOptions, openEmbeddedStorage } from './embedded-storage.ts'
import { restoreEmbeddedStorage } from './snapshot.ts'

runStorageSuite('embedded', async () => {
  const clock = new ManualClock()
  return {
    storage: await openEmbeddedStorage({ directory: newDirectory(), clock }),
    advance: (ms) => clock.advance(ms),
  }
})

function newDirectory(): string {
  const parent = mkdtempSync(join(tmpdir(), 'keelson-store-'))
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }))
  return join(parent, 'data')
}

/** Opens a store, fills it and leaves its files as a crash would: the write-ahead log not yet moved to the database. */
async function crashedStore(writes: number): Promise<{ directory: string; last: number }> {
  const running = newDirectory()
  const directory = mkdtempSync(join(tmpdir(), 'keelson-crashed-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  await using storage = await openEmbeddedStorage({ directory: running })
  let last = 0
  for (let i = 0; i < writes; i++) last = await storage.create(`/registry/a/${i}`, Buffer.alloc(2048, `value ${i} `))
  for (const file of readdirSync(running)) copyFileSync(join(running, file), join(directory, file))
  return { directory, last }
}

const open = (directory: string, options: Partial<EmbeddedStorageOptions> = {}) =>
  openEmbeddedStorage({ directory, ...options })

/** What the files that a store consists of hold, without the index SQLite rebuilds at will. */
function fingerprint(directory: string): Record<string, string> {
  const files = readdirSync(directory).filter((file) => !file.endsWith('-shm'))
  const hash = (file: string) =>
    createHash('sha256')
      .update(readFileSync(join(directory, file)))
      .digest('hex')
  return Object.fromEntries(files.map((file) => [file, hash(file)]))
}

test('a store reopened has its objects, history, floor and revision', async () => {
  const directory = newDirectory()
  const model = new StorageModel()
  let before = 0
  {
    await using storage = await open(directory)
    for (const name of ['a', 'b']) await model.step(storage, { kind: 'create', name, isStale: false, value: name })
    await model.step(storage, { kind: 'update', name: 'a', isStale: false, value: 'second' })
    await model.step(storage, { kind: 'compact', back: 1 })
    await model.step(storage, { kind: 'delete', name: 'b', isStale: false, value: '' })
    before = await storage.currentRevision()
  }
  await using storage = await open(directory)
  expect(await storage.currentRevision()).toBe(before)
  await model.compareEvents(storage)
  for (const back of [0, 1, 2, 3]) await model.step(storage, { kind: 'list', back, limit: undefined })
  expect(await storage.create('/registry/next', bytes('x'))).toBeGreaterThan(before)
})

test('a revision is not given out twice when the newest row was compacted away', async () => {
  const directory = newDirectory()
  let deleted = 0
  {
    await using storage = await open(directory)
    deleted = await storage.delete('/registry/a', await storage.create('/registry/a', bytes('x')))
    await storage.compact(deleted)
  }
  await using storage = await open(directory)
  expect(await storage.currentRevision()).toBe(deleted)
  expect(await storage.create('/registry/a', bytes('x'))).toBe(deleted + 1)
})

test('a time to live survives a restart and passes meanwhile', async () => {
  const directory = newDirectory()
  const clock = new ManualClock()
  {
    await using storage = await open(directory, { clock })
    await storage.create('/registry/soon', bytes('soon'), { ttlSeconds: 10 })
    await storage.create('/registry/later', bytes('later'), { ttlSeconds: 7200 })
  }
  const restarted = new ManualClock(clock.now() + 60_000)
  await using storage = await open(directory, { clock: restarted })
  const recorder = new Recorder()
  storage.watch('/registry/', await storage.currentRevision(), recorder)
  restarted.advance(0)
  await recorder.count(1)
  restarted.advance(7_200_000)
  await recorder.count(2)
  expect(recorder.events.map(({ type, key }) => `${type} ${key}`)).toEqual([
    'delete /registry/soon',
    'delete /registry/later',
  ])
})

test('any sequence of operations and restarts ends as in the model', async () => {
  const steps = fc.array(
    fc.oneof({ weight: 9, arbitrary: anyStep }, { weight: 1, arbitrary: fc.constant('restart' as const) }),
    {
      maxLength: 40,
    },
  )
  const directory = newDirectory()
  let storage = await open(directory)
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const model = new StorageModel()
      for (const step of [...sequence, 'restart' as const]) {
        if (step !== 'restart') {
          await model.step(storage, step)
          continue
        }
        await storage[Symbol.asyncDispose]()
        storage = await open(directory)
      }
      await model.compareEvents(storage)
    }),
    { numRuns: 15 },
  )
  await storage[Symbol.asyncDispose]()
})

test('the data directory and the files in it are for their owner only', async () => {
  const directory = newDirectory()
  await using storage = await open(directory)
  await storage.create('/registry/core/secrets/a', bytes('x'))
  await storage.snapshot(join(directory, 'snapshot.db'))
  expect(statSync(directory).mode & 0o777).toBe(0o700)
  const modes = ['keelson.db', 'keelson.db-wal', 'snapshot.db'].map(
    (file) => statSync(join(directory, file)).mode & 0o777,
  )
  expect(modes).toEqual([0o600, 0o600, 0o600])
})

test('a directory has one owner, and the error names it', async () => {
  const directory = newDirectory()
  {
    await using storage = await open(directory)
    await storage.create('/registry/a', bytes('x'))
    const error = await expectCode(open(directory), 'Unreachable')
    expect(error.message).toBe(`data directory ${directory} is in use by process ${process.pid}`)
    expect(await storage.create('/registry/b', bytes('x'))).toBe(2)
  }
  await using storage = await open(directory)
  expect(await storage.currentRevision()).toBe(2)
})

test('a lock ends with its process, even one that was killed', async () => {
  const directory = newDirectory()
  const module = new URL('./embedded-storage.ts', import.meta.url).href
  const program = `
    const { openEmbeddedStorage } = await import(${JSON.stringify(module)})
    const storage = await openEmbeddedStorage({ directory: ${JSON.stringify(directory)} })
    await storage.create('/registry/a', Buffer.from('x'))
    console.log('open')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  await new Promise((resolve) => child.stdout.once('data', resolve))
  const error = await expectCode(open(directory), 'Unreachable')
  expect(error.message).toContain(`in use by process ${child.pid}`)
  child.kill('SIGKILL')
  await exited
  await using storage = await open(directory)
  expect(await storage.currentRevision()).toBe(1)
})

const damages: { name: string; damage: (directory: string) => void; names: string }[] = [
  {
    name: 'a write-ahead log cut short',
    damage: (directory) => truncateSync(join(directory, 'keelson.db-wal'), 100_000),
    names: 'keelson.db-wal',
  },
  {
    name: 'a write-ahead log damaged in the middle',
    damage: (directory) => flip(join(directory, 'keelson.db-wal'), 0.5),
    names: 'keelson.db-wal',
  },
  {
    name: 'a write-ahead log removed',
    damage: (directory) => rmSync(join(directory, 'keelson.db-wal')),
    names: 'keelson.db',
  },
  { name: 'a database removed', damage: (directory) => rmSync(join(directory, 'keelson.db')), names: 'keelson.db' },
  {
    name: 'a database emptied',
    damage: (directory) => truncateSync(join(directory, 'keelson.db')),
    names: 'keelson.db',
  },
  {
    name: 'a database that is something else',
    damage: (directory) => {
      rmSync(join(directory, 'keelson.db-wal'))
      writeFileSync(join(directory, 'keelson.db'), 'this is not a database'.repeat(1000))
    },
    names: 'keelson.db',
  },
  {
    name: "another program's database",
    damage: (directory) => {
      for (const file of readdirSync(directory)) rmSync(join(directory, file))
      new DatabaseSync(join(directory, 'keelson.db')).exec('CREATE TABLE log (revision INTEGER)')
    },
    names: 'keelson.db',
  },
]

function flip(file: string, position: number): void {
  const content = readFileSync(file)
  const at = Math.floor(content.length * position)
  for (let i = 0; i < 64; i++) content[at + i]! ^= 0xff
  writeFileSync(file, content)
}

test.each(damages)('$name is told as Corrupt, and nothing is overwritten', async ({ damage, names }) => {
  const { directory } = await crashedStore(60)
  damage(directory)
  const before = fingerprint(directory)
  const error = await expectCode(open(directory), 'Corrupt')
  expect(error.message).toContain(join(directory, names))
  expect(error.message).toMatch(/restore a snapshot/)
  expect(fingerprint(directory)).toMatchObject(before)
})

test('a founding cut off by a crash is begun again', async () => {
  const directory = newDirectory()
  mkdirSync(directory)
  const database = new DatabaseSync(join(directory, 'keelson.db'))
  database.exec('PRAGMA page_size = 16384; PRAGMA journal_mode = WAL')
  database.close()
  await using storage = await open(directory)
  expect(await storage.create('/registry/a', bytes('x'))).toBe(1)
})

test('a write cut off by a crash leaves no trace and no complaint', async () => {
  const { directory, last } = await crashedStore(20)
  const log = join(directory, 'keelson.db-wal')
  writeFileSync(log, Buffer.concat([readFileSync(log), Buffer.alloc(10_000, 7)]))
  await using storage = await open(directory)
  expect(await storage.currentRevision()).toBe(last)
  expect((await storage.list('/registry/')).items).toHaveLength(20)
})

test('a damaged value is told when read, harms no other, and can be deleted', async () => {
  const directory = newDirectory()
  {
    await using storage = await open(directory)
    for (const name of ['bad', 'good']) await storage.create(`/registry/${name}`, bytes(`value of ${name}`))
  }
  const file = join(directory, 'keelson.db')
  writeFileSync(file, Buffer.from(readFileSync(file, 'latin1').replace('value of bad', 'value of b*d'), 'latin1'))
  await using storage = await open(directory)
  await expectCode(storage.get('/registry/bad'), 'Corrupt')
  expect((await storage.get('/registry/good'))?.value.toString()).toBe('value of good')
  await storage.delete('/registry/bad', 1)
  expect((await storage.list('/registry/')).items.map(({ key }) => key)).toEqual(['/registry/good'])
})

test('a damaged log row is told at the start', async () => {
  const directory = newDirectory()
  {
    await using storage = await open(directory)
    await storage.create('/registry/a-key', bytes('x'))
  }
  const file = join(directory, 'keelson.db')
  writeFileSync(file, Buffer.from(readFileSync(file, 'latin1').replace('a-key', 'b-key'), 'latin1'))
  await expectCode(open(directory), 'Corrupt')
})

test('history older than asked for is compacted by itself', async () => {
  const clock = new ManualClock()
  await using storage = await open(newDirectory(), { clock, historyMinutes: 5 })
  const first = await storage.create('/registry/a', bytes('one'))
  const second = await storage.update('/registry/a', bytes('two'), first)
  clock.advance(5 * 60_000)
  await storage.update('/registry/a', bytes('three'), second)
  expect((await storage.list('/registry/', { revision: first })).items[0]?.value.toString()).toBe('one')
  clock.advance(5 * 60_000)
  await expectCode(storage.list('/registry/', { revision: first }), 'Compacted')
  expect((await storage.list('/registry/', { revision: second })).items[0]?.value.toString()).toBe('two')
})

test('more history than asked for is compacted by itself', async () => {
  await using storage = await open(newDirectory(), { historyRevisions: 80 })
  let revision = await storage.create('/registry/a', bytes('x'))
  while (revision < 100) revision = await storage.update('/registry/a', bytes('x'), revision)
  await expectCode(storage.list('/registry/', { revision: 10 }), 'Compacted')
  expect((await storage.list('/registry/', { revision: 30 })).items).toHaveLength(1)
})

test('the space of compacted history is used again', async () => {
  const directory = newDirectory()
  let revision = 0
  const round = async () => {
    await using storage = await open(directory)
    const key = '/registry/a'
    revision = (await storage.get(key))?.modRevision ?? (await storage.create(key, bytes('x')))
    for (let i = 0; i < 200; i++) revision = await storage.update(key, Buffer.alloc(8192, 'x'), revision)
    await storage.compact(revision)
  }
  await round()
  const once = statSync(join(directory, 'keelson.db')).size
  for (let i = 0; i < 3; i++) await round()
  expect(statSync(join(directory, 'keelson.db')).size).toBeLessThan(once * 1.3)
})

test('a compaction waits for a list that reads below it', async () => {
  await using storage = await open(newDirectory())
  const created = await Promise.all(
    Array.from({ length: 3_000 }, (_, i) => storage.create(`/registry/${i}`, bytes('old'))),
  )
  const before = await storage.currentRevision()
  const list = storage.list('/registry/', { revision: before })
  await Promise.all(created.map((revision, i) => storage.update(`/registry/${i}`, bytes('new'), revision)))
  const [{ items }] = await Promise.all([list, storage.compact(await storage.currentRevision())])
  expect(items).toHaveLength(3_000)
  expect(items.every(({ value }) => value.equals(bytes('old')))).toBe(true)
})

test('a snapshot taken amid writes restores to one moment, and old revisions count as compacted', async () => {
  const [source, target] = [newDirectory(), newDirectory()]
  const file = join(newDirectory(), '..', 'snapshot.db')
  await using storage = await open(source)
  await Promise.all(Array.from({ length: 3_000 }, (_, i) => storage.create(`/registry/${i}`, bytes(`${i}`))))
  const taken = await storage.list('/registry/')
  const snapshot = storage.snapshot(file)
  const later = await Promise.all(taken.items.map(({ key, modRevision }) => storage.delete(key, modRevision)))
  await snapshot
  restoreEmbeddedStorage({ file, directory: target, bumpRevision: 100_000 })
  await using restored = await open(target)
  expect((await restored.list('/registry/')).items).toEqual(taken.items)
  expect(await restored.currentRevision()).toBe(taken.revision + 100_000)
  await expectCode(restored.list('/registry/', { revision: Math.max(...later) }), 'Compacted')
  await expectCode(storage.snapshot(file), 'Unreachable')
  expect(() => restoreEmbeddedStorage({ file, directory: target })).toThrow(/holds a store already/)
})

test('a damaged snapshot is not restored', () => {
  const directory = newDirectory()
  const parent = join(directory, '..')
  writeFileSync(join(parent, 'snapshot.db'), 'this is not a snapshot'.repeat(500))
  expect(() => restoreEmbeddedStorage({ file: join(parent, 'snapshot.db'), directory })).toThrow(StorageError)
  expect(readdirSync(directory)).toEqual([])
})
