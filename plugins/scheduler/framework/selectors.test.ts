import { expect, test } from 'vitest'
import { compileLabelSelector, compileNodeTerm, compileRequirements, type Requirement } from './selectors.ts'

const labels = { app: 'web', tier: 'front', cores: '8' }

const requirements: { requirement: Requirement; want: boolean }[] = [
  { requirement: { key: 'app', operator: 'In', values: ['web', 'db'] }, want: true },
  { requirement: { key: 'app', operator: 'In', values: ['db'] }, want: false },
  { requirement: { key: 'none', operator: 'In', values: ['db'] }, want: false },
  { requirement: { key: 'app', operator: 'NotIn', values: ['web'] }, want: false },
  { requirement: { key: 'none', operator: 'NotIn', values: ['web'] }, want: true },
  { requirement: { key: 'app', operator: 'Exists' }, want: true },
  { requirement: { key: 'constructor', operator: 'Exists' }, want: false },
  { requirement: { key: 'toString', operator: 'DoesNotExist' }, want: true },
  { requirement: { key: 'cores', operator: 'Gt', values: ['7'] }, want: true },
  { requirement: { key: 'cores', operator: 'Gt', values: ['8'] }, want: false },
  { requirement: { key: 'cores', operator: 'Lt', values: ['10'] }, want: true },
  { requirement: { key: 'app', operator: 'Gt', values: ['1'] }, want: false },
  { requirement: { key: 'none', operator: 'Lt', values: ['1'] }, want: false },
  { requirement: { key: 'app', operator: 'Resembles', values: ['web'] }, want: false },
]

test.each(requirements)(
  '$requirement.key $requirement.operator $requirement.values is $want',
  ({ requirement, want }) => {
    expect(compileRequirements([requirement])(labels)).toBe(want)
  },
)

test('an empty label selector matches everything, an absent one nothing', () => {
  expect(compileLabelSelector({})(labels)).toBe(true)
  expect(compileLabelSelector(undefined)(labels)).toBe(false)
})

test('all parts of a label selector must hold', () => {
  const selector = {
    matchLabels: { app: 'web' },
    matchExpressions: [{ key: 'tier', operator: 'In' as const, values: ['back'] }],
  }
  expect(compileLabelSelector(selector)(labels)).toBe(false)
})

test('a node term matches labels and name, and nothing when it is empty', () => {
  const named = compileNodeTerm({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['node-a'] }] })
  expect(named({}, 'node-a')).toBe(true)
  expect(named({}, 'node-b')).toBe(false)
  expect(compileNodeTerm({})(labels, 'node-a')).toBe(false)
})
