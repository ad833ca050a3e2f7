import { expect, test } from 'vitest'
import { findStatusError } from '#core/errors/status-error.ts'
import { aboutWidget, on, TestPolicies, widget } from '../testing/policies.ts'
import { requestOf } from '../testing/request.ts'

const never = { validations: [{ expression: 'false' }] }
const denied = (policy: string, message: string) =>
  `widgets.example.com "one" is forbidden: ValidatingAdmissionPolicy '${policy}' with binding '${policy}' denied request: ${message}`

/** What a write is answered with: nothing, or the status. */
async function answer(policies: TestPolicies, request = aboutWidget()) {
  try {
    await policies.validating.validate(request)
  } catch (error) {
    return findStatusError(error)?.status
  }
}

test('a refusal is a Status with a reason, a code and a cause', async () => {
  const status = await answer(new TestPolicies().validate(never))
  const message = denied('p1', 'failed expression: false')
  expect(status).toMatchObject({ reason: 'Invalid', code: 422, message })
  expect(status?.details).toEqual({
    name: 'one',
    group: 'example.com',
    kind: 'widgets',
    causes: [{ message: "ValidatingAdmissionPolicy 'p1' with binding 'p1' denied request: failed expression: false" }],
  })
})

test.each([
  [undefined, 'Invalid', 422],
  ['Forbidden', 'Forbidden', 403],
  ['RequestEntityTooLarge', 'RequestEntityTooLarge', 413],
])('the reason %s is answered as %s, %d', async (reason, want, code) => {
  const policies = new TestPolicies().validate({ validations: [{ expression: 'false', reason }] })
  expect(await answer(policies)).toMatchObject({ reason: want, code })
})

test.each<[name: string, validation: object, message: string]>([
  ['none', {}, 'failed expression: false'],
  ['a message', { message: ' said ' }, 'said'],
  ['a computed one', { message: 'said', messageExpression: '"is " + object.metadata.name' }, 'is one'],
  ['one that fails', { message: 'said', messageExpression: 'string(object.missing)' }, 'said'],
  ['one that is blank', { message: 'said', messageExpression: '"  "' }, 'said'],
  ['one of two lines', { message: 'said', messageExpression: '"a\\nb"' }, 'said'],
  ['one that is too long', { messageExpression: `"${'x'.repeat(6000)}"` }, 'failed expression: false'],
])('with %s a refusal says why', async (_, validation, message) => {
  const policies = new TestPolicies().validate({ validations: [{ expression: 'false', ...validation }] })
  expect((await answer(policies))?.message).toBe(denied('p1', message))
})

test('the first policy by name that refuses is the one that is told, and all warn', async () => {
  const warnings: string[] = []
  const policies = new TestPolicies()
    .validate(never, {}, 'b')
    .validate(never, {}, 'a')
    .validate(never, { validationActions: ['Warn', 'Audit'] }, 'c')
  const status = await answer(policies, aboutWidget({ warn: (message) => warnings.push(message) }))
  expect(status?.message).toBe(denied('a', 'failed expression: false'))
  expect(warnings).toEqual([
    "Validation failed for ValidatingAdmissionPolicy 'c' with binding 'c': failed expression: false",
  ])
})

test('what fails refuses, unless the policy ignores it', async () => {
  const validations = [{ expression: 'object.missing.field == 1' }]
  const why = "expression 'object.missing.field == 1' resulted in error: no such key: missing"
  expect((await answer(new TestPolicies().validate({ validations })))?.message).toBe(denied('p1', why))
  expect(await answer(new TestPolicies().validate({ validations, failurePolicy: 'Ignore' }))).toBeUndefined()
})

test('an expression that does not compile fails when it is evaluated', async () => {
  const status = await answer(new TestPolicies().validate({ validations: [{ expression: 'nothing' }] }))
  expect(status?.message).toContain('compilation error: compilation failed: ERROR: <input>:1:1: undeclared reference')
})

test('conditions leave requests out, whatever else fails', async () => {
  const conditions = (...expressions: string[]) => ({
    ...never,
    matchConditions: expressions.map((expression, at) => ({ name: `c${at}`, expression })),
  })
  const under = async (...expressions: string[]) =>
    (await answer(new TestPolicies().validate(conditions(...expressions))))?.message
  expect(await under('object.missing == 1', 'false')).toBeUndefined()
  expect(await under('true', 'object.metadata.name == "one"')).toBe(denied('p1', 'failed expression: false'))
  const failed = "expression 'object.missing == 1' resulted in error: no such key: missing"
  expect(await under('true', 'object.missing == 1')).toBe(denied('p1', failed))
  expect(await under('object.missing == 1', 'object.missing == 1')).toBe(denied('p1', `[${failed}, ${failed}]`))
})

test('a policy needs a binding, and a binding its policy', async () => {
  const policies = new TestPolicies().validate(never)
  policies.validating.set.removeBinding('p1')
  expect(await answer(policies)).toBeUndefined()
  policies.validate(never, {}, 'p1')
  expect(await answer(policies)).toBeDefined()
  policies.validating.set.removePolicy('p1')
  expect(await answer(policies)).toBeUndefined()
})

test('of a deletion there is the old object alone', async () => {
  const policies = new TestPolicies().validate({
    validations: [{ expression: 'object == null && oldObject.spec.size == 1', message: 'no' }],
  })
  const deletion = (size: number) =>
    aboutWidget({ operation: 'DELETE', object: undefined, oldObject: widget({ size }), name: 'one' })
  expect(await answer(policies, deletion(1))).toBeUndefined()
  expect((await answer(policies, deletion(2)))?.message).toBe(denied('p1', 'no'))
})

