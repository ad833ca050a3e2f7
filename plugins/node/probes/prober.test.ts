import type { Probe } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { ContainerRuntime } from '@keelson/apis/plugin/v1/cri.ts'
import { createFakeClock } from '@keelson/kit/testing/fake-clock.ts'
import { expect, test } from 'vitest'
import { spec } from '../testing/views.ts'
import { Prober, type ProberOptions } from './prober.ts'

/** A prober whose probes answer what `answers` says, by the probe's command. */
function start(
  probes: { startupProbe?: Probe; readinessProbe?: Probe; livenessProbe?: Probe },
  known?: ProberOptions['known'],
) {
  const clock = createFakeClock(0)
  const answers = new Map<string, boolean>()
  const runs: string[] = []
  const failures: string[] = []
  const prober = new Prober({
    target: { runtime: {} as ContainerRuntime, containerId: 'c', container: spec('main', probes), podIP: '' },
    ...{ startedAtMs: 0, clock, onChange: () => undefined, ...(known && { known }) },
    run: async ({ exec }) => {
      const kind = exec?.command?.[0] ?? ''
      runs.push(kind)
      return { isSuccess: answers.get(kind) ?? false, output: 'no' }
    },
    onFailure: (kind, output) => failures.push(`${kind}: ${output}`),
  })
  const pass = async (seconds: number) => {
    for (let second = 0; second <= seconds; second++) {
      await clock.advance(second === 0 ? 0 : 1000)
    }
  }
  return { prober, answers, runs, failures, pass }
}

const probe = (kind: string, more: Probe = {}): Probe => ({ exec: { command: [kind] }, periodSeconds: 1, ...more })

test('a container without a readiness probe is ready', () => {
  expect(start({ livenessProbe: probe('live') }).prober.state).toEqual({ started: true, ready: true })
})

test('readiness follows its probe, both ways', async () => {
  const { prober, answers, pass } = start({ readinessProbe: probe('ready', { failureThreshold: 2 }) })
  expect(prober.state.ready).toBe(false)
  answers.set('ready', true)
  await pass(0)
  expect(prober.state.ready).toBe(true)
  answers.set('ready', false)
  await pass(1)
  expect(prober.state.ready).toBe(true)
  await pass(1)
  expect(prober.state.ready).toBe(false)
})

test('a liveness probe that fails often enough asks for a restart, once', async () => {
  const livenessProbe = probe('live', { failureThreshold: 3, terminationGracePeriodSeconds: 4 })
  const { prober, failures, runs, pass } = start({ livenessProbe })
  await pass(1)
  expect(prober.state.unhealthy).toBeUndefined()
  await pass(5)
  expect(prober.state).toMatchObject({
    unhealthy: 'Container main failed liveness probe, will be restarted',
    graceSeconds: 4,
  })
  expect(failures).toEqual(['Liveness: no', 'Liveness: no', 'Liveness: no'])
  expect(runs).toHaveLength(3)
})

test('nothing else is probed before the container has started', async () => {
  const all = {
    startupProbe: probe('start', { failureThreshold: 30 }),
    readinessProbe: probe('ready'),
    livenessProbe: probe('live'),
  }
  const { prober, answers, runs, pass } = start(all)
  await pass(3)
  expect(new Set(runs)).toEqual(new Set(['start']))
  expect(prober.state).toEqual({ started: false, ready: false })
  answers.set('start', true).set('ready', true).set('live', true)
  await pass(1)
  await pass(0)
  expect(prober.state).toEqual({ started: true, ready: true })
  expect(runs.filter((kind) => kind === 'start')).toHaveLength(5)
})

test('the first probe waits for its delay', async () => {
  const { runs, pass } = start({ readinessProbe: probe('ready', { initialDelaySeconds: 5 }) })
  await pass(4)
  expect(runs).toEqual([])
  await pass(1)
  expect(runs).toEqual(['ready'])
})

test('what an earlier agent found holds until a probe says otherwise', async () => {
  const known = { started: true, ready: true }
  const { prober, runs, pass } = start(
    { startupProbe: probe('start'), readinessProbe: probe('ready', { failureThreshold: 1 }) },
    known,
  )
  expect(prober.state.ready).toBe(true)
  await pass(0)
  expect(runs).toEqual(['ready'])
  expect(prober.state.ready).toBe(false)
})

test('a stopped prober probes no more', async () => {
  const { prober, runs, pass } = start({ livenessProbe: probe('live') })
  await pass(0)
  prober.stop()
  await pass(3)
  expect(runs).toHaveLength(1)
})
