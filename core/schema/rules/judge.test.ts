import { describe, expect, test } from 'vitest'
import type { FieldError } from '#apis/meta/v1/field-error.ts'
import type { JsonSchema, ValidationRule } from '#core/registry/resource.ts'
import { checkRules } from './check.ts'
import { judge } from './judge.ts'
import { ruleTree } from './rule-tree.ts'

const ruled = (schema: JsonSchema, ...rules: (string | ValidationRule)[]): JsonSchema => ({
  ...schema,
  'x-kubernetes-validations': rules.map((rule) => (typeof rule === 'string' ? { rule } : rule)),
})
const object = (properties: Record<string, JsonSchema>): JsonSchema => ({ type: 'object', properties })
const list = (items: JsonSchema, more: JsonSchema = {}): JsonSchema => ({ type: 'array', items, ...more })
const keyed = (items: JsonSchema) =>
  list(items, { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] })
const map = (values: JsonSchema): JsonSchema => ({ type: 'object', additionalProperties: values })
const text: JsonSchema = { type: 'string' }
const int: JsonSchema = { type: 'integer' }

/** Faults as one line each. */
const told = (errors: readonly FieldError[]) => errors.map(({ field, message }) => `${field}: ${message}`)
const create = (schema: JsonSchema, value: unknown, clock = () => 0) =>
  told(judge(ruleTree(schema, false)!, value, { clock }))
const update = (schema: JsonSchema, value: unknown, old: unknown) => {
  const kept: FieldError[] = []
  const errors = judge(ruleTree(schema, false)!, value, { old, onKept: (error) => kept.push(error) })
  return { errors: told(errors), kept: told(kept) }
}

describe('faults', () => {
  test.each<[name: string, schema: JsonSchema, value: unknown, errors: string[]]>([
    ['the rule is shown', ruled(int, ' self > 5 '), 3, ['<nil>: Invalid value: 3: failed rule: self > 5']],
    ['the message is shown', ruled(text, { rule: 'false', message: ' no ' }), 'a', ['<nil>: Invalid value: "a": no']],
    [
      'values of objects and lists are not shown',
      object({ o: ruled(object({}), 'false'), l: ruled(list(text), 'false') }),
      { o: {}, l: [] },
      ['o: Invalid value: failed rule: false', 'l: Invalid value: failed rule: false'],
    ],
    [
      'paths lead through fields, items and keys',
      object({ a: map(list(object({ b: ruled(int, 'self > 0') }))) }),
      { a: { 'k.1': [{ b: 1 }, { b: 0 }] } },
      ['a[k.1][1].b: Invalid value: 0: failed rule: self > 0'],
    ],
    [
      'each rule is told, the outer ones first',
      ruled(object({ a: ruled(int, 'self > 0', 'self > 1') }), 'self.a > 2'),
      { a: 0 },
      [
        '<nil>: Invalid value: failed rule: self.a > 2',
        'a: Invalid value: 0: failed rule: self > 0',
        'a: Invalid value: 0: failed rule: self > 1',
      ],
    ],
    [
      'what is absent or null is not judged',
      object({ a: ruled(int, 'false'), b: ruled(int, 'false') }),
      { b: null },
      [],
    ],
    ['what the schema does not know is not judged', object({ a: ruled(int, 'false') }), { other: 1 }, []],
    [
      'what fails says why',
      ruled(list(int), 'self[3] > 0', 'self[0] / 0 == 1'),
      [1],
      [
        '<nil>: Invalid value: "array": index out of bounds: 3 evaluating rule: self[3] > 0',
        '<nil>: Invalid value: "array": division by zero evaluating rule: self[0] / 0 == 1',
      ],
    ],
    [
      'what fails is told by its message where it has one',
      ruled(list(int), { rule: 'self[3] > 0', message: 'four please' }),
      [1],
      ['<nil>: Invalid value: "array": index out of bounds: 3 evaluating rule: four please'],
    ],
    [
      'a rule that no longer compiles is told',
      ruled(int, 'self.x'),
      1,
      [
        '<nil>: Invalid value: "integer": rule compile error: compilation failed: ERROR: <input>:1:5: type \'int\' does not support field selection\n | self.x\n | ....^',
      ],
    ],
    ['an empty rule says nothing', ruled(int, '', 'self > 5'), 3, ['<nil>: Invalid value: 3: failed rule: self > 5']],
  ])('%s', (_, schema, value, errors) => expect(create(schema, value)).toEqual(errors))

  test.each([
    ['FieldValueInvalid', '<nil>: Invalid value: 3: m'],
    ['FieldValueForbidden', '<nil>: Forbidden: m'],
    ['FieldValueRequired', '<nil>: Required value: m'],
    ['FieldValueDuplicate', '<nil>: Duplicate value: 3'],
  ])('reason %s', (reason, error) => {
    const [found] = judge(ruleTree(ruled(int, { rule: 'false', message: 'm', reason }), false)!, 3)
    expect([found!.reason, told([found!])]).toEqual([reason, [error]])
  })

  test('a field path says where', () => {
    const fieldPath = ".b['c.d']"
    const schema = object({ a: ruled(object({ b: map(text) }), { rule: 'false', message: 'm', fieldPath }) })
    expect(create(schema, { a: {} })).toEqual(['a.b[c.d]: Invalid value: m'])
    expect(create(ruled(object({ b: map(text) }), { rule: 'false', message: 'm', fieldPath }), {})).toEqual([
      'b[c.d]: Invalid value: m',
    ])
  })
})

