import { expect, test } from 'vitest'
import type { ValidatingAdmissionPolicySpec } from '#apis/admissionregistration/v1/zz_generated.types.ts'
import { FakeKinds } from '../testing/kinds.ts'
import { on, onWidgets } from '../testing/policies.ts'
import { typeWarnings } from './type-checking.ts'

const warnings = (spec: ValidatingAdmissionPolicySpec) =>
  typeWarnings(
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'one' },
      spec: { matchConstraints: { resourceRules: [on('example.com', 'widgets', ['v1'])] }, ...spec },
    },
    new FakeKinds(),
  )
const ofExpression = (expression: string, more: ValidatingAdmissionPolicySpec = {}) =>
  warnings({ validations: [{ expression }], ...more }).map(({ warning }) => warning)

test.each([
  'object.spec.size > 1 && oldObject == null',
  'object.spec.parts.all(p, p.name.startsWith("a"))',
  'object.metadata.labels["a"] == "b" && object.metadata.creationTimestamp < timestamp("2030-01-01T00:00:00Z")',
  'has(object.data.a) && object.kind == "Widget"',
  'authorizer.requestResource.check("get").allowed() && namespaceObject.metadata.name == request.namespace',
])('%s is of the right types', (expression) => {
  expect(ofExpression(expression)).toEqual([])
})

test('a warning names the kind, the place and every issue', () => {
  expect(ofExpression('object.spec.size > "1" || object.spec.none')).toEqual([
    `example.com/v1, Kind=Widget: ERROR: <input>:1:18: found no matching overload for '_>_' applied to '(int, string)'
 | object.spec.size > "1" || object.spec.none
 | .................^
ERROR: <input>:1:38: undefined field 'none'
 | object.spec.size > "1" || object.spec.none
 | .....................................^
`,
  ])
})

test('messages are checked, too', () => {
  const validations = [{ expression: 'true' }, { expression: 'true', messageExpression: '"is " + object.spec.size' }]
  expect(warnings({ validations }).map(({ fieldRef }) => fieldRef)).toEqual(['spec.validations[1].messageExpression'])
})

test('variables have the types of their expressions', () => {
  const variables = [{ name: 'size', expression: 'object.spec.size' }]
  expect(ofExpression('variables.size > 1', { variables })).toEqual([])
  expect(ofExpression('variables.size > "1"', { variables })[0]).toContain("applied to '(int, string)'")
})

test('what configures a policy has a type when its kind is known', () => {
  const of = (kind: string) => ({ paramKind: { apiVersion: 'example.com/v1', kind } })
  expect(ofExpression('params.spec.size == "a"', of('Limit'))[0]).toContain("applied to '(int, string)'")
  expect(ofExpression('params.spec.size == "a"', of('Unknown'))).toEqual([])
})

test('every kind that rules name is checked, and those of stars are not', () => {
  const rules = (...resourceRules: object[]) => ({ matchConstraints: { resourceRules } })
  const kinds = (spec: ValidatingAdmissionPolicySpec) =>
    ofExpression('object.none', spec).flatMap((warning) => warning.match(/^\S+, Kind=\w+/gm) ?? [])
  expect(kinds(rules({ ...onWidgets, apiVersions: ['v2', 'v1', 'v9'] }, on('', 'configmaps', ['v1'])))).toEqual([
    '/v1, Kind=ConfigMap',
    'example.com/v1, Kind=Widget',
    'example.com/v2, Kind=Widget',
  ])
  expect(kinds(rules(onWidgets, on('*', 'widgets', ['v1']), on('example.com', '*', ['v1'])))).toEqual([])
})
