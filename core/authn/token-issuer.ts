import {
  createHash,
  createPrivateKey,
  createPublicKey,
  hash,
  type KeyObject,
  randomUUID,
  sign,
  verify,
} from 'node:crypto'
import { rfc3339 } from '#apis/meta/v1/time.ts'
import { newUnauthorized } from '#core/errors/status-error.ts'
import type { UserInfo } from '#core/server/exchange.ts'
import { groups, serviceAccountGroups, serviceAccountName } from './users.ts'

/**
 * Service account tokens: JSON Web Tokens signed with ES256.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens
 */
export interface TokenIssuerOptions {
  /** The `iss` claim: `https://kubernetes.default.svc.cluster.local`. */
  issuer: string
  /** What a token is for when nobody says. */
  defaultAudiences: readonly string[]
  /** PEM. */
  privatePem: string
  /** PEM of keys that signed before this one and whose tokens still hold. */
  olderPublicPems?: readonly string[]
  /** The uid of an object as it is now; undefined when it is gone. A token dies with its account and with what it is bound to. */
  uidOf(resource: BoundResource, namespace: string, name: string): string | undefined
  /** Milliseconds since the epoch. */
  clock?: () => number
}

export type BoundResource = 'serviceaccounts' | 'pods' | 'secrets' | 'nodes'

export interface TokenSpec {
  namespace: string
  serviceAccount: { name: string; uid: string }
  audiences: readonly string[]
  expirationSeconds: number
  /** What the token dies with. */
  boundObject?: { kind: string; name: string; uid: string }
  /** The node a bound pod runs on. */
  node?: { name: string; uid: string }
}

interface Reference {
  name: string
  uid: string
}

interface Claims {
  iss: string
  sub: string
  aud: string[]
  exp: number
  iat: number
  nbf: number
  jti: string
  'kubernetes.io': {
    namespace: string
    serviceaccount: Reference
    pod?: Reference
    secret?: Reference
    node?: Reference
  }
}

/** A token whose signature and shape are good: what may still change is checked each time. */
interface Verified {
  claims: Claims
  user: UserInfo
}

const boundKinds = { Pod: 'pod', Secret: 'secret', Node: 'node' } as const
const maxCached = 10_000
/** Clocks of several API servers differ a little. */
const notBeforeLeewaySeconds = 60

export class TokenIssuer {
  readonly defaultAudiences: readonly string[]
  readonly #options: TokenIssuerOptions
  readonly #key: KeyObject
  readonly #keyId: string
  readonly #publicKeys = new Map<string, KeyObject>()
  readonly #clock: () => number
  /** By the token's hash, the least recently made first. */
  readonly #cache = new Map<string, Verified>()

