import { expect, test } from 'vitest'
import { created, exited, running, sandbox, spec, type ViewParts, view } from '../testing/views.ts'
import type { ProbeState } from './model.ts'
import { keyOf, plan } from './plan.ts'

interface Case extends ViewParts {
  name: string
  want: string[]
  wakeAt?: number
}

const deleted = { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 5 }
const images = (...names: string[]) => new Map(names.map((name) => [name, { ref: 'x' }]))
const init = { initContainers: [spec('init')] }
const sidecar = { initContainers: [spec('proxy', { restartPolicy: 'Always' })] }
const failure = (retryAt: number) => ({ reason: 'x', message: 'x', count: 1, retryAtMs: retryAt * 1000 })
const probe = (state: Partial<ProbeState>): ProbeState => ({ started: true, ready: true, ...state })
const ending = { endingSinceMs: 1_000_000 }

const cases: Case[] = [
  {
    name: 'a new pod needs its volumes, its sandbox and its image, all at once',
    ...{ sandboxes: [], memory: { volumesMounted: 0, images: new Map() } },
    want: ['mountVolumes', 'runSandbox', 'pull:main'],
  },
  { name: 'what is under way is not done twice', sandboxes: [], memory: { busy: new Set(['runSandbox']) }, want: [] },
  { name: 'with all there the container starts', want: ['start:main'] },
  { name: 'no container starts before the volumes', memory: { volumesMounted: 0 }, want: ['mountVolumes'] },
  {
    name: 'volumes are refreshed while containers run',
    ...{ memory: { volumesWanted: 2 }, containers: [running()], want: ['mountVolumes'] },
  },
  { name: 'what runs is left alone', containers: [running()], want: [] },
  {
    name: 'a failed mount is tried again later',
    memory: { volumesMounted: 0, failures: new Map([['volumes', failure(1005)]]) },
    ...{ want: [], wakeAt: 1005 },
  },
  {
    name: 'a failed pull is tried again later',
    memory: { images: new Map(), failures: new Map([['pull:main', failure(1005)]]) },
    ...{ want: [], wakeAt: 1005 },
  },
  {
    name: 'a failed start is tried again when its time has come',
    memory: { failures: new Map([['start:main', failure(1000)]]) },
    want: ['start:main'],
  },
  { name: 'init containers go first', spec: init, memory: { images: images('init', 'main') }, want: ['start:init'] },
  { name: 'a running init container is waited for', spec: init, containers: [running('init')], want: [] },
  {
    name: 'after the init containers the others start',
    ...{ spec: init, containers: [exited(0, 990, 'init')], want: ['start:main'] },
  },
  {
    name: 'a failed init container is retried',
    ...{ spec: init, containers: [exited(1, 990, 'init')], memory: { images: images('init') }, want: ['start:init'] },
  },
  {
    name: 'a sidecar lets the others start once it is up',
    ...{ spec: sidecar, containers: [running('proxy')], want: ['start:main'] },
  },
  {
    name: 'a sidecar that is not up yet holds the others back',
    ...{
      spec: sidecar,
      containers: [running('proxy')],
      memory: { probes: new Map([['proxy-0', probe({ started: false })]]) },
    },
    want: [],
  },
  {
    name: 'a sidecar whose postStart hook runs holds the others back',
    ...{ spec: sidecar, containers: [running('proxy')], memory: { hooked: new Set(['proxy-0']) }, want: [] },
  },
  {
    name: 'a sidecar is restarted while the others run',
    spec: sidecar,
    containers: [exited(0, 990, 'proxy'), running()],
    memory: { images: images('proxy') },
    want: ['start:proxy'],
  },
  { name: 'the first restart is immediate', containers: [exited(1)], want: ['start:main'] },
  {
    name: 'the next restart waits',
    containers: [exited(1, 995, 'main', 1)],
    memory: { backoffs: new Map([['main', { delayMs: 10_000, updatedAtMs: 990_000 }]]) },
    ...{ want: ['announceBackOff:main-1'], wakeAt: 1005 },
  },
  {
    name: 'what ended well is not restarted on failure only',
    ...{ spec: { restartPolicy: 'OnFailure' }, containers: [exited(0)], want: ['stopSandbox:s0'] },
  },
  {
    name: 'what failed is restarted on failure',
    ...{ spec: { restartPolicy: 'OnFailure' }, containers: [exited(2)], want: ['start:main'] },
  },
  {
    name: 'a failed container may stay down while another runs',
    spec: { restartPolicy: 'Never', containers: [spec('main'), spec('other')] },
    containers: [exited(2), running('other')],
    want: [],
  },
  {
    name: 'an unhealthy container is killed',
    ...{
      containers: [running()],
      memory: { probes: new Map([['main-0', probe({ unhealthy: 'sick', graceSeconds: 2 })]]) },
    },
    want: ['kill:main-0:1002000'],
  },
  {
    name: 'a container of another definition is killed',
    containers: [{ ...running(), annotations: { 'io.kubernetes.container.hash': 'old' } }],
    want: ['kill:main-0:1030000'],
  },
  {
    name: 'a container that was created and never started makes way',
    ...{ containers: [created()], want: ['removeContainer:main-0'] },
  },
  {
    name: 'of old attempts the last but one stays',
    containers: [exited(1, 900, 'main', 0), exited(1, 910, 'main', 1), running('main', 2)],
    want: ['removeContainer:main-0'],
  },
  {
    name: 'what runs in a dead sandbox ends before a new one',
    ...{ sandboxes: [sandbox(0, 'SANDBOX_NOTREADY')], containers: [running()], want: ['stopSandbox:s0'] },
  },
  {
    name: 'a dead sandbox is replaced',
    ...{
      sandboxes: [sandbox(0, 'SANDBOX_NOTREADY')],
      containers: [exited(137)],
      want: ['runSandbox'],
    },
  },
  {
    name: 'an old sandbox goes when nothing of it is needed',
    ...{ sandboxes: [sandbox(1), sandbox(0, 'SANDBOX_NOTREADY')], containers: [running('main', 1, 's1')] },
    want: ['removeSandbox:s0'],
  },
  {
    name: 'in a new sandbox initialization starts over',
    spec: init,
    sandboxes: [sandbox(1), sandbox(0, 'SANDBOX_NOTREADY')],
    containers: [exited(0, 900, 'init'), exited(137)],
    memory: { images: images('init') },
    want: ['start:init'],
  },
  {
    name: 'a pod past its deadline fails',
    ...{
      spec: { activeDeadlineSeconds: 10 },
      status: { startTime: new Date(980_000).toISOString() },
      containers: [running()],
    },
    want: ['fail'],
  },
  {
    name: 'a pod before its deadline is looked at when it comes',
    ...{
      spec: { activeDeadlineSeconds: 30 },
      status: { startTime: new Date(980_000).toISOString() },
      containers: [running()],
    },
    ...{ want: [], wakeAt: 1010 },
  },
  {
    name: 'a deleted pod is ended within its grace',
    ...{ metadata: deleted, memory: ending, containers: [running()], want: ['kill:main-0:1005000'] },
  },
  {
    name: 'a pod that was deleted by force is ended soon',
    ...{ exists: false, memory: ending, containers: [running()], want: ['kill:main-0:1002000'] },
  },
  {
    name: 'a deleted pod keeps its sidecars to the end',
    ...{ metadata: deleted, memory: ending, spec: sidecar, containers: [running('proxy'), running()] },
    want: ['kill:main-0:1005000'],
  },
  {
    name: 'sidecars end in reverse order',
    spec: { initContainers: ['a', 'b'].map((name) => spec(name, { restartPolicy: 'Always' })) },
    ...{ metadata: deleted, memory: ending, containers: [running('a'), running('b'), exited(0)] },
    want: ['kill:b-0:1005000'],
  },
  {
    name: 'a container that is starting is waited for',
    ...{ metadata: deleted, memory: { ...ending, busy: new Set(['start:main']) }, want: [] },
  },
  { name: 'then its sandbox stops', metadata: deleted, containers: [exited(0)], want: ['stopSandbox:s0'] },
  {
    name: 'then its API object may go',
    ...{ metadata: deleted, sandboxes: [sandbox(0, 'SANDBOX_NOTREADY')], containers: [exited(0)], want: ['finish'] },
  },
  {
    name: 'while finalizers hold it there is nothing to do',
    ...{ metadata: deleted, memory: { isFinished: true }, sandboxes: [sandbox(0, 'SANDBOX_NOTREADY')], want: [] },
  },
  {
    name: 'of a pod that is gone the node is cleared',
    ...{
      exists: false,
      sandboxes: [sandbox(0, 'SANDBOX_NOTREADY')],
      containers: [exited(0)],
      want: ['removeSandbox:s0'],
    },
  },
  { name: 'and then forgets it', exists: false, sandboxes: [], want: ['forget'] },
  {
    name: 'a pod is not forgotten while its volumes are written',
    ...{ exists: false, sandboxes: [], memory: { busy: new Set(['mountVolumes']) }, want: [] },
  },
  {
    name: 'a failed pod ends and stays',
    ...{ memory: { failed: { reason: 'x', message: 'x' } }, sandboxes: [sandbox(0, 'SANDBOX_NOTREADY')], want: [] },
  },
  { name: 'a pod that has ended before does not start', status: { phase: 'Succeeded' }, sandboxes: [], want: [] },
  {
    name: 'a container that must run once and was lost is not run again',
    spec: { restartPolicy: 'Never' },
    status: {
      containerStatuses: [{ name: 'main', image: '', imageID: '', ready: true, restartCount: 0, containerID: 'x://1' }],
    },
    ...{ sandboxes: [], want: [] },
  },
  {
    name: 'an ephemeral container starts beside the others, once',
    spec: { ephemeralContainers: [{ name: 'debug' }, { name: 'done' }] },
    containers: [running(), exited(1, 990, 'done')],
    memory: { images: images('debug', 'done') },
    want: ['start:debug'],
  },
]

test.each(cases)('$name', ({ want, wakeAt, ...parts }) => {
  const { actions, wakeAtMs } = plan(view(parts))
  expect(actions.map(keyOf)).toEqual(want)
  expect(wakeAtMs).toBe(wakeAt === undefined ? undefined : wakeAt * 1000)
})

test('attempts count on from what the runtime or the API remembers', () => {
  const attemptOf = (parts: ViewParts) =>
    plan(view(parts)).actions.flatMap((one) => (one.do === 'start' ? one.attempt : []))
  expect(attemptOf({})).toEqual([0])
  expect(attemptOf({ containers: [exited(1, 990, 'main', 4)] })).toEqual([5])
  const known = { name: 'main', image: '', imageID: '', ready: false, restartCount: 7, containerID: 'x://1' }
  expect(attemptOf({ status: { containerStatuses: [known] } })).toEqual([8])
})
