import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  Budget,
  CompileError,
  compile,
  EvaluationError,
  evaluate,
  objectTypeName,
  standardEnvironment,
  toNative,
  types,
} from './cel.ts'
import { kubernetesEnvironment } from './library/kubernetes.ts'
import { strings } from './library/strings.ts'

const pod = JSON.parse(
  '{"metadata":{"name":"web","labels":{"app":"web","__proto__":"own"}},"spec":{"replicas":3,"ratio":1.5,"big":9007199254740993,"none":null,"ports":[{"port":80},{"port":443}]}}',
)

const values: [expression: string, want: unknown][] = [
  ['pod.spec.replicas + 1 == 4', true],
  ['pod.spec.ratio * 2.0', 3],
  ['type(pod.spec.ratio) == double && type(pod.spec.replicas) == int', true],
  ['pod.spec.ports.map(p, p.port)', [80, 443]],
  ['pod.spec.ports.exists_one(p, p.port == 443)', true],
  ['has(pod.spec.missing) || !has(pod.spec.none)', false],
  ['pod.spec.none == null', true],
  ['pod.metadata.labels.all(k, k != "constructor")', true],
  ['"constructor" in pod.metadata.labels || has(pod.constructor) || has(pod.metadata.toString)', false],
  ['pod.metadata.labels.__proto__', 'own'],
  ['pod.metadata.?__proto__.hasValue()', false],
  ['pod.spec.ports[0].port in [80, 443]', true],
  ['[1.0, 2u, 3] == [1, 2, 3.0]', true],
  ['{"a": pod.spec.ports}.a[1].port', 443],
  ['pod == {"metadata": pod.metadata, "spec": pod.spec}', true],
  ['9007199254740993 - 1', 9007199254740992n],
  ['4611686018427387904 * 2 == 0 || true', true],
  ['-9223372036854775808 / -1 == 0 || true', true],
  ['-7 / 2 == -3 && -7 % 2 == -1', true],
  ['0 * -1', 0],
  ['cel.bind(x, [1, 2], cel.bind(y, x.map(x, x * 2), x + y))', [1, 2, 2, 4]],
  ['[[1, 2], [3]].map(x, x.map(y, y + size(x)))', [[3, 4], [4]]],
  ['[1, 2].exists(x, [3].exists(y, y == x + 1) && x == 2)', true],
  [
    '{"a": 1, "b": 2}.transformMapEntry(k, v, {v: k})',
    new Map([
      [1, 'a'],
      [2, 'b'],
    ]),
  ],
  ['optional.of(5).optMap(x, x + 1).value()', 6],
  ['[?pod.?spec.?missing, ?pod.?spec.?replicas]', [3]],
]
test.each(values)('%s', (expression, want) => {
  expect(evaluate(expression, { pod })).toEqual(want)
})

const natives = {
  table: new Map<string, unknown>([
    ['size', 1],
    ['held', { values: [2], __proto__: null }],
  ]),
  date: new Date(0),
  data: new Uint8Array(3),
  object: JSON.parse('{"a": {"__proto__": {"b": 1}, "keys": null, "list": [], "deep": {"size": 5}}}'),
}
const selections: [expression: string, want: unknown][] = [
  ['table.size', 1],
  ['table.held.values', [2]],
  ['object.a.deep.size', 5],
  ['object.a.keys', null],
  ['object.a.__proto__.b', 1],
  ['object.a.toString', 'no such key: toString'],
  ['object.a.deep.no', 'no such key: no'],
  ['object.a.keys.no', 'no such overload'],
  ['object.a.list.length', 'no such overload'],
  ['table.keys', 'no such key: keys'],
  ['date.getTime', 'no such overload'],
  ['date.no.getTime', 'no such overload'],
  ['data.length', 'no such overload'],
  ['{1: 2}.a', 'no such key: a'],
]
test.each(selections)('%s selects fields, of native values too, and nothing inherited', (expression, want) => {
  const select = () => evaluate(expression, natives)
  if (typeof want === 'string') expect(select).toThrow(want)
  else expect(select()).toEqual(want)
})

