/** Nodes as a control plane sees them, many or gone: simulated, so that there can be thousands. */
import assert from 'node:assert/strict'
import { deployments } from '@keelson/apis/apps/v1/zz_generated.types.ts'
import { type Node, nodes, type Pod, pods } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { deployment, runningPod } from '../runner/fixtures.ts'
import { eventually, parentOf, startSystem, systemTest, withContext } from './testing.ts'

const isReady = ({ status }: Pod) =>
  status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
const containerOf = ({ status }: Pod) => status?.containerStatuses?.[0]?.containerID
const runs = (pod: Pod) => !pod.metadata.deletionTimestamp && pod.status?.phase === 'Running' && isReady(pod)

const unreachable = 'node.kubernetes.io/unreachable'
/** Lets a pod be evicted at once when its node is out of reach. */
const hasty = { key: unreachable, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 0 } as const
const isUnreachable = ({ status, spec }: Node) =>
  status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'Unknown') &&
  spec?.taints?.some(({ key }) => key === unreachable)

systemTest('a thousand nodes become ready and run two thousand pods', 'sim', async () => {
  await using system = await startSystem({ cri: 'sim', nodes: 1_000 })
  await withContext(system, '', async (t) => {
    const ready = (await t.client.resource(nodes).list()).items.filter(({ status }) =>
      status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
    )
    assert.equal(ready.length, 1_000)
    await (await t.in(deployments)).create(deployment(t, 'many', 2_000))
    await t.until(deployments, 'many', ({ status }) => status?.availableReplicas === 2_000)
    const { items } = await (await t.in(pods)).list()
    assert.equal(items.filter(runs).length, 2_000)
    assert.equal(new Set(items.map(({ status }) => status?.podIP)).size, 2_000, 'every pod has its own address')
  })
})

systemTest('simulated pods run again after kill -9 of their agent', 'sim', async () => {
  await using system = await startSystem({ cri: 'sim', nodes: 3 })
  await withContext(system, '', async (t) => {
    const client = await t.in(pods)
    await (await t.in(deployments)).create(deployment(t, 'web', 12))
    await t.until(deployments, 'web', ({ status }) => status?.availableReplicas === 12)
    const before = new Set((await client.list()).items.map(containerOf))
    const agent = await system.agentPid()
    process.kill(agent, 'SIGKILL')
    await system.agentPid(agent)
    await t.eventually(async () => {
      const { items } = await client.list()
      return items.filter((pod) => runs(pod) && !before.has(containerOf(pod))).length === 12
    })
    await t.until(deployments, 'web', ({ status }) => status?.availableReplicas === 12)
    await t.kubectl(['scale', 'deployment/web', '--replicas=15'])
    await t.until(deployments, 'web', ({ status }) => status?.availableReplicas === 15)
  })
})

systemTest('taints keep pods away, evict them, and a drain empties a node', 'sim', async () => {
  await using system = await startSystem({ cri: 'sim', nodes: 2 })
  await withContext(system, '', async (t) => {
    const client = await t.in(pods)
    const on = async (node: string) =>
      (await client.list()).items.filter(({ spec, metadata }) => spec?.nodeName === node && !metadata.deletionTimestamp)
    const tolerations = [{ key: 'maintenance', operator: 'Exists' as const }]
    await client.create(runningPod(t, 'tolerates', { nodeName: 'node-0', tolerations }))
    await (await t.in(deployments)).create(deployment(t, 'web', 4))
    await t.until(deployments, 'web', ({ status }) => status?.availableReplicas === 4)
    await t.until(pods, 'tolerates', isReady)
    await t.kubectl(['taint', 'nodes', 'node-0', 'maintenance=now:NoExecute'])
    await t.eventually(
      async () => (await on('node-0')).length === 1 && (await on('node-1')).filter(isReady).length === 4,
    )
    assert.deepEqual(
      (await on('node-0')).map(({ metadata }) => metadata.name),
      ['tolerates'],
    )
    await t.kubectl(['taint', 'nodes', 'node-0', 'maintenance-'])
    await t.kubectl(['drain', 'node-1', '--force', '--ignore-daemonsets', '--timeout=90s'])
    assert.deepEqual(await on('node-1'), [])
    await t.eventually(async () => (await on('node-0')).filter(isReady).length === 5)
    assert.match((await t.kubectl(['get', 'node', 'node-1'])).stdout, /Ready,SchedulingDisabled/)
    await t.kubectl(['uncordon', 'node-1'])
  })
})

systemTest(
  'nodes whose agent has stopped are NotReady, and recover; with all of them gone nothing is evicted',
  'sim',
  async () => {
    await using system = await startSystem({ cri: 'sim', nodes: 2 })
    await withContext(system, '', async (t) => {
      await (await t.in(pods)).create(runningPod(t, 'patient', { tolerations: [hasty] }))
      await t.until(pods, 'patient', isReady)
      const agent = await system.agentPid()
      await t.kubectl(['patch', 'plugin', 'node', '--type=merge', '-p', '{"spec":{"enabled":false}}'])
      await eventually(async () => (await parentOf(agent)) === undefined)
      for (const node of ['node-0', 'node-1']) await t.until(nodes, node, isUnreachable)
      assert.match((await t.kubectl(['get', 'nodes'])).stdout, /^node-0\s+NotReady\s/m)
      const patient = await t.until(pods, 'patient', (pod) => !isReady(pod))
      assert.equal(patient.metadata.deletionTimestamp, undefined)
      await t.kubectl(['patch', 'plugin', 'node', '--type=merge', '-p', '{"spec":{"enabled":true}}'])
      await t.until(pods, 'patient', isReady)
      for (const node of ['node-0', 'node-1']) await t.until(nodes, node, ({ spec }) => !spec?.taints?.length)
    })
  },
)

systemTest(
  'a node that falls silent loses the pods that do not tolerate it, and with its object all',
  'sim',
  async () => {
    await using system = await startSystem({ cri: 'sim', nodes: 1 })
    await withContext(system, '', async (t) => {
      const condition = { type: 'Ready', status: 'True' as const, reason: 'KubeletReady', message: '' }
      await t.client
        .resource(nodes)
        .create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'ghost' }, status: { conditions: [condition] } })
      const client = await t.in(pods)
      await client.create(runningPod(t, 'hasty', { nodeName: 'ghost', tolerations: [hasty] }))
      await client.create(runningPod(t, 'patient', { nodeName: 'ghost' }))
      const { spec } = await t.until(nodes, 'ghost', isUnreachable)
      assert.ok(spec?.taints?.some(({ key, effect }) => key === unreachable && effect === 'NoExecute'))
      await t.until(pods, 'hasty', ({ metadata }) => metadata.deletionTimestamp)
      assert.equal((await client.get('patient')).metadata.deletionTimestamp, undefined)
      await t.kubectl(['delete', 'node', 'ghost'])
      for (const name of ['hasty', 'patient']) await t.untilGone(pods, name)
    })
  },
)
