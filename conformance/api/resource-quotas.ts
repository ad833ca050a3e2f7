import assert from 'node:assert/strict'
import { type ResourceQuota, resourcequotas } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { ObjectMeta } from '@keelson/apis/meta/v1/types.ts'
import { defineCase } from '../runner/case.ts'

const hard = { cpu: '1', memory: '500Mi' }
const quota = (name: string, metadata: ObjectMeta = {}): ResourceQuota => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name, ...metadata },
  spec: { hard },
})

export const cases = [
  defineCase({
    name: 'quotas: one is made, changed and deleted',
    stands: 'ResourceQuota should be able to update and delete ResourceQuota.',
    async run(t) {
      const door = await t.in(resourcequotas)
      await door.create(quota('one'))
      // Where a controller keeps the status, the next write is ours once it has.
      const made = await t.until(resourcequotas, 'one', ({ status }) => status?.hard?.cpu === '1')
      assert.deepEqual(made.spec?.hard, hard)
      const more = { cpu: '2', memory: '1Gi' }
      assert.deepEqual((await door.update({ ...made, spec: { hard: more } })).spec?.hard, more)
      assert.deepEqual((await door.get('one')).spec?.hard, more)
      await door.delete('one')
      await t.rejects(door.get('one'), { code: 404, message: 'resourcequotas "one" not found' })
    },
  }),
  defineCase({
    name: 'quotas: they are found everywhere by label, patched and deleted as a collection',
    stands: 'ResourceQuota should manage the lifecycle of a ResourceQuota',
    async run(t) {
      const mark = t.unique('mark')
      const labelSelector = `mark=${mark}`
      const door = await t.in(resourcequotas)
      await door.create(quota('one', { labels: { mark } }))
      assert.equal((await t.client.resource(resourcequotas).list({ labelSelector })).items.length, 1)
      const body = { metadata: { labels: { patched: 'yes' } }, spec: { hard: { memory: '750Mi' } } }
      const { metadata, spec } = await door.patch('one', { type: 'strategic', body })
      assert.deepEqual([metadata.labels?.patched, spec?.hard], ['yes', { cpu: '1', memory: '750Mi' }])
      await door.deleteCollection({ labelSelector: 'patched=yes' })
      assert.deepEqual((await t.client.resource(resourcequotas).list({ labelSelector })).items, [])
    },
  }),
  defineCase({
    name: 'quotas: the status of one is written apart from its spec',
    stands: 'ResourceQuota should apply changes to a resourcequota status',
    async run(t) {
      const door = await t.in(resourcequotas)
      await door.create(quota('one'))
      // Where a controller keeps the status, it may be ahead or write over ours: what the write answers is what counts.
      const wanted = { cpu: '3', memory: '3Gi' }
      const updated = await t.eventually(async () =>
        door.updateStatus({ ...(await door.get('one')), spec: { hard: wanted }, status: { hard: wanted } }),
      )
      assert.deepEqual([updated.status?.hard, updated.spec?.hard], [wanted, hard])
      const patch = { type: 'merge', body: { spec: { hard: wanted }, status: { hard: { cpu: '4' } } } } as const
      const patched = await door.patch('one', patch, { subresource: 'status' })
      assert.deepEqual([patched.status?.hard?.cpu, patched.spec?.hard], ['4', hard])
      assert.deepEqual((await door.getSubresource<ResourceQuota>('one', 'status')).spec?.hard, hard)
    },
  }),
]
