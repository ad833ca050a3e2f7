import { groups } from '#core/authn/users.ts'
import type { Authorizer, RequestAttributes } from '#core/server/exchange.ts'
import { nodeRules } from './bootstrap-policy.ts'
import { compileRule, ruleAllows } from './rbac/rules.ts'

/**
 * Lets node agents do what the ClusterRole system:node lists, and change no other node's objects.
 * Which secrets and config maps a node reads is not yet narrowed to those of its pods.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/node/
 */
export function nodeAuthorizer(): Authorizer {
  const rules = nodeRules.map(compileRule)
  return {
    authorize(user, attributes) {
      const node = user.groups.includes(groups.nodes) ? nodeNameOf(user.username) : undefined
      if (node === undefined || !rules.some((rule) => ruleAllows(rule, attributes))) return no
      return changesAnother(node, attributes) ? { allowed: false, reason: othersObject } : yes
    },
  }
}

const no = { allowed: false, reason: '' }
const yes = { allowed: true, reason: '' }
const othersObject = 'a node can only change its own Node, CSINode and Lease'

const prefix = 'system:node:'
const nodeNameOf = (username: string) =>
  username.startsWith(prefix) && username.length > prefix.length ? username.slice(prefix.length) : undefined

/** Objects that carry their node's name. */
const ownObjects = new Set([' nodes', 'storage.k8s.io csinodes', 'coordination.k8s.io leases'])
const changes = new Set(['update', 'patch', 'delete', 'deletecollection'])

function changesAnother(node: string, attributes: RequestAttributes): boolean {
  if (!attributes.isResource || !changes.has(attributes.verb)) return false
  return ownObjects.has(`${attributes.group} ${attributes.resource}`) && attributes.name !== node
}
