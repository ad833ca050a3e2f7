import { newForbidden, newForbiddenPath, type StatusError } from '#core/errors/status-error.ts'
import type { Authorizer, RequestAttributes, UserInfo } from '#core/server/exchange.ts'

/** `User "jane" cannot list resource "pods" in API group "" in the namespace "default"`: what follows `pods is forbidden: `. */
export function refusalOf(user: UserInfo, attributes: RequestAttributes): string {
  const who = `User ${JSON.stringify(user.username)} cannot ${attributes.verb}`
  if (!attributes.isResource) return `${who} path ${JSON.stringify(attributes.path)}`
  const { resource, subresource, group, namespace } = attributes
  const what = subresource ? `${resource}/${subresource}` : resource
  const where = namespace ? `in the namespace ${JSON.stringify(namespace)}` : 'at the cluster scope'
  return `${who} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)} ${where}`
}

/** The whole message, as kubectl shows it: `pods is forbidden: User "jane" cannot list ...`. */
export function forbiddenMessage(user: UserInfo, attributes: RequestAttributes): string {
  return newForbiddenFor(user, attributes).message
}

/** @param reason the authorizer's, may be empty */
export function newForbiddenFor(user: UserInfo, attributes: RequestAttributes, reason = ''): StatusError {
  const refusal = refusalOf(user, attributes)
  const why = reason ? `${refusal}: ${reason}` : refusal
  if (!attributes.isResource) return newForbiddenPath(why)
  const { group, resource, name } = attributes
  return newForbidden({ group, resource }, name, why)
}

/** @throws StatusError `Forbidden` unless the user may */
export function requireAllowed(authorizer: Authorizer, user: UserInfo, attributes: RequestAttributes): void {
  const decision = authorizer.authorize(user, attributes)
  if (!decision.allowed) throw newForbiddenFor(user, attributes, decision.reason)
}
