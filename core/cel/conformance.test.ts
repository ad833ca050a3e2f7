import { describe, expect, test } from 'vitest'
import { compile, EvaluationError } from './cel.ts'
import { equal } from './equality.ts'
import { CompileError } from './source.ts'
import { type Case, environmentOf, readCases, readValue } from './testing/case.ts'
import { formatType } from './types.ts'
import { Double, Optional, typeNameOf, type Value } from './values.ts'

const programOf = (one: Case) => compile(one.expression, environmentOf(one), { check: one.check ?? true })

function evaluate(one: Case): Value {
  const bindings = Object.entries(one.bindings ?? {}).map(([name, value]) => [name, readValue(value)] as const)
  const value = programOf(one).evaluate(Object.fromEntries(bindings))
  return value instanceof Optional && value.value !== undefined ? value.value : value
}

/** Equal and of one type; NaN is what it should be. */
function isSame(got: Value, want: Value): boolean {
  if (got instanceof Double && want instanceof Double && Number.isNaN(want.value)) return Number.isNaN(got.value)
  return equal(got, want) && typeNameOf(got) === typeNameOf(want)
}

const byFile = Map.groupBy(readCases(), ({ suite }) => suite.split('/')[0]!)
describe.each([...byFile])('the conformance tests of the specification: %s', (_, inFile) => {
  test.each(inFile.map((one) => [`${one.suite}/${one.name}`, one] as const))('%s', (_name, one) => {
    if (one.issues !== undefined) return expect(() => evaluate(one)).toThrow(one.issues)
    if (one.fails) return expect(() => evaluate(one)).toThrow(expect.toSatisfy(isOwnError))
    if (one.type !== undefined && one.check !== false) expect(formatType(programOf(one).type)).toBe(one.type)
    if (!one.checkOnly) expect(evaluate(one)).toSatisfy((got) => isSame(got, readValue(one.value!)))
  })
})

const isOwnError = (error: unknown) => error instanceof CompileError || error instanceof EvaluationError