const failures: [expression: string, message: string][] = [
  ['pod.missing', 'no such key: missing'],
  ['pod.constructor', 'no such key: constructor'],
  ['pod.spec.ports[2]', 'index out of bounds: 2'],
  ['pod.spec.replicas + "a"', 'no such overload'],
  ['nobody', 'no such attribute(s): nobody'],
  ['constructor', 'no such attribute(s): constructor'],
  ['9223372036854775807 + 1', 'integer overflow'],
  ['1 / 0', 'division by zero'],
  ["int('9223372036854775808')", "type conversion error from 'string' to 'int'"],
  ["duration('1 day')", "type conversion error from 'string' to 'google.protobuf.Duration'"],
  ['{"a": 1, "a": 2}', 'Failed with repeated key: a'],
  ['[1, 2].all(x, x)', 'no such overload'],
  ['"a".matches("(")', 'error parsing regexp'],
  ['unknown(1)', 'unbound function: unknown'],
]
test.each(failures)('%s fails with %s', (expression, message) => {
  expect(() => evaluate(expression, { pod })).toThrow(EvaluationError)
  expect(() => evaluate(expression, { pod })).toThrow(message)
})

describe('a checked expression', () => {
  const fields = new Map([
    ['name', types.string],
    ['share', types.double],
    ['at', types.timestamp],
  ])
  const variables = { self: types.object('Self', fields) }
  const environment = standardEnvironment.extend({ variables })

  test('reads JSON by the types declared', () => {
    const program = compile("self.share * 2.0 == 4.0 && self.at > timestamp('2020-01-01T00:00:00Z')", environment)
    expect(program.type).toBe(types.bool)
    expect(program.evaluate({ self: { name: 'a', share: 2, at: '2024-01-01T00:00:00Z' } })).toBe(true)
  })

  test('is refused with every issue, in order', () => {
    const text = 'self.nmae == "a" &&\n  self.share + 1 > 2.0 && other'
    expect(() => compile(text, environment)).toThrow(
      [
        'ERROR: <input>:1:5: undefined field \'nmae\'\n | self.nmae == "a" &&\n | ....^',
        "ERROR: <input>:2:14: found no matching overload for '_+_' applied to '(double, int)'\n |   self.share + 1 > 2.0 && other\n | .............^",
        "ERROR: <input>:2:27: undeclared reference to 'other' (in container '')\n |   self.share + 1 > 2.0 && other\n | ..........................^",
      ].join('\n'),
    )
  })

  test('fails, and does nothing else, on data of other types', () => {
    const program = compile("self.name.startsWith('a')", environment)
    expect(() => program.evaluate({ self: { name: 5 } })).toThrow('no such overload')
  })

  test('makes objects of declared types', () => {
    const made = compile("Self{name: 'a', share: 1.5}", standardEnvironment.extend({ objects: [variables.self] }))
    expect(made.evaluate({})).toMatchObject({ name: 'a' })
  })
})

describe('a budget', () => {
  const squares = compile(
    'items.all(x, items.all(y, x * y >= 0)) || true',
    standardEnvironment.extend({ variables: { items: types.dyn } }),
  )
  const items = Array.from({ length: 200 }, (_, i) => i)

  test('counts the steps of comprehensions', () => {
    const budget = new Budget()
    squares.evaluate({ items }, budget)
    expect(budget.cost).toBe(200 * (5 + 200 * 7) + 2)
  })

  test('ends an evaluation that exceeds it, whatever || absorbs', () => {
    const budget = new Budget({ limit: 1000 })
    expect(() => squares.evaluate({ items }, budget)).toThrow('cost limit exceeded')
    expect(budget.cost).toBe(1001)
  })

  test('ends an evaluation at its deadline', () => {
    let time = 0
    const budget = new Budget({ deadlineMs: 5, now: () => time++ })
    expect(() => squares.evaluate({ items }, budget)).toThrow('operation interrupted')
    expect(budget.cost).toBeLessThan(2000)
  })

  test('is charged by functions for the length of what they walk', () => {
    const budget = new Budget()
    compile("sets.contains(['a', 'b'], ['a']) && 'abcdefghij'.contains('j')", kubernetesEnvironment).evaluate(
      {},
      budget,
    )
    expect(budget.cost).toBe(4)
  })

  test('is charged for a path that asks only as far as there is something', () => {
    const environment = kubernetesEnvironment.extend({ variables: { object: types.dyn } })
    const costOf = (expression: string) => {
      const budget = new Budget()
      compile(expression, environment).evaluate({ object: { here: { a: { b: 1 } } } }, budget)
      return budget.cost
    }
    expect(costOf('object[?"here"].a.b')).toBe(costOf('object.?here.a.b'))
    expect(costOf('object[?"gone"].a.b')).toBe(1)
    expect(costOf('object.?gone["a"].b')).toBe(1)
  })

  test('of the engine ends what makes strings too long', () => {
    const doubling = Array.from({ length: 40 }, (_, i) => `cel.bind(s${i + 1}, s${i} + s${i}, `).join('')
    expect(() => evaluate(`cel.bind(s0, 'abcdefgh', ${doubling}size(s40)${')'.repeat(41)}`)).toThrow(EvaluationError)
  })
})

