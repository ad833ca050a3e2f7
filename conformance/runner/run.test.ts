import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { defineCase } from './case.ts'
import { openCluster } from './context.ts'
import { runAll, runCase } from './run.ts'

const folder = mkdtempSync(join(tmpdir(), 'keelson-runner-'))
const kubeconfig = join(folder, 'kubeconfig')
writeFileSync(
  kubeconfig,
  JSON.stringify({
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'x' } }],
    clusters: [{ name: 'x', cluster: { server: 'https://127.0.0.1:9' } }],
  }),
)
/** A cluster that is not there: these cases do not ask for it. */
const cluster = await openCluster(kubeconfig)
afterAll(async () => {
  await cluster[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

const define = (name: string, run: () => Promise<void>) => defineCase({ name, stands: 'this test', run })

test('a case passes, fails with its reason, or is skipped for what is missing', async () => {
  const fine = define('fine', async () => {})
  const broken = define('broken', async () => {
    throw new Error('no such thing')
  })
  const needy = defineCase({ ...fine, name: 'needy', needs: ['kubectl'] })
  const young = defineCase({ ...fine, name: 'young', kubectlSince: 24 })
  const means = { unmet: new Map([['kubectl' as const, 'there is none']]), kubectlMinor: 20 }
  expect(await runCase(fine, cluster, means)).toMatchObject({ name: 'fine', outcome: 'ok' })
  expect(await runCase(broken, cluster, means)).toMatchObject({ outcome: 'fail', reason: 'no such thing' })
  expect(await runCase(needy, cluster, means)).toMatchObject({ outcome: 'skip', reason: 'there is none' })
  const { outcome, reason } = await runCase(young, cluster, means)
  expect([outcome, reason]).toEqual(['skip', 'kubectl 1.20 cannot do it: 1.24 can'])
})

test('a case that hangs is failed at its deadline', async () => {
  const hanging = { ...define('hanging', () => new Promise<void>(() => {})), timeoutMs: 10 }
  expect(await runCase(hanging, cluster, { unmet: new Map() })).toMatchObject({
    outcome: 'fail',
    reason: 'took too long',
  })
})

test('what a case leaves is undone, last first, also when it fails', async () => {
  const undone: number[] = []
  const messy = defineCase({
    name: 'messy',
    stands: 'this test',
    async run(t) {
      for (const at of [1, 2, 3]) t.cleanup(async () => undone.push(at))
      t.cleanup(() => Promise.reject(new Error('gone already')))
      throw new Error('midway')
    },
  })
  await runCase(messy, cluster, { unmet: new Map() })
  expect(undone).toEqual([3, 2, 1])
})

test('no more cases than asked for run at a time, and each runs once', async () => {
  let running = 0
  let most = 0
  const cases = Array.from({ length: 20 }, (_, at) =>
    define(`case ${at}`, async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
    }),
  )
  const seen: string[] = []
  const results = await runAll(cases, cluster, { unmet: new Map() }, 3, ({ name }) => seen.push(name))
  expect([most, results.length, new Set(seen).size]).toEqual([3, 20, 20])
})
