/** How large an object is makes no difference to what becomes of it: in turns it is written as it is at once. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { statusOf } from '#core/errors/status-error.ts'
import { reviveWhole } from '#core/machinery/canonical.ts'
import { admin, openTestRegistry } from '#core/testing/test-registry.ts'
import { anyName, anyScalar, anySchema, anyVersion, type Json, record } from './custom/testing.ts'
import type { WriteContext } from './resource-store.ts'

const crds = 'apiextensions.k8s.io/v1/customresourcedefinitions'
const now = Date.parse('2030-01-01T00:00:00Z')

const names = { plural: 'things', kind: 'Thing' }
const object = (spec: Json): UnstructuredObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'things.x.dev' },
  spec,
})
const unexpected = fc.tuple(anyName, anyScalar)
const anyDefinition = fc
  .record({ schema: anySchema, version: anyVersion, more: fc.array(unexpected, { maxLength: 2 }) })
  .map(({ schema, version, more }) => {
    const openAPIV3Schema = { type: 'object', ...schema }
    const v1 = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema }, ...version, ...record(more) }
    return object({ group: 'x.dev', scope: 'Cluster', names, versions: [v1] })
  })

/** What a dry run answers, or how it fails, and what it warns of. */
async function outcomeOf(write: (context: WriteContext) => Promise<Buffer>, bodyLength: number): Promise<unknown> {
  const warnings: string[] = []
  const warn = (message: string) => warnings.push(message)
  try {
    const written = reviveWhole(await write({ ...admin, dryRun: true, manager: 'me', warn, bodyLength }))
    return { warnings, written: { ...written, metadata: { ...written.metadata, uid: '' } } }
  } catch (error) {
    return { warnings, status: statusOf(error) }
  }
}

const sound = object({
  ...{ group: 'x.dev', scope: 'Cluster', names, unknown: 1 },
  versions: [
    { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', nullable: null } } },
  ],
})

const plain = object({
  ...{ group: 'x.dev', scope: 'Cluster', names },
  versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
})

const usual = 0
const large = 1024 * 1024

test('definitions are created, updated and applied alike', async () => {
  await using registry = await openTestRegistry({ now: () => now })
  const { store } = registry
  const served = registry.served(crds)
  const at = { namespace: '', name: 'things.x.dev' }
  const first = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }
  const named = { ...object({ group: 'x.dev', scope: 'Cluster', names: { plural: 'others', kind: 'Other' } }) }
  Object.assign(named.spec as Json, { versions: [first] })
  await registry.create(crds, { ...named, metadata: { name: 'others.x.dev' } }, { manager: 'somebody' })
  const writes = (sent: UnstructuredObject): ((context: WriteContext) => Promise<Buffer>)[] => {
    const copy = () => structuredClone(sent)
    const manager = { name: 'me', operation: 'Apply', subresource: '' } as const
    const apply = (name: string) => async (context: WriteContext) => {
      const configuration = { ...copy(), metadata: { name } }
      const read = () => ({ configuration, manager, force: true })
      return (await store.apply(served, { ...at, name }, '', read, () => {}, context)).bytes
    }
    const update = (context: WriteContext) => {
      const change = (current: { revision: number }) => {
        const spec = { ...(copy().spec as Json), names: { plural: 'others', kind: 'Other' } }
        return { ...copy(), metadata: { name: 'others.x.dev', resourceVersion: String(current.revision) }, spec }
      }
      return store.update(served, { ...at, name: 'others.x.dev' }, '', change, context)
    }
    return [
      (context) => store.create(served, '', copy(), context),
      update,
      apply('things.x.dev'),
      apply('others.x.dev'),
    ]
  }
  let count = 0
  await fc.assert(
    fc.asyncProperty(anyDefinition, async (sent) => {
      for (const write of writes(sent)) {
        const expected = await outcomeOf(write, usual)
        expect(await outcomeOf(write, large)).toEqual(expected)
        if ((expected as { written?: object }).written) count++
      }
    }),
    { numRuns: 60, examples: [[sound], [plain]] },
  )
  expect(count).toBeGreaterThanOrEqual(4)
  expect(registry.errors).toEqual([])
})
