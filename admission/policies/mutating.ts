import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
} from '#apis/admissionregistration/v1/zz_generated.types.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { AdmissionRequest } from '#apis/plugin/v1/admission.ts'
import { newServiceUnavailable, type StatusError } from '#core/errors/status-error.ts'
import type { CompiledSchema } from '#core/schema/compile.ts'
import { equalJson, setOwn } from '#core/schema/json.ts'
import type { AdmissionStep } from '../chain.ts'
import { after, inTurn } from '../in-turn.ts'
import type { Inputs } from '../matching/inputs.ts'
import type { GroupVersionKind } from '../matching/kinds.ts'
import type { Surroundings } from '../matching/surroundings.ts'
import { newDenial } from './denial.ts'
import { isExempt } from './exempt.ts'
import { type Invocation, invocationsOf } from './invocations.ts'
import { errorTypeOf, type PolicyMetrics } from './metrics.ts'
import { CompiledMutation, type CompiledPatch } from './mutation.ts'
import { Params } from './params.ts'
import { type Hook, PolicySet } from './policy-set.ts'
import { RequestViews } from './request-views.ts'

type MutatingHook = Hook<MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, CompiledMutation>
type MutatingInvocation = Invocation<MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, CompiledMutation>

/**
 * Changes objects on their way to the store by the MutatingAdmissionPolicies that are in force, in the order of their names.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
 */
export class MutatingPolicies implements AdmissionStep {
  readonly name = 'MutatingAdmissionPolicy'
  readonly set: PolicySet<MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, CompiledMutation>
  readonly #around: Surroundings
  readonly #params: Params
  readonly #metrics: PolicyMetrics | undefined
  /** Of requests whose object was changed: the policies that want to see it again. */
  readonly #changed = new WeakMap<AdmissionRequest, ReadonlySet<string>>()

  constructor(around: Surroundings, metrics?: PolicyMetrics) {
    this.#around = around
    this.#params = new Params(around)
    this.#metrics = metrics
    this.set = new PolicySet(around, (policy) => new CompiledMutation(policy))
  }

  admit(request: AdmissionRequest): Promise<void> | void {
    const hooks = this.set.for(request.group, request.resource)
    if (hooks.length === 0 || request.operation === 'DELETE' || isExempt(request)) return
    const pass = new Pass(request)
    return after(this.#run(hooks, pass), () => {
      if (pass.isChanged) this.#changed.set(request, pass.reinvocable)
    })
  }

  /** What changed an object may want the steps before it to look at it again, and the policies that ask for it, too. */
  readonly again = {
    isNeeded: (request: AdmissionRequest) => this.#changed.has(request),
    admit: (request: AdmissionRequest): Promise<void> | void => {
      const wanted = this.#changed.get(request)
      this.#changed.delete(request)
      if (wanted?.size) return this.#run(this.set.for(request.group, request.resource), new Pass(request, wanted))
    },
  }

  /** @throws StatusError for what went wrong, unless all of it is to be ignored */
  #run(hooks: readonly MutatingHook[], pass: Pass): Promise<void> | void {
    const { request } = pass
    const views = new RequestViews(request, this.#around)
    const ran = inTurn(invocationsOf(hooks, request, this.#params), (one) => {
      if (one.misfit !== undefined) pass.refuse(one, one.misfit, '')
      else if (pass.wants(keyOf(one))) return after(views.prepare(one), () => this.#invoke(one, pass, views))
    })
    return after(ran, () => pass.settle())
  }

  #invoke(one: MutatingInvocation, pass: Pass, views: RequestViews): Promise<void> | void {
    const { compiled, policy } = one.hook
    const { met, failure } = compiled.judge(views.inputs(one))
    if (failure !== undefined) return pass.refuse(one, failure, 'Invalid')
    if (!met) return
    if (policy.spec?.reinvocationPolicy === 'IfNeeded') pass.reinvocable.add(keyOf(one))
    return this.#mutate(one, pass, views)
  }

  /** Makes the mutations of a policy, each of what the one before it made. */
  #mutate(one: MutatingInvocation, pass: Pass, views: RequestViews): Promise<void> | void {
    const { request } = pass
    if (!request.object) return
    const schema = this.#schema(one.matched.kind)
    const isRequested = views.isRequested(one.matched)
    let { object } = views.inputs(one)
    const before = object
    for (const patch of one.hook.compiled.mutations) {
      const made = this.#patch(one, patch, views.inputs(one, object as UnstructuredObject), schema, pass)
      if (made === undefined) continue
      object = made
      if (isRequested) object = this.#replace(pass, made)
    }
    if (isRequested || object === before) return
    const back = this.#around.kinds.convert(object!, request)
    const finish = (converted: UnstructuredObject) => {
      this.#replace(pass, converted)
      views.refresh()
    }
    return back instanceof Promise ? back.then(finish) : finish(back)
  }

  /** @returns undefined when the object is as it was */
  #patch(
    one: MutatingInvocation,
    patch: CompiledPatch,
    inputs: Inputs,
    schema: CompiledSchema,
    pass: Pass,
  ): Readonly<UnstructuredObject> | undefined {
    const started = performance.now()
    const { object, failure } = one.hook.compiled.mutate(patch, inputs, schema)
    const seconds = (performance.now() - started) / 1000
    const who = { policy: one.hook.name, binding: one.bound.name }
    this.#metrics?.observe({ ...who, action: '', errorType: errorTypeOf(failure), seconds })
    if (failure !== undefined) pass.refuse(one, failure, 'Invalid')
    return failure !== undefined || equalJson(object, inputs.object) ? undefined : object
  }

  /** Makes the request's object what a policy made of it, and that what a client might have sent. */
  #replace(pass: Pass, made: Readonly<UnstructuredObject>): UnstructuredObject {
    const object = pass.request.object!
    replaceContent(object, made)
    this.#around.kinds.settle(pass.request)
    pass.isChanged = true
    return object
  }

  #schema(kind: GroupVersionKind): CompiledSchema {
    const schema = this.#around.kinds.schema(kind)
    if (schema) return schema
    throw newServiceUnavailable(
      `Resource kind ${kind.group}/${kind.version}, Kind=${kind.kind} not found. There can be a delay between when CustomResourceDefinitions are created and when they are available.`,
    )
  }
}

