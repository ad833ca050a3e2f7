import type { MatchResources, NamedRuleWithOperations } from '#apis/admissionregistration/v1/zz_generated.types.ts'
import type { Namespace } from '#apis/core/v1/zz_generated.types.ts'
import type { LabelSelector, UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { AdmissionRequest, ObjectReader } from '#apis/plugin/v1/admission.ts'
import { newInternalError, newNotFound } from '#core/errors/status-error.ts'
import { type LabelRequirement, matchesLabels, requirementsOf } from '#core/machinery/label-selector.ts'
import {
  type GroupVersionKind,
  type GroupVersionResource,
  isNamespace,
  type Kinds,
  kindOf,
  namespaceOf,
  type ServedKind,
} from './kinds.ts'
import { mayConcern, ruleMatches } from './rules.ts'
import type { Surroundings } from './surroundings.ts'

/** What a request is about, in the group and version of the rule that it meets. */
export interface Matched {
  resource: GroupVersionResource
  /** The kind of the object, which for some subresources is of another group. */
  kind: GroupVersionKind
}

/** Which requests a policy, a binding or a webhook is for. */
export class ResourceMatcher {
  readonly #match: MatchResources
  readonly #reader: ObjectReader
  readonly #kinds: Kinds
  #namespaces: Selector | undefined
  #objects: Selector | undefined

  constructor(match: MatchResources, around: Surroundings) {
    this.#match = match
    this.#reader = around.reader
    this.#kinds = around.kinds
  }

  /** Whether it may be about requests to a resource at all: what is asked once for each resource, not for each request. */
  mayConcern(group: string, resource: string): boolean {
    const { resourceRules, matchPolicy } = this.#match
    if (!resourceRules?.length) return true
    if (resourceRules.some((rule) => mayConcern(rule, group, resource))) return true
    if (matchPolicy !== 'Equivalent') return false
    const others = this.#kinds.equivalents(group, resource)
    return resourceRules.some((rule) => others.some((other) => mayConcern(rule, other.group, other.resource)))
  }

  /**
   * @returns undefined when it meets none
   * @throws StatusError when the namespace it depends on is not there
   */
  matches(request: AdmissionRequest): Matched | undefined {
    const { resourceRules, excludeResourceRules, matchPolicy } = this.#match
    this.#objects ??= new Selector(this.#match.objectSelector)
    if (!this.#objects.selects(request.object) && !this.#objects.selects(request.oldObject)) return undefined
    if (excludeResourceRules?.length && this.#ruled(excludeResourceRules, matchPolicy, request)) return undefined
    const matched = resourceRules?.length ? this.#ruled(resourceRules, matchPolicy, request) : asRequested(request)
    return matched && this.#isInNamespace(request) ? matched : undefined
  }

  /** Last, since it may fail: a request that is not meant otherwise is not held up by a namespace that is not there. */
  #isInNamespace(request: AdmissionRequest): boolean {
    this.#namespaces ??= new Selector(this.#match.namespaceSelector)
    const namespace = namespaceOf(request)
    if (this.#namespaces.isEmpty || (namespace === '' && !isNamespace(request))) return true
    const { operation, subresource, object } = request
    const isItself = isNamespace(request) && subresource === '' && (operation === 'CREATE' || operation === 'UPDATE')
    const found = isItself ? object : this.#reader.get<Namespace>('', 'namespaces', '', namespace)
    if (!found) throw newNotFound({ group: '', resource: 'namespaces' }, namespace)
    return this.#namespaces.matches(found.metadata.labels)
  }

  #ruled(
    rules: readonly NamedRuleWithOperations[],
    matchPolicy: MatchResources['matchPolicy'],
    request: AdmissionRequest,
  ): Matched | undefined {
    const isMeant = ({ resourceNames }: NamedRuleWithOperations) =>
      !resourceNames?.length || resourceNames.includes(request.name)
    for (const rule of rules) if (isMeant(rule) && ruleMatches(rule, request)) return asRequested(request)
    if (matchPolicy !== 'Equivalent') return undefined
    const others = this.#kinds.equivalents(request.group, request.resource)
    if (others.length < 2) return undefined
    for (const rule of rules) {
      if (!isMeant(rule)) continue
      const other = others.find((one) => !isSame(one, request) && ruleMatches(rule, request, one))
      if (other) return asServed(other, request)
    }
    return undefined
  }
}

const isSame = (a: ServedKind, b: AdmissionRequest) =>
  a.group === b.group && a.version === b.version && a.resource === b.resource

function asRequested(request: AdmissionRequest): Matched {
  const { group, version, resource } = request
  return { resource: { group, version, resource }, kind: kindOf(request) }
}

function asServed({ group, version, resource, kind }: ServedKind, request: AdmissionRequest): Matched {
  const isOwnKind = request.subresource === '' || request.subresource === 'status'
  return { resource: { group, version, resource }, kind: isOwnKind ? { group, version, kind } : kindOf(request) }
}

/** A label selector, read once. */
class Selector {
  readonly #requirements: readonly LabelRequirement[]

  /** @throws StatusError InternalError for one that cannot be */
  constructor(selector: LabelSelector | undefined) {
    try {
      this.#requirements = requirementsOf(selector) ?? []
    } catch (error) {
      throw newInternalError((error as Error).message, error)
    }
  }

  get isEmpty(): boolean {
    return this.#requirements.length === 0
  }

  matches(labels: Readonly<Record<string, string>> | undefined): boolean {
    return matchesLabels(this.#requirements, labels ?? {})
  }

  /** Nothing has no labels to select it by, unless all is selected. */
  selects(object: Readonly<UnstructuredObject> | undefined): boolean {
    return this.isEmpty || (object !== undefined && this.matches(object.metadata?.labels))
  }
}
