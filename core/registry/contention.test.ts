import { expect, test } from 'vitest'
import { isConflict } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { admin, openTestRegistry } from '#core/testing/test-registry.ts'

const at = { namespace: 'default', name: 'counter' }
const counter = { apiVersion: 'v1', kind: 'ConfigMap', metadata: at, data: { count: '0' } }

function increment(bytes: Buffer) {
  const object = reviveObject(bytes) as ReturnType<typeof reviveObject> & { data: { count: string } }
  object.data.count = String(Number(object.data.count) + 1)
  return object
}

test('a hundred writers without a resourceVersion all get their increment', async () => {
  await using registry = await openTestRegistry()
  await registry.create('v1/configmaps', counter)
  const configMaps = registry.served('v1/configmaps')
  const write = async () => {
    for (let round = 0; round < 3; round++) {
      await registry.store.update(configMaps, at, '', ({ bytes }) => increment(bytes), admin)
    }
  }
  await Promise.all(Array.from({ length: 100 }, write))
  expect(registry.get('v1/configmaps', 'default/counter')).toMatchObject({ data: { count: '300' } })
})

test('writers that name a resourceVersion lose nothing: one wins, the others hear of a conflict', async () => {
  await using registry = await openTestRegistry()
  await registry.create('v1/configmaps', counter)
  const configMaps = registry.served('v1/configmaps')
  let conflicts = 0
  const write = async () => {
    for (let done = 0; done < 5; ) {
      const mine = increment(configMaps.resource.cache.get('default/counter')!.bytes)
      try {
        await registry.store.update(configMaps, at, '', () => structuredClone(mine), admin)
        done++
      } catch (error) {
        if (!isConflict(error)) throw error
        conflicts++
      }
    }
  }
  await Promise.all(Array.from({ length: 20 }, write))
  expect(registry.get('v1/configmaps', 'default/counter')).toMatchObject({ data: { count: '100' } })
  expect(conflicts).toBeGreaterThan(0)
})
