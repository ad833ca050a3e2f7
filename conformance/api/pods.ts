import assert from 'node:assert/strict'
import { configmaps, type Pod, pods, secrets } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { defineCase } from '../runner/case.ts'
import { configMap, container, endingPod, endsWith, runningPod } from '../runner/fixtures.ts'

const lifecycle = 'https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/'

const isReady = ({ status }: Pod) =>
  status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
const hasEnded = ({ status }: Pod) => status?.phase === 'Succeeded' || status?.phase === 'Failed'

export const cases = [
  defineCase({
    name: 'pods: one is placed, started and ready',
    stands: 'Pods should be submitted and removed',
    needs: ['pods'],
    async run(t) {
      await (await t.in(pods)).create(runningPod(t, 'one'))
      const { spec, status } = await t.until(pods, 'one', isReady)
      assert.ok(spec.nodeName)
      assert.deepEqual(
        [status?.phase, status?.containerStatuses?.[0]?.ready, status?.containerStatuses?.[0]?.restartCount],
        ['Running', true, 0],
      )
      assert.match(status?.podIP ?? '', /^[0-9a-f.:]+$/)
      assert.equal(status?.podIPs?.[0]?.ip, status?.podIP)
      assert.ok(status?.hostIP && status.startTime && status.containerStatuses?.[0]?.state?.running?.startedAt)
      assert.ok(status.containerStatuses[0]?.containerID?.includes('://'))
      const types = status.conditions?.filter((one) => one.status === 'True').map(({ type }) => type)
      for (const type of ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'])
        assert.ok(types?.includes(type as never), type)
    },
  }),
  defineCase({
    name: 'pods: a deleted one is ended in its grace period, then gone',
    stands: 'Pods should be submitted and removed',
    needs: ['pods'],
    async run(t) {
      const door = await t.in(pods)
      await door.create(runningPod(t, 'one'))
      await t.until(pods, 'one', isReady)
      const watch = await t.watch(
        `/api/v1/namespaces/${await t.namespace()}/pods?watch=1&fieldSelector=metadata.name%3Done`,
      )
      await door.delete('one', { gracePeriodSeconds: 3 })
      const marked = await watch.find(({ object }) => object.metadata.deletionTimestamp !== undefined)
      assert.equal(marked.object.metadata.deletionGracePeriodSeconds, 3)
      await watch.find(({ type }) => type === 'DELETED')
      await t.rejects(door.get('one'), { code: 404 })
    },
  }),
  defineCase({
    name: 'pods: without a node, a deleted one is gone at once',
    stands: lifecycle,
    async run(t) {
      const door = await t.in(pods)
      await door.create(runningPod(t, 'one', { schedulerName: 'nobody' }))
      await door.delete('one')
      await t.rejects(door.get('one'), { code: 404 })
    },
  }),
  ...[
    { exitCode: 0, phase: 'Succeeded', reason: 'Completed' },
    { exitCode: 3, phase: 'Failed', reason: 'Error' },
  ].map(({ exitCode, phase, reason }) =>
    defineCase({
      name: `pods: one that ends with ${exitCode} has ${phase.toLowerCase()}`,
      stands: `${lifecycle}#pod-phase`,
      needs: ['pods'],
      async run(t) {
        await (await t.in(pods)).create(endingPod(t, 'one', exitCode))
        const { status } = await t.until(pods, 'one', hasEnded)
        const terminated = status?.containerStatuses?.[0]?.state?.terminated
        assert.deepEqual([status?.phase, terminated?.exitCode, terminated?.reason], [phase, exitCode, reason])
        assert.ok(!isReady({ status } as Pod))
      },
    }),
  ),
  defineCase({
    name: 'pods: a container that ends is started again, and again later',
    stands: `${lifecycle}#restart-policy`,
    needs: ['pods'],
    async run(t) {
      await (await t.in(pods)).create(endingPod(t, 'one', 1, { restartPolicy: 'Always' }))
      const { status } = await t.until(
        pods,
        'one',
        ({ status }) => (status?.containerStatuses?.[0]?.restartCount ?? 0) >= 1,
      )
      assert.equal(status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 1)
      const waiting = await t.until(
        pods,
        'one',
        ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff',
      )
      assert.match(
        waiting.status?.containerStatuses?.[0]?.state?.waiting?.message ?? '',
        /^back-off .* restarting failed container=main/,
      )
    },
  }),
  defineCase({
    name: 'pods: OnFailure does not restart what has succeeded',
    stands: `${lifecycle}#restart-policy`,
    needs: ['pods'],
    async run(t) {
      await (await t.in(pods)).create(endingPod(t, 'one', 0, { restartPolicy: 'OnFailure' }))
      const { status } = await t.until(pods, 'one', hasEnded)
      assert.deepEqual([status?.phase, status?.containerStatuses?.[0]?.restartCount], ['Succeeded', 0])
    },
  }),
  defineCase({
    name: 'pods: init containers run to their end, one after the other, before the rest',
    stands: 'InitContainer should invoke init containers on a RestartNever pod',
    needs: ['containers'],
    async run(t) {
      const step = (name: string) => container(t, ['true'], { name })
      await (await t.in(pods)).create(runningPod(t, 'one', { initContainers: [step('first'), step('second')] }))
      const { status } = await t.until(pods, 'one', isReady)
      const ends = status?.initContainerStatuses?.map(({ state }) => state?.terminated)
      assert.deepEqual(
        ends?.map((end) => end?.exitCode),
        [0, 0],
      )
      assert.ok(ends![0]!.finishedAt! <= ends![1]!.startedAt!)
    },
  }),
  defineCase({
    name: 'pods: a failed init container fails a pod that is never restarted',
    stands:
      'InitContainer should not start app containers and fail the pod if init containers fail on a RestartNever pod',
    needs: ['pods'],
    async run(t) {
      const pod = endingPod(t, 'one', 1, { initContainers: [container(t, ['false'], { name: 'first' })] })
      await (await t.in(pods)).create(pod)
      const { status } = await t.until(pods, 'one', hasEnded)
      assert.equal(status?.phase, 'Failed')
      assert.ok(status?.containerStatuses?.[0]?.state?.waiting)
    },
  }),
  defineCase({
    name: 'pods: variables come from ConfigMaps, Secrets and the pod itself',
    stands: 'ConfigMap should be consumable via environment variable',
    needs: ['pods', 'kubectl'],
    async run(t) {
      await (await t.in(configmaps)).create(configMap('settings', { colour: 'blue' }))
      await (await t.in(secrets)).create({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'keys' },
        stringData: { TOKEN: 'xyz' },
      })
      const pod = runningPod(t, 'one')
      Object.assign(pod.spec.containers[0]!, {
        envFrom: [{ secretRef: { name: 'keys' } }],
        env: [
          { name: 'COLOUR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'colour' } } },
          { name: 'ME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'BOTH', value: '$(COLOUR)-$(ME)-$$(ME)' },
        ],
      })
      await (await t.in(pods)).create(pod)
      await t.until(pods, 'one', isReady)
      const { stdout } = await t.kubectl(['exec', 'one', '--', 'env'])
      const lines = stdout.split('\n').map((line) => line.trim())
      for (const line of ['TOKEN=xyz', 'COLOUR=blue', 'ME=one', 'BOTH=blue-one-$(ME)'])
        assert.ok(lines.includes(line), stdout)
    },
  }),
  defineCase({
    name: 'pods: one whose ConfigMap is missing waits for it',
    stands: 'https://kubernetes.io/docs/concepts/configuration/configmap/',
    needs: ['pods'],
    async run(t) {
      const pod = runningPod(t, 'one')
      pod.spec.containers[0]!.env = [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'late', key: 'x' } } }]
      await (await t.in(pods)).create(pod)
      await t.until(
        pods,
        'one',
        ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError',
      )
      await (await t.in(configmaps)).create(configMap('late', { x: '1' }))
      await t.until(pods, 'one', isReady)
    },
  }),
  defineCase({
    name: 'pods: ConfigMaps and Secrets are files in volumes',
    stands: 'ConfigMap should be consumable from pods in volume',
    needs: ['containers', 'kubectl'],
    async run(t) {
      await (await t.in(configmaps)).create(configMap('settings', { colour: 'blue' }))
      await (await t.in(secrets)).create({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'keys' },
        stringData: { token: 'xyz' },
      })
      const pod = runningPod(t, 'one', {
        volumes: [
          { name: 'settings', configMap: { name: 'settings', items: [{ key: 'colour', path: 'deep/colour' }] } },
          { name: 'keys', secret: { secretName: 'keys', defaultMode: 0o400 } },
        ],
      })
      pod.spec.containers[0]!.volumeMounts = [
        { name: 'settings', mountPath: '/etc/settings' },
        { name: 'keys', mountPath: '/etc/keys', readOnly: true },
      ]
      await (await t.in(pods)).create(pod)
      await t.until(pods, 'one', isReady)
      const { stdout } = await t.kubectl(['exec', 'one', '--', 'cat', '/etc/settings/deep/colour', '/etc/keys/token'])
      assert.equal(stdout, 'bluexyz')
    },
  }),
  defineCase({
    name: 'pods: what a container prints is its log',
    stands: 'Kubectl logs logs should be able to retrieve and filter logs',
    needs: ['containers', 'kubectl'],
    async run(t) {
      const containers = [container(t, ['sh', '-c', 'echo one; echo two; echo three >&2'])]
      await (await t.in(pods)).create(endingPod(t, 'one', 0, { containers }))
      await t.until(pods, 'one', hasEnded)
      const path = `/api/v1/namespaces/${await t.namespace()}/pods/one/log`
      assert.deepEqual((await t.http({ path })).text.trim().split('\n').toSorted(), ['one', 'three', 'two'])
      assert.equal((await t.http({ path: `${path}?tailLines=1` })).text.trim().split('\n').length, 1)
      assert.match((await t.http({ path: `${path}?timestamps=true` })).text, /^\d{4}-\d\d-\d\dT\S+Z one$/m)
      assert.equal((await t.kubectl(['logs', 'one', '--limit-bytes=3'])).stdout.length, 3)
    },
  }),
  defineCase({
    name: 'pods: a command runs in a container and its output comes back',
    stands: 'Pods should support remote command execution over websockets',
    needs: ['pods', 'kubectl'],
    async run(t) {
      await (await t.in(pods)).create(runningPod(t, 'one'))
      await t.until(pods, 'one', isReady)
      assert.equal((await t.kubectl(['exec', 'one', '--', 'echo', 'hello'])).stdout, 'hello\n')
      assert.equal((await t.kubectl(['exec', '-i', 'one', '--', 'cat'], { input: 'through\n' })).stdout, 'through\n')
      const failed = await t.kubectl(['exec', 'one', '--', 'false'], { mayFail: true })
      assert.equal(failed.exitCode, 1)
    },
  }),
  defineCase({
    name: 'pods: one that fits nowhere says why',
    stands: 'SchedulerPredicates [Serial] validates that NodeSelector is respected if not matching',
    needs: ['pods'],
    async run(t) {
      await (await t.in(pods)).create(runningPod(t, 'one', { nodeSelector: { 'example.com/none': 'such' } }))
      const { status } = await t.until(pods, 'one', ({ status }) =>
        status?.conditions?.some(({ reason }) => reason === 'Unschedulable'),
      )
      const condition = status?.conditions?.find(({ type }) => type === 'PodScheduled')
      assert.equal(condition?.status, 'False')
      assert.match(
        condition?.message ?? '',
        /^0\/\d+ nodes are available: .*node\(s\) didn't match Pod's node affinity\/selector/,
      )
    },
  }),
  defineCase({
    name: 'pods: gates hold one back until they are removed',
    stands: 'https://kubernetes.io/docs/concepts/scheduling-eviction/pod-scheduling-readiness/',
    needs: ['pods'],
    async run(t) {
      const door = await t.in(pods)
      await door.create(runningPod(t, 'one', { schedulingGates: [{ name: 'example.com/wait' }] }))
      const { status } = await t.until(pods, 'one', ({ status }) =>
        status?.conditions?.some(({ reason }) => reason === 'SchedulingGated'),
      )
      assert.equal(status?.phase, 'Pending')
      await door.patch('one', { type: 'merge', body: { spec: { schedulingGates: [] } } })
      await t.until(pods, 'one', isReady)
    },
  }),
  defineCase({
    name: 'pods: one is bound to a node through its binding subresource',
    stands: 'https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/binding-v1/',
    async run(t) {
      const door = await t.in(pods)
      await door.create(runningPod(t, 'one', { schedulerName: 'nobody' }))
      t.cleanup(() => door.delete('one', { gracePeriodSeconds: 0 }))
      const target = { apiVersion: 'v1', kind: 'Node', name: 'no-such-node' }
      const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'one' }, target }
      await door.createSubresource('one', 'binding', binding)
      const { spec, status } = await door.get('one')
      assert.equal(spec.nodeName, 'no-such-node')
      assert.ok(status?.conditions?.some(({ type, status }) => type === 'PodScheduled' && status === 'True'))
      await t.rejects(door.createSubresource('one', 'binding', binding), {
        code: 409,
        messageIncludes: 'is already assigned to node',
      })
    },
  }),
  defineCase({
    name: 'pods: an eviction deletes one',
    stands: 'https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/',
    async run(t) {
      const door = await t.in(pods)
      await door.create(runningPod(t, 'one', { schedulerName: 'nobody' }))
      await door.createSubresource('one', 'eviction', {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name: 'one' },
      })
      await t.untilGone(pods, 'one')
    },
  }),
  defineCase({
    name: 'pods: the status is reported through its own subresource',
    stands: 'Pods should run through the lifecycle of Pods and PodStatus',
    async run(t) {
      const door = await t.in(pods)
      await door.create(runningPod(t, 'one', { schedulerName: 'nobody' }))
      const body = { status: { conditions: [{ type: 'example.com/Fed', status: 'True' }] } }
      await door.patch('one', { type: 'strategic', body }, { subresource: 'status' })
      const { status } = await door.get('one')
      assert.ok(status?.conditions?.some(({ type }) => (type as string) === 'example.com/Fed'))
    },
  }),
  defineCase({
    name: 'pods: an active deadline ends one',
    stands: 'Pods should allow activeDeadlineSeconds to be updated',
    needs: ['pods'],
    async run(t) {
      await (await t.in(pods)).create(runningPod(t, 'one', { activeDeadlineSeconds: 1 }))
      const { status } = await t.until(pods, 'one', hasEnded)
      assert.deepEqual([status?.phase, status?.reason], ['Failed', 'DeadlineExceeded'])
    },
  }),
  defineCase({
    name: 'pods: an image that cannot be had is told',
    stands: 'https://kubernetes.io/docs/concepts/containers/images/#imagepullbackoff',
    needs: ['pods'],
    async run(t) {
      const pod = runningPod(
        t,
        'one',
        {},
        { annotations: { ...endsWith(0), 'sim.keelson.dev/fail-image': 'localhost:1/none:1' } },
      )
      pod.spec.containers[0]!.image = 'localhost:1/none:1'
      await (await t.in(pods)).create(pod)
      const { status } = await t.until(pods, 'one', ({ status }) =>
        ['ErrImagePull', 'ImagePullBackOff'].includes(status?.containerStatuses?.[0]?.state?.waiting?.reason ?? ''),
      )
      assert.equal(status?.phase, 'Pending')
    },
  }),
]
