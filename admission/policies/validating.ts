import type {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '#apis/admissionregistration/v1/zz_generated.types.ts'
import type { AdmissionRequest } from '#apis/plugin/v1/admission.ts'
import type { StatusError } from '#core/errors/status-error.ts'
import type { AdmissionStep } from '../chain.ts'
import { after, inTurn } from '../in-turn.ts'
import type { Surroundings } from '../matching/surroundings.ts'
import { newDenial } from './denial.ts'
import { isExempt } from './exempt.ts'
import { type Invocation, invocationsOf, type Misfit } from './invocations.ts'
import { errorTypeOf, type PolicyMetrics } from './metrics.ts'
import { Params } from './params.ts'
import { PolicySet } from './policy-set.ts'
import { RequestViews } from './request-views.ts'
import { CompiledValidation, type Decision } from './validation.ts'

type ValidatingInvocation = Invocation<ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, CompiledValidation>
type ValidatingMisfit = Misfit<ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, CompiledValidation>

/**
 * Refuses writes by the ValidatingAdmissionPolicies that are in force.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
 */
export class ValidatingPolicies implements AdmissionStep {
  readonly name = 'ValidatingAdmissionPolicy'
  readonly set: PolicySet<ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, CompiledValidation>
  readonly #around: Surroundings
  readonly #params: Params
  readonly #metrics: PolicyMetrics | undefined

  constructor(around: Surroundings, metrics?: PolicyMetrics) {
    this.#around = around
    this.#params = new Params(around)
    this.#metrics = metrics
    this.set = new PolicySet(around, (policy) => new CompiledValidation(policy))
  }

  validate(request: AdmissionRequest): Promise<void> | void {
    const hooks = this.set.for(request.group, request.resource)
    if (hooks.length === 0 || isExempt(request)) return
    const views = new RequestViews(request, this.#around)
    const found = invocationsOf(hooks, request, this.#params)
    const prepared = inTurn(found, (one) => (one.misfit === undefined ? views.prepare(one) : undefined))
    return after(prepared, () => this.#judge(found, request, views))
  }

  /** Every policy is asked, so that each can warn; the first that refuses is the one that the client hears of. */
  #judge(
    found: readonly (ValidatingInvocation | ValidatingMisfit)[],
    request: AdmissionRequest,
    views: RequestViews,
  ): void {
    const denials = found.flatMap((one) =>
      one.misfit === undefined ? this.#enforce(one, request, views) : misfitDenials(one),
    )
    if (denials.length > 0) throw newRefusal(request, denials[0]!)
  }

  #enforce(one: ValidatingInvocation, request: AdmissionRequest, views: RequestViews): Denial[] {
    const { hook, bound } = one
    const started = performance.now()
    const decisions = hook.compiled.judge(views.inputs(one))
    const seconds = (performance.now() - started) / 1000
    const who = { policy: hook.name, binding: bound.name }
    const observe = (decision: Decision, action: string) =>
      this.#metrics?.observe({ ...who, action, seconds, errorType: errorTypeOf(decision.message) })
    return decisions.flatMap((decision) => {
      if (decision.action === 'admit') {
        if (decision.isFailure) observe(decision, 'allow')
        return []
      }
      return bound.binding.spec.validationActions.flatMap((action) => {
        observe(decision, action.toLowerCase())
        if (action === 'Warn') request.warn(warningOf(who, decision))
        return action === 'Deny' ? [{ ...who, decision }] : []
      })
    })
  }
}

/** Which policy refused, through which binding if it was one. */
interface Denial {
  policy: string
  binding?: string | undefined
  decision: Decision
}

const warningOf = ({ policy, binding }: { policy: string; binding: string }, { message }: Decision) =>
  `Validation failed for ValidatingAdmissionPolicy '${policy}' with binding '${binding}': ${message}`

/** What cannot be put into force refuses, unless its policy says that failures are to be ignored. */
function misfitDenials({ hook, bound, misfit }: ValidatingMisfit): Denial[] {
  if (hook.policy.spec?.failurePolicy === 'Ignore') return []
  const decision: Decision = { action: 'deny', isFailure: true, message: misfit, reason: '' }
  return [{ policy: hook.name, binding: bound?.name, decision }]
}

const codes: Readonly<Record<string, number>> = { Forbidden: 403, Unauthorized: 401, RequestEntityTooLarge: 413 }

function newRefusal(request: AdmissionRequest, { policy, binding, decision }: Denial): StatusError {
  const by = binding === undefined ? `'${policy}'` : `'${policy}' with binding '${binding}'`
  const error = newDenial(request, `ValidatingAdmissionPolicy ${by} denied request: ${decision.message}`)
  const reason = decision.reason || 'Invalid'
  return Object.assign(error, { status: { ...error.status, reason, code: codes[reason] ?? 422 } })
}
