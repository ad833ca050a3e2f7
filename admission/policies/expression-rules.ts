import {
  mutatingAdmissionPolicyRules,
  validatingAdmissionPolicyRules,
} from '#apis/admissionregistration/v1/policy-rules.ts'
import type {
  MatchCondition,
  MutatingAdmissionPolicy,
  ValidatingAdmissionPolicy,
  Variable,
} from '#apis/admissionregistration/v1/zz_generated.types.ts'
import { each } from '#apis/meta/v1/field-checks.ts'
import { type FieldError, invalid } from '#apis/meta/v1/field-error.ts'
import type { Rules } from '#apis/meta/v1/rules.ts'
import { type Environment, types } from '#core/cel/cel.ts'
import type { Type } from '#core/cel/types.ts'
import { type ExpressionScope, environmentOf } from '../matching/environment.ts'
import { compileExpression, ExpressionError } from '../matching/expression.ts'
import { patchExpression, patchResult } from './mutation.ts'
import { Variables } from './variables.ts'

/** What is wrong with the expressions of a ValidatingAdmissionPolicy: each is compiled as it will be when it is in force. */
export function validatingExpressionErrors({ spec = {} }: ValidatingAdmissionPolicy): FieldError[] {
  const scope = { hasParams: spec.paramKind !== undefined, hasAuthorizer: true }
  const { errors, within } = variableErrors(spec.variables, scope)
  const environment = within(scope)
  const withoutAuthorizer = within({ ...scope, hasAuthorizer: false })
  return [
    ...conditionErrors('spec.matchConditions', spec.matchConditions, scope),
    ...errors,
    ...each('spec.validations', spec.validations, (at, { expression, messageExpression }) => [
      ...expressionErrors(`${at}.expression`, expression, environment, [types.bool]),
      ...expressionErrors(`${at}.messageExpression`, messageExpression, withoutAuthorizer, [types.string]),
    ]),
    ...each('spec.auditAnnotations', spec.auditAnnotations, (at, { valueExpression }) =>
      expressionErrors(`${at}.valueExpression`, valueExpression, environment, [types.string, types.nullType]),
    ),
  ]
}

/** The same for a MutatingAdmissionPolicy. */
export function mutatingExpressionErrors({ spec = {} }: MutatingAdmissionPolicy): FieldError[] {
  const scope = { hasParams: spec.paramKind !== undefined, hasAuthorizer: true }
  const { errors, within } = variableErrors(spec.variables, scope)
  const environment = within({ ...scope, hasPatchTypes: true })
  return [
    ...conditionErrors('spec.matchConditions', spec.matchConditions, scope),
    ...errors,
    ...each('spec.mutations', spec.mutations, (at, mutation) => {
      const field = mutation.patchType === 'JSONPatch' ? 'jsonPatch' : 'applyConfiguration'
      return expressionErrors(`${at}.${field}.expression`, patchExpression(mutation), environment, [
        patchResult(mutation),
      ])
    }),
  ]
}

/** Conditions see no variables. Webhooks have them as well. */
export function conditionErrors(
  field: string,
  conditions: readonly MatchCondition[] | undefined,
  scope: ExpressionScope,
): FieldError[] {
  const environment = environmentOf(scope)
  return each(field, conditions, (at, { expression }) =>
    expressionErrors(`${at}.expression`, expression?.trim(), environment, [types.bool]),
  )
}

/** @returns besides, the environment of a scope with those variables that can be referred to */
function variableErrors(declared: readonly Variable[] = [], scope: ExpressionScope) {
  const errors: FieldError[] = []
  if (declared.length === 0) return { errors, within: environmentOf }
  const isWritten = ({ name, expression }: Variable) => Boolean(name) && Boolean(expression?.trim())
  const written = declared.filter(isWritten)
  const variables = new Variables(written, environmentOf(scope), (at, fault) => {
    const variable = written[at]!
    errors.push(invalid(`spec.variables[${declared.indexOf(variable)}].expression`, variable.expression, fault))
  })
  return { errors, within: (one: ExpressionScope) => variables.within(environmentOf(one)) }
}

/** That one is missing is for others to say. */
function expressionErrors(
  field: string,
  text: string | undefined,
  environment: Environment,
  wanted: readonly Type[],
): FieldError[] {
  if (!text?.trim()) return []
  try {
    compileExpression(text, environment, wanted)
    return []
  } catch (error) {
    if (error instanceof ExpressionError) return [invalid(field, text, error.message)]
    throw error
  }
}

const group = 'admissionregistration.k8s.io'

/** The rules of policies, with what is to be said of their expressions. */
export const policyRules: ReadonlyMap<string, Rules> = new Map([
  [`${group}/validatingadmissionpolicies`, withExpressions(validatingAdmissionPolicyRules, validatingExpressionErrors)],
  [`${group}/mutatingadmissionpolicies`, withExpressions(mutatingAdmissionPolicyRules, mutatingExpressionErrors)],
])

function withExpressions<T>(rules: Rules<T>, errorsOf: (policy: T) => FieldError[]): Rules {
  const whole: Rules<T> = { ...rules, validate: (policy) => [...(rules.validate?.(policy) ?? []), ...errorsOf(policy)] }
  return whole as unknown as Rules
}
