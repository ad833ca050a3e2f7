import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Budget, CompileError, compile, EvaluationError, type Program, types } from './cel.ts'
import { Authorizer, authorizerType } from './library/authorizer.ts'
import { jsonPatch } from './library/json-patch.ts'
import { kubernetes, kubernetesEnvironment } from './library/kubernetes.ts'

const { bytes, dyn, int, list, map, sized, string, timestamp } = types
const environment = kubernetesEnvironment.extend({
  libraries: [jsonPatch],
  variables: {
    text: sized(string, 40),
    names: sized(list(sized(string, 10)), 5),
    counts: map(string, int),
    data: bytes,
    time: timestamp,
    any: dyn,
    authorizer: authorizerType,
  },
})
const bindings = {
  text: 'Rook takes 👑',
  names: ['a', 'b', '10.0.0.1', '1.2.3', '500m'],
  counts: { a: 1, __proto__: 2, constructor: 3 },
  data: new Uint8Array([1, 2, 255]),
  time: new Date(0),
  any: { k: [1, 2.5, 'x', null, { deep: true }] },
  authorizer: new Authorizer({ authorize: () => ({ allowed: true, reason: '' }) }),
}

const functionNames = [...new Set(kubernetes.flat().map(({ name }) => name))]
const macros = ['all', 'exists', 'exists_one', 'map', 'filter', 'sortBy', 'transformList', 'transformMap', 'optMap']
const literals = [
  "'a(b)*'",
  "'\\n'",
  'b"z"',
  '1',
  '-1',
  '2u',
  '1.5',
  '1e400',
  '9223372036854775807',
  'null',
  'true',
  '[]',
  '{}',
]
const punctuation = [
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  ',',
  '.',
  '.?',
  '[?',
  ':',
  '?',
  '+',
  '-',
  '*',
  '/',
  '%',
  '!',
  '&&',
  '||',
  '==',
  '!=',
  '<',
  '<=',
  'in',
  '"',
  "'",
  'r"',
  '//',
  '\\',
  '`',
]

function attempt(text: string): void {
  for (const check of [true, false]) {
    try {
      run(compile(text, environment, { check }))
    } catch (error) {
      if (!(error instanceof CompileError)) throw error
    }
  }
}

/** Runs it with little to spend: it ends with a value or an error of this library. */
function run(program: Program): void {
  const { min, max } = program.estimateCost()
  expect(min).toBeLessThanOrEqual(max)
  let reads = 0
  const budget = new Budget({ limit: 20_000, deadlineMs: 100, now: () => reads++ })
  for (const spend of [budget, undefined]) {
    try {
      program.evaluate(bindings, spend)
    } catch (error) {
      expect(error).toBeInstanceOf(EvaluationError)
      if ((error as EvaluationError).isInterrupted) return
    }
  }
  expect(Number.isInteger(budget.cost) && budget.cost >= 0).toBe(true)
}

test('any row of words is an expression or an error', () => {
  const words = fc.constantFrom(...Object.keys(bindings), 'x', ...functionNames, ...macros, ...literals, ...punctuation)
  fc.assert(
    fc.property(
      fc.array(fc.oneof(words, fc.string({ maxLength: 4 })), { maxLength: 20 }),
      fc.constantFrom('', ' '),
      (row, gap) => attempt(row.join(gap)),
    ),
    { numRuns: 3000 },
  )
})

const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { depthSize: 'medium' },
    fc.constantFrom(...Object.keys(bindings), 'x', ...literals),
    fc
      .tuple(
        tie('expression'),
        fc.constantFrom('+', '-', '*', '/', '%', '==', '!=', '<', '>=', 'in', '&&', '||'),
        tie('expression'),
      )
      .map(([a, operator, b]) => `(${a} ${operator} ${b})`),
    fc
      .tuple(tie('expression'), fc.constantFrom(...functionNames), fc.array(tie('expression'), { maxLength: 2 }))
      .map(([a, name, args]) => `${a}.${name}(${args.join(', ')})`),
    fc
      .tuple(
        fc.constantFrom(...functionNames, 'size', 'string', 'int', 'type', 'dyn', 'duration', 'matches'),
        fc.array(tie('expression'), { maxLength: 2 }),
      )
      .map(([name, args]) => `${name}(${args.join(', ')})`),
    fc
      .tuple(tie('expression'), fc.constantFrom(...macros), fc.boolean(), tie('expression'))
      .map(([a, macro, hasTwo, body]) => `${a}.${macro}(${hasTwo ? 'x, y' : 'x'}, ${body})`),
    fc.tuple(tie('expression'), tie('expression')).map(([value, body]) => `cel.bind(x, ${value}, ${body})`),
    fc
      .tuple(tie('expression'), fc.constantFrom('.k', '.?k', '[0]', "[?'a']", '.constructor'))
      .map(([a, part]) => a + part),
    fc.array(tie('expression'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    fc.tuple(tie('expression'), tie('expression')).map(([key, value]) => `{${key}: ${value}}`),
    fc.tuple(tie('expression'), tie('expression'), tie('expression')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
  ),
}))

test('any expression ends within its budget', () => {
  fc.assert(fc.property(expression, attempt), { numRuns: 4000 })
})
