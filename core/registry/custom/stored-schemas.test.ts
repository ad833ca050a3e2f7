import { expect, test } from 'vitest'
import { CacheEntry } from '#core/storage/cacher/entry.ts'
import { StoredSchemas } from './stored-schemas.ts'

function entryAt(revision: number, description: string): CacheEntry {
  const versions = [
    { name: 'v1', schema: { openAPIV3Schema: { type: 'object', description } } },
    { name: 'v2', schema: {} },
  ]
  const head =
    '{"kind":"CustomResourceDefinition","apiVersion":"apiextensions.k8s.io/v1","metadata":{"resourceVersion":"'
  const bytes = Buffer.from(`${head}${revision}","name":"a"},"spec":${JSON.stringify({ versions })}}`)
  return new CacheEntry('a', bytes, revision)
}

test('schemas are read from the bytes, the same object for as long as anybody has it', () => {
  const schemas = new StoredSchemas(entryAt(1, 'First.'))
  const schema = schemas.of('v1')
  expect(schema).toEqual({ type: 'object', description: 'First.' })
  expect(schemas.of('v1')).toBe(schema)
  expect(schemas.of('v2')).toEqual({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true })
})

test('only the state that is read from is held', () => {
  const [first, second] = [entryAt(1, 'Same.'), entryAt(2, 'Same.')]
  const schemas = new StoredSchemas(first)
  expect(first.isHeld).toBe(true)
  schemas.moveTo(second)
  expect([first.isHeld, second.isHeld]).toEqual([false, true])
  schemas.release()
  expect(second.isHeld).toBe(false)
  expect(schemas.of('v1')).toMatchObject({ description: 'Same.' })
})