  constructor(options: TokenIssuerOptions) {
    this.#options = options
    this.#clock = options.clock ?? Date.now
    this.defaultAudiences = options.defaultAudiences
    this.#key = createPrivateKey(options.privatePem)
    const current = createPublicKey(this.#key)
    this.#keyId = keyIdOf(current)
    for (const key of [current, ...(options.olderPublicPems ?? []).map((pem) => createPublicKey(pem))]) {
      this.#publicKeys.set(keyIdOf(key), key)
    }
  }

  issue(spec: TokenSpec): { token: string; expirationTimestamp: string } {
    const now = Math.floor(this.#clock() / 1000)
    const exp = now + spec.expirationSeconds
    const { namespace, serviceAccount, boundObject, node } = spec
    const claims: Claims = {
      iss: this.#options.issuer,
      sub: serviceAccountName(namespace, serviceAccount.name),
      aud: [...spec.audiences],
      exp,
      iat: now,
      nbf: now,
      jti: randomUUID(),
      'kubernetes.io': { namespace, serviceaccount: serviceAccount, ...boundClaim(boundObject), ...(node && { node }) },
    }
    const signed = `${encode({ alg: 'ES256', kid: this.#keyId })}.${encode(claims)}`
    const signature = sign('sha256', Buffer.from(signed), { key: this.#key, dsaEncoding: 'ieee-p1363' })
    const expirationTimestamp = rfc3339(exp * 1000)
    return { token: `${signed}.${signature.toString('base64url')}`, expirationTimestamp }
  }

  /**
   * Who a token that came with a request is for; undefined when it does not say that it is one of ours.
   * @throws StatusError `Unauthorized` that says why
   */
  authenticate(token: string): UserInfo | undefined {
    const key = hash('sha256', token)
    if (!this.#cache.has(key) && decode(token.split('.')[1])?.iss !== this.#options.issuer) return undefined
    return this.#verify(key, token, this.defaultAudiences)
  }

  /**
   * @param audiences of which the token must have one
   * @throws StatusError `Unauthorized` that says why
   */
  verify(token: string, audiences: readonly string[]): UserInfo {
    return this.#verify(hash('sha256', token), token, audiences)
  }

  /** The public keys as a JSON Web Key Set, for `/openid/v1/jwks`. */
  jwks(): { keys: Record<string, unknown>[] } {
    const keys = [...this.#publicKeys].map(([kid, key]) => ({
      use: 'sig',
      kid,
      alg: 'ES256',
      ...key.export({ format: 'jwk' }),
    }))
    return { keys }
  }

  #verify(key: string, token: string, audiences: readonly string[]): UserInfo {
    const cached = this.#cache.get(key)
    const verified = cached ?? this.#check(token)
    this.#checkNow(verified.claims, audiences)
    if (!cached) this.#remember(key, verified)
    return verified.user
  }

  #check(token: string): Verified {
    const [head, body, signature, ...more] = token.split('.')
    if (!head || !body || !signature || more.length > 0) throw newUnauthorized('the token is malformed')
    const header = decode(head)
    const key = header?.alg === 'ES256' ? this.#publicKeys.get(String(header.kid)) : undefined
    if (!key) throw newUnauthorized('the token is signed with an unknown key')
    const bytes = Buffer.from(signature, 'base64url')
    if (!verify('sha256', Buffer.from(`${head}.${body}`), { key, dsaEncoding: 'ieee-p1363' }, bytes)) {
      throw newUnauthorized("the token's signature is invalid")
    }
    const claims = decode(body) as unknown as Claims
    if (claims.iss !== this.#options.issuer) throw newUnauthorized('the token is of another issuer')
    return { claims, user: userOf(claims) }
  }

  /** What was true when the token was first seen may have ended. */
  #checkNow(claims: Claims, audiences: readonly string[]): void {
    const now = this.#clock() / 1000
    if (now >= claims.exp) throw newUnauthorized('the token has expired')
    if (now + notBeforeLeewaySeconds < claims.nbf) throw newUnauthorized('the token is not valid yet')
    if (!claims.aud.some((audience) => audiences.includes(audience))) {
      throw newUnauthorized(
        `the token audiences ${JSON.stringify(claims.aud)} are none of ${JSON.stringify(audiences)}`,
      )
    }
    const { namespace, serviceaccount, pod, secret, node } = claims['kubernetes.io']
    this.#checkExists('serviceaccounts', namespace, serviceaccount)
    if (pod) this.#checkExists('pods', namespace, pod)
    else if (secret) this.#checkExists('secrets', namespace, secret)
    else if (node) this.#checkExists('nodes', '', node)
  }

  #checkExists(resource: BoundResource, namespace: string, { name, uid }: Reference): void {
    const found = this.#options.uidOf(resource, namespace, name)
    if (found !== uid) throw newUnauthorized(`the token is bound to ${resource} "${name}", which is gone`)
  }

  #remember(key: string, verified: Verified): void {
    if (this.#cache.size >= maxCached) {
      const oldest = this.#cache.keys().next()
      if (!oldest.done) this.#cache.delete(oldest.value)
    }
    this.#cache.set(key, verified)
  }
}

const keyIdOf = (key: KeyObject) =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url')

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

function decode(part: string | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? '', 'base64url').toString())
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function boundClaim(bound: TokenSpec['boundObject']): Partial<Claims['kubernetes.io']> {
  if (!bound) return {}
  if (!Object.hasOwn(boundKinds, bound.kind)) throw new Error(`issue a token: it cannot be bound to a ${bound.kind}`)
  return { [boundKinds[bound.kind as keyof typeof boundKinds]]: { name: bound.name, uid: bound.uid } }
}

function userOf({ jti, 'kubernetes.io': { namespace, serviceaccount, pod, node } }: Claims): UserInfo {
  const extra: Record<string, string[]> = { 'authentication.kubernetes.io/credential-id': [`JTI=${jti}`] }
  for (const [kind, reference] of [
    ['pod', pod],
    ['node', node],
  ] as const) {
    if (!reference) continue
    extra[`authentication.kubernetes.io/${kind}-name`] = [reference.name]
    extra[`authentication.kubernetes.io/${kind}-uid`] = [reference.uid]
  }
  return {
    username: serviceAccountName(namespace, serviceaccount.name),
    uid: serviceaccount.uid,
    groups: [...serviceAccountGroups(namespace), groups.authenticated],
    extra,
  }
}
