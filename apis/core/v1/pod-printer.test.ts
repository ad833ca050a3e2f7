import { expect, test } from 'vitest'
import { podPrinter } from './pod-printer.ts'
import type { ContainerState, ContainerStatus, Pod, PodSpec, PodStatus } from './zz_generated.types.ts'

const now = Date.parse('2026-01-01T01:00:00Z')

const status = (name: string, state: ContainerState, more: Partial<ContainerStatus> = {}): ContainerStatus => ({
  name,
  state,
  image: 'i',
  imageID: 'i',
  ready: false,
  restartCount: 0,
  ...more,
})
const running = (name: string, more: Partial<ContainerStatus> = {}) =>
  status(name, { running: { startedAt: '2026-01-01T00:00:00Z' } }, { ready: true, ...more })

function pod(status: PodStatus, spec: Partial<PodSpec> = {}, metadata: Pod['metadata'] = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', creationTimestamp: '2026-01-01T00:00:00Z', ...metadata },
    spec: { containers: [{ name: 'a' }, { name: 'b' }], ...spec },
    status,
  }
}

const init = { initContainers: [{ name: 'i' }, { name: 'j' }] }
const sidecar = { initContainers: [{ name: 'i', restartPolicy: 'Always' as const }] }
const deleted = { deletionTimestamp: '2026-01-01T00:30:00Z' }
const crashed = status(
  'a',
  { waiting: { reason: 'CrashLoopBackOff' } },
  { restartCount: 4, lastState: { terminated: { exitCode: 1, finishedAt: '2026-01-01T00:55:00Z' } } },
)
const done = (reason?: string) => ({ terminated: { exitCode: 0, reason } })

