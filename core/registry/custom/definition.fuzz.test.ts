/** Whatever a definition says, it is refused by name or it is served: nothing it can say fails the server. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findStatusError } from '#core/errors/status-error.ts'
import { setOwn } from '#core/schema/json.ts'
import { openTestRegistry } from '#core/testing/test-registry.ts'

type Json = Record<string, unknown>

const name = fc.constantFrom(
  'a',
  'b',
  'spec',
  'metadata',
  'kind',
  '__proto__',
  'constructor',
  'toString',
  '',
  'a.b',
  'length',
)
const scalar = fc.constantFrom<unknown>(null, true, false, 0, -1, 1.5, '', 'x', '(', [], {}, ['a'], { a: 1 })

function record(entries: readonly (readonly [string, unknown])[]): Json {
  const made: Json = {}
  for (const [key, value] of entries) setOwn(made, key, value)
  return made
}

const { schema } = fc.letrec<{ schema: Json }>((tie) => {
  const properties = fc.array(fc.tuple(name, tie('schema')), { maxLength: 3 }).map(record)
  const some = fc.array(tie('schema'), { maxLength: 2 })
  const keyword = fc.oneof(
    fc.tuple(fc.constant('properties'), properties),
    fc.tuple(fc.constantFrom('items', 'additionalProperties', 'not'), tie('schema')),
    fc.tuple(fc.constantFrom('anyOf', 'allOf', 'oneOf'), some),
    fc.tuple(fc.constantFrom('default', 'enum', 'required', 'maxLength', 'nullable', 'format', '$ref'), scalar),
    fc.tuple(fc.constant('pattern'), fc.constantFrom('^a$', '(', '(?i)x', '\\p{L}', 'a{0,99}{0,99}')),
    fc.tuple(fc.constant('x-kubernetes-list-type'), fc.constantFrom('set', 'map', 'atomic', 'x')),
    fc.tuple(fc.constant('x-kubernetes-list-map-keys'), fc.array(name, { maxLength: 2 })),
    fc.tuple(fc.constant('x-kubernetes-map-type'), fc.constantFrom('atomic', 'granular')),
    fc.tuple(
      fc.constantFrom(
        'x-kubernetes-preserve-unknown-fields',
        'x-kubernetes-embedded-resource',
        'x-kubernetes-int-or-string',
      ),
      fc.constant(true),
    ),
    fc.tuple(
      fc.constant('x-kubernetes-validations'),
      fc.constantFrom([{ rule: 'self == oldSelf' }], [{ rule: 'has(self.a)' }], [{ rule: '' }], [{}]),
    ),
  )
  const type = fc.constantFrom('object', 'object', 'string', 'integer', 'array', 'boolean', undefined)
  return {
    schema: fc.oneof(
      { maxDepth: 4 },
      fc.constant<Json>({ type: 'string' }),
      fc
        .tuple(type, fc.array(keyword, { maxLength: 3 }))
        .map(([type, keywords]) => ({ ...(type && { type }), ...record(keywords as [string, unknown][]) })),
    ),
  }
})
const version = fc.record(
  {
    subresources: fc.constant({
      status: {},
      scale: {
        specReplicasPath: '.spec.a',
        statusReplicasPath: '.status.b[',
        labelSelectorPath: '.status.constructor',
      },
    }),
    additionalPrinterColumns: fc
      .constantFrom('.spec.a', '.', '..', '.[', '.a[?(', '..*..*')
      .map((jsonPath) => [{ name: 'A', type: 'string', jsonPath }]),
    selectableFields: fc.array(
      name.map((one) => ({ jsonPath: `.${one}` })),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: [] },
)
const fields = fc.array(fc.tuple(name, fc.oneof(scalar, fc.dictionary(name, scalar))), { maxLength: 4 }).map(record)

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
    fc.asyncProperty(schema, version, fields, async (written, more, object) => {
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
