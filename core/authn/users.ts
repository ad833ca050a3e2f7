import type { UserInfo } from '#core/server/exchange.ts'

/** Names that Kubernetes gives a meaning. @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-subjects */
export const groups = {
  masters: 'system:masters',
  nodes: 'system:nodes',
  authenticated: 'system:authenticated',
  unauthenticated: 'system:unauthenticated',
  serviceAccounts: 'system:serviceaccounts',
} as const

export const anonymousName = 'system:anonymous'
export const anonymous: UserInfo = { username: anonymousName, groups: [groups.unauthenticated] }

const serviceAccountPrefix = 'system:serviceaccount:'

export const serviceAccountName = (namespace: string, name: string) => `${serviceAccountPrefix}${namespace}:${name}`

export const serviceAccountGroups = (namespace: string) => [
  groups.serviceAccounts,
  `${groups.serviceAccounts}:${namespace}`,
]

/** The account a username stands for; undefined when it is no service account's. */
export function parseServiceAccount(username: string): { namespace: string; name: string } | undefined {
  if (!username.startsWith(serviceAccountPrefix)) return undefined
  const [namespace, name, ...more] = username.slice(serviceAccountPrefix.length).split(':')
  return namespace && name && more.length === 0 ? { namespace, name } : undefined
}
