import assert from 'node:assert/strict'
import { configmaps, namespaces, pods, secrets } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { defineCase } from '../runner/case.ts'
import { configMap, runningPod } from '../runner/fixtures.ts'

const labelDocs = 'https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors'
const fieldDocs = 'https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/'

const labelled = {
  a: { tier: 'web', env: 'prod' },
  b: { tier: 'web', env: 'test' },
  c: { tier: 'db' },
  d: { mark: '' },
}

const selections: [selector: string, names: string[]][] = [
  ['tier=web', ['a', 'b']],
  ['tier==web', ['a', 'b']],
  ['tier!=web,env!=x,mark!=', ['c']],
  ['tier', ['a', 'b', 'c']],
  ['tier,!env', ['c']],
  ['tier in (web,db),env', ['a', 'b']],
  ['tier notin (web),tier', ['c']],
  ['tier=web,env=prod', ['a']],
  ['mark=', ['d']],
  ['constructor', []],
]

export const cases = [
  ...selections.map(([labelSelector, names]) =>
    defineCase({
      name: `selectors: labels ${labelSelector}`,
      stands: labelDocs,
      async run(t) {
        const door = await t.in(secrets)
        for (const [name, labels] of Object.entries(labelled)) {
          await door.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name, labels } })
        }
        const { items } = await door.list({ labelSelector })
        assert.deepEqual(
          items.map(({ metadata }) => metadata.name),
          names,
        )
      },
    }),
  ),
  ...['tier in web', '=x', 'a=b=c', 'tier in (', '-bad-=x', 'k=-bad-'].map((selector) =>
    defineCase({
      name: `selectors: the label selector ${selector} is refused`,
      stands: labelDocs,
      async run(t) {
        await t.rejects((await t.in(configmaps)).list({ labelSelector: selector }), { code: 400, reason: 'BadRequest' })
      },
    }),
  ),
  defineCase({
    name: 'selectors: objects are found by name and namespace',
    stands: fieldDocs,
    async run(t) {
      const namespace = await t.namespace()
      const door = await t.in(configmaps)
      await door.create(configMap('one'))
      await door.create(configMap('two'))
      const names = async (fieldSelector: string) =>
        (await door.list({ fieldSelector })).items.map(({ metadata }) => metadata.name)
      assert.deepEqual(await names('metadata.name=one'), ['one'])
      assert.deepEqual(await names(`metadata.namespace=${namespace},metadata.name==two`), ['two'])
      assert.ok(!(await names('metadata.name!=one')).includes('one'))
    },
  }),
  defineCase({
    name: 'selectors: pods are found by node and phase',
    stands: fieldDocs,
    async run(t) {
      const door = await t.in(pods)
      await door.create(runningPod(t, 'one', { schedulerName: 'nobody' }))
      const names = async (fieldSelector: string) =>
        (await door.list({ fieldSelector })).items.map(({ metadata }) => metadata.name)
      assert.deepEqual(await names('spec.nodeName='), ['one'])
      assert.deepEqual(await names('status.phase=Pending,spec.restartPolicy=Always'), ['one'])
      assert.deepEqual(await names('status.phase!=Pending'), [])
      assert.deepEqual(await names('spec.nodeName!='), [])
    },
  }),
  defineCase({
    name: 'selectors: secrets are found by type, namespaces by phase',
    stands: fieldDocs,
    async run(t) {
      const namespace = await t.namespace()
      await (await t.in(secrets)).create({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'one' },
        type: 'example.com/x',
      })
      const { items } = await (await t.in(secrets)).list({ fieldSelector: 'type=example.com/x' })
      assert.deepEqual(
        items.map(({ metadata }) => metadata.name),
        ['one'],
      )
      const active = await t.client.resource(namespaces).list({ fieldSelector: 'status.phase=Active' })
      assert.ok(active.items.some(({ metadata }) => metadata.name === namespace))
    },
  }),
  defineCase({
    name: 'selectors: a field that is not selectable is refused',
    stands: fieldDocs,
    async run(t) {
      await t.rejects((await t.in(configmaps)).list({ fieldSelector: 'data.a=1' }), {
        code: 400,
        messageIncludes: '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"',
      })
    },
  }),
]