test.each([{ isSlow: false }, { isSlow: true }])(
  'objects are converted to the version of the rule: %j',
  async (how) => {
    const policies = new TestPolicies(how).validate({
      matchConstraints: { resourceRules: [on('example.com', 'widgets', ['v1'])], matchPolicy: 'Equivalent' },
      validations: [
        {
          expression: 'false',
          messageExpression: 'object.apiVersion + " " + oldObject.apiVersion + " " + request.requestKind.version',
        },
      ],
    })
    const object = { ...widget(), apiVersion: 'example.com/v2' }
    const request = aboutWidget({ operation: 'UPDATE', object, oldObject: structuredClone(object) })
    expect((await answer(policies, request))?.message).toBe(denied('p1', 'example.com/v1 example.com/v1 v2'))
    expect(object.apiVersion).toBe('example.com/v2')
  },
)

test('what configures a policy is what its binding refers to', async () => {
  const paramKind = { apiVersion: 'v1', kind: 'ConfigMap' }
  const validations = [
    { expression: 'params == null || params.data.ok == "yes"', messageExpression: '"" + params.metadata.name' },
  ]
  const policies = (ref?: object) => {
    const made = new TestPolicies().validate({ paramKind, validations }, { ...(ref && { paramRef: ref }) })
    for (const [name, namespace, ok] of [
      ['good', 'default', 'yes'],
      ['bad', 'default', 'no'],
      ['bad', 'elsewhere', 'yes'],
    ]) {
      made.reader.add('configmaps', { apiVersion: 'v1', metadata: { name, namespace, labels: { ok } }, data: { ok } })
    }
    return made
  }
  const said = async (ref?: object) => (await answer(policies(ref)))?.message?.split('request: ')[1]
  expect(await said()).toBeUndefined()
  expect(await said({ name: 'good' })).toBeUndefined()
  expect(await said({ name: 'bad' })).toBe('bad')
  expect(await said({ name: 'bad', namespace: 'elsewhere' })).toBeUndefined()
  expect(await said({ selector: {} })).toBe('bad')
  expect(await said({ selector: { matchLabels: { ok: 'yes' } } })).toBeUndefined()
  expect(await said({ name: 'none', parameterNotFoundAction: 'Allow' })).toBeUndefined()
  expect(await said({ name: 'none', parameterNotFoundAction: 'Deny' })).toBe(
    'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
  )
})

test('what cannot configure a policy refuses, unless failures are ignored', async () => {
  const said = async (kind: string, ref: object, more: object = {}, request = aboutWidget()) => {
    const paramKind = { apiVersion: 'example.com/v1', kind }
    const policies = new TestPolicies().validate(
      { paramKind, validations: [{ expression: 'true' }], ...more },
      { paramRef: ref },
    )
    return (await answer(policies, request))?.message?.split('ValidatingAdmissionPolicy ')[1]
  }
  expect(await said('Nothing', { name: 'a' })).toBe(
    "'p1' denied request: failed to configure policy: failed to find resource referenced by paramKind: 'example.com/v1, Kind=Nothing'",
  )
  expect(await said('Nothing', { name: 'a' }, { failurePolicy: 'Ignore' })).toBeUndefined()
  expect(await said('Limit', { name: 'a', namespace: 'b' })).toBe(
    "'p1' with binding 'p1' denied request: failed to configure binding: paramRef.namespace must not be provided for a cluster-scoped `paramKind`",
  )
  expect(await said('Widget', { name: 'a' }, {}, aboutWidget({ namespace: '' }))).toBe(
    "'p1' with binding 'p1' denied request: failed to configure binding: cannot use namespaced paramRef in policy binding that matches cluster-scoped resources",
  )
})

test('annotations for the audit log refuse when they fail', async () => {
  const auditAnnotations = (valueExpression: string) => ({ auditAnnotations: [{ key: 'a', valueExpression }] })
  const said = async (valueExpression: string) =>
    (await answer(new TestPolicies().validate(auditAnnotations(valueExpression))))?.message
  expect(await said('object.metadata.name')).toContain('must evaluate to one of')
  expect(await said('"is " + object.metadata.name')).toBeUndefined()
  expect(await said('string(object.missing)')).toContain('no such key: missing')
})

test('policies do not judge policies', async () => {
  const group = 'admissionregistration.k8s.io'
  const rules = { resourceRules: [on('*', '*')] }
  const policies = new TestPolicies().validate({ ...never, matchConstraints: rules })
  expect(await answer(policies, requestOf({ group, resource: 'validatingadmissionpolicies' }))).toBeUndefined()
  expect(await answer(policies, requestOf({ group, resource: 'validatingwebhookconfigurations' }))).toBeDefined()
})

test('what all expressions of a policy cost together is bounded', async () => {
  const ten = '[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]'
  const expression = `${ten}.all(a, ${ten}.all(b, ${ten}.all(c, ${ten}.all(d, ${ten}.all(e, a + b + c + d + e > 0)))))`
  const policies = new TestPolicies().validate({ validations: new Array(40).fill({ expression }) })
  expect((await answer(policies))?.message).toBe(
    denied('p1', 'validation failed due to running out of cost budget, no further validation rules will be run'),
  )
})
