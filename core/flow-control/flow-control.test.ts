import { expect, test } from 'vitest'
import type { FlowSchema, PriorityLevelConfiguration } from '#apis/flowcontrol/v1/zz_generated.types.ts'
import { Metrics } from '#core/server/metrics.ts'
import { parseRequest } from '#core/server/request-info.ts'
import { queryOf } from '#core/server/request-target.ts'
import { ManualClock } from '#core/testing/manual-clock.ts'
import { mandatoryLevels, mandatorySchemas, suggestedLevels, suggestedSchemas } from './defaults.ts'
import { dumpEndpoint } from './dump.ts'
import { FlowControl } from './flow-control.ts'
import { FlowControlMetrics } from './flow-control-metrics.ts'
import type { Admitted } from './gate.ts'
import { fakeExchange } from './testing/fake-exchange.ts'

const withUid = <T extends { metadata: object }>(object: T, kind: string): T => {
  const { name } = object.metadata as { name: string }
  return { ...object, metadata: { ...object.metadata, uid: `${kind}-${name}` } }
}
const schemas = [...mandatorySchemas, ...suggestedSchemas].map((one) => withUid(one, 'fs'))
const levels = [...mandatoryLevels, ...suggestedLevels].map((one) => withUid(one, 'pl'))

interface Options {
  serverLimit?: number
  objects?: number
  watchers?: number
}

function open({ serverLimit = 600, objects = 10, watchers = 0 }: Options = {}) {
  const clock = new ManualClock(0)
  const metrics = new Metrics()
  const control = new FlowControl({
    clock,
    serverLimit,
    waitLimitMs: 15_000,
    metrics: new FlowControlMetrics(metrics),
    statistics: () => ({ objects, watchers }),
  })
  control.configure(schemas, levels)
  const level = (name: string) => [...control.levels()].find(({ spec }) => spec.name === name)!
  return { clock, control, metrics, level }
}

const user = (username: string, ...groups: string[]) => ({ username, groups: [...groups, 'system:authenticated'] })
const masters = user('admin', 'system:masters')

function ask(control: FlowControl, line: string, who = user('jane')) {
  const [method = '', target = ''] = line.split(' ')
  const fake = fakeExchange(target)
  const info = parseRequest(method, target.split('?')[0]!, () => queryOf(target))
  const admitted = control.admit(fake.exchange, info, who)
  return { fake, admitted, leave: () => (admitted as Admitted).leave() }
}

const get = 'GET /api/v1/namespaces/a/pods/x'
const list = 'GET /api/v1/namespaces/a/pods'

test('every request is told its schema and its level', () => {
  const { control } = open()
  const { headers } = ask(control, get).fake
  expect(Object.fromEntries(headers)).toEqual({
    'x-kubernetes-pf-flowschema-uid': 'fs-global-default',
    'x-kubernetes-pf-prioritylevel-uid': 'pl-global-default',
  })
})

test('administrators are never refused', () => {
  const { control, level } = open({ serverLimit: 1 })
  const asked = Array.from({ length: 1_000 }, () => ask(control, get, masters))
  expect(asked.every(({ admitted }) => admitted && !(admitted instanceof Promise))).toBe(true)
  expect(level('exempt').executing).toBe(1_000)
  for (const { leave } of asked) leave()
  expect(level('exempt').isIdle).toBe(true)
})

test('who is nobody’s subject is still somebody’s: catch-all takes him', () => {
  const { control } = open()
  const { fake } = ask(control, get, { username: 'odd', groups: [] })
  expect(fake.headers.get('x-kubernetes-pf-flowschema-uid')).toBe('fs-catch-all')
})

test('a level that does not queue answers 429', () => {
  const { control, level } = open({ serverLimit: 30 })
  const odd = { username: 'odd', groups: [] }
  const { nominal } = level('catch-all').bounds
  for (let count = 0; count < nominal; count++) ask(control, get, odd)
  const { fake, admitted } = ask(control, get, odd)
  expect([admitted, fake.answer?.status, fake.headers.get('retry-after')]).toEqual([undefined, 429, '1'])
  expect(fake.headers.get('x-kubernetes-pf-prioritylevel-uid')).toBe('pl-catch-all')
})

test('one noisy user does not keep another waiting for all of his requests', async () => {
  const { control, level } = open({ serverLimit: 49 })
  const { limit } = level('global-default').queues
  const noisy = Array.from({ length: 250 }, () => ask(control, get, user('noisy')))
  const quiet = ask(control, get, user('quiet'))
  expect(quiet.admitted).toBeInstanceOf(Promise)
  let answered = 0
  let quietAfter: number | undefined
  const done = Promise.all([
    ...noisy.map(async ({ admitted }) => {
      const seat = await admitted
      answered++
      seat?.leave()
    }),
    Promise.resolve(quiet.admitted).then((seat) => {
      quietAfter = answered
      seat?.leave()
    }),
  ])
  await done
  expect(level('global-default').isIdle).toBe(true)
  expect(quietAfter).toBeLessThan(limit + 10)
})

