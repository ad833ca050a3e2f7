import fc from 'fast-check'
import { setOwn } from '#core/schema/json.ts'

/** Definitions that anybody may send, for tests that hold of all of them: sound ones and others. */

export type Json = Record<string, unknown>

/** Of a field. */
export const anyName = fc.constantFrom(
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
export const anyScalar = fc.constantFrom<unknown>(null, true, false, 0, -1, 1.5, '', 'x', '(', [], {}, ['a'], { a: 1 })

export function record(entries: readonly (readonly [string, unknown])[]): Json {
  const made: Json = {}
  for (const [key, value] of entries) setOwn(made, key, value)
  return made
}

export const { schema: anySchema } = fc.letrec<{ schema: Json }>((tie) => {
  const properties = fc.array(fc.tuple(anyName, tie('schema')), { maxLength: 3 }).map(record)
  const some = fc.array(tie('schema'), { maxLength: 2 })
  const keyword = fc.oneof(
    fc.tuple(fc.constant('properties'), properties),
    fc.tuple(fc.constantFrom('items', 'additionalProperties', 'not'), tie('schema')),
    fc.tuple(fc.constantFrom('anyOf', 'allOf', 'oneOf'), some),
    fc.tuple(fc.constantFrom('default', 'enum', 'required', 'maxLength', 'nullable', 'format', '$ref'), anyScalar),
    fc.tuple(fc.constant('pattern'), fc.constantFrom('^a$', '(', '(?i)x', '\\p{L}', 'a{0,99}{0,99}')),
    fc.tuple(fc.constant('x-kubernetes-list-type'), fc.constantFrom('set', 'map', 'atomic', 'x')),
    fc.tuple(fc.constant('x-kubernetes-list-map-keys'), fc.array(anyName, { maxLength: 2 })),
    fc.tuple(fc.constant('x-kubernetes-map-type'), fc.constantFrom('atomic', 'granular')),
    fc.tuple(
      fc.constantFrom(
        'x-kubernetes-preserve-unknown-fields',
        'x-kubernetes-embedded-resource',
        'x-kubernetes-int-or-string',
      ),
      fc.constant(true),
    ),
    fc.constantFrom(['x-keelson-unique', 'namespace'], ['x-keelson-index', true], ['format', 'unheard-of']),
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
/** What a version says beside its schema. */
export const anyVersion = fc.record(
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
      anyName.map((one) => ({ jsonPath: `.${one}` })),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: [] },
)
