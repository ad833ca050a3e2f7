import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { JsonSchema } from '#core/registry/resource.ts'
import { compileSchema } from './compile.ts'
import { cloneJson, setOwn } from './json.ts'
import { validateStructural } from './structural.ts'

const key = fc.constantFrom('a', 'b', 'c', 'd', '__proto__', 'constructor', 'metadata', 'kind')

function record<T>(entries: readonly [string, T][]): Record<string, T> {
  const made: Record<string, unknown> = {}
  for (const [name, value] of entries) setOwn(made, name, value)
  return made as Record<string, T>
}

const { schema } = fc.letrec<{ schema: JsonSchema }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<JsonSchema>(
      { type: 'string', maxLength: 3 },
      { type: 'integer', default: 1, minimum: 0 },
      { type: 'boolean', nullable: true },
      { 'x-kubernetes-int-or-string': true },
      { 'x-kubernetes-preserve-unknown-fields': true },
    ),
    fc
      .array(fc.tuple(key, tie('schema')))
      .map((fields): JsonSchema => ({ type: 'object', properties: record(fields) })),
    tie('schema').map((values): JsonSchema => ({ type: 'object', additionalProperties: values })),
    tie('schema').map((items): JsonSchema => ({ type: 'array', items })),
    fc
      .tuple(tie('schema'), tie('schema'))
      .map(([one, other]): JsonSchema => ({ type: 'object', anyOf: [one, { not: other }] })),
  ),
}))
const root = fc
  .array(fc.tuple(key, schema))
  .map((fields): JsonSchema => ({ type: 'object', properties: record(fields) }))

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, 0, -1, 1.5, '', 'text'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map(record),
  ),
}))

test('what was pruned has nothing more to prune, and what was defaulted nothing more to default', () => {
  fc.assert(
    fc.property(root, value, (schema, given) => {
      const compiled = compileSchema(schema, {})
      const object = cloneJson(given)
      compiled.dropNulls(object)
      compiled.prune(object)
      compiled.prune(object, (path) => expect.unreachable(`${path} was left`))
      compiled.applyDefaults(object)
      const once = cloneJson(object)
      compiled.applyDefaults(object)
      expect(object).toEqual(once)
      expect(({} as Record<string, unknown>).a).toBeUndefined()
    }),
    { numRuns: 500 },
  )
})

test('judging changes nothing, and an update that changes nothing is sound', () => {
  fc.assert(
    fc.property(root, value, (schema, given) => {
      const compiled = compileSchema(schema, {})
      const object = cloneJson(given)
      const errors = compiled.validate(object)
      compiled.typeErrors(object)
      expect(object).toEqual(given)
      expect(compiled.validate(object, given)).toEqual([])
      if (errors.length === 0) expect(compiled.validate(object, {})).toEqual([])
    }),
    { numRuns: 500 },
  )
})

const keyword = fc.constantFrom(
  ...['type', 'properties', 'items', 'additionalProperties', 'required', 'enum', 'default', 'anyOf', 'not', 'pattern'],
  ...['metadata', 'x-kubernetes-list-type', 'x-kubernetes-list-map-keys', 'x-kubernetes-embedded-resource', '$ref'],
)
const { anything } = fc.letrec<{ anything: unknown }>((tie) => ({
  anything: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, 1, 'object', 'array', 'map', 'set', '(', 'a'),
    fc.array(tie('anything'), { maxLength: 3 }),
    fc.array(fc.tuple(keyword, tie('anything')), { maxLength: 5 }).map(record),
  ),
}))

test('any JSON can be asked whether it is structural, and what is can be used', () => {
  fc.assert(
    fc.property(fc.oneof(root, anything as fc.Arbitrary<JsonSchema>), value, (schema, given) => {
      if (validateStructural(schema).length > 0) return
      const compiled = compileSchema(schema, {})
      compiled.prune(given)
      compiled.applyDefaults(given)
      compiled.validate(given)
    }),
    { numRuns: 2000 },
  )
})
