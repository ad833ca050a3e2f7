import type { MatchCondition } from '#apis/admissionregistration/v1/zz_generated.types.ts'
import { types } from '#core/cel/cel.ts'
import { type ExpressionScope, environmentOf } from './environment.ts'
import { costLimits, Expression, OutOfBudget, Purse } from './expression.ts'
import type { Bindings } from './inputs.ts'

/** Whether a request meets conditions, or why nobody can tell. */
export type Verdict = { met: boolean; failure?: undefined } | { met?: undefined; failure: string }

/** The conditions under which a webhook or a policy is for a request after all. */
export class MatchConditions {
  readonly #conditions: readonly Expression[]

  constructor(conditions: readonly MatchCondition[], scope: ExpressionScope) {
    const environment = environmentOf({ ...scope, hasPatchTypes: false })
    this.#conditions = conditions.map(({ expression }) => new Expression(expression.trim(), environment, [types.bool]))
  }

  /** All are looked at: one that is not met decides, even when another failed. */
  judge(bindings: Bindings): Verdict {
    const purse = new Purse(costLimits.matchConditions)
    const failures: string[] = []
    let isMet = true
    try {
      for (const condition of this.#conditions) {
        const { value, failure } = condition.evaluate(bindings, purse)
        if (failure !== undefined) failures.push(condition.explain(failure))
        else if (value === false) isMet = false
      }
    } catch (error) {
      if (error instanceof OutOfBudget) return { failure: error.message }
      throw error
    }
    if (!isMet || failures.length === 0) return { met: isMet }
    return { failure: failures.length === 1 ? failures[0]! : `[${failures.join(', ')}]` }
  }
}