describe('messageExpression', () => {
  test.each([
    ['says more than the message', "'got ' + string(self)", 'got 3'],
    ['is trimmed', "'  got it '", 'got it'],
    ['that fails gives way', "['a'][self]", 'm'],
    ['with line breaks gives way', "'a\\nb'", 'm'],
    ['that says nothing gives way', "'  '", 'm'],
    ['that says too much gives way', `'${'a'.repeat(5121)}'`, 'm'],
    ['that needs a value from before gives way', 'string(oldSelf)', 'm'],
  ])('%s', (_, messageExpression, detail) => {
    const schema = ruled(int, { rule: 'false', message: 'm', messageExpression })
    expect(create(schema, 3)).toEqual([`<nil>: Invalid value: 3: ${detail}`])
  })

  test('that fails gives way to the rule where there is no message', () => {
    expect(create(ruled(int, { rule: 'self > 4', messageExpression: "['a'][self]" }), 3)).toEqual([
      '<nil>: Invalid value: 3: failed rule: self > 4',
    ])
  })
})

const many = Array.from({ length: 1_200 }, (_, at) => at)
const squared = 'self.all(x, self.all(y, x >= 0 && y >= 0))'

describe('limits', () => {
  test('a rule that costs too much ends the judgement', () => {
    const schema = object({ a: ruled(list(int), squared), b: ruled(int, 'false') })
    expect(create(schema, { a: many, b: 1 })).toEqual([
      `a: Invalid value: "array": 'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: ${squared}`,
    ])
  })

  test('a rule that would run for ever ends, and is refused with the definition', () => {
    const digits = '[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]'
    const forever = Array.from({ length: 12 }, (_, at) => at).reduce(
      (body, at) => `${digits}.all(x${at}, ${body})`,
      'true',
    )
    const schema = ruled(int, forever)
    expect(create(schema, 1)).toEqual([expect.stringContaining('call cost exceeds limit for rule')])
    expect(told(checkRules(object({ a: schema })))[0]).toContain('exceeds budget by factor of more than 100x')
  })

  test('no more faults are looked for than anybody is told of', () => {
    const schema = object({ a: list(ruled(int, 'false')), b: int })
    const a = Array.from({ length: 20_000 }, () => 1)
    expect(create(schema, { a })).toHaveLength(10_000)
    expect(update(schema, { a, b: 2 }, { a, b: 1 })).toMatchObject({ errors: [], kept: { length: 100 } })
  })

  test('rules that cost too much together end the judgement', () => {
    const some = many.slice(0, 250)
    const schema = ruled(list(int), ...Array.from({ length: 60 }, () => squared))
    expect(create(schema, some)).toEqual([
      '<nil>: Invalid value: "array": validation failed due to running out of cost budget, no further validation rules will be run',
    ])
  })

  test('a rule that takes too long ends the judgement', () => {
    const schema = object({ a: ruled(list(int), squared), b: ruled(int, 'false') })
    let now = 0
    expect(create(schema, { a: many, b: 1 }, () => now++)).toEqual([
      `a: Invalid value: "array": 'operation interrupted': no further validation rules will be run due to call cost exceeds limit for rule: ${squared}`,
    ])
  })

  test('that the process had to wait is not held against a rule', () => {
    let now = 0
    expect(create(ruled(list(int), squared), [1, 2, 3], () => (now += 1_000))).toEqual([])
  })

  test('a message that costs too much ends the judgement', () => {
    const messageExpression = `${squared} ? 'a' : 'b'`
    const schema = ruled(list(int), { rule: 'false', message: 'm', messageExpression }, 'false')
    expect(create(schema, many)).toEqual([
      `<nil>: Invalid value: "array": no further validation rules will be run due to call cost exceeds limit for messageExpression: ${JSON.stringify(messageExpression)}`,
    ])
  })
})

