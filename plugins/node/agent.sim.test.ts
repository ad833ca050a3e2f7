import type { Lease } from '@keelson/apis/coordination/v1/zz_generated.types.ts'
import { leases } from '@keelson/apis/coordination/v1/zz_generated.types.ts'
import type { Node, Pod } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { nodes, pods } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { expect, test } from 'vitest'
import { container, loadRuntime, startAgent } from './testing/harness.ts'

const start = async (config = {}) => startAgent(await loadRuntime('sim'), config)

const condition = (pod: Pod, type: string) => pod.status?.conditions?.find((one) => one.type === type)
const isReady = (pod: Pod) => condition(pod, 'Ready')?.status === 'True'

test('a pod becomes ready, with what the API is to know of it', async () => {
  await using agent = await start()
  await agent.create('web', { containers: [container()] }, { generation: 1 })
  const pod = await agent.until('web', isReady)
  expect(pod.status).toMatchObject({
    ...{ phase: 'Running', hostIP: '127.0.0.1', qosClass: 'BestEffort', podIP: expect.stringMatching(/^10\.88\./) },
    containerStatuses: [
      {
        ...{ name: 'main', ready: true, started: true, restartCount: 0 },
        containerID: expect.stringMatching(/^sim:\/\/[0-9a-f]{64}$/),
        state: { running: { startedAt: expect.any(String) } },
      },
    ],
  })
  expect(pod.status?.podIPs).toEqual([{ ip: pod.status?.podIP }])
  for (const type of ['PodScheduled', 'Initialized', 'ContainersReady', 'PodReadyToStartContainers']) {
    expect(condition(pod, type)?.status).toBe('True')
  }
})

test('a simple pod is written once', async () => {
  await using agent = await start()
  await agent.create('web', { containers: [container()] })
  await agent.until('web', isReady)
  const writes = agent.client.writes.filter(({ resource, verb }) => resource === 'pods' && verb === 'patch')
  expect(writes).toHaveLength(1)
})

test('a pod that is deleted ends, then goes', async () => {
  await using agent = await start()
  await agent.create('web', { containers: [container()] })
  await agent.until('web', isReady)
  await agent.client.resource<Pod>(pods).in('default').delete('web')
  await agent.untilGone('web')
  const last = agent.client.writes.filter(({ resource }) => resource === 'pods').at(-1)
  expect(last).toMatchObject({
    verb: 'delete',
    body: { gracePeriodSeconds: 0, preconditions: { uid: expect.any(String) } },
  })
})

test.each([
  { policy: 'Never' as const, code: 0, phase: 'Succeeded', reason: 'Completed' },
  { policy: 'Never' as const, code: 3, phase: 'Failed', reason: 'Error' },
  { policy: 'OnFailure' as const, code: 0, phase: 'Succeeded', reason: 'Completed' },
])('containers that end with $code under $policy make the pod $phase', async ({ policy, code, phase, reason }) => {
  await using agent = await start()
  const annotations = { 'sim.keelson.dev/run-ms': '5', 'sim.keelson.dev/exit-code': String(code) }
  await agent.create('job', { restartPolicy: policy, containers: [container()] }, { annotations })
  const pod = await agent.until('job', ({ status }) => status?.phase === phase)
  expect(pod.status?.containerStatuses?.[0]).toMatchObject({
    restartCount: 0,
    state: { terminated: { exitCode: code, reason } },
  })
  expect(isReady(pod)).toBe(false)
})

