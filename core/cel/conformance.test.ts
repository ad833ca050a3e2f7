import { describe, expect, test } from 'vitest'
import { compile, EvaluationError, standardEnvironment } from './cel.ts'
import { equal } from './equality.ts'
import { encoders } from './library/encoders.ts'
import { math } from './library/math.ts'
import { strings } from './library/strings.ts'
import { CompileError } from './source.ts'
import { type Case, readCases, readType, readValue } from './testing/case.ts'
import { formatType } from './types.ts'
import { Double, Optional, typeNameOf, type Value } from './values.ts'

const environment = standardEnvironment.extend({ libraries: [strings, math, encoders] })

function programOf({ expression, container = '', check, variables = {} }: Case) {
  const declared = Object.entries(variables).map(([name, type]) => [name, readType(type)] as const)
  const scope = environment.extend({ container, variables: new Map(declared) })
  return compile(expression, scope, { check: check ?? true })
}

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
