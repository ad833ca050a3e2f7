import type { MatchResources, ParamKind, ParamRef } from '#apis/admissionregistration/v1/zz_generated.types.ts'
import type { KubeObject } from '#apis/meta/v1/types.ts'
import { ResourceMatcher } from '../matching/match-resources.ts'
import type { Surroundings } from '../matching/surroundings.ts'

/** What both kinds of policies have. */
export interface PolicyObject extends KubeObject {
  spec?: { matchConstraints?: MatchResources; paramKind?: ParamKind; failurePolicy?: 'Ignore' | 'Fail' }
}

/** What the bindings of both have. */
export interface BindingObject extends KubeObject {
  spec?: { policyName?: string; matchResources?: MatchResources; paramRef?: ParamRef }
}

/** A policy that is in force, with what puts it there. */
export interface Hook<Policy, Binding, Compiled> {
  readonly name: string
  readonly policy: Policy
  /** undefined for a policy without match constraints, which is none. */
  readonly matcher: ResourceMatcher | undefined
  readonly bindings: readonly Bound<Binding>[]
  /** Made when the first request meets it. */
  readonly compiled: Compiled
}

export interface Bound<Binding> {
  readonly name: string
  readonly binding: Binding
  /** undefined where a binding restricts nothing. */
  readonly matcher: ResourceMatcher | undefined
}

/**
 * The policies of a cluster and their bindings, kept as they change. Which of them may be about a resource is found out
 * once for each resource; a request for which there is none costs one look.
 */
export class PolicySet<Policy extends PolicyObject, Binding extends BindingObject, Compiled> {
  readonly #around: Surroundings
  readonly #compile: (policy: Policy) => Compiled
  readonly #policies = new Map<string, PolicyEntry<Policy, Compiled>>()
  readonly #bindings = new Map<string, Bound<Binding>>()
  readonly #byResource = new Map<string, readonly Hook<Policy, Binding, Compiled>[]>()
  #hooks: readonly Hook<Policy, Binding, Compiled>[] | undefined

  constructor(around: Surroundings, compile: (policy: Policy) => Compiled) {
    this.#around = around
    this.#compile = compile
  }

  setPolicy(policy: Policy): void {
    const name = policy.metadata.name ?? ''
    const known = this.#policies.get(name)
    // A status that changed changes nothing here.
    if (known && policy.metadata.generation !== undefined && isSameSpec(known.policy, policy)) return
    this.#policies.set(name, new PolicyEntry(policy, this.#matcher(policy.spec?.matchConstraints), this.#compile))
    this.forget()
  }

  removePolicy(name: string): void {
    if (this.#policies.delete(name)) this.forget()
  }

  setBinding(binding: Binding): void {
    const name = binding.metadata.name ?? ''
    this.#bindings.set(name, { name, binding, matcher: this.#matcher(binding.spec?.matchResources) })
    this.forget()
  }

  removeBinding(name: string): void {
    if (this.#bindings.delete(name)) this.forget()
  }

  /** Lets go of what was found out about resources: their equivalents may have changed. */
  forget(): void {
    this.#hooks = undefined
    this.#byResource.clear()
  }

  /** The policies that may be about a resource, by name. */
  for(group: string, resource: string): readonly Hook<Policy, Binding, Compiled>[] {
    if (this.#policies.size === 0) return nothing
    const key = `${group}/${resource}`
    const known = this.#byResource.get(key)
    if (known) return known
    this.#hooks ??= this.#inForce()
    const found = this.#hooks.filter(({ matcher }) => matcher?.mayConcern(group, resource) ?? true)
    this.#byResource.set(key, found)
    return found
  }

  #matcher(match: MatchResources | undefined): ResourceMatcher | undefined {
    return match && new ResourceMatcher(match, this.#around)
  }

  /** A policy without a binding does nothing, and a binding without its policy neither. */
  #inForce(): Hook<Policy, Binding, Compiled>[] {
    const bindings = Map.groupBy([...this.#bindings.values()].sort(byName), ({ binding }) => binding.spec?.policyName)
    return [...this.#policies.values()].sort(byName).flatMap((entry) => {
      const bound = bindings.get(entry.name)
      return bound ? [entry.boundBy(bound)] : []
    })
  }
}

const nothing: readonly never[] = []

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)

function isSameSpec(a: PolicyObject, b: PolicyObject): boolean {
  return a.metadata.uid === b.metadata.uid && a.metadata.generation === b.metadata.generation
}

class PolicyEntry<Policy extends PolicyObject, Compiled> {
  readonly name: string
  readonly policy: Policy
  readonly #matcher: ResourceMatcher | undefined
  readonly #compile: (policy: Policy) => Compiled
  #compiled: { value: Compiled } | undefined

  constructor(policy: Policy, matcher: ResourceMatcher | undefined, compile: (policy: Policy) => Compiled) {
    this.name = policy.metadata.name ?? ''
    this.policy = policy
    this.#matcher = matcher
    this.#compile = compile
  }

  get compiled(): Compiled {
    this.#compiled ??= { value: this.#compile(this.policy) }
    return this.#compiled.value
  }

  boundBy<Binding>(bindings: readonly Bound<Binding>[]): Hook<Policy, Binding, Compiled> {
    const entry = this
    return {
      name: this.name,
      policy: this.policy,
      matcher: this.#matcher,
      bindings,
      get compiled() {
        return entry.compiled
      },
    }
  }
}
