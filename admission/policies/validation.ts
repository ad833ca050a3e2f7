import type { ValidatingAdmissionPolicy, Validation } from '#apis/admissionregistration/v1/zz_generated.types.ts'
import { types } from '#core/cel/cel.ts'
import { environmentOf } from '../matching/environment.ts'
import { costLimits, Expression, OutOfBudget, Purse } from '../matching/expression.ts'
import { type Bindings, bindingsOf, type Inputs } from '../matching/inputs.ts'
import { MatchConditions } from '../matching/match-conditions.ts'
import { Variables } from './variables.ts'

/** What became of one validation of a policy, or of the policy as a whole. */
export interface Decision {
  action: 'admit' | 'deny'
  /** Whether it was decided by an expression that failed. */
  isFailure: boolean
  message: string
  /** Of the answer: `Invalid`, `Forbidden` ... Empty for the usual one. */
  reason: string
}

const admitted: Decision = { action: 'admit', isFailure: false, message: '', reason: '' }
const maxMessageBytes = 5 * 1024

/** A ValidatingAdmissionPolicy that is ready to judge. */
export class CompiledValidation {
  readonly #failurePolicy: 'Ignore' | 'Fail'
  readonly #conditions: MatchConditions
  readonly #variables: Variables
  readonly #validations: readonly CompiledRule[]
  /** Nobody writes their values down; that one fails counts. */
  readonly #annotations: readonly Expression[]

  constructor({ spec = {} }: ValidatingAdmissionPolicy) {
    const scope = { hasParams: spec.paramKind !== undefined, hasAuthorizer: true }
    this.#failurePolicy = spec.failurePolicy ?? 'Fail'
    this.#variables = new Variables(spec.variables ?? [], environmentOf(scope))
    const environment = this.#variables.within(environmentOf(scope))
    const withoutAuthorizer = this.#variables.within(environmentOf({ ...scope, hasAuthorizer: false }))
    this.#conditions = new MatchConditions(spec.matchConditions ?? [], scope)
    this.#validations = (spec.validations ?? []).map((rule) => ({
      rule,
      expression: new Expression(rule.expression, environment, [types.bool]),
      message: rule.messageExpression
        ? new Expression(rule.messageExpression, withoutAuthorizer, [types.string])
        : undefined,
    }))
    this.#annotations = (spec.auditAnnotations ?? []).map(
      ({ valueExpression }) => new Expression(valueExpression, environment, [types.string, types.nullType]),
    )
  }

  /** What each validation came to. Nothing is decided of a request that the policy's conditions leave out. */
  judge(inputs: Inputs): readonly Decision[] {
    try {
      const { met, failure } = this.#conditions.judge(bindingsOf(inputs))
      if (failure === undefined) return met ? this.#judge(inputs) : []
      return this.#failurePolicy === 'Ignore' ? [] : [this.#failure(failure)]
    } catch (error) {
      if (error instanceof OutOfBudget) return [this.#failure(error.message)]
      throw error
    }
  }

  #judge(inputs: Inputs): Decision[] {
    const purse = new Purse(costLimits.policy)
    const bindings = bindingsOf(inputs)
    inputs.variables = this.#variables.over(bindings, purse)
    const decisions = this.#validations.map((rule) => this.#decide(rule, bindings, purse))
    const annotationsPurse = new Purse(costLimits.policy)
    for (const annotation of this.#annotations) {
      const { failure } = annotation.evaluate(bindings, annotationsPurse)
      if (failure !== undefined) decisions.push(this.#failure(annotation.explain(failure)))
    }
    return decisions
  }

  #decide({ rule, expression, message }: CompiledRule, bindings: Bindings, purse: Purse): Decision {
    const { value, failure } = expression.evaluate(bindings, purse)
    if (failure !== undefined) return this.#failure(expression.explain(failure))
    if (value === true) return admitted
    try {
      const said = message && shortMessage(message.evaluate(bindings, purse).value)
      const reason = rule.reason ?? ''
      return { action: 'deny', isFailure: false, message: said || plainMessage(rule), reason }
    } catch (error) {
      if (error instanceof OutOfBudget) return this.#failure(`failed messageExpression: ${error.message}`)
      throw error
    }
  }

  #failure(message: string): Decision {
    return { action: this.#failurePolicy === 'Ignore' ? 'admit' : 'deny', isFailure: true, message, reason: '' }
  }
}

interface CompiledRule {
  rule: Validation
  expression: Expression
  message: Expression | undefined
}

/** What an expression says; empty for what no answer can show. */
function shortMessage(value: unknown): string {
  const text = typeof value === 'string' ? value.trim() : ''
  return text.includes('\n') || Buffer.byteLength(text) > maxMessageBytes ? '' : text
}

const plainMessage = ({ message, expression }: Validation) =>
  message?.trim() || `failed expression: ${expression.trim()}`
