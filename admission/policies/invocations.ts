import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { AdmissionRequest } from '#apis/plugin/v1/admission.ts'
import { findStatusError } from '#core/errors/status-error.ts'
import type { ServedKind } from '../matching/kinds.ts'
import type { Matched } from '../matching/match-resources.ts'
import { ConfigurationError, type Params } from './params.ts'
import type { BindingObject, Bound, Hook, PolicyObject } from './policy-set.ts'

/** One evaluation of a policy: for one of its bindings and one of the objects that configure it. */
export interface Invocation<P, B, C> {
  hook: Hook<P, B, C>
  bound: Bound<B>
  matched: Matched
  /** What configures the policy, as it is stored. */
  param: UnstructuredObject | undefined
  paramKind: ServedKind | undefined
  misfit?: undefined
}

/** A policy or a binding that is for the request and cannot be put into force; the policy's failurePolicy decides. */
export interface Misfit<P, B, C> {
  hook: Hook<P, B, C>
  /** undefined where the policy itself is at fault. */
  bound: Bound<B> | undefined
  misfit: string
}

/** What to evaluate for a request, in order; nothing has been evaluated yet. */
export function invocationsOf<P extends PolicyObject, B extends BindingObject, C>(
  hooks: readonly Hook<P, B, C>[],
  request: AdmissionRequest,
  params: Params,
): (Invocation<P, B, C> | Misfit<P, B, C>)[] {
  return hooks.flatMap((hook) => {
    const found = orFault(() => matchPolicy(hook, request, params))
    if (found instanceof Fault)
      return [{ hook, bound: undefined, misfit: `failed to configure policy: ${found.message}` }]
    return found ? hook.bindings.flatMap((bound) => invocationsThrough(bound, hook, found, request, params)) : []
  })
}

interface PolicyMatch {
  matched: Matched
  paramKind: ServedKind | undefined
}

function matchPolicy<P extends PolicyObject, B, C>(
  { matcher, policy: { spec } }: Hook<P, B, C>,
  request: AdmissionRequest,
  params: Params,
): PolicyMatch | undefined {
  if (!matcher) throw new ConfigurationError('policy contained no match constraints, a required field')
  const matched = matcher.matches(request)
  return matched && { matched, paramKind: spec?.paramKind && params.kind(spec.paramKind) }
}

function invocationsThrough<P, B extends BindingObject, C>(
  bound: Bound<B>,
  hook: Hook<P, B, C>,
  { matched, paramKind }: PolicyMatch,
  request: AdmissionRequest,
  params: Params,
): (Invocation<P, B, C> | Misfit<P, B, C>)[] {
  const found = orFault(() => {
    if (bound.matcher && !bound.matcher.matches(request)) return []
    return params.collect(paramKind, bound.binding.spec?.paramRef, request)
  })
  if (found instanceof Fault) return [{ hook, bound, misfit: `failed to configure binding: ${found.message}` }]
  return found.map((param) => ({ hook, bound, matched, param, paramKind }))
}

class Fault {
  readonly message: string

  constructor(message: string) {
    this.message = message
  }
}

/** What `find` finds, or what is wrong with the configuration. */
function orFault<T>(find: () => T): T | Fault {
  try {
    return find()
  } catch (error) {
    if (error instanceof ConfigurationError) return new Fault(error.message)
    const known = findStatusError(error)
    if (known) return new Fault(known.message)
    throw error
  }
}
