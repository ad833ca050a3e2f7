/** Any schema, any rules, any objects: faults are told, nothing else is thrown, and all of it ends. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { FieldError } from '#apis/meta/v1/field-error.ts'
import type { JsonSchema, ValidationRule } from '#core/registry/resource.ts'
import { compileSchema } from '../compile.ts'
import { checkRules } from './check.ts'

const names = ['a', 'b-c', 'namespace', '__proto__', 'constructor', 'x!', 'k']

/** Parts of rules, put together at random: most do not compile, some do, some of these do not hold. */
const atoms = [
  'self',
  'oldSelf',
  'self.a',
  'self.b__dash__c',
  'self.k',
  'self.namespace',
  '1',
  '2.5',
  "'x'",
  'null',
  '[1, 2]',
  'x',
]
const term: fc.Arbitrary<string> = fc.letrec<{ term: string }>((tie) => ({
  term: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...atoms),
    fc
      .tuple(tie('term'), fc.constantFrom('==', '!=', '<', '+', '/', '&&', '||', 'in'), tie('term'))
      .map((parts) => parts.join(' ')),
    fc
      .tuple(tie('term'), fc.constantFrom('all', 'exists', 'map', 'filter'), tie('term'))
      .map(([on, macro, body]) => `${on}.${macro}(x, ${body})`),
    tie('term').map((on) => `has(${on}.k)`),
    tie('term').map((on) => `${on}.size() > 1`),
    tie('term').map((on) => `${on}.?a.orValue(${on})`),
    tie('term').map((on) => `${on}[0]`),
    tie('term').map((on) => `string(${on}).matches('(a+)+$')`),
    tie('term').map((on) => `type(${on}) == int`),
    tie('term').map((on) => `(${on})`),
  ),
})).term

const rule: fc.Arbitrary<ValidationRule> = fc.record(
  {
    rule: fc.oneof(
      term,
      term.map((text) => `!(${text})`),
      fc.constantFrom('true', 'false', 'self == oldSelf', 'self == self'),
    ),
    message: fc.constantFrom('m', ' ', 'a\nb'),
    messageExpression: term,
    reason: fc.constantFrom('FieldValueRequired', 'FieldValueDuplicate', 'Odd'),
    fieldPath: fc.constantFrom('.a', '.k', "['b-c']", '.', "['"),
    optionalOldSelf: fc.boolean(),
  },
  { requiredKeys: ['rule'] },
)

const formats = [undefined, 'date', 'date-time', 'duration', 'byte', 'uuid']
const scalar: fc.Arbitrary<JsonSchema> = fc.oneof(
  fc.record({ type: fc.constantFrom('integer', 'number', 'boolean') }),
  fc.record({
    type: fc.constant('string'),
    format: fc.constantFrom(...formats),
    maxLength: fc.constantFrom(undefined, 5),
  }),
  fc.constant({ 'x-kubernetes-int-or-string': true }),
  fc.constant({ 'x-kubernetes-preserve-unknown-fields': true }),
) as fc.Arbitrary<JsonSchema>

const schemas = fc.letrec<{ schema: JsonSchema }>((tie) => ({
  schema: fc
    .tuple(
      fc.oneof(
        { depthSize: 'small' },
        scalar,
        fc
          .uniqueArray(fc.tuple(fc.constantFrom(...names), tie('schema')), { selector: ([name]) => name, maxLength: 4 })
          .map((fields) => ({ type: 'object', properties: ownEntries(fields) }) as JsonSchema),
        tie('schema').map((values) => ({ type: 'object', additionalProperties: values }) as JsonSchema),
        fc
          .tuple(tie('schema'), fc.constantFrom('atomic', 'set', 'map', undefined), fc.constantFrom(undefined, 3))
          .map(([items, listType, maxItems]) => listSchema(items, listType, maxItems)),
      ),
      fc.array(rule, { maxLength: 2 }),
      fc.boolean(),
    )
    .map(([schema, rules, nullable]) => ({
      ...schema,
      ...(rules.length > 0 && { 'x-kubernetes-validations': rules }),
      ...(nullable && { nullable }),
    })),
})).schema

function ownEntries<T>(entries: readonly (readonly [string, T])[]): Record<string, T> {
  return JSON.parse(`{${entries.map(([name], at) => `${JSON.stringify(name)}:${at}`).join()}}`, (_, at) =>
    typeof at === 'number' ? entries[at]![1] : at,
  )
}

function listSchema(items: JsonSchema, listType: string | undefined, maxItems: number | undefined): JsonSchema {
  const keyed = { type: 'object', properties: { k: { type: 'string' }, a: items }, required: ['k'] }
  return {
    type: 'array',
    ...(maxItems !== undefined && { maxItems }),
    ...(listType && { 'x-kubernetes-list-type': listType }),
    ...(listType === 'map' && { 'x-kubernetes-list-map-keys': ['k'] }),
    items: listType === 'map' ? keyed : items,
  } as JsonSchema
}

/** A value of the schema, now and then one that is not. */
function objectOf(schema: JsonSchema): fc.Arbitrary<unknown> {
  const { type, properties, additionalProperties, items } = schema
  const odd = fc.constantFrom<unknown>(null, 'x', 1, {}, [], true, '2020-01-01T00:00:00Z', '1h', 'QUI=')
  if (items)
    return fc.oneof(
      { weight: 9, arbitrary: fc.array(objectOf(items), { maxLength: 4 }) },
      { weight: 1, arbitrary: odd },
    )
  if (typeof additionalProperties === 'object') {
    return fc
      .uniqueArray(fc.tuple(fc.constantFrom(...names), objectOf(additionalProperties)), {
        selector: ([name]) => name,
        maxLength: 3,
      })
      .map(ownEntries)
  }
  if (properties) {
    const fields = Object.entries(properties).map(([name, field]) =>
      fc.option(fc.tuple(fc.constant(name), objectOf(field))),
    )
    return fc.tuple(...fields).map((entries) => ownEntries(entries.filter((one) => one !== null)))
  }
  if (type === 'integer') return fc.oneof(fc.integer(), fc.maxSafeInteger())
  if (type === 'number') return fc.double({ noNaN: true, noDefaultInfinity: true })
  return type === 'boolean' ? fc.boolean() : odd
}

const cases = schemas.chain((spec) => {
  const schema: JsonSchema = { type: 'object', properties: { spec } }
  const object = objectOf(schema)
  return fc.tuple(fc.constant(schema), object, object)
})

test('whatever the schema, its rules and the object, there are faults or none', () => {
  fc.assert(
    fc.property(cases, ([schema, value, old]) => {
      for (const { field, message } of checkRules(schema, 'schema')) {
        expect(field).toMatch(/^schema/)
        expect(message).toMatch(/^(Invalid value|Required value|Unsupported value|Forbidden|Internal error): /)
      }
      const compiled = compileSchema(schema, {})
      const kept: FieldError[] = []
      const keep = (error: FieldError) => kept.push(error)
      const errors = [
        ...compiled.judge(value),
        ...compiled.judge(value, old, keep),
        ...compiled.judge(value, value, keep),
      ]
      for (const { message } of [...errors, ...kept]) {
        expect(message).toMatch(/^(Invalid value|Required value|Duplicate value)/)
      }
    }),
    { numRuns: 1_500 },
  )
})
