import assert from 'node:assert/strict'
import { defineCase } from '../runner/case.ts'
import { deployment, runningPod } from '../runner/fixtures.ts'

const rolloutDocs = 'https://kubernetes.io/docs/reference/kubectl/generated/kubectl_rollout/'
const needs = ['kubectl', 'pods'] as const
const json = JSON.stringify

export const cases = [
  defineCase({
    name: 'kubectl rollout: waits, tells the history, undoes and restarts',
    stands: rolloutDocs,
    needs,
    async run(t) {
      await t.namespace()
      const apply = (version: string) =>
        t.kubectl(['apply', '-f', '-'], { input: json(deployment(t, 'web', 2, version)) })
      const rollout = async (...args: string[]) => (await t.kubectl(['rollout', ...args, 'deployment/web'])).stdout
      const version = async () =>
        (
          await t.kubectl([
            'get',
            'deployment',
            'web',
            '-o',
            'jsonpath={.spec.template.spec.containers[0].env[0].value}',
          ])
        ).stdout
      await apply('one')
      assert.match(await rollout('status', '--timeout=60s'), /deployment "web" successfully rolled out\n$/)
      await apply('two')
      await rollout('status', '--timeout=60s')
      assert.match(await rollout('history'), /^1\s.*\n2\s/m)
      assert.equal(await rollout('undo'), 'deployment.apps/web rolled back\n')
      await rollout('status', '--timeout=60s')
      assert.equal(await version(), 'one')
      assert.equal(await rollout('restart'), 'deployment.apps/web restarted\n')
      await rollout('status', '--timeout=60s')
      await rollout('pause')
      await rollout('resume')
    },
  }),
  defineCase({
    name: 'kubectl run: starts a pod that one can wait for, see and delete',
    stands: 'Kubectl client Kubectl run pod should create a pod from an image when restart is Never',
    needs,
    async run(t) {
      await t.namespace()
      await t.kubectl([
        'run',
        'one',
        `--image=${t.image}`,
        '--image-pull-policy=IfNotPresent',
        '--restart=Never',
        '--',
        'sleep',
        '3600',
      ])
      await t.kubectl(['wait', '--for=condition=Ready', 'pod/one', '--timeout=90s'])
      assert.match((await t.kubectl(['get', 'pod', 'one'])).stdout, /^one\s+1\/1\s+Running\s+0\s+\d+s$/m)
      assert.match(
        (await t.kubectl(['get', 'pod', 'one', '-o', 'wide'])).stdout,
        /NODE\s+NOMINATED NODE\s+READINESS GATES/,
      )
      await t.kubectl(['delete', 'pod', 'one', '--grace-period=1'])
      assert.equal((await t.kubectl(['get', 'pod', 'one', '--ignore-not-found'])).stdout, '')
    },
  }),
  defineCase({
    name: 'kubectl describe: tells how a pod came to its node',
    stands:
      'Kubectl client Kubectl describe should check if kubectl describe prints relevant information for rc and pods',
    needs,
    async run(t) {
      const namespace = await t.namespace()
      await t.kubectl(['apply', '-f', '-'], { input: json(runningPod(t, 'one')) })
      await t.kubectl(['wait', '--for=condition=Ready', 'pod/one', '--timeout=90s'])
      const said = await t.eventually(async () => {
        const { stdout } = await t.kubectl(['describe', 'pod', 'one'])
        return /Started/.test(stdout) && stdout
      })
      assert.match(said, new RegExp(`Scheduled\\s.*Successfully assigned ${namespace}/one to `))
      assert.match(said, /^Node:\s+\S+\/\S+$/m)
    },
  }),
  defineCase({
    name: 'kubectl cordon and uncordon: close a node to pods and open it again',
    stands: 'https://kubernetes.io/docs/reference/kubectl/generated/kubectl_cordon/',
    needs: ['kubectl'],
    async run(t) {
      const name = t.unique('node')
      t.cleanup(() => t.kubectl(['delete', 'node', name]))
      await t.kubectl(['create', '-f', '-'], { input: json({ apiVersion: 'v1', kind: 'Node', metadata: { name } }) })
      assert.equal((await t.kubectl(['cordon', name])).stdout, `node/${name} cordoned\n`)
      assert.match((await t.kubectl(['get', 'node', name])).stdout, /SchedulingDisabled/)
      assert.equal((await t.kubectl(['uncordon', name])).stdout, `node/${name} uncordoned\n`)
      await t.kubectl(['taint', 'node', name, 'dedicated=x:NoSchedule'])
      assert.equal(
        (await t.kubectl(['get', 'node', name, '-o', 'jsonpath={.spec.taints[?(@.key=="dedicated")].effect}'])).stdout,
        'NoSchedule',
      )
    },
  }),
]
