import { expect, test } from 'vitest'
import { openTestRegistry } from '#core/testing/test-registry.ts'

test('metadata that holds nothing is not kept', async () => {
  await using registry = await openTestRegistry()
  const empty = { labels: {}, annotations: {}, ownerReferences: [], finalizers: [] }
  const metadata = { name: 'plain', namespace: 'default', ...empty }
  const { metadata: kept } = await registry.create('v1/configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata })
  for (const field of Object.keys(empty)) expect(kept).not.toHaveProperty(field)
})