/** One look of the policies at a request. */
class Pass {
  readonly request: AdmissionRequest
  /** The evaluations that want to see the object again when it is changed. */
  readonly reinvocable = new Set<string>()
  isChanged = false
  readonly #wanted: ReadonlySet<string> | undefined
  readonly #refusals: Refusal[] = []

  /** @param wanted only these are evaluated; absent: all */
  constructor(request: AdmissionRequest, wanted?: ReadonlySet<string>) {
    this.request = request
    this.#wanted = wanted
  }

  wants(key: string): boolean {
    return this.#wanted?.has(key) ?? true
  }

  refuse({ hook, bound }: Pick<Refusal, 'hook' | 'bound'>, message: string, reason: Refusal['reason']): void {
    if (hook.policy.spec?.failurePolicy !== 'Ignore') this.#refusals.push({ hook, bound, message, reason })
  }

  /** @throws StatusError when something went wrong */
  settle(): void {
    if (this.#refusals.length > 0) throw newRefusal(this.request, this.#refusals)
  }
}

interface Refusal extends Pick<MutatingInvocation, 'hook'> {
  bound: MutatingInvocation['bound'] | undefined
  message: string
  reason: '' | 'Invalid'
}

/** Tells evaluations of policies apart: by the policy, the binding and what configures it. */
function keyOf({ hook, bound, param }: MutatingInvocation): string {
  const { namespace = '', name = '' } = param?.metadata ?? {}
  return [hook.name, bound.name, namespace, name].join('\n')
}

/** Makes an object what another is; who holds it sees the change. */
function replaceContent(object: UnstructuredObject, content: Readonly<UnstructuredObject>): void {
  for (const name of Object.keys(object)) if (!Object.hasOwn(content, name)) delete object[name]
  for (const name of Object.keys(content)) setOwn(object, name, content[name])
}

/** All that went wrong; the first is the one that the answer tells. */
function newRefusal(request: AdmissionRequest, refusals: readonly Refusal[]): StatusError {
  const messages = refusals.map(({ hook, bound, message }) =>
    bound
      ? `policy '${hook.name}' with binding '${bound.name}' denied request: ${message}`
      : `policy ${JSON.stringify(hook.name)} denied request: ${message}`,
  )
  const error = newDenial(request, 'admission request denied by policy')
  const details = { ...error.status.details, causes: messages.map((message) => ({ message })) }
  const reason = refusals[0]!.reason || error.status.reason
  return Object.assign(error, { status: { ...error.status, message: messages[0]!, reason, details } })
}