test.each([
  { name: 'a get', line: get, options: { objects: 900 }, want: 1 },
  { name: 'a list', line: list, options: { objects: 450 }, want: 5 },
  { name: 'a page of a list', line: `${list}?limit=200`, options: { objects: 900 }, want: 2 },
  { name: 'a list with a limit that is no number', line: `${list}?limit=x`, options: { objects: 250 }, want: 3 },
  { name: 'a list of one', line: `${list}?fieldSelector=metadata.name%3Dx`, options: { objects: 900 }, want: 1 },
  { name: 'a watch', line: `${list}?watch=1`, options: { objects: 900 }, want: 1 },
  {
    name: 'a watch that begins with a list',
    line: `${list}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`,
    options: { objects: 300 },
    want: 3,
  },
  { name: 'a write', line: 'POST /api/v1/namespaces/a/pods', options: { watchers: 9 }, want: 1 },
  { name: 'a write that many watch', line: 'POST /api/v1/namespaces/a/pods', options: { watchers: 2_000 }, want: 4 },
  { name: 'a path', line: 'GET /version', options: {}, want: 1 },
])('$name takes $want seats', ({ line, options, want }) => {
  const { control, level } = open(options)
  ask(control, line)
  expect(level('global-default').queues.seatsInUse).toBe(want)
})

test('a level in need borrows what others do not use, at the next adjustment', async () => {
  const { control, level, clock } = open()
  const { nominal } = level('global-default').bounds
  const asked = Array.from({ length: nominal + 100 }, (_, index) => ask(control, get, user(`user-${index}`)))
  clock.advance(9_000)
  expect(level('global-default').queues.executing).toBe(nominal)
  control.adjust()
  expect(level('global-default').queues.limit).toBeGreaterThan(nominal)
  expect(level('global-default').queues.waiting).toBe(0)
  for (const { admitted } of asked) (await admitted)?.leave()
})

test('a level that is removed goes when its requests have, and its schemas dangle', () => {
  const { control, level } = open()
  const running = ask(control, get)
  const without = levels.filter(({ metadata }) => metadata.name !== 'global-default')
  expect([...control.configure(schemas, without)]).toEqual(['global-default'])
  expect(level('global-default').isQuiescing).toBe(true)
  expect(ask(control, get).fake.headers.get('x-kubernetes-pf-flowschema-uid')).toBe('fs-catch-all')
  running.leave()
  control.adjust()
  expect(level('global-default')).toBeUndefined()
})

test('a new schema is used by the next request', () => {
  const { control } = open()
  ask(control, get)
  const mine: FlowSchema = {
    ...withUid({ ...schemas[0]!, metadata: { name: 'mine' } }, 'fs'),
    spec: {
      ...schemas[0]!.spec,
      matchingPrecedence: 3,
      rules: [{ ...schemas[0]!.spec.rules![0]!, subjects: [{ kind: 'User', user: { name: 'jane' } }] }],
    },
  }
  control.configure([...schemas, mine], levels)
  expect(ask(control, get).fake.headers.get('x-kubernetes-pf-flowschema-uid')).toBe('fs-mine')
})

test('the metrics tell what runs, waits, ran and was refused', async () => {
  const { control, metrics, clock } = open({ serverLimit: 12 })
  const small: PriorityLevelConfiguration[] = levels.map((one) =>
    one.metadata.name === 'global-default'
      ? {
          ...one,
          spec: {
            type: 'Limited',
            limited: {
              nominalConcurrencyShares: 1,
              limitResponse: { type: 'Queue', queuing: { queues: 1, handSize: 1, queueLengthLimit: 1 } },
            },
          },
        }
      : one,
  )
  control.configure(schemas, small)
  const [running, waiting] = [ask(control, get), ask(control, get), ask(control, get)]
  const labels = '{priority_level="global-default",flow_schema="global-default"}'
  const text = metrics.text()
  expect(text).toContain(`apiserver_flowcontrol_current_executing_requests${labels} 1\n`)
  expect(text).toContain(`apiserver_flowcontrol_current_inqueue_requests${labels} 1\n`)
  expect(text).toContain(`apiserver_flowcontrol_dispatched_requests_total${labels} 1\n`)
  expect(text).toMatch(/apiserver_flowcontrol_rejected_requests_total\{.*"global-default",reason="queue-full"\} 1\n/)
  expect(text).toContain('apiserver_flowcontrol_nominal_limit_seats{priority_level="global-default"} 1\n')
  clock.advance(2_000)
  running!.leave()
  expect(await waiting!.admitted).toBeDefined()
  const waited =
    'apiserver_flowcontrol_request_wait_duration_seconds_sum{priority_level="global-default",flow_schema="global-default",execute="true"}'
  expect(metrics.text()).toContain(`${waited} 2\n`)
})

test('the debugging tables show levels, queues and who waits', () => {
  const { control, level } = open({ serverLimit: 7 })
  const dump = dumpEndpoint(
    () => control.levels(),
    (ms) => new Date(Date.UTC(2026, 0, 1) + ms),
  )
  const { limit } = level('global-default').queues
  for (let count = 0; count <= limit; count++) ask(control, get)
  const table = (name: string) => {
    const fake = fakeExchange(`/debug/api_priority_and_fairness/${name}`)
    expect(dump(fake.exchange, `/debug/api_priority_and_fairness/${name.split('?')[0]}`)).toBe(true)
    return fake.answer!.body
  }
  expect(table('dump_priority_levels')).toMatch(/^exempt, +<none>,/m)
  expect(table('dump_priority_levels')).toMatch(new RegExp(`^global-default, +1, +false, +false, +1, +${limit}$`, 'm'))
  expect(table('dump_queues')).toMatch(/^global-default, +\d+, +1, +\d, +\d, +[\d.]+, +1$/m)
  const row = /^global-default, +global-default, +\d+, +0, +jane, +2026-01-01T00:00:00.000Z, +1, +0, +0s/m
  expect(table('dump_requests')).toMatch(row)
  expect(table('dump_requests?includeRequestDetails=1')).toContain('/api/v1/namespaces/a/pods/x')
  expect(dump(fakeExchange('/debug').exchange, '/debug/api_priority_and_fairness/other')).toBe(false)
})
