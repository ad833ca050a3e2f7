import { expect, test } from 'vitest'
import type { JsonSchema } from '#core/registry/resource.ts'
import { type RuleNode, ruleTree } from './rule-tree.ts'

const ruled = (type: 'integer' | 'string', rule: string): JsonSchema => ({
  type,
  'x-kubernetes-validations': [{ rule }],
})
const object = (properties: Record<string, JsonSchema>): JsonSchema => ({ type: 'object', properties })
const rulesAt = (schema: JsonSchema, name: string) => nodeAt(ruleTree(schema, true)!, name).rules
const nodeAt = ({ properties }: RuleNode, name: string) => properties.find(([one]) => one === name)![1]

test('rules of equal schemas are compiled once, wherever they stand', () => {
  const one = object({ a: ruled('integer', 'self > 1') })
  const two = object({ b: ruled('integer', 'self > 1'), c: ruled('integer', 'self > 2') })
  expect(rulesAt(one, 'a')).toBe(rulesAt(structuredClone(one), 'a'))
  expect(rulesAt(one, 'a')).toBe(rulesAt(two, 'b'))
  expect(rulesAt(one, 'a')).not.toBe(rulesAt(two, 'c'))
})

test('the same rule of another type is another', () => {
  const [text] = rulesAt(object({ a: ruled('string', 'self == self') }), 'a')
  const [int] = rulesAt(object({ a: ruled('integer', 'self == self') }), 'a')
  expect(text).not.toBe(int)
})

test('the whole of a resource is another than an object of the same schema', () => {
  const schema: JsonSchema = { ...object({}), 'x-kubernetes-validations': [{ rule: "self.kind == 'A'" }] }
  expect(ruleTree(schema, true)!.rules[0]!.fault).toBe('')
  expect(ruleTree(schema, false)!.rules[0]!.fault).toContain("undefined field 'kind'")
})
