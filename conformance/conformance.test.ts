import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { notYet } from './not-yet.ts'
import type { ConformanceCase } from './runner/case.ts'
import { type Cluster, openCluster } from './runner/context.ts'
import { findKubectls, type Kubectl } from './runner/kubectl.ts'
import { loadCases } from './runner/load.ts'
import { findMeans, type Means, whyNotRun } from './runner/needs.ts'
import { runCase } from './runner/run.ts'
import { image } from './system/image.ts'
import { type System, startSystem, whyNot } from './system/testing.ts'

/** Runs every case against servers of our own, one test a case: on a simulated node, or on docker where real programs must run. */

const cases = await loadCases()
const [kubectl, ...otherKubectls] = await findKubectls()
const startsWithinMs = 120_000
/** Cases have deadlines of their own; this one only catches a runner that hangs. */
const testTimeoutMs = 180_000

const needsContainers = ({ needs = [] }: ConformanceCase) => needs.includes('containers')
const needsKubectl = ({ needs = [] }: ConformanceCase) => needs.includes('kubectl')
const simulated = cases.filter((subject) => !needsContainers(subject))

describe('on sim', () => {
  const system = useSystem('sim')
  runAll(simulated, system, kubectl)
  for (const other of outermost(otherKubectls)) {
    const means: Means = { unmet: new Map(), kubectlMinor: other.minor }
    const able = simulated.filter((subject) => needsKubectl(subject) && !whyNotRun(subject, means))
    describe(`with ${other.path}, v1.${other.minor}`, () => runAll(able, system, other))
  }
})

describe('on docker', () => runAll(cases.filter(needsContainers), useSystem('docker'), kubectl))

/** The oldest and the newest. */
function outermost(kubectls: readonly Kubectl[]): Kubectl[] {
  const sorted = kubectls.toSorted((a, b) => a.minor - b.minor)
  return [...new Set([sorted.at(0), sorted.at(-1)])].filter((one) => one !== undefined)
}

interface UsedSystem {
  /** Why it cannot be had here. */
  missing?: string
  system?: System
}

/** A system for the tests around: there before the first of them, gone after the last. */
function useSystem(cri: 'sim' | 'docker'): UsedSystem {
  const used: UsedSystem = {}
  beforeAll(async () => {
    used.missing = await whyNot({ cri })
    if (used.missing && cri === 'docker') return
    if (cri === 'docker') process.env.KEELSON_CONFORMANCE_IMAGE ??= await image()
    used.system = await startSystem({ cri })
  }, startsWithinMs)
  afterAll(async () => used.system?.[Symbol.asyncDispose](), startsWithinMs)
  return used
}

function runAll(subjects: readonly ConformanceCase[], used: UsedSystem, by: Kubectl | undefined): void {
  let cluster: Cluster
  let means: Means
  beforeAll(async () => {
    if (!used.system) return
    cluster = await openCluster(used.system.cluster.kubeconfig, by?.path)
    means = await findMeans(cluster)
  }, startsWithinMs)
  afterAll(async () => cluster?.[Symbol.asyncDispose]())

  test.for(subjects)('$name', { concurrent: true, timeout: testTimeoutMs }, async (subject, { skip }) => {
    if (!used.system) return skip(used.missing)
    const { outcome, reason, error } = await runCase(subject, cluster, means)
    if (outcome === 'skip') return skip(reason)
    const waitsFor = notYet.get(subject.name)
    if (waitsFor) expect(outcome, `it passes without ${waitsFor}: take it off the list in not-yet.ts`).toBe('fail')
    else if (outcome === 'fail') throw error
  })
}

test('every case that is not passed yet exists', () => {
  const names = new Set(cases.map(({ name }) => name))
  expect([...notYet.keys()].filter((name) => !names.has(name))).toEqual([])
})
