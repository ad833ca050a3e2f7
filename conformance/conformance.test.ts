import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { notYet } from './not-yet.ts'
import type { ConformanceCase } from './runner/case.ts'
import { loadCases } from './runner/load.ts'
import { findUnmet, type Unmet } from './runner/needs.ts'
import { runCase } from './runner/run.ts'
import { image } from './system/image.ts'
import { type System, startSystem, whyNot } from './system/testing.ts'

/** Runs every case against servers of our own, one test a case: on a simulated node, or on docker where real programs must run. */
const cases = await loadCases()
const startsWithinMs = 120_000
/** Cases have deadlines of their own; this one only catches a runner that hangs. */
const testTimeoutMs = 180_000

const needsContainers = ({ needs = [] }: ConformanceCase) => needs.includes('containers')

runOn(
  'sim',
  cases.filter((subject) => !needsContainers(subject)),
)
runOn('docker', cases.filter(needsContainers))

function runOn(cri: 'sim' | 'docker', subjects: readonly ConformanceCase[]): void {
  describe(`on ${cri}`, () => {
    let system: System | undefined
    let unmet: Unmet
    let missing: string | undefined

    beforeAll(async () => {
      if (cri === 'docker') {
        missing = await whyNot({ cri })
        if (missing) return
        process.env.KEELSON_CONFORMANCE_IMAGE ??= await image()
      }
      system = await startSystem({ cri })
      unmet = await findUnmet(system.cluster)
    }, startsWithinMs)

    afterAll(async () => system?.[Symbol.asyncDispose](), startsWithinMs)

    test.for(subjects)('$name', { concurrent: true, timeout: testTimeoutMs }, async (subject, { skip }) => {
      if (missing) return skip(missing)
      const { outcome, reason, error } = await runCase(subject, system!.cluster, unmet)
      if (outcome === 'skip') return skip(reason)
      const waitsFor = notYet.get(subject.name)
      if (waitsFor) expect(outcome, `it passes without ${waitsFor}: take it off the list in not-yet.ts`).toBe('fail')
      else if (outcome === 'fail') throw error
    })
  })
}

test('every case that is not passed yet exists', () => {
  const names = new Set(cases.map(({ name }) => name))
  expect([...notYet.keys()].filter((name) => !names.has(name))).toEqual([])
})