describe('transition rules', () => {
  const grows = ruled(int, { rule: 'self >= oldSelf', message: 'must not shrink' })
  const shrunk = 'Invalid value: 1: must not shrink'

  test.each<[name: string, schema: JsonSchema, value: unknown, old: unknown, errors: string[]]>([
    ['are asked of what was there', object({ a: grows }), { a: 1 }, { a: 2 }, [`a: ${shrunk}`]],
    ['are not asked of what is new', object({ a: grows }), { a: 1 }, {}, []],
    ['are not asked of what was null', object({ a: grows }), { a: 1 }, { a: null }, []],
    ['are not asked of what is gone', object({ a: grows }), {}, { a: 2 }, []],
    ['follow the keys of maps', map(grows), { a: 1, b: 1 }, { a: 2 }, [`[a]: ${shrunk}`]],
    [
      'follow the keys of lists',
      keyed(object({ k: text, v: grows })),
      [
        { k: 'new', v: 1 },
        { k: 'b', v: 1 },
        { k: 'a', v: 5 },
      ],
      [
        { k: 'a', v: 4 },
        { k: 'b', v: 3 },
      ],
      [`[1].v: ${shrunk}`],
    ],
    ['are not asked where items cannot be followed', list(object({ k: text, v: grows })), [{ v: 1 }], [{ v: 2 }], []],
    ['are not asked when the type was another', object({ a: object({ b: grows }) }), { a: { b: 1 } }, { a: [1] }, []],
  ])('%s', (_, schema, value, old, errors) => expect(update(schema, value, old).errors).toEqual(errors))

  test('are not asked at a create', () => expect(create(object({ a: grows }), { a: 1 })).toEqual([]))

  test('are asked of a change even when only a key of a list changed places', () => {
    const same = ruled(keyed(object({ k: text })), 'self == oldSelf')
    expect(update(same, [{ k: 'a' }, { k: 'b' }], [{ k: 'b' }, { k: 'a' }]).errors).toEqual([])
  })

  test('with an optional old value are asked always', () => {
    const rule = 'oldSelf.hasValue() ? self >= oldSelf.value() : self == 0'
    const schema = object({ a: ruled(int, { rule, message: 'from zero up', optionalOldSelf: true }) })
    const fault = (a: number) => [`a: Invalid value: ${a}: from zero up`]
    expect(create(schema, { a: 0 })).toEqual([])
    expect(create(schema, { a: 1 })).toEqual(fault(1))
    expect(update(schema, { a: 1 }, { a: null }).errors).toEqual(fault(1))
    expect(update(schema, { a: 3 }, { a: 2 }).errors).toEqual([])
    expect(update(schema, { a: 1 }, { a: 2 }).errors).toEqual(fault(1))
  })

  test('read old values as new ones', () => {
    const time: JsonSchema = { type: 'string', format: 'date-time' }
    const schema = object({ t: ruled(time, 'self >= oldSelf'), o: ruled(object({ t: time }), 'self == oldSelf') })
    const at = (one: string, two: string) => ({ t: one, o: { t: two } })
    expect(
      update(
        schema,
        at('2020-01-01T00:00:00Z', '2020-01-01T00:00:00Z'),
        at('2020-01-01T02:00:00+03:00', '2020-01-01T01:00:00+01:00'),
      ).errors,
    ).toEqual([])
  })
})

