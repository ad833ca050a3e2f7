import type { TokenRequest } from '#apis/authentication/v1/zz_generated.types.ts'
import type { ServiceAccount } from '#apis/core/v1/zz_generated.types.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { TokenIssuer } from '#core/authn/token-issuer.ts'
import { newBadRequest, newConflict, newInvalid, newNotFound } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { readBody } from '../body.ts'
import { type Endpoint, type ResourceRequest, requireNamespace, writeContext } from '../endpoint.ts'
import { replyOwn } from '../reply.ts'
import { type BodyKind, checkBody } from './typed-body.ts'

const minSeconds = 600
const maxSeconds = 2 ** 32

/** POST of `serviceaccounts/NAME/token`: a token for the account, bound to a pod, node or secret when one is named. */
export function tokenEndpoint(issuer: TokenIssuer): Endpoint {
  return async (request) => {
    requireNamespace(request)
    const { info, served, store } = request
    const body = { ...(await readTokenRequest(request)), apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest' }
    await store.admit('CREATE', served, info, 'token', body as unknown as UnstructuredObject, writeContext(request))
    const account = reviveObject(store.get(served.resource, info).bytes) as unknown as ServiceAccount
    const expirationSeconds = body.spec?.expirationSeconds ?? 3600
    const audiences = body.spec?.audiences?.length ? body.spec.audiences : issuer.defaultAudiences
    const issued = issuer.issue({
      namespace: info.namespace,
      serviceAccount: { name: info.name, uid: account.metadata.uid ?? '' },
      audiences,
      expirationSeconds,
      boundObject: boundObject(request, body),
    })
    const answer = {
      ...body,
      metadata: { ...body.metadata, name: info.name, namespace: info.namespace },
      spec: { ...body.spec, audiences, expirationSeconds },
      status: issued,
    }
    await replyOwn(request, 201, answer)
  }
}

const tokenRequest: BodyKind = {
  kind: 'TokenRequest',
  apiVersions: ['authentication.k8s.io/v1'],
  definition: 'io.k8s.api.authentication.v1.TokenRequest',
}

async function readTokenRequest(request: ResourceRequest): Promise<TokenRequest> {
  const { exchange, info } = request
  const body = checkBody<TokenRequest>((await readBody(exchange)) ?? {}, request, tokenRequest)
  // Older kubectls send null for what they leave to the server.
  const seconds = body.spec?.expirationSeconds ?? undefined
  if (seconds !== undefined && (seconds < minSeconds || seconds > maxSeconds)) {
    const detail =
      seconds < minSeconds
        ? 'may not specify a duration less than 10 minutes'
        : 'may not specify a duration larger than 2^32 seconds'
    throw newInvalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, info.name, [
      {
        reason: 'FieldValueInvalid',
        field: 'spec.expirationSeconds',
        message: `Invalid value: ${JSON.stringify(seconds)}: ${detail}`,
      },
    ])
  }
  return body
}

const bindable: Record<string, string> = { Pod: 'pods', Secret: 'secrets', Node: 'nodes' }

/** The object a token dies with, checked to be there and to be the one meant. */
function boundObject({ registry, info }: ResourceRequest, { spec }: TokenRequest) {
  const reference = spec?.boundObjectRef
  if (!reference) return undefined
  const { kind = '', name = '', uid } = reference
  if (!Object.hasOwn(bindable, kind)) throw newBadRequest(`cannot bind token to object of kind ${JSON.stringify(kind)}`)
  const resource = bindable[kind]!
  const key = kind === 'Node' ? name : `${info.namespace}/${name}`
  const entry = registry.get('', resource)?.cache.get(key)
  if (!entry) throw newNotFound({ group: '', resource }, name)
  const found = reviveObject(entry.bytes).metadata.uid ?? ''
  if (uid && uid !== found) {
    throw newConflict(
      { group: '', resource },
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    )
  }
  return { kind, name, uid: found }
}
