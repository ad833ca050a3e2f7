import { expect, test } from 'vitest'
import type { Variable } from '#apis/admissionregistration/v1/zz_generated.types.ts'
import { compile, toNative } from '#core/cel/cel.ts'
import { environmentOf } from '../matching/environment.ts'
import { costLimits, OutOfBudget, Purse } from '../matching/expression.ts'
import { Variables } from './variables.ts'

interface Inputs extends Record<string, unknown> {
  variables: object
}

function evaluated(expression: string, declared: readonly Variable[], object: unknown, limit = costLimits.policy) {
  const variables = new Variables(declared, environmentOf({}))
  const bindings: Inputs = { object, variables: {} }
  bindings.variables = variables.over(bindings, new Purse(limit))
  return toNative(compile(expression, variables.within(environmentOf({}))).evaluate(bindings))
}

const ports: Variable[] = [
  { name: 'ports', expression: 'object.ports.map(p, p.port)' },
  { name: 'high', expression: 'variables.ports.filter(p, p > 1000)' },
]

test('variables refer to those before them', () => {
  expect(evaluated('variables.high', ports, { ports: [{ port: 80 }, { port: 8080 }] })).toEqual([8080])
})

test('a variable is evaluated once, and only when it is asked for', () => {
  let reads = 0
  const object = {
    get counted() {
      reads++
      return 1
    },
  }
  const declared = [{ name: 'one', expression: 'object.counted + 1' }]
  expect(evaluated('true || variables.one > 0', declared, object)).toBe(true)
  expect(reads).toBe(0)
  expect(evaluated('variables.one + variables.one', declared, object)).toBe(4)
  expect(reads).toBe(1)
})

test('a variable that fails does so for who asks, who may go on without it', () => {
  const declared = [{ name: 'gone', expression: 'object.missing.field' }]
  expect(evaluated('variables.gone == 1 || true', declared, {})).toBe(true)
  expect(() => evaluated('variables.gone == 1', declared, {})).toThrow(
    'composited variable "gone" fails to evaluate: no such key: missing',
  )
})

test('names that every object inherits are variables like others', () => {
  const names = ['constructor', '__proto__', 'toString', 'valueOf']
  const declared = names.map((name, at) => ({ name, expression: String(at) }))
  expect(evaluated(names.map((name) => `variables.${name}`).join(' + '), declared, {})).toBe(6)
  expect(() => evaluated('variables.hasOwnProperty', declared, {})).toThrow("undefined field 'hasOwnProperty'")
})

test('each has the type of its expression, and is not known to those before it', () => {
  const faults: [number, string][] = []
  const declared = [
    { name: 'early', expression: 'variables.late' },
    { name: 'late', expression: '1' },
    { name: 'wrong', expression: 'variables.late + "text"' },
  ]
  const variables = new Variables(declared, environmentOf({}), (at, fault) => faults.push([at, fault]))
  expect(faults.map(([at]) => at)).toEqual([0, 2])
  expect(faults[0]?.[1]).toContain("undefined field 'late'")
  expect(faults[1]?.[1]).toContain("found no matching overload for '_+_' applied to '(int, string)'")
  expect(compile('variables.late', variables.within(environmentOf({}))).type.name).toBe('int')
})

test('what variables cost is paid for by the policy', () => {
  const declared = [{ name: 'dear', expression: '[1, 2, 3].all(a, [1, 2, 3].all(b, [1, 2, 3].all(c, a + b + c > 0)))' }]
  expect(evaluated('variables.dear', declared, {})).toBe(true)
  expect(() => evaluated('variables.dear || true', declared, {}, 20)).toThrow(OutOfBudget)
})
