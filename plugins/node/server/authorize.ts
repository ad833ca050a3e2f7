import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { TokenReview } from '@keelson/apis/authentication/v1/zz_generated.types.ts'
import type { SubjectAccessReview } from '@keelson/apis/authorization/v1/zz_generated.types.ts'
import type { Client } from '@keelson/client'
import type { Clock } from '@keelson/kit'

/**
 * Who may use the kubelet API: a client certificate of the cluster's authority, or a bearer token that the API server knows,
 * of a user to whom the API server grants the verb on the node's subresource. Answers are kept for a while.
 */
export type Authorize = (request: IncomingMessage, nodeName: string) => Promise<Verdict>

/** 200 when allowed; otherwise the HTTP status to refuse with. */
export interface Verdict {
  code: 200 | 401 | 403
  message: string
}

interface User {
  name: string
  groups: string[]
}

const administrators = 'system:masters'
const allowedForMs = 300_000
const deniedForMs = 30_000
const mostRemembered = 1_000

export function createAuthorize(client: Client, clock: Clock): Authorize {
  const remembered = new Map<string, { isAllowed: boolean; untilMs: number }>()

  async function isAllowed(user: User, verb: string, subresource: string, name: string): Promise<boolean> {
    if (user.groups.includes(administrators)) return true
    const key = JSON.stringify([user, verb, subresource, name])
    const known = remembered.get(key)
    if (known && clock.now() < known.untilMs) return known.isAllowed
    const resourceAttributes = { version: 'v1', resource: 'nodes', subresource, name, verb }
    const body = review('authorization.k8s.io/v1', 'SubjectAccessReview', {
      user: user.name,
      groups: user.groups,
      resourceAttributes,
    })
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews'
    const { status } = await client.request<SubjectAccessReview>({ method: 'POST', path, body })
    const answer = status?.allowed === true
    if (remembered.size >= mostRemembered) remembered.clear()
    remembered.set(key, { isAllowed: answer, untilMs: clock.now() + (answer ? allowedForMs : deniedForMs) })
    return answer
  }

  async function userOfToken(token: string): Promise<User | undefined> {
    const body = review('authentication.k8s.io/v1', 'TokenReview', { token })
    const path = '/apis/authentication.k8s.io/v1/tokenreviews'
    const { status } = await client.request<TokenReview>({ method: 'POST', path, body })
    if (!status?.authenticated) return undefined
    return { name: status.user?.username ?? '', groups: [...(status.user?.groups ?? [])] }
  }

  return async (request, nodeName) => {
    const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
    const user = userOfCertificate(request.socket as TLSSocket) ?? (token ? await userOfToken(token) : undefined)
    if (!user) return { code: 401, message: 'Unauthorized' }
    const verb = verbs[request.method ?? ''] ?? 'create'
    const subresource = subresourceOf(request.url ?? '')
    if (await isAllowed(user, verb, subresource, nodeName)) return { code: 200, message: '' }
    const message = `Forbidden (user=${user.name}, verb=${verb}, resource=nodes, subresource(s)=[${subresource}])`
    return { code: 403, message }
  }
}

const review = (apiVersion: string, kind: string, spec: unknown) => ({ apiVersion, kind, metadata: {}, spec })

const verbs: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  DELETE: 'delete',
}

function subresourceOf(url: string): string {
  const first = url.split(/[/?]/)[1] ?? ''
  return ['stats', 'metrics', 'healthz', 'pods'].includes(first) ? first : 'proxy'
}

/** Undefined without a certificate of the cluster's authority. */
function userOfCertificate(socket: TLSSocket): User | undefined {
  if (!socket.authorized) return undefined
  const { subject } = socket.getPeerCertificate()
  if (!subject?.CN) return undefined
  const { CN, O = [] } = subject
  return { name: String(CN), groups: [O].flat() }
}