const cases: { name: string; pod: Pod; want: [ready: string, status: string, restarts: string] }[] = [
  { name: 'a new pod', pod: pod({ phase: 'Pending' }), want: ['0/2', 'Pending', '0'] },
  {
    name: 'a pod that runs',
    pod: pod({ phase: 'Running', containerStatuses: [running('a'), running('b')] }),
    want: ['2/2', 'Running', '0'],
  },
  {
    name: 'containers being created',
    pod: pod({ phase: 'Pending', containerStatuses: [status('a', { waiting: { reason: 'ContainerCreating' } })] }),
    want: ['0/2', 'ContainerCreating', '0'],
  },
  {
    name: 'a crash loop',
    pod: pod({ phase: 'Running', containerStatuses: [crashed, running('b')] }),
    want: ['1/2', 'CrashLoopBackOff', '4 (5m ago)'],
  },
  {
    name: 'restarts without a time',
    pod: pod({
      phase: 'Running',
      containerStatuses: [running('a', { restartCount: 2 }), running('b', { restartCount: 1 })],
    }),
    want: ['2/2', 'Running', '3'],
  },
  {
    name: 'all done',
    pod: pod({
      phase: 'Succeeded',
      containerStatuses: [status('a', done('Completed')), status('b', done('Completed'))],
    }),
    want: ['0/2', 'Completed', '0'],
  },
  {
    name: 'an error',
    pod: pod({ phase: 'Failed', containerStatuses: [status('a', { terminated: { exitCode: 2, reason: 'Error' } })] }),
    want: ['0/2', 'Error', '0'],
  },
  {
    name: 'an exit code without a reason',
    pod: pod({ phase: 'Failed', containerStatuses: [status('a', { terminated: { exitCode: 3 } })] }),
    want: ['0/2', 'ExitCode:3', '0'],
  },
  {
    name: 'a signal',
    pod: pod({ phase: 'Failed', containerStatuses: [status('a', { terminated: { exitCode: 137, signal: 9 } })] }),
    want: ['0/2', 'Signal:9', '0'],
  },
  {
    name: 'one done while the other runs, ready',
    pod: pod({
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [status('a', done('Completed')), running('b')],
    }),
    want: ['1/2', 'Running', '0'],
  },
  {
    name: 'one done while the other runs, not ready',
    pod: pod({ phase: 'Running', containerStatuses: [status('a', done('Completed')), running('b')] }),
    want: ['1/2', 'NotReady', '0'],
  },
  {
    name: 'the first init container at work',
    pod: pod(
      {
        phase: 'Pending',
        initContainerStatuses: [running('i'), status('j', { waiting: { reason: 'PodInitializing' } })],
      },
      init,
    ),
    want: ['0/2', 'Init:0/2', '0'],
  },
  {
    name: 'the second init container at work',
    pod: pod({ phase: 'Pending', initContainerStatuses: [status('i', done()), running('j')] }, init),
    want: ['0/2', 'Init:1/2', '0'],
  },
  {
    name: 'a failed init container',
    pod: pod(
      { phase: 'Pending', initContainerStatuses: [status('i', { terminated: { exitCode: 1, reason: 'Error' } })] },
      init,
    ),
    want: ['0/2', 'Init:Error', '0'],
  },
  {
    name: 'an init container that ended with a signal',
    pod: pod(
      { phase: 'Pending', initContainerStatuses: [status('i', { terminated: { exitCode: 137, signal: 9 } })] },
      init,
    ),
    want: ['0/2', 'Init:Signal:9', '0'],
  },
  {
    name: 'an init container that ended without a reason',
    pod: pod({ phase: 'Pending', initContainerStatuses: [status('i', { terminated: { exitCode: 7 } })] }, init),
    want: ['0/2', 'Init:ExitCode:7', '0'],
  },
  {
    name: 'an init container in a crash loop',
    pod: pod(
      {
        phase: 'Pending',
        initContainerStatuses: [status('i', { waiting: { reason: 'CrashLoopBackOff' } }, { restartCount: 3 })],
      },
      init,
    ),
    want: ['0/2', 'Init:CrashLoopBackOff', '3'],
  },
  {
    name: 'restarts of init containers no longer, once they are done',
    pod: pod(
      {
        phase: 'Running',
        conditions: [{ type: 'Initialized', status: 'True' }],
        initContainerStatuses: [status('i', done(), { restartCount: 3 }), status('j', done())],
        containerStatuses: [running('a'), running('b')],
      },
      init,
    ),
    want: ['2/2', 'Running', '0'],
  },
  {
    name: 'a sidecar among the ready',
    pod: pod(
      {
        phase: 'Running',
        initContainerStatuses: [running('i', { started: true, restartCount: 1 })],
        containerStatuses: [running('a'), running('b')],
      },
      sidecar,
    ),
    want: ['3/3', 'Running', '1'],
  },
  { name: 'a reason', pod: pod({ phase: 'Failed', reason: 'Evicted' }), want: ['0/2', 'Evicted', '0'] },
  {
    name: 'a scheduling gate',
    pod: pod({ phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] }),
    want: ['0/2', 'SchedulingGated', '0'],
  },
  {
    name: 'a deletion',
    pod: pod({ phase: 'Running', containerStatuses: [running('a'), running('b')] }, {}, deleted),
    want: ['2/2', 'Terminating', '0'],
  },
  {
    name: 'a deletion of what has ended',
    pod: pod({ phase: 'Failed', reason: 'Error' }, {}, deleted),
    want: ['0/2', 'Error', '0'],
  },
  {
    name: 'a deletion on a lost node',
    pod: pod({ phase: 'Running', reason: 'NodeLost' }, {}, deleted),
    want: ['0/2', 'Unknown', '0'],
  },
]

test.each(cases)('pods show $name', ({ pod, want }) => {
  expect(podPrinter.row(pod, now).slice(0, 5)).toEqual(['web', ...want, '60m'])
})

test('the wide columns are <none> until known', () => {
  expect(podPrinter.row(pod({}), now).slice(5)).toEqual(['<none>', '<none>', '<none>', '<none>'])
  const known = pod(
    {
      podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }],
      nominatedNodeName: 'n2',
      conditions: [{ type: 'example.com/a', status: 'True' }],
    },
    { nodeName: 'n1', readinessGates: [{ conditionType: 'example.com/a' }, { conditionType: 'example.com/b' }] },
  )
  expect(podPrinter.row(known, now).slice(5)).toEqual(['10.0.0.1', 'n1', 'n2', '1/2'])
})
