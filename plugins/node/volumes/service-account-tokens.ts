import type { TokenRequest } from '@keelson/apis/authentication/v1/zz_generated.types.ts'
import { serviceaccounts } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { Client } from '@keelson/client'
import type { PodObject } from '../pod/model.ts'

interface CachedToken {
  token: string
  renewAtMs: number
}

/** Tokens of pods' service accounts, bound to the pod and kept until four fifths of their life are over. */
export class ServiceAccountTokens {
  readonly #client: Client
  readonly #now: () => number
  /** By pod uid, then by audience and life. */
  readonly #tokens = new Map<string, Map<string, CachedToken>>()

  constructor(client: Client, now: () => number) {
    this.#client = client
    this.#now = now
  }

  async get(pod: PodObject, audience: string | undefined, expirationSeconds: number): Promise<string> {
    const { uid = '', name, namespace = '' } = pod.metadata
    const ofPod = this.#tokens.get(uid) ?? new Map<string, CachedToken>()
    this.#tokens.set(uid, ofPod)
    const key = JSON.stringify([audience ?? '', expirationSeconds])
    const cached = ofPod.get(key)
    if (cached && this.#now() < cached.renewAtMs) return cached.token
    const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name, uid }
    const spec = { audiences: audience ? [audience] : [], expirationSeconds, boundObjectRef }
    const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec }
    const account = pod.spec.serviceAccountName || 'default'
    const accounts = this.#client.resource(serviceaccounts).in(namespace)
    const { status } = await accounts.createSubresource<TokenRequest>(account, 'token', request)
    const { token, expirationTimestamp } = status ?? {}
    if (!token || !expirationTimestamp) throw new Error(`no token was issued for service account ${account}`)
    const lifeMs = Date.parse(expirationTimestamp) - this.#now()
    ofPod.set(key, { token, renewAtMs: this.#now() + lifeMs * 0.8 })
    return token
  }

  /** When the pod's first token is to be renewed; undefined when it has none. */
  renewAtMs(uid: string): number | undefined {
    const times = [...(this.#tokens.get(uid)?.values() ?? [])].map(({ renewAtMs }) => renewAtMs)
    return times.length > 0 ? Math.min(...times) : undefined
  }

  release(uid: string): void {
    this.#tokens.delete(uid)
  }
}
