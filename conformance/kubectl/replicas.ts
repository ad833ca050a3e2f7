/** What the official tests have kubectl do with a replication controller and its pods. */
import assert from 'node:assert/strict'
import { pods, replicationcontrollers } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'
import { replicationController } from '../runner/fixtures.ts'

const needs = ['kubectl'] as const
const json = JSON.stringify
/** Pods that are placed on a node, unlike those of the fixture. */
const placed = {}

async function createReplicas(t: CaseContext, replicas: number): Promise<void> {
  await t.namespace()
  const input = json(replicationController(t, 'web', replicas))
  assert.equal((await t.kubectl(['create', '-f', '-'], { input })).stdout, 'replicationcontroller/web created\n')
  await t.until(replicationcontrollers, 'web', ({ status }) => status?.replicas === replicas)
}

async function runningPods(t: CaseContext): Promise<string[]> {
  const template =
    '{{range .items}}{{if and (eq .status.phase "Running") (not .metadata.deletionTimestamp)}}{{.metadata.name}} {{end}}{{end}}'
  const { stdout } = await t.kubectl(['get', 'pods', '-l', 'app=web', '-o', 'template', `--template=${template}`])
  return stdout.split(' ').filter(Boolean)
}

const podCount = async (t: CaseContext) => (await (await t.in(pods)).list({ labelSelector: 'app=web' })).items.length

export const cases = [
  defineCase({
    name: 'kubectl create: starts a replication controller, and delete stops it',
    stands: 'Kubectl client Update Demo should create and stop a replication controller',
    needs: ['kubectl', 'pods'],
    async run(t) {
      await t.namespace()
      const input = json(replicationController(t, 'web', 2, placed))
      await t.kubectl(['create', '-f', '-'], { input })
      const running = await t.eventually(async () => {
        const names = await runningPods(t)
        return names.length === 2 && names
      })
      const template = '{{(index .spec.containers 0).image}}'
      for (const name of running)
        assert.equal((await t.kubectl(['get', 'pod', name, '-o', `go-template=${template}`])).stdout, t.image)
      await t.kubectl(['delete', '--grace-period=0', '--force', '-f', '-'], { input })
      await t.eventually(async () => (await t.kubectl(['get', 'rc,pods', '-l', 'app=web', '-o', 'name'])).stdout === '')
    },
  }),
  defineCase({
    name: 'kubectl scale: changes the number of pods of a replication controller',
    stands: 'Kubectl client Update Demo should scale a replication controller',
    needs: ['kubectl', 'pods'],
    async run(t) {
      await t.namespace()
      await t.kubectl(['create', '-f', '-'], { input: json(replicationController(t, 'web', 2, placed)) })
      for (const replicas of [2, 1, 2]) {
        const { stdout } = await t.kubectl(['scale', 'rc', 'web', `--replicas=${replicas}`, '--timeout=30s'])
        assert.match(stdout, /^replicationcontroller\/web scaled/)
        await t.eventually(async () => (await runningPods(t)).length === replicas)
      }
    },
  }),
  defineCase({
    name: 'kubectl expose: makes a service of a replication controller, and another of the service',
    stands: 'Kubectl client Kubectl expose should create services for rc',
    needs,
    async run(t) {
      await createReplicas(t, 1)
      const ports = async (name: string) =>
        (
          await t.kubectl([
            'get',
            'service',
            name,
            '-o',
            'jsonpath={.spec.selector.app} {.spec.ports[0].port} {.spec.ports[0].targetPort}',
          ])
        ).stdout
      await t.kubectl(['expose', 'rc', 'web', '--name=first', '--port=1234', '--target-port=6379'])
      assert.equal(await ports('first'), 'web 1234 6379')
      await t.kubectl(['expose', 'service', 'first', '--name=second', '--port=2345', '--target-port=6379'])
      assert.equal(await ports('second'), 'web 2345 6379')
    },
  }),
  defineCase({
    name: 'kubectl describe: tells of a replication controller, its pods, services, nodes and namespaces',
    stands:
      'Kubectl client Kubectl describe should check if kubectl describe prints relevant information for rc and pods',
    needs,
    async run(t) {
      await createReplicas(t, 1)
      await t.kubectl(['expose', 'rc', 'web', '--port=80'])
      const namespace = await t.namespace()
      const describe = async (...args: string[]) => (await t.kubectl(['describe', ...args])).stdout
      const controller = await describe('rc', 'web')
      for (const part of [
        /^Name:\s+web$/m,
        new RegExp(`^Namespace:\\s+${namespace}$`, 'm'),
        /^Selector:\s+app=web$/m,
        /^Labels:\s+app=web$/m,
        /^Replicas:\s+1 current \/ 1 desired$/m,
        /^Pods Status:\s+\d Running \/ \d Waiting \/ 0 Succeeded \/ 0 Failed$/m,
        /^Pod Template:$/m,
        /^\s+Image:\s+\S+$/m,
        /SuccessfulCreate\s.*Created pod: web-/,
      ])
        assert.match(controller, part)
      const pod = await describe('pod', '-l', 'app=web')
      for (const part of [
        /^Name:\s+web-\w+$/m,
        /^Labels:\s+app=web$/m,
        /^Controlled By:\s+ReplicationController\/web$/m,
      ])
        assert.match(pod, part)
      const service = await describe('service', 'web')
      for (const part of [/^Name:\s+web$/m, /^Selector:\s+app=web$/m, /^Type:\s+ClusterIP$/m, /^Endpoints:/m])
        assert.match(service, part)
      assert.match(await describe('namespace', namespace), /^Status:\s+Active$/m)
      const { stdout: node } = await t.kubectl(['get', 'nodes', '-o', 'name'])
      const [first] = node.split('\n')
      if (first) assert.match(await describe(first), /^Conditions:$[\s\S]*^Allocatable:$/m)
    },
  }),
  defineCase({
    name: 'kubectl patch: adds annotations to every pod of a replication controller',
    stands: 'Kubectl client Kubectl patch should add annotations for pods in rc',
    needs,
    async run(t) {
      await createReplicas(t, 2)
      await t.eventually(async () => (await podCount(t)) === 2)
      const { stdout: names } = await t.kubectl(['get', 'pods', '-l', 'app=web', '-o', 'name'])
      for (const name of names.trim().split('\n'))
        await t.kubectl(['patch', name, '-p', '{"metadata":{"annotations":{"x":"y"}}}'])
      const { items } = await (await t.in(pods)).list({ labelSelector: 'app=web' })
      assert.deepEqual(
        items.map(({ metadata }) => metadata.annotations?.x),
        ['y', 'y'],
      )
    },
  }),
]
