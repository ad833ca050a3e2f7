import { newUnauthorized } from '#core/errors/status-error.ts'
import type { Authenticator, Authorizer, Exchange, UserInfo } from '#core/server/exchange.ts'
import { newForbiddenFor } from '../authz/forbidden.ts'
import { unknownToken } from './bearer-token.ts'
import { parseImpersonation } from './impersonation.ts'
import { unionOf } from './union.ts'
import { anonymous } from './users.ts'

export interface IdentifyOptions {
  authenticators: readonly Authenticator[]
  /** Says who may impersonate whom. */
  authorizer: Authorizer
  /** Whether one without credentials is `system:anonymous`; else nobody is let in without, not even to ask for health. */
  allowAnonymous: boolean
}

type Request = Pick<Exchange, 'header' | 'rawHeaders' | 'socket'>

/** Says who a request is from, impersonation applied. @throws StatusError `Unauthorized`, or `Forbidden` for impersonation not allowed */
export function newIdentify(options: IdentifyOptions): (request: Request) => UserInfo | Promise<UserInfo> {
  const union = unionOf([...options.authenticators, unknownToken])
  const settle = (request: Request, known: UserInfo | undefined) => {
    if (!known && !options.allowAnonymous) throw newUnauthorized()
    return impersonated(request, known ?? anonymous, options.authorizer)
  }
  return (request) => {
    const known = union.authenticate(request)
    return known instanceof Promise ? known.then((user) => settle(request, user)) : settle(request, known)
  }
}

function impersonated(request: Request, user: UserInfo, authorizer: Authorizer): UserInfo {
  const wanted = parseImpersonation(request)
  if (!wanted) return user
  for (const attributes of wanted.checks) {
    const decision = authorizer.authorize(user, attributes)
    if (!decision.allowed) throw newForbiddenFor(user, attributes, decision.reason)
  }
  return wanted.user
}
