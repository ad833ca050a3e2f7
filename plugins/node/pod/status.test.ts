import type { Pod } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { expect, test } from 'vitest'
import { exited, running, sandbox, spec, type ViewParts, view } from '../testing/views.ts'
import { podStatus } from './status.ts'

const backoffs = new Map([['main', { delayMs: 80_000, updatedAtMs: 995_000 }]])
const deleted = { deletionTimestamp: '2026-01-01T00:00:00Z' }
const pull = { reason: 'ErrImagePull', message: 'no such image', count: 1, retryAtMs: 2e6 }

const cases: (ViewParts & { name: string; want: object })[] = [
  {
    name: 'before its sandbox is Pending',
    sandboxes: [],
    want: {
      phase: 'Pending',
      containerStatuses: [{ state: { waiting: { reason: 'ContainerCreating' } }, ready: false }],
    },
  },
  {
    name: 'with init containers to come is initializing',
    spec: { initContainers: [spec('init')] },
    want: {
      phase: 'Pending',
      initContainerStatuses: [{ state: { waiting: { reason: 'PodInitializing' } } }],
      containerStatuses: [{ state: { waiting: { reason: 'PodInitializing' } } }],
    },
  },
  {
    name: 'whose image cannot be pulled says so',
    memory: { failures: new Map([['pull:main', pull]]) },
    want: { containerStatuses: [{ state: { waiting: { reason: 'ErrImagePull', message: 'no such image' } } }] },
  },
  {
    name: 'that runs has an address',
    containers: [running()],
    want: { phase: 'Running', podIP: '10.0.0.7', podIPs: [{ ip: '10.0.0.7' }], hostIP: '192.0.2.1' },
  },
  {
    name: 'on the host network has the address of the host',
    ...{
      containers: [running()],
      spec: { hostNetwork: true },
      sandboxes: [{ ...sandbox(), network: { additionalIps: [] } }],
    },
    want: { podIP: '192.0.2.1', hostIPs: [{ ip: '192.0.2.1' }] },
  },
  {
    name: 'that crashes waits for its restart',
    ...{ containers: [exited(3, 995)], memory: { backoffs } },
    want: {
      phase: 'Running',
      containerStatuses: [
        {
          restartCount: 0,
          state: {
            waiting: {
              reason: 'CrashLoopBackOff',
              message: 'back-off 1m20s restarting failed container=main pod=web_shop(u-1)',
            },
          },
          lastState: { terminated: { exitCode: 3, reason: 'Error', finishedAt: '1970-01-01T00:16:35Z' } },
        },
      ],
    },
  },
  {
    name: 'that was restarted shows how it ended before',
    containers: [exited(3, 900), running('main', 1)],
    want: {
      containerStatuses: [{ restartCount: 1, state: { running: {} }, lastState: { terminated: { exitCode: 3 } } }],
    },
  },
  {
    name: 'whose containers ended well Succeeded',
    ...{ spec: { restartPolicy: 'Never' }, containers: [exited(0)], want: { phase: 'Succeeded' } },
  },
  {
    name: 'of which one container failed Failed',
    spec: { restartPolicy: 'Never', containers: [spec('main'), spec('other')] },
    ...{ containers: [exited(0), exited(1, 990, 'other')], want: { phase: 'Failed' } },
  },
  {
    name: 'whose sidecar still runs is not over',
    spec: { restartPolicy: 'Never', initContainers: [spec('proxy', { restartPolicy: 'Always' })] },
    ...{ containers: [exited(0), running('proxy')], want: { phase: 'Running' } },
  },
  {
    name: 'that failed to initialize Failed',
    spec: { restartPolicy: 'Never', initContainers: [spec('init')] },
    ...{ containers: [exited(1, 990, 'init')], want: { phase: 'Failed' } },
  },
  {
    name: 'that was deleted ends as its containers did',
    ...{
      metadata: deleted,
      containers: [exited(143)],
      want: { phase: 'Failed', containerStatuses: [{ state: { terminated: { exitCode: 143 } } }] },
    },
  },
  {
    name: 'that was refused says why',
    ...{ sandboxes: [], memory: { failed: { reason: 'OutOfcpu', message: 'full' } } },
    want: { phase: 'Failed', reason: 'OutOfcpu', message: 'full' },
  },
  {
    name: 'whose container was lost says that it is unknown how it ended',
    spec: { restartPolicy: 'Never' },
    sandboxes: [],
    status: {
      containerStatuses: [
        {
          name: 'main',
          image: '',
          imageID: '',
          ready: true,
          restartCount: 0,
          containerID: 'x://1',
          state: { running: {} },
        },
      ],
    },
    want: {
      phase: 'Failed',
      containerStatuses: [{ state: { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } } }],
    },
  },
]

test.each(cases)('a pod $name', ({ want, name: _, ...parts }) => expect(podStatus(view(parts))).toMatchObject(want))

const conditionsOf = (parts: ViewParts) =>
  Object.fromEntries((podStatus(view(parts)).conditions ?? []).map((one) => [one.type, one]))

test('conditions say what a pod waits for', () => {
  const waiting = conditionsOf({ spec: { initContainers: [spec('init')] } })
  expect(waiting.Initialized).toMatchObject({
    ...{ status: 'False', reason: 'ContainersNotInitialized', message: 'containers with incomplete status: [init]' },
  })
  expect(waiting.Ready).toMatchObject({
    ...{ status: 'False', reason: 'ContainersNotReady', message: 'containers with unready status: [main]' },
  })
  expect(conditionsOf({ containers: [running()] }).Ready).toMatchObject({ status: 'True' })
})

test('a readiness gate holds a pod back until its condition is true', () => {
  const gated: ViewParts = {
    spec: { readinessGates: [{ conditionType: 'example.com/gate' }] },
    containers: [running()],
  }
  expect(conditionsOf(gated).Ready).toMatchObject({ status: 'False', reason: 'ReadinessGatesNotReady' })
  const open = { type: 'example.com/gate', status: 'True' }
  const conditions = conditionsOf({ ...gated, status: { conditions: [open] } })
  expect(conditions.Ready?.status).toBe('True')
  expect(conditions['example.com/gate']).toEqual(open)
})

test('a condition keeps its time while it keeps its status', () => {
  const status: Pod['status'] = podStatus(view({ containers: [running()], now: 1000 }))
  expect(podStatus(view({ containers: [running()], now: 2000, status }))).toEqual(status)
  const changed = podStatus(view({ containers: [exited(1)], now: 2000, status }))
  expect(changed.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime).toBe('1970-01-01T00:33:20Z')
})
