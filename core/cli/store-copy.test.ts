import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { openEmbeddedStorage } from '#core/storage/embedded/embedded-storage.ts'
import { openEtcdStorage } from '#core/storage/etcd/etcd-storage.ts'
import { type EtcdCluster, startEtcd, whyNoEtcd } from '#core/storage/etcd/testing/etcd-cluster.ts'
import type { Storage } from '#core/storage/storage.ts'
import { runKeelson } from '#core/testing/test-server.ts'

const missing = await whyNoEtcd()
const objects = Array.from({ length: 1_200 }, (_, at) => `/registry/core/configmaps/default/c-${10_000 + at}`)
const event = '/registry/core/events/default/e'

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'keelson-copy-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** @returns the revision afterwards */
async function fill(storage: Storage): Promise<number> {
  await Promise.all(objects.map((key) => storage.create(key, Buffer.from(`value of ${key}`))))
  return storage.create(event, Buffer.from('an event'), { ttlSeconds: 3_600 })
}

async function expectAll(storage: Storage, behind: number): Promise<void> {
  const { items } = await storage.list('/registry/')
  expect(items.map(({ key }) => key)).toEqual([...objects, event])
  for (const { key, value } of items.slice(0, -1)) expect(value.toString()).toBe(`value of ${key}`)
  expect(Math.min(...items.map(({ modRevision }) => modRevision))).toBeGreaterThan(behind)
}

const openDirectory = (directory: string) => openEmbeddedStorage({ directory: join(directory, 'store') })

test('a directory is copied to another one, whose revisions go on behind those of the first', async () => {
  const [from, to] = [await newDirectory(), await newDirectory()]
  let revision = 0
  {
    await using source = await openDirectory(from)
    revision = await fill(source)
  }
  expect(await runKeelson(['store', 'copy', '--from', from, '--to', to])).toEqual({ status: 0, stderr: '' })
  await using target = await openDirectory(to)
  await expectAll(target, revision)
  await expect(target.list('/registry/', { revision })).rejects.toMatchObject({ code: 'Compacted' })
})

test.each([
  { name: 'no store at the source', args: ['copy', '--from', '/nowhere', '--to', 'x'], says: /holds no store/ },
  { name: 'no target', args: ['copy', '--from', '/nowhere'], says: /--from and --to are needed/ },
  { name: 'no action', args: [], says: /knows one action/ },
])('$name is a mistake that is told', async ({ args, says }) => {
  const { status, stderr } = await runKeelson(['store', ...args])
  expect(status).toBe(2)
  expect(stderr).toMatch(says)
})

describe.skipIf(missing)(`with etcd${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let etcd: EtcdCluster
  beforeAll(async () => {
    etcd = await startEtcd()
  })
  afterAll(() => etcd[Symbol.asyncDispose]())
  const openEtcd = (prefix: string) => openEtcdStorage({ endpoints: etcd.urls, prefix, compactionIntervalMs: 0 })

  test('a directory is copied to etcd and from there to another directory', async () => {
    const [from, to] = [await newDirectory(), await newDirectory()]
    const flags = ['--etcd-prefix', '/copied']
    let revision = 0
    {
      await using source = await openDirectory(from)
      revision = await fill(source)
    }
    const there = await runKeelson(['store', 'copy', '--from', from, '--to', etcd.urls[0]!, ...flags])
    expect(there).toEqual({ status: 0, stderr: '' })
    {
      await using copied = await openEtcd('/copied')
      await expectAll(copied, revision)
      revision = await copied.currentRevision()
    }
    const back = await runKeelson(['store', 'copy', '--from', etcd.urls.join(), '--to', to, ...flags])
    expect(back).toEqual({ status: 0, stderr: '' })
    await using target = await openDirectory(to)
    await expectAll(target, revision)
  })

  test('a target that holds objects is left alone, and replaced with --force', async () => {
    const from = await newDirectory()
    const args = ['store', 'copy', '--from', from, '--to', etcd.urls[0]!, '--etcd-prefix', '/held']
    {
      await using source = await openDirectory(from)
      await fill(source)
    }
    await using held = await openEtcd('/held')
    await held.create('/registry/core/configmaps/default/held', Buffer.from('x'))
    const refused = await runKeelson(args)
    expect(refused.status).toBe(2)
    expect(refused.stderr).toContain('holds objects already')
    expect((await held.list('/registry/')).items).toHaveLength(1)
    expect(await runKeelson([...args, '--force'])).toEqual({ status: 0, stderr: '' })
    await expectAll(held, 0)
  })
})
