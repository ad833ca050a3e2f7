import { describe, expect, test } from 'vitest'
import { check } from './checker.ts'
import type { Overload } from './environment.ts'
import { parse } from './parser.ts'
import { type Case, environmentOf, readCases } from './testing/case.ts'
import { mixedOrder, printChecked } from './testing/print-tree.ts'

function checkedTreeOf(one: Case): string {
  const ids = new Map<Overload, string>()
  const environment = environmentOf(one, ids)
  const tree = parse(one.expression)
  const checked = check(tree, environment, one.expression)
  return printChecked(tree, checked, { hasMixedOrder: mixedOrder.test(one.checked!), ids })
}

const withTree = readCases().filter(({ checked }) => checked !== undefined)
const byFile = Map.groupBy(withTree, ({ suite }) => suite.split('/')[0]!)
describe.each([...byFile])('finds the types and the overloads of every node: %s', (_, inFile) => {
  test.each(inFile.map((one) => [`${one.suite}/${one.name}`, one] as const))('%s', (_name, one) => {
    expect(checkedTreeOf(one)).toBe(one.checked)
  })
})
