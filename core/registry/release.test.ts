import { expect, test } from 'vitest'
import type { AdmissionRequest } from '#apis/plugin/v1/admission.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { StorageError } from '#core/storage/storage.ts'
import { admin, openTestRegistry } from '#core/testing/test-registry.ts'

const secrets = 'v1/secrets'
const secret = (name: string) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'default' } })
const at = { namespace: 'default', name: 'a' }

/** A registry with admission that takes something for every write, and what it took and was given back. */
async function setUp() {
  const heard: string[] = []
  const validate = async (request: AdmissionRequest) => {
    heard.push(`${request.operation} takes`)
    request.release = async () => void heard.push(`${request.operation} gives back`)
  }
  const registry = await openTestRegistry({ admission: { mutate: () => {}, validate } })
  await registry.create(secrets, secret('a'))
  const label =
    (value: string) =>
    ({ bytes }: { bytes: Buffer }) => {
      const object = reviveObject(bytes)
      return { ...object, metadata: { ...object.metadata, labels: { value } } }
    }
  const update = (value: string) => registry.store.update(registry.served(secrets), at, '', label(value), admin)
  return { registry, heard, update }
}

test('what is stored keeps what admission took for it', async () => {
  const { registry, heard, update } = await setUp()
  await using _ = registry
  await update('x')
  expect(heard).toEqual(['CREATE takes', 'UPDATE takes'])
})

test('a create of what is there gives back what was taken for it', async () => {
  const { registry, heard } = await setUp()
  await using _ = registry
  await expect(registry.create(secrets, secret('a'))).rejects.toThrow('secrets "a" already exists')
  expect(heard).toEqual(['CREATE takes', 'CREATE takes', 'CREATE gives back'])
})

test('an update that others were faster than takes once more, and gives back what it took in vain', async () => {
  const { registry, heard, update } = await setUp()
  await using _ = registry
  await Promise.all([update('x'), update('y')])
  const updates = heard.filter((line) => line.startsWith('UPDATE'))
  expect(updates.filter((line) => line.endsWith('takes')).length).toBe(3)
  expect(updates.filter((line) => line.endsWith('gives back'))).toHaveLength(1)
})

test('what may have been written keeps what was taken for it', async () => {
  const { registry, heard } = await setUp()
  await using _ = registry
  registry.storage.create = async () => {
    throw new StorageError('Timeout', 'no answer')
  }
  await expect(registry.create(secrets, secret('b'))).rejects.toThrow('may have been done or not')
  expect(heard).toEqual(['CREATE takes', 'CREATE takes'])
})