describe('faults that an update did not bring', () => {
  const never = { rule: 'self == "never"', message: 'm' }
  const bad = ruled(text, never)
  const fault = 'Invalid value: "x": m'
  const item = (k: string, v = 'x') => ({ k, v })

  test.each<[name: string, schema: JsonSchema, value: unknown, old: unknown, kept: string[], errors: string[]]>([
    [
      'stay where the value is as before',
      object({ a: bad, b: int }),
      { a: 'x', b: 2 },
      { a: 'x', b: 1 },
      [`a: ${fault}`],
      [],
    ],
    ['count where the value is new', object({ a: bad }), { a: 'x' }, {}, [], [`a: ${fault}`]],
    ['count where the value is another', object({ a: bad }), { a: 'x' }, { a: 'y' }, [], [`a: ${fault}`]],
    ['stay in maps, by key', map(bad), { a: 'x', b: 'x' }, { a: 'x' }, [`[a]: ${fault}`], [`[b]: ${fault}`]],
    [
      'stay in keyed lists, wherever the item is now',
      keyed(object({ k: text, v: bad })),
      [item('b'), item('a')],
      [item('a'), item('c')],
      [`[1].v: ${fault}`],
      [`[0].v: ${fault}`],
    ],
    [
      'stay in lists that did not change at all',
      object({ l: list(object({ v: bad })), b: int }),
      { l: [{ v: 'x' }], b: 2 },
      { l: [{ v: 'x' }], b: 1 },
      [`l[0].v: ${fault}`],
      [],
    ],
    [
      'count in lists that changed elsewhere',
      object({ l: list(object({ v: bad })) }),
      { l: [{ v: 'x' }, { v: 'never' }] },
      { l: [{ v: 'x' }] },
      [],
      [`l[0].v: ${fault}`],
    ],
    [
      'stay with a list whose items only changed places',
      object({ l: ruled(keyed(object({ k: text, v: text })), { rule: 'false', message: 'm' }), b: int }),
      { l: [item('a'), item('b')], b: 2 },
      { l: [item('b'), item('a')], b: 1 },
      ['l: Invalid value: m'],
      [],
    ],
    [
      'count when they are of the change itself',
      object({ a: ruled(text, { rule: 'oldSelf != self', message: 'm' }), b: int }),
      { a: 'x', b: 2 },
      { a: 'x', b: 1 },
      [],
      [`a: ${fault}`],
    ],
    [
      'count when the rule could not be evaluated',
      object({ a: ruled(list(int), 'self[5] == 1'), b: int }),
      { a: [1], b: 2 },
      { a: [1], b: 1 },
      [],
      ['a: Invalid value: "array": index out of bounds: 5 evaluating rule: self[5] == 1'],
    ],
    [
      'count in what says what the object is',
      object({ kind: bad, a: object({ kind: bad }), b: int }),
      { kind: 'x', a: { kind: 'x' }, b: 2 },
      { kind: 'x', a: { kind: 'x' }, b: 1 },
      [`a.kind: ${fault}`],
      [`kind: ${fault}`],
    ],
    [
      'stay also under a field path',
      object({ a: ruled(object({ c: text }), { rule: 'false', message: 'm', fieldPath: '.c' }), b: int }),
      { a: { c: 'x' }, b: 2 },
      { a: { c: 'x' }, b: 1 },
      ['a.c: Invalid value: m'],
      [],
    ],
  ])('%s', (_, schema, value, old, kept, errors) => expect(update(schema, value, old)).toEqual({ errors, kept }))
})
