import type { UserInfo } from '#apis/meta/v1/user-info.ts'
import type { AdmissionRequest } from '#apis/plugin/v1/admission.ts'
import type { Authorizer as Authority, RequestAttributes } from '#apis/plugin/v1/authorizer.ts'
import {
  type AuthorizationCheck,
  Authorizer,
  requestResource,
  type ServiceAccount,
} from '#core/cel/library/authorizer.ts'
import { namespaceOf } from './kinds.ts'

/** What expressions ask as `authorizer`: what the user of a request may do. */
export function authorizerOf(authority: Authority, { user }: AdmissionRequest): Authorizer {
  return new Authorizer({
    authorize: (check, as) => authority.authorize(as ? accountUser(as) : user, attributesOf(check)),
  })
}

/** The resource of a request itself, to be asked about with further verbs. */
export function requestResourceOf(authorizer: Authorizer, request: AdmissionRequest) {
  const { group, resource, subresource, name } = request
  return requestResource(authorizer, { group, resource, subresource, name, namespace: namespaceOf(request) })
}

function attributesOf(check: AuthorizationCheck): RequestAttributes {
  if (!check.isResource) return check
  const { verb, group, resource, subresource, namespace, name } = check
  return { isResource: true, verb, group, version: '*', resource, subresource, namespace, name }
}

function accountUser({ namespace, name }: ServiceAccount): UserInfo {
  return {
    username: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
  }
}
