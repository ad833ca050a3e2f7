import type {
  AuditAnnotation,
  ValidatingAdmissionPolicy,
  Validation,
} from '#apis/admissionregistration/v1/zz_generated.types.ts'
import { types } from '#core/cel/cel.ts'
import { environmentOf } from '../matching/environment.ts'
import { costLimits, Expression, OutOfBudget, Purse } from '../matching/expression.ts'
import type { Inputs } from '../matching/inputs.ts'
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

/** A value for the audit log. */
export interface Annotation {
  key: string
  value: string
}

export interface Verdicts {
  decisions: readonly Decision[]
  annotations: readonly Annotation[]
}

const admitted: Decision = { action: 'admit', isFailure: false, message: '', reason: '' }
const maxMessageBytes = 5 * 1024
const maxAnnotationCharacters = 10 * 1024

/** A ValidatingAdmissionPolicy that is ready to judge. */
export class CompiledValidation {
  readonly #failurePolicy: 'Ignore' | 'Fail'
  readonly #conditions: MatchConditions
  readonly #variables: Variables
  readonly #validations: readonly CompiledRule[]
  readonly #annotations: readonly { key: string; expression: Expression }[]

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
    this.#annotations = (spec.auditAnnotations ?? []).map(({ key, valueExpression }: AuditAnnotation) => ({
      key,
      expression: new Expression(valueExpression, environment, [types.string, types.nullType]),
    }))
  }

  /** Nothing is decided of a request that the policy's conditions leave out. */
  judge(inputs: Inputs): Verdicts {
    try {
      const { met, failure } = this.#conditions.judge(bindingsOf(inputs))
      if (failure !== undefined) return this.#failed(failure)
      return met ? this.#judge(inputs) : { decisions: [], annotations: [] }
    } catch (error) {
      if (error instanceof OutOfBudget) return this.#failed(error.message)
      throw error
    }
  }

  #judge(inputs: Inputs): Verdicts {
    const purse = new Purse(costLimits.policy)
    inputs.variables = this.#variables.over(inputs, purse)
    const bindings = bindingsOf(inputs)
    const decisions = this.#validations.map((rule) => this.#decide(rule, bindings, purse))
    if (this.#annotations.length === 0) return { decisions, annotations: [] }
    const annotated = this.#annotations.map((one) => annotate(one, bindings, new Purse(costLimits.policy)))
    const failures = annotated.flatMap(({ failure }) => (failure === undefined ? [] : [this.#failure(failure)]))
    return {
      decisions: [...decisions, ...failures.filter(({ action }) => action === 'deny')],
      annotations: annotated.flatMap(({ annotation }) => annotation ?? []),
    }
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

  #failed(message: string): Verdicts {
    return { decisions: [this.#failure(message)], annotations: [] }
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

type Bindings = Readonly<Record<string, unknown>>

/** Expressions read inputs by the names of their properties. */
const bindingsOf = (inputs: Inputs) => inputs as unknown as Bindings

/** What an expression says; empty for what no answer can show. */
function shortMessage(value: unknown): string {
  const text = typeof value === 'string' ? value.trim() : ''
  return text.includes('\n') || Buffer.byteLength(text) > maxMessageBytes ? '' : text
}

const plainMessage = ({ message, expression }: Validation) =>
  message?.trim() || `failed expression: ${expression.trim()}`

function annotate(
  { key, expression }: { key: string; expression: Expression },
  bindings: Bindings,
  purse: Purse,
): { annotation?: Annotation; failure?: string } {
  const { value, failure } = expression.evaluate(bindings, purse)
  if (failure !== undefined) return { failure: expression.explain(failure) }
  const text = typeof value === 'string' ? value.trim() : ''
  return text === '' ? {} : { annotation: { key, value: text.slice(0, maxAnnotationCharacters) } }
}
