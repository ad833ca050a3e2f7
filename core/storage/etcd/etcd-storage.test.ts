import { afterAll, beforeAll, describe } from 'vitest'
import { runStorageSuite } from '../storage.suite.ts'
import { openEtcdStorage } from './etcd-storage.ts'
import { type EtcdCluster, startEtcd, whyNoEtcd } from './testing/etcd-cluster.ts'

const missing = await whyNoEtcd()
const suffix = missing ? ` (skipped: ${missing})` : ''

describe.skipIf(missing)(`etcd${suffix}`, () => {
  let etcd: EtcdCluster
  beforeAll(async () => {
    etcd = await startEtcd()
  })
  afterAll(() => etcd[Symbol.asyncDispose]())

  runStorageSuite('etcd', async () => {
    return { storage: await openEtcdStorage({ endpoints: etcd.urls, compactionIntervalMs: 0 }) }
  })
})
