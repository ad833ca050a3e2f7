import type { LabelSelector } from '#apis/meta/v1/types.ts'
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  RoleRef,
  Subject,
} from '#apis/rbac/v1/zz_generated.types.ts'
import { groups, serviceAccountName } from '#core/authn/users.ts'
import { matchesLabels, requirementsOf } from '#core/machinery/label-selector.ts'
import type { Authorizer, Decision, RequestAttributes, UserInfo } from '#core/server/exchange.ts'
import { type CompiledRule, compileRule, formatRule, ruleAllows, uncovered } from './rules.ts'

/**
 * Roles and bindings, indexed by subject, so that a decision looks only at the bindings of who asks.
 * Kept up to date by watches; it evaluates and never writes.
 */
export class RbacIndex implements Authorizer {
  readonly #clusterRoles = new Map<string, ClusterRole>()
  /** By `namespace/name`. */
  readonly #roles = new Map<string, Role>()
  /** Rules of roles, compiled on first use; emptied when any ClusterRole changes, as aggregation may reach anywhere. */
  readonly #compiled = new Map<string, readonly CompiledRule[] | undefined>()
  readonly #grants = new GrantIndex()

  upsertClusterRole(role: ClusterRole): void {
    this.#clusterRoles.set(role.metadata.name ?? '', role)
    this.#compiled.clear()
  }

  removeClusterRole(name: string): void {
    this.#clusterRoles.delete(name)
    this.#compiled.clear()
  }

  upsertRole(role: Role): void {
    const key = `${role.metadata.namespace}/${role.metadata.name}`
    this.#roles.set(key, role)
    this.#compiled.delete(`Role ${key}`)
  }

  removeRole(namespace: string, name: string): void {
    this.#roles.delete(`${namespace}/${name}`)
    this.#compiled.delete(`Role ${namespace}/${name}`)
  }

  upsertClusterRoleBinding(binding: ClusterRoleBinding): void {
    this.#grants.set('', binding.metadata.name ?? '', binding.roleRef, binding.subjects ?? [])
  }

  removeClusterRoleBinding(name: string): void {
    this.#grants.remove('', name)
  }

  upsertRoleBinding(binding: RoleBinding): void {
    const { namespace = '', name = '' } = binding.metadata
    this.#grants.set(namespace, name, binding.roleRef, binding.subjects ?? [])
  }

  removeRoleBinding(namespace: string, name: string): void {
    this.#grants.remove(namespace, name)
  }

  authorize(user: UserInfo, attributes: RequestAttributes): Decision {
    if (user.groups.includes(groups.masters)) return { allowed: true, reason: '' }
    const missing = new Set<string>()
    for (const grant of this.#grants.of(user, attributes.isResource ? attributes.namespace : '')) {
      const rules = this.#rulesOf(grant.role)
      if (!rules) missing.add(notFoundOf(grant.role))
      else if (rules.some((rule) => ruleAllows(rule, attributes))) return { allowed: true, reason: allowedBy(grant) }
    }
    return { allowed: false, reason: reasonOfMissing(missing) }
  }

  /** The status of a SelfSubjectRulesReview. */
  rulesFor(user: UserInfo, namespace: string): SubjectRules {
    const { rules, missing } = this.#ownedRules(user, namespace)
    const evaluationError = reasonOfMissing(missing)
    return {
      resourceRules: rules.filter((rule) => rule.resources?.length).map(resourceRuleOf),
      nonResourceRules: rules
        .filter((rule) => rule.nonResourceURLs?.length)
        .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
      incomplete: missing.size > 0,
      ...(evaluationError && { evaluationError }),
    }
  }