test('nothing but errors of this library is thrown, whatever the expression', () => {
  const names = fc.constantFrom(
    'a',
    'm',
    'l',
    's',
    '1',
    '2u',
    '1.5',
    '"x"',
    'null',
    'true',
    '[1, 2]',
    '{"k": 1}',
    'b"z"',
    'duration("1s")',
  )
  const { expression } = fc.letrec<{ expression: string }>((tie) => ({
    expression: fc.oneof(
      { depthSize: 'small' },
      names,
      fc
        .tuple(
          tie('expression'),
          fc.constantFrom('+', '-', '*', '/', '%', '==', '<', 'in', '&&', '||'),
          tie('expression'),
        )
        .map(([a, op, b]) => `(${a} ${op} ${b})`),
      fc
        .tuple(
          tie('expression'),
          fc.constantFrom('.k', '.?k', '[0]', '[?0]', '.size()', '.constructor', '.trim()', '.value()', '.getHours()'),
        )
        .map(([a, suffix]) => `${a}${suffix}`),
      fc
        .tuple(tie('expression'), fc.constantFrom('all', 'exists', 'map', 'filter', 'exists_one'), tie('expression'))
        .map(([a, macro, body]) => `${a}.${macro}(a, ${body})`),
      fc
        .tuple(
          fc.constantFrom(
            'size',
            'int',
            'uint',
            'double',
            'string',
            'bytes',
            'type',
            'dyn',
            'timestamp',
            '-',
            '!',
            'optional.of',
          ),
          tie('expression'),
        )
        .map(([name, a]) => `${name}(${a})`),
      fc.tuple(tie('expression'), tie('expression'), tie('expression')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    ),
  }))
  const environment = standardEnvironment.extend({
    libraries: [strings],
    variables: { a: types.dyn, m: types.map(types.string, types.int), l: types.list(types.dyn), s: types.string },
  })
  const context = { a: { k: [1, 2] }, m: { k: 1 }, l: [1, 'a', null], s: 'text' }
  const attempt = (text: string, check: boolean) => {
    try {
      return { value: compile(text, environment, { check }).evaluate(context, new Budget({ limit: 10_000 })) }
    } catch (error) {
      if (error instanceof CompileError) return undefined
      expect(error).toBeInstanceOf(EvaluationError)
      return { failed: true }
    }
  }
  fc.assert(
    fc.property(expression, (text) => {
      const unchecked = attempt(text, false)
      const checked = attempt(text, true)
      if (checked) expect(checked).toEqual(unchecked)
    }),
    { numRuns: 1500 },
  )
})

test('objects of types that are found by name are made with any field, and know what they are', () => {
  const anyField = new (class extends Map<string, types.Type> {
    override get = () => types.dyn
  })()
  const named = (name: string) => (name.startsWith('Object') ? types.object(name, anyField) : undefined)
  const environment = standardEnvironment.extend({ objectNamed: named })
  const made = compile('Object{spec: Object.spec{replicas: 1}}', environment).evaluate({}) as { spec: unknown }
  expect([objectTypeName(made), objectTypeName(made.spec), objectTypeName({})]).toEqual([
    'Object',
    'Object.spec',
    undefined,
  ])
  expect(toNative(made)).toEqual({ spec: { replicas: 1 } })
  expect(() => compile('Other{}', environment)).toThrow("undeclared reference to 'Other'")
})
