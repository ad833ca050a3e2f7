import type {
  FlowSchema,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from '#apis/flowcontrol/v1/zz_generated.types.ts'
import type { UserInfo } from '#apis/meta/v1/user-info.ts'
import type { RequestAttributes } from '#core/server/exchange.ts'

/**
 * Which requests a FlowSchema is about. Subjects are asked once a user, so that what is left to ask of each request is
 * its verb and what it is for. Pure.
 * @see https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#flowschema
 */
export type RequestMatch = (request: RequestAttributes) => boolean

/** @returns what of the user's requests the schema is about; undefined when none */
export function matchFor(schema: FlowSchema, user: UserInfo): RequestMatch | undefined {
  const rules = (schema.spec.rules ?? []).filter(({ subjects }) => subjects.some((one) => isSubject(user, one)))
  if (rules.length === 0) return undefined
  const matches = rules.map(matchOfRules)
  return matches.length === 1 ? matches[0] : (request) => matches.some((match) => match(request))
}

/** As Kubernetes tries them: by precedence, then by name. */
export function bySchemaOrder(a: FlowSchema, b: FlowSchema): number {
  const precedence = precedenceOf(a) - precedenceOf(b)
  if (precedence !== 0) return precedence
  const [first = '', second = ''] = [a.metadata.name, b.metadata.name]
  return first < second ? -1 : first > second ? 1 : 0
}

const defaultPrecedence = 1_000

function precedenceOf({ spec }: FlowSchema): number {
  return spec.matchingPrecedence ?? defaultPrecedence
}

function isSubject(user: UserInfo, { kind, user: named, group, serviceAccount }: Subject): boolean {
  switch (kind) {
    case 'User':
      return named !== undefined && (named.name === '*' || named.name === user.username)
    case 'Group':
      return group !== undefined && (group.name === '*' || user.groups.includes(group.name))
    case 'ServiceAccount': {
      if (!serviceAccount) return false
      const prefix = `system:serviceaccount:${serviceAccount.namespace}:`
      return user.username.startsWith(prefix) && hasOrAll([serviceAccount.name], user.username.slice(prefix.length))
    }
  }
}

function matchOfRules({ resourceRules = [], nonResourceRules = [] }: PolicyRulesWithSubjects): RequestMatch {
  return (request) =>
    request.isResource
      ? resourceRules.some((rule) => isAboutResource(rule, request))
      : nonResourceRules.some((rule) => isAboutPath(rule, request))
}

type ResourceRequest = Extract<RequestAttributes, { isResource: true }>
type PathRequest = Extract<RequestAttributes, { isResource: false }>

function isAboutResource(rule: ResourcePolicyRule, request: ResourceRequest): boolean {
  const { verb, group, resource, subresource, namespace } = request
  return (
    hasOrAll(rule.verbs, verb) &&
    hasOrAll(rule.apiGroups, group) &&
    (rule.resources.includes('*') || rule.resources.includes(subresource ? `${resource}/${subresource}` : resource)) &&
    (namespace === '' ? rule.clusterScope === true : hasOrAll(rule.namespaces ?? [], namespace))
  )
}

function isAboutPath(rule: NonResourcePolicyRule, { verb, path }: PathRequest): boolean {
  return hasOrAll(rule.verbs, verb) && rule.nonResourceURLs.some((pattern) => isPathLike(pattern, path))
}

function isPathLike(pattern: string, path: string): boolean {
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : pattern === path
}

function hasOrAll(names: readonly string[], name: string): boolean {
  return names.includes('*') || names.includes(name)
}
