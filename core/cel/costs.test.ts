import { describe, expect, test } from 'vitest'
import { Budget, compile, type SizeHints } from './cel.ts'
import { Authorizer, authorizerType } from './library/authorizer.ts'
import { jsonPatch } from './library/json-patch.ts'
import { kubernetesEnvironment } from './library/kubernetes.ts'
import { type CostGroup, readCosts, readData, readType } from './testing/costs.ts'
import { object, type Type } from './types.ts'

const message = object(
  'google.expr.proto3.test.TestAllTypes',
  new Map(
    ['int32', 'float', 'string'].map((name) => [
      `single_${name}`,
      readType(name === 'int32' ? 'int' : name === 'float' ? 'double' : name),
    ]),
  ),
)

/** The sizes that a group tells; undefined when they are told by types. */
function sizesOf({ sizes, textSize, byteSize }: CostGroup): SizeHints | undefined {
  if (sizes === undefined && textSize === undefined && byteSize === undefined) return undefined
  return (path, type) => {
    const max = sizes?.[path.join('.')] ?? textSizeOf(type, textSize, byteSize)
    return max === undefined ? undefined : { min: 0, max }
  }
}

function textSizeOf({ kind }: Type, textSize: number | undefined, byteSize = textSize): number | undefined {
  if (kind === 'string') return textSize
  return kind === 'bytes' ? byteSize : undefined
}

function programOf(expression: string, { variables = {}, chargesPresence = false, foldsConstants = true }: CostGroup) {
  const types = Object.entries(variables).map(([name, type]) => [name, readType(type)] as const)
  const environment = kubernetesEnvironment.extend({
    variables: new Map([...types, ['authorizer', authorizerType]]),
    libraries: [jsonPatch],
    objects: [message],
  })
  return compile(expression, environment, { costs: { chargesPresence, foldsConstants } })
}

const authorizer = new Authorizer({ authorize: () => ({ allowed: true, reason: '' }) })

const groups = readCosts()

test('more than 150 expressions are known', () => {
  expect(groups.flatMap(({ facts }) => facts).length).toBeGreaterThan(900)
})

describe.each([...Map.groupBy(groups, ({ suite }) => suite)])('%s', (_suite, groups) => {
  const facts = groups.flatMap((group) => group.facts.map((fact) => ({ name: fact[0], group, fact })))
  const estimated = facts.filter(({ fact }) => fact[3] !== null)
  const evaluated = facts.filter(({ fact }) => fact[1] !== null)

  test.each(estimated)('$name is estimated', ({ group, fact: [expression, , least, greatest] }) => {
    const { min, max } = programOf(expression, group).estimateCost(sizesOf(group))
    expect([least === null ? null : min, max]).toEqual([least, greatest])
  })

  test.each(evaluated)('$name is charged', ({ group, fact: [expression, actual] }) => {
    const budget = new Budget()
    const bindings = readData(group.data ?? {}) as Record<string, unknown>
    programOf(expression, group).evaluate({ ...bindings, authorizer }, budget)
    expect(budget.cost).toBe(actual)
  })
})
