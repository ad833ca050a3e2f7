import type { AdmissionRequest } from '#apis/plugin/v1/admission.ts'
import { type GroupVersionResource, isNamespace } from './kinds.ts'

/** What webhooks and policies say about the requests they are for. */
export interface Rule {
  operations?: readonly string[]
  apiGroups?: readonly string[]
  apiVersions?: readonly string[]
  /** `pods`, `pods/log`, `pods/*`, or a star before the slash; one without a slash means no subresource. */
  resources?: readonly string[]
  /** `Namespaced`, `Cluster`; `*` and absent for both */
  scope?: string
}

/**
 * Whether a rule is about a request.
 * @param as the resource by another of its names
 * @see https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-rules
 */
export function ruleMatches(rule: Rule, request: AdmissionRequest, as: GroupVersionResource = request): boolean {
  return (
    includes(rule.operations, request.operation) &&
    includes(rule.apiGroups, as.group) &&
    includes(rule.apiVersions, as.version) &&
    (rule.resources?.some((pattern) => isOf(pattern, as.resource, request.subresource)) ?? false) &&
    isInScope(rule.scope, request)
  )
}

/** Whether a rule may be about some request to a resource, whatever its version, operation and subresource. */
export function mayConcern({ apiGroups, resources }: Rule, group: string, resource: string): boolean {
  if (!includes(apiGroups, group)) return false
  return resources?.some((pattern) => pattern.startsWith('*') || resourceOf(pattern) === resource) ?? false
}

const includes = (items: readonly string[] | undefined, wanted: string) =>
  items !== undefined && (items.includes(wanted) || items.includes('*'))

const resourceOf = (pattern: string) => pattern.split('/', 1)[0]

function isOf(pattern: string, resource: string, subresource: string): boolean {
  const slash = pattern.indexOf('/')
  const wanted = slash < 0 ? pattern : pattern.slice(0, slash)
  if (wanted !== '*' && wanted !== resource) return false
  const below = slash < 0 ? '' : pattern.slice(slash + 1)
  return below === '*' || below === subresource
}

/** A Namespace belongs to the cluster. */
function isInScope(scope: string | undefined, request: AdmissionRequest): boolean {
  if (scope === undefined || scope === '*') return true
  const isNamespaced = request.namespace !== '' && !isNamespace(request)
  return scope === (isNamespaced ? 'Namespaced' : 'Cluster')
}
