import { hash } from 'node:crypto'
import { isUnauthorized, newUnauthorized, StatusError } from '#core/errors/status-error.ts'
import type { Authenticator, UserInfo } from '#core/server/exchange.ts'
import type { TokenIssuer } from './token-issuer.ts'
import { groups } from './users.ts'

type Credentials = Parameters<Authenticator['authenticate']>[0]

/** Browsers cannot set headers on a WebSocket: Kubernetes lets the token ride as one of its protocols. */
const webSocketPrefix = 'base64url.bearer.authorization.k8s.io.'

/** The bearer token of a request, if it has one. */
export function bearerToken(request: Pick<Credentials, 'header'>): string | undefined {
  const authorization = request.header('authorization')
  if (authorization !== undefined) return /^bearer +(\S+) *$/i.exec(authorization)?.[1]
  const protocols = request.header('sec-websocket-protocol')
  if (protocols === undefined) return undefined
  const carrier = protocols.split(/ *, */).find((protocol) => protocol.startsWith(webSocketPrefix))
  return carrier && Buffer.from(carrier.slice(webSocketPrefix.length), 'base64url').toString()
}

/** Knows service accounts by the tokens they were issued, and nobody by a token of some other issuer. */
export function serviceAccountTokens(issuer: TokenIssuer): Authenticator {
  return {
    authenticate(request) {
      const token = bearerToken(request)
      if (token === undefined) return undefined
      try {
        return issuer.authenticate(token)
      } catch (cause) {
        if (!isUnauthorized(cause)) throw cause
        // Why a token is bad is for the log, not for whoever sent it.
        throw new StatusError({ reason: 'Unauthorized', code: 401, message: 'Unauthorized' }, { cause })
      }
    },
  }
}

/** Knows a few users by secrets given when the server starts. Compared by hash, so that time tells nothing of them. */
export function staticTokens(entries: readonly { token: string; user: UserInfo }[]): Authenticator {
  const users = new Map(
    entries.map(({ token, user }) => [
      hash('sha256', token),
      { ...user, groups: [...user.groups, groups.authenticated] },
    ]),
  )
  return {
    authenticate(request) {
      const token = users.size > 0 ? bearerToken(request) : undefined
      return token === undefined ? undefined : users.get(hash('sha256', token))
    },
  }
}

/** The last in line: a bearer token that nobody before knew is a bad one. */
export const unknownToken: Authenticator = {
  authenticate(request) {
    if (bearerToken(request) !== undefined) throw newUnauthorized()
    return undefined
  },
}
