/** Running workloads outlive every process of the control plane, and are found again by what comes after it. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { deployments } from '@keelson/apis/apps/v1/zz_generated.types.ts'
import { configmaps, type Node, nodes, type Pod, pods } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { configMap, container, deployment, runningPod } from '../runner/fixtures.ts'
import { kubectlBinary } from '../runner/kubectl.ts'
import {
  eventually,
  parentOf,
  type System,
  type SystemContext,
  startSystem,
  systemTest,
  withContext,
} from './testing.ts'

const run = promisify(execFile)
const namespace = 'default'

const isReady = ({ status }: Pod) =>
  status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
const stateOf = ({ status }: Pod) => status?.containerStatuses?.[0]

/** Declares a test with a system and, in its default namespace, a deployment of two that is available. */
function survivalTest(name: string, body: (system: System, image: string) => Promise<void>): void {
  systemTest(name, 'docker', async (image) => {
    await using system = await startSystem({ cri: 'docker' })
    await withContext(system, image, async (t) => {
      await t.client
        .resource(deployments)
        .in(namespace)
        .create(deployment(t, 'web', 2))
      await t.kubectl(['rollout', 'status', 'deployment/web', '--timeout=90s'])
    })
    await body(system, image)
  })
}

/** Resolves with the pod once `holds` of it. */
const untilPod = (t: SystemContext, name: string, holds: (pod: Pod) => unknown): Promise<Pod> =>
  t.eventually(async () => {
    const pod = await t.client.resource(pods).in(namespace).get(name)
    return holds(pod) ? pod : undefined
  })

const running = async (system: System) =>
  (await system.containers())
    .filter(({ state }) => state === 'running')
    .map(({ id }) => id)
    .sort()

/** Every pod is as it was: running, ready, in the containers `ids`, none of them started again. */
async function assertAdopted(system: System, image: string, ids: readonly string[]): Promise<void> {
  await withContext(system, image, async (t) => {
    await t.kubectl(['wait', '--for=condition=Available', 'deployment/web', '--timeout=60s'])
    await t.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s'])
    const { items } = await t.client.resource(pods).in(namespace).list()
    assert.equal(items.length, 2)
    for (const pod of items) {
      assert.deepEqual([pod.status?.phase, isReady(pod), stateOf(pod)?.restartCount], ['Running', true, 0])
      assert.ok(ids.includes(stateOf(pod)?.containerID?.replace('docker://', '') ?? ''), `${pod.metadata.name} runs on`)
    }
    const name = items[0]!.metadata.name!
    assert.equal((await t.kubectl(['exec', name, '--', 'echo', 'alive'])).stdout, 'alive\n')
  })
  assert.deepEqual(await running(system), ids)
}

survivalTest(
  'kill -9 of the server leaves its containers running, and the next one adopts them',
  async (system, image) => {
    const before = await running(system)
    assert.equal(before.length, 4)
    const agent = await system.agentPid()
    await system.kill()
    await eventually(async () => (await parentOf(agent)) === undefined)
    assert.deepEqual(await running(system), before)
    await system.start()
    await assertAdopted(system, image, before)
  },
)

survivalTest(
  'kill -9 of the node agent leaves its containers running, and the host starts another',
  async (system, image) => {
    const before = await running(system)
    const agent = await system.agentPid()
    process.kill(agent, 'SIGKILL')
    await system.agentPid(agent)
    await assertAdopted(system, image, before)
    await withContext(system, image, async (t) => {
      await t.kubectl(['scale', 'deployment/web', '--replicas=3'])
      await t.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s'])
    })
  },
)

