import { invalid } from '#apis/meta/v1/field-error.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { TokenIssuer } from '#core/authn/token-issuer.ts'
import type { RbacIndex } from '#core/authz/rbac/rbac-index.ts'
import { newBadRequest, newInvalid } from '#core/errors/status-error.ts'
import type { Authorizer, RequestAttributes, UserInfo } from '#core/server/exchange.ts'
import { readBody } from '../body.ts'
import type { Endpoint, ResourceRequest } from '../endpoint.ts'
import { negotiate } from '../negotiate.ts'
import { replyBytes } from '../reply.ts'

/** Create-only kinds that ask the server what it thinks of someone: nothing of them is stored. */
export function reviewEndpoints(parts: {
  issuer: TokenIssuer
  authorizer: Authorizer
  rbac: RbacIndex
}): Map<string, Endpoint> {
  const { issuer, authorizer, rbac } = parts
  return new Map<string, Endpoint>([
    ['self-subject-review', review(({ user }) => ({ userInfo: shownUser(user) }))],
    ['token-review', review((_request, spec) => reviewToken(issuer, spec))],
    ['self-subject-access-review', review(({ user }, spec) => reviewAccess(authorizer, user, spec))],
    ['subject-access-review', review((_request, spec) => reviewAccess(authorizer, subjectOf(spec), spec))],
    [
      'local-subject-access-review',
      review((request, spec) => reviewAccess(authorizer, subjectOf(spec), withinNamespace(request, spec))),
    ],
    ['self-subject-rules-review', review(({ user }, spec) => rbac.rulesFor(user, String(spec.namespace ?? 'default')))],
  ])
}

type Spec = Record<string, unknown>

/** Answers with the body sent and the status that `decide` gives it. */
function review(decide: (request: ResourceRequest, spec: Spec) => unknown): Endpoint {
  return async (request) => {
    const { served, exchange } = request
    const representation = negotiate(request, 'own')
    const body = (await readBody(exchange)) ?? {}
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      throw newBadRequest(`the body must be a ${served.resource.definition.kind}`)
    }
    const object = body as UnstructuredObject
    const mismatch = served.schema.typeErrors(object)
    if (mismatch) throw newBadRequest(mismatch)
    const status = await decide(request, (object.spec ?? {}) as Spec)
    const { kind } = served.resource.definition
    const answer = {
      kind,
      apiVersion: served.apiVersion,
      metadata: {},
      ...(object.spec !== undefined && { spec: object.spec }),
      status,
    }
    await replyBytes(request, 201, Buffer.from(JSON.stringify(answer)), representation)
  }
}

function shownUser({ username, uid, groups, extra }: UserInfo) {
  return { username, ...(uid && { uid }), groups, ...(extra && { extra }) }
}

async function reviewToken(issuer: TokenIssuer, spec: Spec) {
  const audiences = Array.isArray(spec.audiences) ? spec.audiences.map(String) : issuer.defaultAudiences
  try {
    const user = await issuer.verify(String(spec.token ?? ''), audiences)
    return { authenticated: true, user: shownUser(user), audiences }
  } catch (error) {
    return { authenticated: false, error: (error as Error).message }
  }
}

/** @throws StatusError Invalid for a question about nobody */
function subjectOf(spec: Spec): UserInfo {
  const { user, uid, groups, extra } = spec as {
    user?: string
    uid?: string
    groups?: string[]
    extra?: UserInfo['extra']
  }
  if (!user && !groups?.length) {
    throw newInvalid({ group: 'authorization.k8s.io', kind: 'SubjectAccessReview' }, '', [
      invalid('spec.user', '', 'at least one of user or group must be specified'),
    ])
  }
  return { username: user ?? '', groups: groups ?? [], ...(uid && { uid }), ...(extra && { extra }) }
}

function withinNamespace({ info }: ResourceRequest, spec: Spec): Spec {
  const attributes = spec.resourceAttributes as { namespace?: string } | undefined
  if (attributes?.namespace === info.namespace) return spec
  throw newInvalid({ group: 'authorization.k8s.io', kind: 'LocalSubjectAccessReview' }, '', [
    {
      reason: 'FieldValueInvalid',
      field: 'spec.resourceAttributes.namespace',
      message: `Invalid value: ${JSON.stringify(attributes?.namespace ?? '')}: must match the namespace of the request, ${JSON.stringify(info.namespace)}`,
    },
  ])
}

function reviewAccess(authorizer: Authorizer, user: UserInfo, spec: Spec) {
  const { allowed, reason } = authorizer.authorize(user, attributesOf(spec))
  return { allowed, ...(reason && { reason }) }
}

/** @throws StatusError Invalid unless exactly one of the two kinds of attributes is given */
function attributesOf(spec: Spec): RequestAttributes {
  const resource = spec.resourceAttributes as Record<string, string | undefined> | undefined
  const path = spec.nonResourceAttributes as { path?: string; verb?: string } | undefined
  if (!resource === !path) {
    throw newInvalid({ group: 'authorization.k8s.io', kind: 'SubjectAccessReview' }, '', [
      {
        reason: 'FieldValueInvalid',
        field: 'spec.resourceAttributes',
        message: 'Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
      },
    ])
  }
  if (path) return { isResource: false, verb: path.verb ?? '', path: path.path ?? '' }
  const { verb = '', group = '', version = '*', resource: name = '', subresource = '', namespace = '' } = resource!
  return { isResource: true, verb, group, version, resource: name, subresource, namespace, name: resource!.name ?? '' }
}
