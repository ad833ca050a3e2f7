import { describe, expect, test } from 'vitest'
import type { JsonSchema, ValidationRule } from '#core/registry/resource.ts'
import { checkRules } from './check.ts'

const ruled = (schema: JsonSchema, ...rules: ValidationRule[]): JsonSchema => ({
  ...schema,
  'x-kubernetes-validations': rules,
})
const object = (properties: Record<string, JsonSchema>): JsonSchema => ({ type: 'object', properties })
const list = (items: JsonSchema, more: JsonSchema = {}): JsonSchema => ({ type: 'array', items, ...more })
const map = (values: JsonSchema, more: JsonSchema = {}): JsonSchema => ({
  type: 'object',
  additionalProperties: values,
  ...more,
})
const text: JsonSchema = { type: 'string' }
const int: JsonSchema = { type: 'integer' }
const spec = (schema: JsonSchema) => object({ spec: schema })
const check = (schema: JsonSchema, old?: JsonSchema) =>
  checkRules(schema, 'schema', old).map(({ field, message }) => `${field}: ${message}`)

const at = 'schema.properties[spec].x-kubernetes-validations[0]'

describe('how a rule is written', () => {
  test.each<[name: string, rule: ValidationRule, errors: string[]]>([
    ['it must be there', { rule: ' ' }, ['rule: Required value: rule is not specified']],
    [
      'a message says something',
      { rule: 'true', message: ' ' },
      ['message: Invalid value: " ": must be non-empty if specified'],
    ],
    [
      'a message is one line',
      { rule: 'true', message: 'a\nb' },
      ['message: Invalid value: "a\\nb": must not contain line breaks'],
    ],
    [
      'a rule of several lines has a message',
      { rule: 'true ||\n false' },
      ['message: Required value: message must be specified if rule contains line breaks'],
    ],
    [
      'a message expression says something',
      { rule: 'true', messageExpression: ' ' },
      ['messageExpression: Required value: messageExpression must be non-empty if specified'],
    ],
    [
      'the reason is one of four',
      { rule: 'true', reason: 'Because' },
      [
        'reason: Unsupported value: "Because": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"',
      ],
    ],
    [
      'a field path leads somewhere',
      { rule: 'true', fieldPath: '.nowhere' },
      ['fieldPath: Invalid value: ".nowhere": must be a valid path'],
    ],
    [
      'a field path is one line',
      { rule: 'true', fieldPath: '\n' },
      [
        'fieldPath: Invalid value: "\\n": must be non-empty if specified',
        'fieldPath: Invalid value: "\\n": must not contain line breaks',
        'fieldPath: Invalid value: "\\n": must be a valid path',
      ],
    ],
    ['all is well', { rule: 'true ||\n false', message: 'm', fieldPath: '.a', reason: 'FieldValueRequired' }, []],
  ])('%s', (_, rule, errors) => {
    expect(check(spec(ruled(object({ a: text }), rule)))).toEqual(errors.map((error) => `${at}.${error}`))
  })
})

const shown = (rule: string, more = '"MessageExpression":""') =>
  `Invalid value: {"Rule":"${rule}","Message":"",${more},"Reason":null,"FieldPath":"","OptionalOldSelf":null}`

describe('what a rule says', () => {
  test.each<[name: string, schema: JsonSchema, errors: string[]]>([
    [
      'it compiles',
      spec(ruled(object({ x: int }), { rule: 'self.z == 100' })),
      [
        `${at}.rule: ${shown('self.z == 100')}: compilation failed: ERROR: <input>:1:5: undefined field 'z'\n | self.z == 100\n | ....^`,
      ],
    ],
    [
      'it is true or false',
      spec(ruled(object({ x: int }), { rule: 'self.x' })),
      [`${at}.rule: ${shown('self.x')}: cel expression must evaluate to a bool`],
    ],
    [
      'its message is a text',
      spec(ruled(object({ x: int }), { rule: 'true', messageExpression: 'self.x' })),
      [
        `${at}.messageExpression: ${shown('true', '"MessageExpression":"self.x"')}: messageExpression must evaluate to a string`,
      ],
    ],
    [
      'its message compiles',
      spec(ruled(object({ x: int }), { rule: 'true', messageExpression: 'self.' })),
      [expect.stringMatching(/messageExpression compilation failed: ERROR: <input>:1:6: Syntax error/)],
    ],
    [
      'an optional old value is used',
      spec(ruled(int, { rule: 'self > 0', optionalOldSelf: true })),
      [`${at}.optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule`],
    ],
    [
      'an optional old value is optional',
      spec(ruled(int, { rule: 'oldSelf.orValue(0) < self', optionalOldSelf: true })),
      [],
    ],
    [
      'an old value is there to compare with',
      spec(list(list(ruled(int, { rule: 'self > oldSelf' }), { maxItems: 5 }), { maxItems: 5 })),
      [
        'schema.properties[spec].items.items.x-kubernetes-validations[0].rule: Invalid value: "self > oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within schema.properties[spec]',
      ],
    ],
    [
      'an old value is there for what is keyed',
      spec(
        list(map(ruled(int, { rule: 'self > oldSelf' }), { maxProperties: 5 }), {
          maxItems: 5,
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['k'],
        }),
      ),
      [],
    ],
    [
      'an old value is there for the list itself',
      spec(ruled(list(int, { maxItems: 5 }), { rule: 'self == oldSelf' })),
      [],
    ],
    [
      'something is known of the values',
      spec(ruled({ 'x-kubernetes-preserve-unknown-fields': true }, { rule: 'true' })),
      [
        'schema.properties[spec].x-kubernetes-validations: Internal error: internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations',
      ],
    ],
    [
      'rules of the whole see what every resource has',
      ruled(spec(object({})), { rule: "self.metadata.name.startsWith('a') && self.kind != ''" }),
      [],
    ],
  ])('%s', (_, schema, errors) => expect(check(schema)).toEqual(errors))

  test('is not looked at where rules are not written as rules are', () => {
    const inner = ruled(object({ y: int }), { rule: '' })
    expect(check(spec(ruled(object({ x: inner }), { rule: 'self.z' })))).toEqual([
      'schema.properties[spec].properties[x].x-kubernetes-validations[0].rule: Required value: rule is not specified',
    ])
  })

  test('was accepted before', () => {
    const bad = spec(ruled(object({}), { rule: 'self.z' }))
    expect(check(bad, structuredClone(bad))).toEqual([])
    expect(check(bad, spec(object({}))).length).toBe(1)
  })
})

describe('defaults', () => {
  test.each<[name: string, schema: JsonSchema, errors: string[]]>([
    ['hold', spec({ ...ruled(int, { rule: 'self > 0' }), default: 1 }), []],
    [
      'do not hold',
      spec({ ...ruled(int, { rule: 'self > 0' }), default: 0 }),
      ['schema.properties[spec].default: Invalid value: 0: failed rule: self > 0'],
    ],
    [
      'do not hold further in',
      spec({ ...object({ a: ruled(int, { rule: 'self > 0' }) }), default: { a: 0 } }),
      ['schema.properties[spec].default.a: Invalid value: 0: failed rule: self > 0'],
    ],
    [
      'do not hold when there was nothing before',
      spec({ ...ruled(int, { rule: 'oldSelf.hasValue()', optionalOldSelf: true }), default: 0 }),
      ['schema.properties[spec].default: Invalid value: 0: failed rule: oldSelf.hasValue()'],
    ],
  ])('%s', (_, schema, errors) => expect(check(schema)).toEqual(errors))
})