  /**
   * What of `rules` the user does not hold and so may not grant to others.
   * @param namespace of the role or binding written; empty for cluster scope
   */
  missingRules(user: UserInfo, namespace: string, rules: readonly PolicyRule[]): PolicyRule[] {
    return uncovered(this.#ownedRules(user, namespace).rules.map(compileRule), rules)
  }

  /** The rules behind a role reference, aggregation applied. @returns undefined when there is no such role */
  rulesOfRole(ref: Pick<RoleRef, 'kind' | 'name'>, namespace: string): PolicyRule[] | undefined {
    const kind = ref.kind === 'ClusterRole' ? 'ClusterRole' : 'Role'
    return this.#rulesOf({ kind, name: ref.name, namespace })?.map(({ source }) => source)
  }

  #ownedRules(user: UserInfo, namespace: string): { rules: PolicyRule[]; missing: Set<string> } {
    const missing = new Set<string>()
    const rules: PolicyRule[] = user.groups.includes(groups.masters) ? [...everything] : []
    for (const { role } of this.#grants.of(user, namespace)) {
      const found = this.#rulesOf(role)
      if (found) for (const { source } of found) rules.push(source)
      else missing.add(notFoundOf(role))
    }
    return { rules, missing }
  }

  #rulesOf(role: RoleKey): readonly CompiledRule[] | undefined {
    const key = role.kind === 'Role' ? `${role.namespace}/${role.name}` : role.name
    const id = `${role.kind} ${key}`
    if (this.#compiled.has(id)) return this.#compiled.get(id)
    const rules = role.kind === 'Role' ? this.#roles.get(key)?.rules : this.#clusterRules(key, new Set())
    const exists = role.kind === 'Role' ? this.#roles.has(key) : this.#clusterRoles.has(key)
    const compiled = exists ? (rules ?? []).map(compileRule) : undefined
    this.#compiled.set(id, compiled)
    return compiled
  }

  /** The rules of an aggregated role are those of the roles it selects, at any depth; its own list only shows them. */
  #clusterRules(name: string, visited: Set<string>): PolicyRule[] {
    const role = this.#clusterRoles.get(name)
    if (!role || visited.has(name)) return []
    visited.add(name)
    const selectors = role.aggregationRule?.clusterRoleSelectors
    if (!selectors?.length) return role.rules ?? []
    const selections = selectors.map(selectionOf)
    const selected = [...this.#clusterRoles].filter(([, { metadata }]) =>
      selections.some((selects) => selects(metadata.labels ?? {})),
    )
    return selected.sort(byName).flatMap(([selectedName]) => this.#clusterRules(selectedName, visited))
  }
}

export interface SubjectRules {
  resourceRules: Pick<PolicyRule, 'verbs' | 'apiGroups' | 'resources' | 'resourceNames'>[]
  nonResourceRules: Pick<PolicyRule, 'verbs' | 'nonResourceURLs'>[]
  /** True when some roles could not be looked at. */
  incomplete: boolean
  evaluationError?: string
}

/** Why a role or binding may not be written: it would give away `missing`. */
export function escalationMessage(user: UserInfo, missing: readonly PolicyRule[]): string {
  const of = user.groups.map((group) => JSON.stringify(group)).join(' ')
  const lines = missing.map(formatRule).join('\n')
  return `user ${JSON.stringify(user.username)} (groups=[${of}]) is attempting to grant RBAC permissions not currently held:\n${lines}`
}

const everything: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

/** Collected rules are shown, so their order must not depend on who came first. */
const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => (a < b ? -1 : 1)

function resourceRuleOf({ verbs, apiGroups, resources, resourceNames }: PolicyRule) {
  return { verbs, apiGroups, resources, ...(resourceNames?.length && { resourceNames }) }
}

/** A selector that cannot be read selects nothing: one bad role must not take the decisions of others with it. */
function selectionOf(selector: LabelSelector): (labels: Readonly<Record<string, string>>) => boolean {
  try {
    const requirements = requirementsOf(selector)
    return (labels) => requirements !== undefined && matchesLabels(requirements, labels)
  } catch {
    return () => false
  }
}

