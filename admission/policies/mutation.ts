import type { MutatingAdmissionPolicy, Mutation } from '#apis/admissionregistration/v1/zz_generated.types.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { types } from '#core/cel/cel.ts'
import type { CompiledSchema } from '#core/schema/compile.ts'
import { environmentOf, jsonPatchType, objectType } from '../matching/environment.ts'
import { costLimits, Expression, OutOfBudget, Purse } from '../matching/expression.ts'
import { bindingsOf, type Inputs } from '../matching/inputs.ts'
import { MatchConditions, type Verdict } from '../matching/match-conditions.ts'
import { PatchError, withConfiguration, withJsonPatch } from './patches.ts'
import { Variables } from './variables.ts'

/** The object that a mutation makes, or why it makes none. */
export type Mutated =
  | { object: Readonly<UnstructuredObject>; failure?: undefined }
  | { object?: undefined; failure: string }

/** A MutatingAdmissionPolicy that is ready to change objects. */
export class CompiledMutation {
  /** In the order in which they are made. */
  readonly mutations: readonly CompiledPatch[]
  readonly #conditions: MatchConditions
  readonly #variables: Variables

  constructor({ spec = {} }: MutatingAdmissionPolicy) {
    const scope = { hasParams: spec.paramKind !== undefined, hasAuthorizer: true }
    this.#variables = new Variables(spec.variables ?? [], environmentOf(scope))
    const environment = this.#variables.within(environmentOf({ ...scope, hasPatchTypes: true }))
    this.#conditions = new MatchConditions(spec.matchConditions ?? [], scope)
    this.mutations = (spec.mutations ?? []).map((mutation) => ({
      patchType: mutation.patchType,
      expression: new Expression(patchExpression(mutation), environment, [patchResult(mutation)]),
    }))
  }

  /** Whether the policy is for a request, by its conditions. */
  judge(inputs: Inputs): Verdict {
    return this.#conditions.judge(bindingsOf(inputs))
  }

  /** Never changes the object that `inputs` show. @param schema of its kind */
  mutate({ patchType, expression }: CompiledPatch, inputs: Inputs, schema: CompiledSchema): Mutated {
    const { object } = inputs
    const purse = new Purse(costLimits.policy)
    const bindings = bindingsOf(inputs)
    inputs.variables = this.#variables.over(bindings, purse)
    try {
      const { value, failure } = expression.evaluate(bindings, purse)
      if (failure !== undefined) return { failure: expression.fault || expression.explain(failure) }
      return {
        object: patchType === 'JSONPatch' ? withJsonPatch(object!, value) : withConfiguration(object!, value, schema),
      }
    } catch (error) {
      if (error instanceof PatchError || error instanceof OutOfBudget) return { failure: error.message }
      throw error
    }
  }
}

export interface CompiledPatch {
  patchType: Mutation['patchType']
  expression: Expression
}

/** The expression of a mutation, by its type; empty for one that has none. */
export function patchExpression({ patchType, jsonPatch, applyConfiguration }: Mutation): string {
  return (patchType === 'JSONPatch' ? jsonPatch : applyConfiguration)?.expression?.trim() ?? ''
}

/** What the expression of a mutation has to evaluate to. */
export const patchResult = ({ patchType }: Mutation) =>
  patchType === 'JSONPatch' ? types.list(jsonPatchType) : objectType
