import { newBadRequest } from '#core/errors/status-error.ts'
import type { Exchange, RequestAttributes, UserInfo } from '#core/server/exchange.ts'
import { anonymousName, groups, parseServiceAccount, serviceAccountGroups } from './users.ts'

/** @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation */
export interface Impersonation {
  user: UserInfo
  /** Everything the one who asks must be allowed, in order. */
  checks: Extract<RequestAttributes, { isResource: true }>[]
}

const prefix = 'impersonate-'
const extraPrefix = 'impersonate-extra-'

/**
 * Who the request wants to be taken for; undefined when it says nothing of the kind.
 * @throws StatusError `BadRequest` for groups, uid or extra without a user
 */
export function parseImpersonation({ rawHeaders }: Pick<Exchange, 'rawHeaders'>): Impersonation | undefined {
  let username = ''
  let uid = ''
  const asked: string[] = []
  const extra = new Map<string, string[]>()
  let found = false
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (!isImpersonation(rawHeaders[index]!)) continue
    found = true
    const name = rawHeaders[index]!.toLowerCase()
    const value = rawHeaders[index + 1]!
    if (name === 'impersonate-user') username = value
    else if (name === 'impersonate-uid') uid = value
    else if (name === 'impersonate-group') asked.push(value)
    else if (name.startsWith(extraPrefix)) append(extra, decodeKey(name.slice(extraPrefix.length)), value)
  }
  if (!found) return undefined
  if (!username) throw newBadRequest('requested impersonation of groups, uid or extra without impersonating a user')
  return { user: userFor(username, uid, asked, extra), checks: checksFor(username, uid, asked, extra) }
}

/** Runs for every header of every request, so it looks at the first letter first. */
function isImpersonation(name: string): boolean {
  const first = name.charCodeAt(0) | 0x20
  return first === 0x69 && name.length > prefix.length && name.slice(0, prefix.length).toLowerCase() === prefix
}

function append(map: Map<string, string[]>, key: string, value: string): void {
  const values = map.get(key)
  if (values) values.push(value)
  else map.set(key, [value])
}

/** Keys may hold what header names may not, percent-encoded. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}

function userFor(username: string, uid: string, asked: string[], extra: Map<string, string[]>): UserInfo {
  const account = parseServiceAccount(username)
  const given = asked.length === 0 && account ? serviceAccountGroups(account.namespace) : asked
  const everyone = username === anonymousName ? groups.unauthenticated : groups.authenticated
  const said = given.includes(groups.authenticated) || given.includes(groups.unauthenticated)
  return {
    username,
    ...(uid && { uid }),
    groups: said ? given : [...given, everyone],
    ...(extra.size > 0 && { extra: Object.fromEntries(extra) }),
  }
}

function checksFor(username: string, uid: string, asked: string[], extra: Map<string, string[]>) {
  const account = parseServiceAccount(username)
  return [
    account
      ? check('', 'serviceaccounts', account.name, { namespace: account.namespace })
      : check('', 'users', username),
    ...asked.map((group) => check('', 'groups', group)),
    ...(uid ? [check('authentication.k8s.io', 'uids', uid)] : []),
    ...[...extra].flatMap(([key, values]) =>
      values.map((value) => check('authentication.k8s.io', 'userextras', value, { subresource: key })),
    ),
  ]
}

function check(group: string, resource: string, name: string, more: { namespace?: string; subresource?: string } = {}) {
  return {
    isResource: true as const,
    verb: 'impersonate',
    group,
    version: 'v1',
    resource,
    subresource: '',
    namespace: '',
    name,
    ...more,
  }
}
