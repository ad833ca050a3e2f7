/** What the official tests have kubectl do with pods and deployments that need not run. */
import assert from 'node:assert/strict'
import { pods } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { defineCase } from '../runner/case.ts'
import { container, deployment, runningPod } from '../runner/fixtures.ts'

const needs = ['kubectl'] as const
const json = JSON.stringify
const otherImage = 'example.com/other:2'
const imageOf = ['-o', 'jsonpath={.spec.containers[0].image}']

export const cases = [
  defineCase({
    name: 'kubectl label: a pod is labelled, found by it, and the label removed',
    stands: 'Kubectl client Kubectl label should update the label on a resource',
    needs,
    async run(t) {
      await (await t.in(pods)).create(runningPod(t, 'one', { schedulerName: 'nobody' }))
      const found = async () => (await t.kubectl(['get', 'pods', '-l', 'mark=here', '-o', 'name'])).stdout
      assert.equal((await t.kubectl(['label', 'pod', 'one', 'mark=here'])).stdout, 'pod/one labeled\n')
      assert.equal(await found(), 'pod/one\n')
      assert.match((await t.kubectl(['get', 'pod', 'one', '-L', 'mark'])).stdout, /^one\s.*\shere$/m)
      await t.kubectl(['label', 'pod', 'one', 'mark-'])
      assert.equal(await found(), '')
    },
  }),
  defineCase({
    name: 'kubectl replace: puts another image into a pod, and a new pod into its place by force',
    stands: "Kubectl client Kubectl replace should update a single-container pod's image",
    needs,
    async run(t) {
      const made = await (await t.in(pods)).create(runningPod(t, 'one', { schedulerName: 'nobody' }))
      const current = JSON.parse((await t.kubectl(['get', 'pod', 'one', '-o', 'json'])).stdout)
      current.spec.containers[0].image = otherImage
      assert.equal((await t.kubectl(['replace', '-f', '-'], { input: json(current) })).stdout, 'pod/one replaced\n')
      assert.equal((await t.kubectl(['get', 'pod', 'one', ...imageOf])).stdout, otherImage)
      await t.kubectl(['replace', '--force', '--grace-period=0', '-f', '-'], {
        input: json(runningPod(t, 'one', { schedulerName: 'nobody' })),
      })
      const { metadata, spec } = await (await t.in(pods)).get('one')
      assert.notEqual(metadata.uid, made.metadata.uid)
      assert.equal(spec.containers[0]?.image, t.image)
    },
  }),
  defineCase({
    name: 'kubectl patch: a dry run of the server shows another image and leaves the old',
    stands: 'Kubectl client Kubectl server-side dry-run should check if kubectl can dry-run update Pods',
    needs,
    async run(t) {
      await (await t.in(pods)).create(runningPod(t, 'one', { schedulerName: 'nobody' }))
      const patch = json({ spec: { containers: [{ name: 'main', image: otherImage }] } })
      const { stdout } = await t.kubectl(['patch', 'pod', 'one', '-p', patch, '--dry-run=server', ...imageOf])
      assert.equal(stdout, otherImage)
      assert.equal((await t.kubectl(['get', 'pod', 'one', ...imageOf])).stdout, t.image)
    },
  }),
  defineCase({
    name: 'kubectl diff: shows the other image of a deployment',
    stands: 'Kubectl client Kubectl diff should check if kubectl diff finds a difference for Deployments',
    needs,
    async run(t) {
      await t.namespace()
      const web = deployment(t, 'web', 0)
      await t.kubectl(['create', '-f', '-'], { input: json(web) })
      web.spec!.template.spec!.containers[0]!.image = otherImage
      const { exitCode, stdout } = await t.kubectl(['diff', '-f', '-'], { input: json(web), mayFail: true })
      assert.equal(exitCode, 1)
      assert.match(stdout, new RegExp(`^\\+\\s+-?\\s*image: ${otherImage}$`, 'm'))
      assert.ok(stdout.split('\n').some((line) => line.startsWith('-') && line.endsWith(`image: ${t.image}`)))
    },
  }),
  defineCase({
    name: 'kubectl run: makes a pod of an image that is never started again',
    stands: 'Kubectl client Kubectl run pod should create a pod from an image when restart is Never',
    needs,
    async run(t) {
      await t.namespace()
      await t.kubectl(['run', 'one', `--image=${t.image}`, '--restart=Never', '--overrides', json(nowhere)])
      const { spec } = await (await t.in(pods)).get('one')
      assert.deepEqual([spec.containers.map(({ image }) => image), spec.restartPolicy], [[t.image], 'Never'])
    },
  }),
  defineCase({
    name: 'kubectl logs: all of it, its end, its beginning, with times, and of late',
    stands: 'Kubectl logs logs should be able to retrieve and filter logs',
    needs: ['kubectl', 'containers'],
    async run(t) {
      const speaks = ['sh', '-c', 'for i in 1 2 3 4 5; do echo line $i; done; trap exit TERM; sleep 3600 & wait']
      await (await t.in(pods)).create(runningPod(t, 'one', { containers: [container(t, speaks)] }))
      const logs = async (...args: string[]) => (await t.kubectl(['logs', 'one', 'main', ...args])).stdout
      const all = 'line 1\nline 2\nline 3\nline 4\nline 5\n'
      await t.eventually(async () => (await logs()) === all)
      assert.equal(await logs('--tail=1'), 'line 5\n')
      assert.equal(await logs('--limit-bytes=1'), 'l')
      assert.match(await logs('--tail=1', '--timestamps'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z line 5\n$/)
      assert.equal(await logs('--since=24h'), all)
      await t.eventually(async () => (await logs('--since=1s')) === '')
    },
  }),
]

const nowhere = { spec: { schedulerName: 'nobody' } }