survivalTest('SIGTERM ends the server well, and a later start finds everything as it was', async (system, image) => {
  const before = await running(system)
  const objects = await withContext(system, image, async (t) => {
    await t.client
      .resource(configmaps)
      .in(namespace)
      .create(configMap('kept', { a: 'b' }))
    return t.client.resource(configmaps).in(namespace).get('kept')
  })
  assert.equal(await system.stop({ withinMs: 5_000 }), 0)
  assert.deepEqual(await running(system), before)
  await system.start()
  await assertAdopted(system, image, before)
  await withContext(system, image, async (t) => {
    const client = t.client.resource(configmaps).in(namespace)
    assert.deepEqual(await client.get('kept'), objects)
    const later = await client.create(configMap('later'))
    assert.ok(BigInt(later.metadata.resourceVersion!) > BigInt(objects.metadata.resourceVersion!))
  })
})

survivalTest('SIGTERM cuts what is open: watches, logs, commands, forwarded ports', async (system, image) => {
  const open = await withContext(system, image, async (t) => {
    const { items } = await t.client.resource(pods).in(namespace).list()
    const pod = items[0]!.metadata.name!
    const follow = 'i=0; while true; do i=$((i+1)); echo $i; sleep 0.1; done'
    await t.client
      .resource(pods)
      .in(namespace)
      .create(runningPod(t, 'talks', { containers: [container(t, ['sh', '-c', follow])] }))
    await untilPod(t, 'talks', isReady)
    return Promise.all(
      [
        ['get', 'pods', '--watch'],
        ['logs', '--follow', 'talks'],
        ['exec', '-i', pod, '--', 'sh', '-c', 'echo here; exec cat'],
        ['port-forward', `pod/${pod}`, ':80'],
      ].map((args) => speaking(system, args)),
    )
  })
  try {
    assert.equal(await system.stop({ withinMs: 5_000 }), 0)
    await Promise.all(open.map(({ ended }) => ended))
  } finally {
    for (const { kill } of open) kill()
  }
})

/** Runs kubectl in the background; resolves once it has said something. */
async function speaking(system: System, args: string[]) {
  const all = ['--kubeconfig', system.cluster.kubeconfig, '--namespace', namespace, ...args]
  const child = spawn(kubectlBinary, all, { stdio: ['pipe', 'pipe', 'ignore'] })
  const ended = once(child, 'exit')
  await Promise.race([once(child.stdout, 'data'), ended.then(() => Promise.reject(new Error(`${args} ended`)))])
  child.stdout.resume()
  // `get --watch` has nothing to wait for once its server is gone, and tries for a while.
  return { ended: args.includes('--watch') ? undefined : ended, kill: () => child.kill('SIGKILL') }
}

survivalTest(
  'what ends while the server is down is started again, or not, as its policy says',
  async (system, image) => {
    await withContext(system, image, async (t) => {
      const client = t.client.resource(pods).in(namespace)
      for (const restartPolicy of ['Always', 'Never'] as const) {
        const containers = [container(t, ['sleep', '3600'])]
        await client.create(runningPod(t, restartPolicy.toLowerCase(), { restartPolicy, containers }))
        await untilPod(t, restartPolicy.toLowerCase(), isReady)
      }
    })
    await system.stop({ withinMs: 5_000 })
    const ended = (await system.containers()).filter(
      ({ pod, container }) => ['always', 'never'].includes(pod) && container,
    )
    assert.equal(ended.length, 2)
    await run('docker', ['kill', ...ended.map(({ id }) => id)])
    await system.start()
    await withContext(system, image, async (t) => {
      await untilPod(t, 'always', (pod) => stateOf(pod)?.restartCount === 1 && isReady(pod))
      const { status } = await untilPod(t, 'never', ({ status }) => status?.phase === 'Failed')
      assert.equal(status?.containerStatuses?.[0]?.restartCount, 0)
      for (const name of ['always', 'never']) await t.kubectl(['delete', 'pod', name])
      await eventually(async () => !(await system.containers()).some(({ pod }) => pod === 'always' || pod === 'never'))
    })
  },
)