test('a container that keeps failing is restarted, ever later', async () => {
  await using agent = await start()
  const annotations = { 'sim.keelson.dev/run-ms': '1', 'sim.keelson.dev/exit-code': '2' }
  await agent.create('crash', { containers: [container()] }, { annotations })
  const waiting = await agent.until('crash', ({ status }) => status?.containerStatuses?.[0]?.state?.waiting)
  expect(waiting.status?.containerStatuses?.[0]).toMatchObject({
    state: {
      waiting: {
        reason: 'CrashLoopBackOff',
        message: expect.stringMatching(/^back-off \S+ restarting failed container=main pod=crash_default\(/),
      },
    },
    lastState: { terminated: { exitCode: 2, reason: 'Error' } },
  })
  await agent.until('crash', ({ status }) => (status?.containerStatuses?.[0]?.restartCount ?? 0) >= 3)
})

test('init containers run in order, before the others', async () => {
  await using agent = await start()
  const annotations = { 'sim.keelson.dev/run-ms': '5' }
  const initContainers = [container({ name: 'first' }), container({ name: 'second' })]
  await agent.create('web', { restartPolicy: 'Never', initContainers, containers: [container()] }, { annotations })
  const pod = await agent.until('web', ({ status }) => status?.phase === 'Succeeded')
  const startOf = (name: string) => agent.events('web').indexOf(`Started: Container started: ${name}`)
  await agent.client.waitFor(() => startOf('main') >= 0)
  expect(startOf('first')).toBeLessThan(startOf('second'))
  expect(startOf('second')).toBeLessThan(startOf('main'))
  expect(pod.status?.initContainerStatuses?.map(({ state }) => state?.terminated?.exitCode)).toEqual([0, 0])
})

test('an image that cannot be pulled is tried again and reported', async () => {
  await using agent = await start()
  const annotations = { 'sim.keelson.dev/fail-image': 'broken:1' }
  await agent.create('web', { containers: [container({ image: 'broken:1' })] }, { annotations })
  const reasonIs = (reason: string) => (pod: Pod) =>
    pod.status?.containerStatuses?.[0]?.state?.waiting?.reason === reason
  await agent.until('web', reasonIs('ImagePullBackOff'))
  expect(agent.events('web').join('\n')).toContain('Failed: Error: ErrImagePull')
})

test('a missing ConfigMap is waited for', async () => {
  await using agent = await start()
  const env = [{ name: 'COLOUR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'colour' } } }]
  await agent.create('web', { containers: [container({ env })] })
  const waiting = await agent.until('web', ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.message)
  expect(waiting.status?.containerStatuses?.[0]?.state?.waiting).toEqual({
    reason: 'CreateContainerConfigError',
    message: 'configmap "settings" not found',
  })
  const { configmaps } = await import('@keelson/apis/core/v1/zz_generated.types.ts')
  const settings = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { colour: 'red' } }
  await agent.client.resource(configmaps).in('default').create(settings)
  await agent.until('web', isReady)
  const [{ id = '' } = {}] = await agent.runtime.listContainers()
  expect(Buffer.from((await agent.runtime.execSync(id, ['env'], 1)).stdout).toString()).toContain('COLOUR=red\n')
})

test('a restarted agent adopts what runs, and removes what should not', async () => {
  await using agent = await start()
  await agent.create('stays', { containers: [container()] })
  await agent.create('goes', { containers: [container()] })
  const before = await agent.until('stays', isReady)
  const goes = await agent.until('goes', isReady)
  const restarting = agent.restart()
  await agent.client.resource<Pod>(pods).in('default').delete('goes', { gracePeriodSeconds: 0 })
  await restarting
  const stop = new AbortController()
  for await (const _ of agent.runtime.events(stop.signal)) {
    const left = (await agent.runtime.listPodSandbox()).map(({ metadata }) => metadata.uid)
    if (!left.includes(goes.metadata.uid ?? '')) stop.abort()
  }
  expect(agent.pod('stays')?.status?.containerStatuses).toEqual(before.status?.containerStatuses)
})

test('a pod that does not fit the node fails', async () => {
  await using agent = await start()
  const resources = { requests: { cpu: '1000' } }
  await agent.create('big', { containers: [container({ resources })] })
  const pod = await agent.until('big', ({ status }) => status?.phase === 'Failed')
  expect(pod.status).toMatchObject({
    reason: 'OutOfcpu',
    message: "Pod was rejected: Node didn't have enough resource: cpu, requested: 1000000, used: 0, capacity: 32000",
  })
})

test('a pod that outlives its deadline fails', async () => {
  await using agent = await start()
  await agent.create('slow', { activeDeadlineSeconds: 1, containers: [container()] })
  const pod = await agent.until('slow', ({ status }) => status?.phase === 'Failed')
  expect(pod.status?.reason).toBe('DeadlineExceeded')
})

test('a thousand nodes register and are ready, each with its Lease, behind one watch of pods', async () => {
  await using agent = await start({ nodes: 1000, namePrefix: 'sim-' })
  const all = agent.client.stored<Node>(nodes)
  expect(all).toHaveLength(1000)
  const isNodeReady = ({ status }: Node) =>
    status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True')
  expect(all.every(isNodeReady)).toBe(true)
  expect(agent.client.stored<Lease>(leases)).toHaveLength(1000)
  const { daemonEndpoints, allocatable, nodeInfo } = all[999]?.status ?? {}
  expect(daemonEndpoints?.kubeletEndpoint?.Port).toBeGreaterThan(0)
  expect(allocatable).toMatchObject({ cpu: '32', pods: '110' })
  expect(nodeInfo?.containerRuntimeVersion).toBe('sim://0.1.0')
  expect(all[999]?.metadata.labels?.['kubernetes.io/hostname']).toBe('sim-999')
  await agent.create('web', { nodeName: 'sim-999', containers: [container()] })
  await agent.until('web', isReady)
})
