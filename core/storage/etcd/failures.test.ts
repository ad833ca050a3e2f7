/** What happens when members, leaders and connections go, on three real members and on one. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { bytes, expectCode, freshPrefix, Recorder } from '../storage.suite.ts'
import { type SharedStorage, StorageError } from '../storage.ts'
import { type EtcdStorageOptions, openEtcdStorage } from './etcd-storage.ts'
import { type EtcdCluster, startEtcd, whyNoEtcd } from './testing/etcd-cluster.ts'

const missing = await whyNoEtcd()
const suffix = missing ? ` (skipped: ${missing})` : ''

async function open(etcd: EtcdCluster, options: Partial<EtcdStorageOptions> = {}): Promise<SharedStorage> {
  const storage = await openEtcdStorage({ endpoints: etcd.urls, compactionIntervalMs: 0, ...options })
  onTestFinished(() => storage[Symbol.asyncDispose]())
  return storage
}

/** What many writers were told, and what became of the writes nobody knows the outcome of. */
class Writers {
  readonly acknowledged = new Map<string, number>()
  readonly unknown = new Set<string>()
  readonly #storage: SharedStorage
  readonly #prefix: string
  #isStopping = false
  #next = 0
  #wake: (() => void)[] = []

  constructor(storage: SharedStorage, prefix: string) {
    this.#storage = storage
    this.#prefix = prefix
  }