survivalTest('pods whose objects went while no agent ran are cleared away', async (system, image) => {
  await withContext(system, image, async (t) => {
    await t.kubectl(['patch', 'plugin', 'node', '--type=merge', '-p', '{"spec":{"enabled":false}}'])
    const agent = await system.agentPid()
    await eventually(async () => (await parentOf(agent)) === undefined)
    assert.equal((await running(system)).length, 4)
    await t.kubectl(['delete', 'deployment', 'web'])
    await t.kubectl(['delete', 'pods', '--all', '--force', '--grace-period=0'])
    await t.kubectl(['patch', 'plugin', 'node', '--type=merge', '-p', '{"spec":{"enabled":true}}'])
    await eventually(async () => (await system.containers()).length === 0)
  })
})

survivalTest('two clusters on one engine leave each other’s containers alone', async (one, image) => {
  const before = await running(one)
  await using other = await startSystem({ cri: 'docker' })
  await withContext(other, image, async (t) => {
    assert.deepEqual((await t.client.resource(pods).in(namespace).list()).items, [])
    await t.client
      .resource(deployments)
      .in(namespace)
      .create(deployment(t, 'web', 1))
    await t.kubectl(['rollout', 'status', 'deployment/web', '--timeout=90s'])
  })
  assert.equal((await running(other)).length, 2)
  assert.deepEqual(await running(one), before)
  const agent = await one.agentPid()
  process.kill(agent, 'SIGKILL')
  await one.agentPid(agent)
  await assertAdopted(one, image, before)
  await withContext(other, image, (t) => t.kubectl(['delete', 'deployment', 'web', '--cascade=foreground']))
  await eventually(async () => (await other.containers()).length === 0)
  assert.deepEqual(await running(one), before)
})

systemTest('an engine that is out of reach for a while is caught up with', 'docker', async (image) => {
  await using engine = await interruptibleEngine()
  await using system = await startSystem({ cri: 'docker', env: { DOCKER_HOST: `unix://${engine.socket}` } })
  await withContext(system, image, async (t) => {
    const client = t.client.resource(pods).in(namespace)
    await client.create(runningPod(t, 'ends', { containers: [container(t, ['sleep', '3600'])] }))
    await client.create(runningPod(t, 'stays'))
    const before = [await untilPod(t, 'ends', isReady), await untilPod(t, 'stays', isReady)]
    engine.interrupt()
    const node = before[0]!.spec!.nodeName!
    const readiness = ({ status }: Node) => status?.conditions?.find(({ type }) => type === 'Ready')?.status
    await t.until(nodes, node, (found) => readiness(found) === 'False')
    const ended = (await system.containers()).find(({ pod, container }) => pod === 'ends' && container)
    await run('docker', ['kill', ended!.id])
    engine.resume()
    await t.until(nodes, node, (found) => readiness(found) === 'True')
    await untilPod(t, 'ends', (pod) => stateOf(pod)?.restartCount === 1 && isReady(pod))
    const stays = await untilPod(t, 'stays', isReady)
    assert.equal(stateOf(stays)?.containerID, stateOf(before[1]!)?.containerID)
  })
})

/** A way to the engine that can be cut. */
async function interruptibleEngine() {
  const folder = await mkdtemp(join(tmpdir(), 'keelson-system-engine-'))
  const socket = join(folder, 'docker.sock')
  const open = new Set<Socket>()
  let isCut = false
  const server = createServer({ allowHalfOpen: true }, (near) => {
    if (isCut) return void near.destroy()
    const far = connect({ path: '/var/run/docker.sock', allowHalfOpen: true })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from)
      from.on('error', () => to.destroy()).on('close', () => open.delete(from))
      from.pipe(to)
    }
  })
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  const cut = () => {
    for (const one of open) one.destroy()
  }
  return {
    socket,
    interrupt: () => {
      isCut = true
      cut()
    },
    resume: () => {
      isCut = false
    },
    async [Symbol.asyncDispose]() {
      cut()
      await new Promise((resolve) => server.close(resolve))
      await rm(folder, { recursive: true, force: true })
    },
  }
}
