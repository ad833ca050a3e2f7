import type { PolicyRule } from '#apis/rbac/v1/zz_generated.types.ts'
import type { RequestAttributes } from '#core/server/exchange.ts'

/**
 * What one rule of a role allows. Pure.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/#role-and-clusterrole
 */
export interface CompiledRule {
  readonly source: PolicyRule
  readonly verbs: Names
  readonly groups: Names
  readonly resources: Names
  /** Empty: all names. */
  readonly names: ReadonlySet<string>
  readonly paths: readonly string[]
}

interface Names {
  readonly all: boolean
  readonly listed: ReadonlySet<string>
}

const namesOf = (list: readonly string[] | undefined): Names => {
  const listed = new Set(list)
  return { all: listed.has('*'), listed }
}
const has = (names: Names, name: string) => names.all || names.listed.has(name)

export function compileRule(source: PolicyRule): CompiledRule {
  return {
    source,
    verbs: namesOf(source.verbs),
    groups: namesOf(source.apiGroups),
    resources: namesOf(source.resources),
    names: new Set(source.resourceNames),
    paths: source.nonResourceURLs ?? [],
  }
}

export function ruleAllows(rule: CompiledRule, attributes: RequestAttributes): boolean {
  if (!has(rule.verbs, attributes.verb)) return false
  if (!attributes.isResource) return rule.paths.some((pattern) => pathMatches(pattern, attributes.path))
  const { group, resource, subresource, name } = attributes
  return (
    has(rule.groups, group) &&
    coversResource(rule.resources, resource, subresource) &&
    (rule.names.size === 0 || rule.names.has(name))
  )
}

// `pods` does not cover `pods/log`; `*` covers both; `*/log` covers the second.
function coversResource(resources: Names, resource: string, subresource: string): boolean {
  if (resources.all) return true
  if (!subresource) return resources.listed.has(resource)
  return resources.listed.has(`${resource}/${subresource}`) || resources.listed.has(`*/${subresource}`)
}

/** A pattern is a path, or a prefix and `*` at its end. */
function pathMatches(pattern: string, path: string): boolean {
  return pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)))
}

/** More pieces than this are not looked at one by one: the rule then counts as not covered. */
const maxPieces = 10_000

/**
 * The parts of `wanted` that `owned` does not allow, split no further than need be.
 * A rule may be covered by several together.
 */
export function uncovered(owned: readonly CompiledRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap((rule) => {
    if (owned.some((owner) => coversAll(owner, rule))) return []
    return countPieces(rule) > maxPieces ? [rule] : pieces(rule).flatMap((piece) => missingVerbs(owned, piece))
  })
}

function coversAll(owner: CompiledRule, rule: PolicyRule): boolean {
  return (
    rule.verbs.every((verb) => has(owner.verbs, verb)) &&
    (rule.nonResourceURLs ?? []).every((path) => owner.paths.some((pattern) => pathMatches(pattern, path))) &&
    coversResources(owner, rule)
  )
}

function coversResources(owner: CompiledRule, { apiGroups, resources = [], resourceNames }: PolicyRule): boolean {
  if (resources.length === 0) return true
  return (
    (apiGroups ?? []).every((group) => has(owner.groups, group)) &&
    resources.every((resource) => coversNamed(owner.resources, resource)) &&
    (owner.names.size === 0 || (!!resourceNames?.length && resourceNames.every((name) => owner.names.has(name))))
  )
}

function coversNamed(resources: Names, written: string): boolean {
  if (resources.all || resources.listed.has(written)) return true
  const slash = written.indexOf('/')
  return slash >= 0 && resources.listed.has(`*${written.slice(slash)}`)
}

function countPieces({ apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }: PolicyRule): number {
  return apiGroups.length * resources.length * Math.max(1, resourceNames.length) + nonResourceURLs.length
}

/** One group, one resource, at most one name, or one path; all the verbs. */
function pieces({
  verbs,
  apiGroups = [],
  resources = [],
  resourceNames,
  nonResourceURLs = [],
}: PolicyRule): PolicyRule[] {
  const named = resourceNames?.length ? resourceNames.map((name) => ({ resourceNames: [name] })) : [{}]
  const byResource = apiGroups.flatMap((group) =>
    resources.flatMap((resource) =>
      named.map((names) => ({ verbs, apiGroups: [group], resources: [resource], ...names })),
    ),
  )
  return [...byResource, ...nonResourceURLs.map((path) => ({ verbs, nonResourceURLs: [path] }))]
}

function missingVerbs(owned: readonly CompiledRule[], piece: PolicyRule): PolicyRule[] {
  const verbs = piece.verbs.filter((verb) => !owned.some((owner) => coversAll(owner, { ...piece, verbs: [verb] })))
  return verbs.length > 0 ? [{ ...piece, verbs }] : []
}

/** As in Kubernetes' messages: `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}`. */
export function formatRule({ apiGroups, resources, resourceNames, nonResourceURLs, verbs }: PolicyRule): string {
  const parts = [
    ['APIGroups', apiGroups],
    ['Resources', resources],
    ['ResourceNames', resourceNames],
    ['NonResourceURLs', nonResourceURLs],
    ['Verbs', verbs],
  ] as const
  const shown = parts.filter(([, list]) => list?.length).map(([label, list]) => `${label}:${quoteList(list!)}`)
  return `{${shown.join(', ')}}`
}

const quoteList = (list: readonly string[]) => `[${list.map((item) => JSON.stringify(item)).join(' ')}]`