interface RoleKey {
  kind: 'Role' | 'ClusterRole'
  name: string
  /** Of a Role. */
  namespace: string
}

/** One binding as one of its subjects sees it. */
interface Grant {
  /** `namespace/name`, or `name` of a ClusterRoleBinding. */
  binding: string
  isClusterWide: boolean
  role: RoleKey
  subject: Subject
}

const notFoundOf = ({ kind, name }: RoleKey) =>
  `${kind.toLowerCase()}.rbac.authorization.k8s.io ${JSON.stringify(name)} not found`

function reasonOfMissing(missing: ReadonlySet<string>): string {
  if (missing.size === 0) return ''
  const list = [...missing]
  return `RBAC: ${list.length > 1 ? `[${list.join(', ')}]` : list[0]}`
}

function allowedBy({ binding, isClusterWide, role, subject }: Grant): string {
  const kind = isClusterWide ? 'ClusterRoleBinding' : 'RoleBinding'
  const who = subject.namespace ? `${subject.namespace}/${subject.name}` : subject.name
  return `RBAC: allowed by ${kind} ${JSON.stringify(binding)} of ${role.kind} ${JSON.stringify(role.name)} to ${subject.kind} ${JSON.stringify(who)}`
}

type ByBinding = Map<string, Grant>

class GrantIndex {
  /** Subject, then namespace (empty: everywhere), then binding. */
  readonly #bySubject = new Map<string, Map<string, ByBinding>>()
  /** Which subjects a binding was filed under. */
  readonly #filed = new Map<string, string[]>()

  set(namespace: string, name: string, ref: RoleRef, subjects: readonly Subject[]): void {
    this.remove(namespace, name)
    const binding = bindingKey(namespace, name)
    const role: RoleKey = { kind: ref.kind === 'ClusterRole' ? 'ClusterRole' : 'Role', name: ref.name, namespace }
    const keys: string[] = []
    for (const subject of subjects) {
      const key = subjectKey(subject, namespace)
      if (key === undefined) continue
      keys.push(key)
      const byNamespace = getOrMake(this.#bySubject, key, () => new Map<string, ByBinding>())
      const grants = getOrMake(byNamespace, namespace, () => new Map() as ByBinding)
      grants.set(binding, { binding, isClusterWide: namespace === '', role, subject })
    }
    this.#filed.set(binding, keys)
  }

  remove(namespace: string, name: string): void {
    const binding = bindingKey(namespace, name)
    for (const key of this.#filed.get(binding) ?? []) {
      const byNamespace = this.#bySubject.get(key)
      const grants = byNamespace?.get(namespace)
      grants?.delete(binding)
      if (grants?.size === 0) byNamespace?.delete(namespace)
      if (byNamespace?.size === 0) this.#bySubject.delete(key)
    }
    this.#filed.delete(binding)
  }

  /** Those that hold everywhere, then those of the namespace. */
  *of(user: UserInfo, namespace: string): Generator<Grant> {
    const places = namespace === '' ? [''] : ['', namespace]
    for (const place of places) {
      yield* this.#at(`user ${user.username}`, place)
      for (const group of user.groups) yield* this.#at(`group ${group}`, place)
    }
  }

  #at(subject: string, namespace: string): Iterable<Grant> {
    return this.#bySubject.get(subject)?.get(namespace)?.values() ?? []
  }
}

/** A namespace's name is never empty and has no slash, so the two kinds of binding do not meet. */
const bindingKey = (namespace: string, name: string) => (namespace ? `${namespace}/${name}` : name)

/** @returns undefined for a subject that can be nobody */
function subjectKey({ kind, name, namespace }: Subject, bindingNamespace: string): string | undefined {
  if (kind === 'User') return `user ${name}`
  if (kind === 'Group') return `group ${name}`
  const home = namespace || bindingNamespace
  return kind === 'ServiceAccount' && home ? `user ${serviceAccountName(home, name)}` : undefined
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = make()
  map.set(key, made)
  return made
}
