import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { bytes, expectCode, freshPrefix } from '../storage.suite.ts'
import { compactRevisionKey, takeCompactionTurn } from './compactor.ts'
import { EtcdClient } from './etcd-client.ts'
import { openEtcdStorage } from './etcd-storage.ts'
import { decodeRevision, encodePut, rangeOf, rpc } from './messages.ts'
import { ResumingWatch } from './resuming-watch.ts'
import { type EtcdCluster, startEtcd, whyNoEtcd } from './testing/etcd-cluster.ts'

const missing = await whyNoEtcd()

describe.skipIf(missing)(`with etcd${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let etcd: EtcdCluster
  let client: EtcdClient
  beforeAll(async () => {
    etcd = await startEtcd()
    client = new EtcdClient({ endpoints: etcd.urls })
  })
  afterAll(async () => {
    client.close()
    await etcd[Symbol.asyncDispose]()
  })

  test('of two servers one compacts, to where etcd was an interval before', async () => {
    await using storage = await openEtcdStorage({ endpoints: etcd.urls, compactionIntervalMs: 0 })
    const prefix = freshPrefix()
    const fresh = { version: 0, revision: 0 }
    let one = await takeCompactionTurn(client, fresh)
    let two = await takeCompactionTurn(client, fresh)
    expect(one).toEqual({ version: 1, revision: one.revision })
    expect(two).toEqual({ version: 1, revision: one.revision })
    const old = await storage.create(`${prefix}a`, bytes('x'))
    // The first interval is over: what was before it goes, what came in it stays.
    one = await takeCompactionTurn(client, one)
    two = await takeCompactionTurn(client, two)
    expect(one.version).toBe(2)
    expect(two.version).toBe(2)
    expect((await storage.list(prefix, { revision: old })).items).toHaveLength(1)
    const recent = await storage.create(`${prefix}b`, bytes('y'))
    two = await takeCompactionTurn(client, two)
    one = await takeCompactionTurn(client, one)
    expect([one.version, two.version]).toEqual([3, 3])
    await expectCode(storage.list(prefix, { revision: old }), 'Compacted')
    expect((await storage.list(prefix, { revision: recent })).items).toHaveLength(2)
    expect(compactRevisionKey).toBe('compact_rev_key')
  })

  test('a watch that asks for progress learns of revisions that are none of its own', async () => {
    const { promise: reached, resolve } = Promise.withResolvers<number>()
    const { promise: began, resolve: begin } = Promise.withResolvers<void>()
    const prefix = freshPrefix()
    const start = decodeRevision(await client.call(rpc.put, encodePut('/none/of/its/own', bytes('x'))))
    const watch = new ResumingWatch(client, rangeOf(prefix), start, {
      onEvents: (events, position) => (events.length > 0 ? begin() : resolve(position)),
      onCompacted: () => {},
    })
    onTestFinished(() => watch.stop())
    await client.call(rpc.put, encodePut(`${prefix}a`, bytes('x')))
    await began
    const before = watch.position
    await client.call(rpc.put, encodePut('/none/of/its/own', bytes('x')))
    watch.requestProgress()
    expect(await reached).toBeGreaterThan(before)
  })
})