  /** Writes until `stop`. */
  async run(count: number): Promise<void> {
    await Promise.all(
      Array.from({ length: count }, async () => {
        while (!this.#isStopping) await this.#write(`${this.#prefix}${this.#next++}`)
      }),
    )
  }

  stop(): void {
    this.#isStopping = true
  }

  /** Resolves after so many more acknowledged writes. */
  async more(count: number): Promise<void> {
    const goal = this.acknowledged.size + count
    while (this.acknowledged.size < goal) await new Promise<void>((resolve) => this.#wake.push(resolve))
  }

  async #write(key: string): Promise<void> {
    try {
      this.acknowledged.set(key, await this.#storage.create(key, bytes(key)))
    } catch (error) {
      expect(error).toBeInstanceOf(StorageError)
      // Told that it exists, or that it was not done, where it was: neither may happen.
      expect(['Timeout', 'Unreachable']).toContain((error as StorageError).code)
      if ((error as StorageError).code === 'Timeout') this.unknown.add(key)
    }
    for (const wake of this.#wake.splice(0)) wake()
  }
}

/** Every acknowledged write is there, every write that is there was heard of once, in order; nothing else is. */
async function expectWhole(
  storage: SharedStorage,
  prefix: string,
  writers: Writers,
  recorder: Recorder,
): Promise<void> {
  await storage.synced()
  const { items } = await storage.list(prefix)
  const stored = new Map(items.map(({ key, modRevision }) => [key, modRevision]))
  for (const [key, revision] of writers.acknowledged) expect(stored.get(key)).toBe(revision)
  for (const key of stored.keys()) {
    expect(writers.acknowledged.has(key) || writers.unknown.has(key), `${key} was said not to be done`).toBe(true)
  }
  const heard = recorder.events.map(({ key, revision }) => [key, revision])
  expect(heard).toEqual([...stored].sort(([, a], [, b]) => a - b))
}

describe.skipIf(missing)(`three members${suffix}`, () => {
  let etcd: EtcdCluster
  beforeAll(async () => {
    etcd = await startEtcd(3)
  })
  afterAll(() => etcd[Symbol.asyncDispose]())

  test('the leader killed under writers loses no acknowledged write and no event, and doubles none', async () => {
    const storage = await open(etcd)
    const prefix = freshPrefix()
    const recorder = new Recorder()
    storage.watch(prefix, await storage.currentRevision(), recorder)
    const writers = new Writers(storage, prefix)
    const running = writers.run(8)
    await writers.more(100)
    const leader = await etcd.leader()
    await leader.stop('SIGKILL')
    await writers.more(100)
    await leader.start()
    await writers.more(100)
    writers.stop()
    await running
    await expectWhole(storage, prefix, writers, recorder)
    expect(recorder.ended).toBeUndefined()
  }, 60_000)

  test('each member restarted in turn under writers is not noticed by watchers', async () => {
    const storage = await open(etcd)
    const prefix = freshPrefix()
    const recorder = new Recorder()
    storage.watch(prefix, await storage.currentRevision(), recorder)
    const writers = new Writers(storage, prefix)
    const running = writers.run(4)
    for (const member of etcd.members) {
      await writers.more(30)
      await member.stop('SIGTERM')
      await member.start()
    }
    await writers.more(30)
    writers.stop()
    await running
    await expectWhole(storage, prefix, writers, recorder)
  }, 90_000)

  test('without a quorum writes and reads fail with a reason, and all goes on by itself once there is one', async () => {
    const storage = await open(etcd, { timeoutMs: 1_500 })
    const prefix = freshPrefix()
    const recorder = new Recorder()
    storage.watch(prefix, await storage.currentRevision(), recorder)
    const before = await storage.create(`${prefix}before`, bytes('x'))
    expect(storage.failure).toBeUndefined()
    const lost = etcd.members.slice(0, 2)
    await Promise.all(lost.map((member) => member.stop('SIGKILL')))
    const refused = await storage.create(`${prefix}meanwhile`, bytes('x')).catch((error) => error)
    expect(refused).toBeInstanceOf(StorageError)
    expect(refused.message).toMatch(/^etcd: /)
    await expect(storage.get(`${prefix}before`)).rejects.toThrow(/^etcd: /)
    await expect(storage.synced()).rejects.toThrow(/^etcd: /)
    await until(() => storage.failure !== undefined)
    await Promise.all(lost.map((member) => member.start()))
    const after = await eventually(() => storage.create(`${prefix}after`, bytes('y')))
    await storage.synced()
    expect(storage.failure).toBeUndefined()
    const heard = recorder.events.filter(({ key }) => key !== `${prefix}meanwhile`).map(({ revision }) => revision)
    expect(heard).toEqual([before, after])
  }, 60_000)

  test('a member that says nothing any more is left for another one, by calls and by watches', async () => {
    const storage = await open(etcd, { timeoutMs: 15_000 })
    const other = await open(etcd, { timeoutMs: 2_500 })
    const prefix = freshPrefix()
    const recorder = new Recorder()
    storage.watch(prefix, await storage.currentRevision(), recorder)
    for (const [at, member] of etcd.members.entries()) {
      member.freeze()
      try {
        await eventually(() => other.create(`${prefix}${at}-${Date.now()}`, bytes('x')))
        await storage.synced()
        expect(recorder.events.length).toBeGreaterThan(at)
      } finally {
        member.thaw()
      }
    }
  }, 90_000)
})

describe.skipIf(missing)(`one member${suffix}`, () => {
  let etcd: EtcdCluster
  beforeAll(async () => {
    etcd = await startEtcd(1)
  })
  afterAll(() => etcd[Symbol.asyncDispose]())

  test('a watch goes on over many kills, with nothing lost or doubled', async () => {
    const storage = await open(etcd)
    const other = await open(etcd)
    const prefix = freshPrefix()
    const recorder = new Recorder()
    storage.watch(prefix, await storage.currentRevision(), recorder)
    const writers = new Writers(other, prefix)
    const running = writers.run(4)
    for (let round = 0; round < 5; round++) {
      await writers.more(20)
      await etcd.members[0]!.stop('SIGKILL')
      await etcd.members[0]!.start()
    }
    await writers.more(20)
    writers.stop()
    await running
    await expectWhole(storage, prefix, writers, recorder)
  }, 60_000)

  test('history compacted while nobody followed ends watches as compacted, and new ones work', async () => {
    const [storage, other] = [await open(etcd), await open(etcd)]
    const prefix = freshPrefix()
    const recorder = new Recorder()
    const key = `${prefix}a`
    let revision = await storage.create(key, bytes('0'))
    const start = revision
    for (let i = 1; i < 10; i++) revision = await other.update(key, bytes(`${i}`), revision)
    await other.compact(revision)
    storage.watch(prefix, start, recorder)
    await recorder.until(({ ended }) => ended !== undefined)
    expect(recorder.ended?.code).toBe('Compacted')
    await expectCode(storage.list(prefix, { revision: start }), 'Compacted')
    const again = new Recorder()
    storage.watch(prefix, revision, again)
    await other.delete(key, revision)
    await again.count(1)
    expect(again.events[0]).toMatchObject({ type: 'delete', value: bytes('9') })
  })

  test('what another server was acknowledged has been handed over after synced, whatever else happens in etcd', async () => {
    const [storage, other] = [await open(etcd), await open(etcd)]
    const elsewhere = await open(etcd, { prefix: '/elsewhere' })
    const prefix = freshPrefix()
    const recorder = new Recorder()
    storage.watch(prefix, await storage.currentRevision(), recorder)
    for (let i = 0; i < 20; i++) {
      await other.create(`${prefix}${i}`, bytes('x'))
      // Revisions that no event under this prefix shows.
      await elsewhere.create(`${prefix}${i}`, bytes('x'))
      await Promise.all(Array.from({ length: 5 }, () => storage.synced()))
      expect(recorder.events).toHaveLength(i + 1)
    }
  })

  test('prefixes keep servers apart', async () => {
    const [storage, elsewhere] = [await open(etcd), await open(etcd, { prefix: '/elsewhere/' })]
    const prefix = freshPrefix()
    const recorder = new Recorder()
    elsewhere.watch(prefix, await elsewhere.currentRevision(), recorder)
    await storage.create(`${prefix}a`, bytes('here'))
    await elsewhere.create(`${prefix}a`, bytes('there'))
    expect((await elsewhere.list(prefix)).items.map(({ value }) => value.toString())).toEqual(['there'])
    expect(recorder.events.map(({ key, value }) => `${key}=${value}`)).toEqual([`${prefix}a=there`])
  })

  test('a value larger than etcd takes is refused as too large, and changes nothing', async () => {
    const storage = await open(etcd)
    const key = `${freshPrefix()}a`
    await expectCode(storage.create(key, Buffer.alloc(2 << 20)), 'TooLarge')
    expect(await storage.get(key)).toBeUndefined()
  })

  test('an etcd that is not there is told with its address', async () => {
    const nobody = 'http://127.0.0.1:1'
    const error = await expectCode(openEtcdStorage({ endpoints: [nobody], timeoutMs: 300 }), 'Unreachable')
    expect(error.message).toContain(nobody)
  })
})

/** For a state that nobody announces. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(20)
}

/** For what fails until the cluster has found itself again. */
async function eventually<T>(act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act()
    } catch (error) {
      if (!(error instanceof StorageError) || !['Timeout', 'Unreachable'].includes(error.code)) throw error
    }
  }
}
