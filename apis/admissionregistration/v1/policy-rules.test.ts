import { expect, test } from 'vitest'
import type { FieldError } from '../../meta/v1/field-error.ts'
import {
  mutatingAdmissionPolicyBindingRules,
  mutatingAdmissionPolicyRules,
  validatingAdmissionPolicyBindingRules,
  validatingAdmissionPolicyRules,
} from './policy-rules.ts'
import type {
  MutatingAdmissionPolicyBindingSpec,
  MutatingAdmissionPolicySpec,
  ValidatingAdmissionPolicyBindingSpec,
  ValidatingAdmissionPolicySpec,
} from './zz_generated.types.ts'

const rule = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }
const named = { apiVersion: 'admissionregistration.k8s.io/v1', kind: '', metadata: { name: 'one' } }
const shown = (errors: FieldError[] | undefined) => errors?.map(({ field, message }) => `${field}: ${message}`)

const ofPolicy = (spec: ValidatingAdmissionPolicySpec) =>
  shown(
    validatingAdmissionPolicyRules.validate?.({
      ...named,
      spec: { matchConstraints: { resourceRules: [rule] }, validations: [{ expression: 'true' }], ...spec },
    }),
  )

test.each<[name: string, spec: ValidatingAdmissionPolicySpec, errors: string[]]>([
  ['all it needs', {}, []],
  ['annotations alone', { validations: [], auditAnnotations: [{ key: 'a', valueExpression: '"b"' }] }, []],
  ['no rules', { matchConstraints: {} }, ['spec.matchConstraints.resourceRules: Required value']],
  [
    'a blank expression',
    { validations: [{ expression: ' ' }] },
    ['spec.validations[0].expression: Required value: expression is not specified'],
  ],
  [
    'a version of nothing',
    { paramKind: { apiVersion: 'a.b/', kind: 'C' } },
    ['spec.paramKind.apiVersion: Invalid value: "a.b/": version must be specified'],
  ],
  [
    'conditions of one name',
    {
      matchConditions: [
        { name: 'a', expression: 'true' },
        { name: 'a', expression: 'true' },
      ],
    },
    ['spec.matchConditions[1].name: Duplicate value: "a"'],
  ],
  [
    'too many conditions',
    { matchConditions: Array.from({ length: 65 }, (_, at) => ({ name: `c${at}`, expression: 'true' })) },
    ['spec.matchConditions: Too many: 65: must have at most 64 items'],
  ],
  [
    'a variable that no expression could name',
    { variables: [{ name: 'a-b', expression: '1' }] },
    ['spec.variables[0].name: Invalid value: "a-b": name is not a valid CEL identifier'],
  ],
  [
    'a key that no annotation could have',
    { auditAnnotations: [{ key: 'a b', valueExpression: '"c"' }] },
    [
      expect.stringContaining(
        'spec.auditAnnotations[0].key: Invalid value: "one/a b": name part must consist of',
      ) as string,
    ],
  ],
  [
    'all resources and more',
    { matchConstraints: { resourceRules: [{ ...rule, resources: ['*', 'pods', '*/*'] }] } },
    [
      `spec.matchConstraints.resourceRules[0].resources: Invalid value: ["*","pods","*/*"]: if '*/*' is present, must not specify other resources`,
      `spec.matchConstraints.resourceRules[0].resources: Invalid value: ["*","pods","*/*"]: if '*' is present, must not specify other resources without subresources`,
    ],
  ],
  [
    'a resource that is covered',
    { matchConstraints: { resourceRules: [{ ...rule, resources: ['*/scale', 'pods/scale'], scope: 'All' }] } },
    [
      `spec.matchConstraints.resourceRules[0].resources[1]: Invalid value: "pods/scale": if '*/scale' is present, must not specify pods/scale`,
      `spec.matchConstraints.resourceRules[0].scope: Unsupported value: "All": supported values: "*", "Cluster", "Namespaced"`,
    ],
  ],
  [
    'a name twice',
    { matchConstraints: { resourceRules: [{ ...rule, resourceNames: ['a', 'a', '..'] }] } },
    [
      'spec.matchConstraints.resourceRules[0].resourceNames[1]: Duplicate value: "a"',
      `spec.matchConstraints.resourceRules[0].resourceNames[2]: Invalid value: "..": may not be '..'`,
    ],
  ],
])('of a policy with %s the errors are told', (_, spec, errors) => {
  expect(ofPolicy(spec)).toEqual(errors)
})

test('what changes objects is of one type, and not about deletions', () => {
  const of = (spec: MutatingAdmissionPolicySpec) =>
    shown(
      mutatingAdmissionPolicyRules.validate?.({
        ...named,
        spec: { matchConstraints: { resourceRules: [rule] }, reinvocationPolicy: 'Never', ...spec },
      }),
    )
  const expression = { expression: 'Object{}' }
  expect(of({ mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: expression }] })).toEqual([])
  expect(of({ mutations: [{ patchType: 'JSONPatch', jsonPatch: {}, applyConfiguration: expression }] })).toEqual([
    'spec.mutations[0].jsonPatch.expression: Required value',
    'spec.mutations[0].applyConfiguration: Invalid value: "{applyConfiguration}": must not be specified when patchType is JSONPatch',
  ])
  const deleting = { resourceRules: [{ ...rule, operations: ['DELETE'] }] }
  expect(of({ matchConstraints: deleting, mutations: [] })).toEqual([
    'spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"',
    'spec.mutations: Required value: mutations must contain at least one item',
  ])
})

test('a binding names a policy and what configures it', () => {
  const of = (spec: Partial<ValidatingAdmissionPolicyBindingSpec>) =>
    shown(
      validatingAdmissionPolicyBindingRules.validate?.({
        ...named,
        spec: { policyName: 'one', validationActions: ['Deny'], ...spec },
      }),
    )
  expect(of({})).toEqual([])
  expect(of({ policyName: '' })).toEqual(['spec.policyName: Required value'])
  expect(of({ validationActions: [] })).toEqual([
    'spec.validationActions: Required value: at least one validation action is required',
  ])
  expect(of({ paramRef: { parameterNotFoundAction: 'Deny' } })).toEqual([
    'spec.paramRef: Required value: one of name or selector must be specified',
  ])
  expect(of({ paramRef: { name: 'a/b', parameterNotFoundAction: 'Deny' } })).toEqual([
    `spec.paramRef.name: Invalid value: "a/b": may not contain '/'`,
  ])
  const mutating = (spec: MutatingAdmissionPolicyBindingSpec) =>
    shown(mutatingAdmissionPolicyBindingRules.validate?.({ ...named, spec }))
  expect(mutating({ policyName: 'one' })).toEqual([])
  expect(mutating({})).toEqual(['spec.policyName: Required value'])
})

test('each change of what is wanted is a generation', () => {
  const { prepareCreate, changesGeneration } = mutatingAdmissionPolicyBindingRules
  const made = { ...named, metadata: { ...named.metadata, generation: 7 }, spec: { policyName: 'a' } }
  prepareCreate?.(made)
  expect(made.metadata.generation).toBe(1)
  expect(changesGeneration?.(made, { ...made, spec: { policyName: 'b' } })).toBe(true)
  expect(changesGeneration?.(made, { ...made, metadata: {} })).toBe(false)
})
