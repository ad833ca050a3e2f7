/** Whatever a definition says, it is refused by name or it is served: nothing it can say fails the server. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findStatusError } from '#core/errors/status-error.ts'
import { openTestRegistry } from '#core/testing/test-registry.ts'
import { anyName, anyScalar, anySchema, anyVersion, type Json, record } from './testing.ts'

const fields = fc
  .array(fc.tuple(anyName, fc.oneof(anyScalar, fc.dictionary(anyName, anyScalar))), { maxLength: 4 })
  .map(record)

/** Clients are told what is wrong with what they sent. */
const isRefusal = (error: unknown) => [400, 405, 422].includes(findStatusError(error)?.status.code ?? 500)

test('a definition is refused with a reason, or served', async () => {
  await using registry = await openTestRegistry()
  let serial = 0
  const attempt = async (of: string, object: Json): Promise<boolean> => {
    try {
      await registry.create(of, object)
      return true
    } catch (error) {
      if (!isRefusal(error)) throw error
      return false
    }
  }
  await fc.assert(
    fc.asyncProperty(anySchema, anyVersion, fields, async (written, more, object) => {
      const plural = `things${++serial}`
      const names = { plural, kind: `Thing${serial}` }
      const root = { type: 'object', ...written }
      const v1 = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: root }, ...more }
      const isTaken = await attempt('apiextensions.k8s.io/v1/customresourcedefinitions', {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `${plural}.x.dev` },
        spec: { group: 'x.dev', scope: 'Cluster', names, versions: [v1] },
      })
      if (!isTaken) return
      expect(registry.served(`x.dev/v1/${plural}`)).toBeDefined()
      const thing = { ...object, apiVersion: 'x.dev/v1', kind: names.kind, metadata: { name: 'one' } }
      await attempt(`x.dev/v1/${plural}`, thing)
    }),
    { numRuns: 300 },
  )
  expect(registry.errors).toEqual([])
})
