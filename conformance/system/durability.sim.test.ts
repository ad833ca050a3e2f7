/** What was acknowledged is there after any end, and one folder of data has one server. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { configmaps } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { main, startSystem, systemTest, withContext } from './testing.ts'

const kills = 5
const writers = 8

systemTest('no acknowledged write is lost by kill -9 of the server', 'sim', async () => {
  await using system = await startSystem({ cri: 'sim' })
  const acknowledged = new Map<string, string>()
  for (let round = 0; round < kills; round++) {
    const { client } = system.cluster
    const door = client.resource(configmaps).in('default')
    // Each end comes at a moment of its own: after some number of answers.
    const enough = acknowledged.size + randomInt(20, 200)
    const full = Promise.withResolvers<void>()
    const writing = Array.from({ length: writers }, async (_, writer) => {
      for (let at = 0; ; at++) {
        const name = `map-${round}-${writer}-${at}`
        const { metadata } = await door.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })
        acknowledged.set(name, metadata.resourceVersion!)
        if (acknowledged.size >= enough) full.resolve()
      }
    })
    const ended = Promise.allSettled(writing)
    await Promise.race([full.promise, Promise.any(writing)])
    await system.kill()
    await ended
    await system.start()
    await withContext(system, '', async (t) => {
      const { items } = await t.client.resource(configmaps).in('default').list()
      const found = new Map(items.map(({ metadata }) => [metadata.name, metadata.resourceVersion]))
      for (const [name, resourceVersion] of acknowledged) assert.equal(found.get(name), resourceVersion, name)
    })
  }
})

systemTest('a second server on the same data refuses to start, and the first goes on', 'sim', async () => {
  await using system = await startSystem({ cri: 'sim' })
  const args = [main, 'up', '--cri', 'sim', '--port', '0', '--data-dir', join(system.dataDir, 'data')]
  const second = promisify(execFile)(process.execPath, args, { timeout: 30_000 })
  const { code, stderr } = await second.then(
    () => assert.fail('it started'),
    (error: { code: number; stderr: string }) => error,
  )
  assert.equal(code, 1, stderr)
  assert.match(stderr, /^keelson: .*(in use|lock)/i)
  await withContext(system, '', async (t) => {
    await t.client
      .resource(configmaps)
      .in('default')
      .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'on' } })
  })
})
