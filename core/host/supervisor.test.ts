import { expect, onTestFinished, test } from 'vitest'
import type { Logger } from '#apis/plugin/v1/host.ts'
import type { StartComponent, UnitIsolation } from './protocol.ts'
import { type ComponentState, type SupervisorTimings, UnitSupervisor } from './supervisor.ts'

const entry = new URL('./fixtures/misbehaving.ts', import.meta.url).href
const quick: Partial<SupervisorTimings> = {
  firstDelayMs: 10,
  maxDelayMs: 40,
  pingEveryMs: 200,
  hangMs: 1_500,
  stopMs: 200,
}

function component(name: string, behaviour: string): StartComponent {
  return { plugin: 'fixture', component: name, entry, config: { behaviour }, token: 'token' }
}

/** A supervised unit whose states and log lines a test can wait for. */
function supervise(isolation: UnitIsolation, timings: Partial<SupervisorTimings> = {}) {
  const states: { component: string; state: ComponentState }[] = []
  const lines: { message: string; keys: Record<string, unknown> }[] = []
  let wake = () => {}
  const write = (message: string, keys: Record<string, unknown> = {}) => {
    lines.push({ message, keys })
    wake()
  }
  const log: Logger = { debug: write, info: write, warn: write, error: write }
  const onState = ({ component: name }: { component: string }, state: ComponentState) => {
    states.push({ component: name, state })
    wake()
  }
  const spec = { name: 'fixture', isolation, memoryMiB: 32 }
  const api = { server: 'https://127.0.0.1:1', caData: '' }
  const supervisor = new UnitSupervisor(spec, api, log, { onState }, { ...quick, ...timings })
  onTestFinished(() => supervisor.stop(1_000))
  const until = async (isSo: () => boolean) => {
    while (!isSo()) {
      const { promise, resolve } = Promise.withResolvers<void>()
      wake = resolve
      await promise
    }
  }
  const of = (name: string) => states.filter((one) => one.component === name).map((one) => one.state)
  const count = (name: string, state: ComponentState['state']) => of(name).filter((one) => one.state === state).length
  const errors = (name: string) => of(name).flatMap((one) => (one.state === 'BackingOff' ? [one.error] : []))
  return { supervisor, lines, until, count, errors, states }
}

const both: UnitIsolation[] = ['worker', 'process']
const failures = [
  { behaviour: 'throws', error: /broken on purpose/ },
  { behaviour: 'returns', error: /returned before it was asked to stop/ },
  { behaviour: 'throwsLater', error: /broken behind its back/ },
  { behaviour: 'rejectsLater', error: /rejected behind its back/ },
  { behaviour: 'exits', error: /exited with code 3/ },
  { behaviour: 'hangs', error: /it hung: no answer for \d+ seconds/ },
  { behaviour: 'hoards', error: /memory|SIGABRT|code 134/ },
]

test.each(both.flatMap((isolation) => failures.map((failure) => ({ isolation, ...failure }))))(
  'a component of a $isolation that $behaviour is started again, and its state says why',
  async ({ isolation, behaviour, error }) => {
    const { supervisor, until, count, errors } = supervise(isolation)
    supervisor.run(component('bad', behaviour))
    await until(() => count('bad', 'Starting') >= 2)
    expect(errors('bad')[0]).toMatch(error)
  },
)

test.each(both)('what fails in a %s leaves the other components of its unit running', async (isolation) => {
  const { supervisor, until, count } = supervise(isolation)
  supervisor.run(component('good', 'works'))
  supervisor.run(component('bad', 'throws'))
  await until(() => count('bad', 'BackingOff') >= 3)
  expect([count('good', 'Running'), count('good', 'BackingOff')]).toEqual([1, 0])
})

test('a component that fails again and again waits longer each time, though it said it was ready', async () => {
  const { supervisor, until, count, lines } = supervise('worker')
  supervisor.run(component('bad', 'returns'))
  await until(() => count('bad', 'BackingOff') >= 4)
  const delays = lines.filter((line) => line.message === 'plugin component failed').map((line) => line.keys.retryMs)
  expect(delays.slice(0, 4)).toEqual([10, 20, 40, 40])
})

test('what has lived long enough fails as if for the first time', async () => {
  const { supervisor, until, count, lines } = supervise('worker', { steadyMs: -1 })
  supervisor.run(component('bad', 'returns'))
  await until(() => count('bad', 'BackingOff') >= 3)
  const delays = lines.filter((line) => line.message === 'plugin component failed').map((line) => line.keys.retryMs)
  expect(delays.slice(0, 3)).toEqual([10, 10, 10])
})

test.each(both)('a flood of log lines from a %s is cut, and says so', async (isolation) => {
  const { supervisor, until, count, lines } = supervise(isolation)
  supervisor.run(component('loud', 'floods'))
  supervisor.run(component('good', 'works'))
  await until(() => count('good', 'Running') === 1 && lines.some((line) => line.message === 'line'))
  expect(lines.length).toBeLessThan(2_000)
  expect(String(lines.find((line) => line.message === 'line')?.keys.text).length).toBeLessThan(5_000)
})

test('what a process says out of turn is not heard', async () => {
  const { supervisor, until, count, states } = supervise('process')
  supervisor.run(component('bad', 'babbles'))
  supervisor.run(component('good', 'works'))
  await until(() => count('good', 'Running') === 1)
  expect(new Set(states.map((one) => one.component))).toEqual(new Set(['bad', 'good']))
})

test.each(both)(
  'another configuration starts a %s anew at once, even one that does not want to stop',
  async (isolation) => {
    const { supervisor, until, count, errors, lines } = supervise(isolation)
    supervisor.run(component('stubborn', 'stays'))
    await until(() => lines.some((line) => line.message === 'stays'))
    supervisor.run(component('stubborn', 'works'))
    await until(() => count('stubborn', 'Running') === 2)
    expect(errors('stubborn')).toEqual([])
  },
)

test.each(both)('a component that is taken away stops, the others of its %s go on', async (isolation) => {
  const { supervisor, until, count } = supervise(isolation)
  supervisor.run(component('one', 'works'))
  supervisor.run(component('two', 'works'))
  await until(() => count('one', 'Running') === 1 && count('two', 'Running') === 1)
  supervisor.end('fixture', 'one')
  await until(() => count('two', 'Running') === 2)
  expect([count('one', 'Stopped'), count('one', 'Starting')]).toEqual([1, 1])
})

test.each(both)('a %s that does not want to stop is ended', async (isolation) => {
  const { supervisor, until, count } = supervise(isolation)
  supervisor.run(component('stubborn', 'stays'))
  await until(() => count('stubborn', 'Running') === 1)
  await supervisor.stop(100)
})
