import assert from 'node:assert/strict'
import { type Deployment, deployments, replicasets } from '@keelson/apis/apps/v1/zz_generated.types.ts'
import { pods } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'
import { deployment } from '../runner/fixtures.ts'

const docs = 'https://kubernetes.io/docs/concepts/workloads/controllers/deployment/'

const isRolledOut = ({ metadata, spec, status }: Deployment) =>
  status?.observedGeneration === metadata.generation &&
  status?.updatedReplicas === spec?.replicas &&
  status?.replicas === spec?.replicas &&
  (status?.availableReplicas ?? 0) === spec?.replicas

const setVersion = (value: string) => ({
  type: 'strategic' as const,
  body: { spec: { template: { spec: { containers: [{ name: 'main', env: [{ name: 'VERSION', value }] }] } } } },
})

const livingPods = async (t: CaseContext) =>
  (await (await t.in(pods)).list({ labelSelector: 'app=web' })).items.filter(
    ({ metadata }) => !metadata.deletionTimestamp,
  )

export const cases = [
  defineCase({
    name: 'deployments: defaults are filled in',
    stands: docs,
    async run(t) {
      const { spec } = await (await t.in(deployments)).create({
        ...deployment(t, 'web', 0),
        spec: { ...deployment(t, 'web', 0).spec!, replicas: undefined, paused: true },
      })
      assert.equal(spec?.replicas, 1)
      assert.deepEqual(spec?.strategy, {
        type: 'RollingUpdate',
        rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' },
      })
      assert.deepEqual([spec?.revisionHistoryLimit, spec?.progressDeadlineSeconds], [10, 600])
    },
  }),
  defineCase({
    name: 'deployments: the selector must match the template',
    stands: docs,
    async run(t) {
      const bad = deployment(t, 'web', 0)
      bad.spec!.template.metadata!.labels = { app: 'other' }
      await t.rejects((await t.in(deployments)).create(bad), {
        code: 422,
        messageIncludes: '`selector` does not match template `labels`',
      })
    },
  }),
  defineCase({
    name: 'deployments: the selector is fixed',
    stands: docs,
    async run(t) {
      const door = await t.in(deployments)
      await door.create(deployment(t, 'web', 0))
      const body = {
        spec: { selector: { matchLabels: { more: 'x' } }, template: { metadata: { labels: { more: 'x' } } } },
      }
      await t.rejects(door.patch('web', { type: 'merge', body }), { code: 422, messageIncludes: 'field is immutable' })
    },
  }),
  defineCase({
    name: 'deployments: a replica set is made for each template, and owned',
    stands: 'Deployment deployment should delete old replica sets',
    async run(t) {
      const door = await t.in(deployments)
      const { metadata } = await door.create(deployment(t, 'web', 0))
      await t.until(deployments, 'web', ({ status }) => status?.observedGeneration === 1)
      const sets = await t.in(replicasets)
      const first = (await sets.list({ labelSelector: 'app=web' })).items
      assert.equal(first.length, 1)
      const set = first[0]!
      assert.deepEqual(
        set.metadata.ownerReferences?.map(({ uid, controller }) => [uid, controller]),
        [[metadata.uid, true]],
      )
      const hash = set.metadata.labels?.['pod-template-hash']
      assert.equal(set.metadata.name, `web-${hash}`)
      assert.equal(set.spec?.selector.matchLabels?.['pod-template-hash'], hash)
      assert.equal(set.metadata.annotations?.['deployment.kubernetes.io/revision'], '1')
      await door.patch('web', setVersion('two'))
      await t.until(deployments, 'web', ({ status, metadata }) => status?.observedGeneration === metadata.generation)
      assert.equal((await sets.list({ labelSelector: 'app=web' })).items.length, 2)
      assert.equal((await door.get('web')).metadata.annotations?.['deployment.kubernetes.io/revision'], '2')
    },
  }),
  defineCase({
    name: 'deployments: one is rolled out and says so',
    stands: 'Deployment RollingUpdateDeployment should delete old pods and create new ones',
    needs: ['pods'],
    async run(t) {
      await (await t.in(deployments)).create(deployment(t, 'web', 2))
      const { status } = await t.until(deployments, 'web', isRolledOut)
      const condition = (type: string) => status?.conditions?.find((one) => one.type === type)
      assert.deepEqual(
        [condition('Available')?.status, condition('Available')?.reason],
        ['True', 'MinimumReplicasAvailable'],
      )
      assert.equal(
        (
          await t.until(deployments, 'web', ({ status }) =>
            status?.conditions?.some(({ reason }) => reason === 'NewReplicaSetAvailable'),
          )
        ).status?.readyReplicas,
        2,
      )
    },
  }),
  defineCase({
    name: 'deployments: a new template replaces the pods, little by little',
    stands: 'Deployment RollingUpdateDeployment should delete old pods and create new ones',
    needs: ['pods'],
    async run(t) {
      const door = await t.in(deployments)
      await door.create(deployment(t, 'web', 2))
      await t.until(deployments, 'web', isRolledOut)
      const before = new Set((await livingPods(t)).map(({ metadata }) => metadata.uid))
      await door.patch('web', setVersion('two'))
      await t.until(deployments, 'web', isRolledOut)
      const after = await t.eventually(async () => {
        const living = await livingPods(t)
        return living.length === 2 && living
      })
      for (const { metadata, spec } of after) {
        assert.ok(!before.has(metadata.uid))
        assert.equal(spec.containers[0]!.env?.[0]?.value, 'two')
      }
    },
  }),
  defineCase({
    name: 'deployments: one is scaled up and down',
    stands: 'Deployment deployment should support proportional scaling',
    needs: ['pods'],
    async run(t) {
      const door = await t.in(deployments)
      await door.create(deployment(t, 'web', 1))
      for (const replicas of [3, 1, 0]) {
        await door.patch('web', { type: 'merge', body: { spec: { replicas } } }, { subresource: 'scale' })
        await t.until(deployments, 'web', isRolledOut)
        await t.eventually(async () => (await livingPods(t)).length === replicas)
      }
    },
  }),
  defineCase({
    name: 'deployments: the strategy Recreate ends the old pods first',
    stands: 'Deployment RecreateDeployment should delete old pods and create new ones',
    needs: ['pods'],
    async run(t) {
      const door = await t.in(deployments)
      const web = deployment(t, 'web', 1)
      web.spec!.strategy = { type: 'Recreate' }
      await door.create(web)
      await t.until(deployments, 'web', isRolledOut)
      const [old] = await livingPods(t)
      await door.patch('web', setVersion('two'))
      await t.untilGone(pods, old!.metadata.name!)
      await t.until(deployments, 'web', isRolledOut)
      assert.equal((await livingPods(t))[0]?.spec.containers[0]?.env?.[0]?.value, 'two')
    },
  }),
  defineCase({
    name: 'deployments: a deleted pod is replaced',
    stands: 'https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/',
    needs: ['pods'],
    async run(t) {
      await (await t.in(deployments)).create(deployment(t, 'web', 1))
      await t.until(deployments, 'web', isRolledOut)
      const [old] = await livingPods(t)
      await (await t.in(pods)).delete(old!.metadata.name!)
      await t.eventually(async () => (await livingPods(t)).some(({ metadata }) => metadata.uid !== old!.metadata.uid))
    },
  }),
  defineCase({
    name: 'deployments: its deletion takes replica sets and pods along',
    stands: 'Garbage collector should delete RS created by deployment when not orphaning',
    needs: ['pods'],
    async run(t) {
      await (await t.in(deployments)).create(deployment(t, 'web', 1))
      await t.until(deployments, 'web', isRolledOut)
      await (await t.in(deployments)).delete('web', { propagationPolicy: 'Foreground' })
      await t.untilGone(deployments, 'web')
      const left = await (await t.in(replicasets)).list({ labelSelector: 'app=web' })
      assert.deepEqual(left.items, [])
    },
  }),
]
