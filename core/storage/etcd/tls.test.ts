import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { etcdConnection } from '#core/cli/etcd-flags.ts'
import { loadOrCreatePki, type Pki } from '#core/server/pki/pki.ts'
import { StorageError } from '../storage.ts'
import { openEtcdStorage } from './etcd-storage.ts'
import { type EtcdCluster, startEtcd, whyNoEtcd } from './testing/etcd-cluster.ts'

const missing = await whyNoEtcd()

describe.skipIf(missing)(`etcd over TLS${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let directory: string
  let pki: Pki
  let etcd: EtcdCluster
  const at = (name: string) => join(directory, name)

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'keelson-etcd-tls-'))
    pki = await loadOrCreatePki({ directory })
    const client = pki.issueClient('keelson', [])
    const files = {
      'ca.pem': pki.ca.certPem,
      'member.pem': pki.serving.certPem,
      'member.key': pki.serving.keyPem,
      'client.pem': client.certPem,
      'client.key': client.keyPem,
    }
    await Promise.all(Object.entries(files).map(([name, pem]) => writeFile(at(name), pem)))
    const flags = ['--cert-file', at('member.pem'), '--key-file', at('member.key')]
    etcd = await startEtcd(1, {
      flags: [...flags, '--client-cert-auth', '--trusted-ca-file', at('ca.pem')],
      client: { ca: pki.ca.certPem, cert: client.certPem, key: client.keyPem },
    })
  })
  afterAll(async () => {
    await etcd[Symbol.asyncDispose]()
    await rm(directory, { recursive: true, force: true })
  })

  test('the files that flags name are shown and checked', async () => {
    const connection = etcdConnection(etcd.urls.join(), {
      'etcd-cafile': at('ca.pem'),
      'etcd-certfile': at('client.pem'),
      'etcd-keyfile': at('client.key'),
    })
    await using storage = await openEtcdStorage({ ...connection, compactionIntervalMs: 0 })
    await storage.create('/registry/core/configmaps/a/b', Buffer.from('x'))
    expect((await storage.get('/registry/core/configmaps/a/b'))?.value.toString()).toBe('x')
  })

  test.each([
    { name: 'a member whose authority is not known', flags: {} },
    { name: 'a client without a certificate', flags: { 'etcd-cafile': 'ca.pem' } },
  ])('$name is refused', async ({ flags }) => {
    const paths = Object.fromEntries(Object.entries(flags).map(([flag, name]) => [flag, at(name)]))
    const connection = etcdConnection(etcd.urls.join(), paths)
    const opened = openEtcdStorage({ ...connection, timeoutMs: 500, compactionIntervalMs: 0 })
    await expect(opened).rejects.toThrow(StorageError)
    await expect(opened).rejects.toThrow(etcd.urls[0]!)
  })
})
