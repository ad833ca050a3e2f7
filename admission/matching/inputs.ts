import type { Namespace } from '#apis/core/v1/zz_generated.types.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { AdmissionRequest } from '#apis/plugin/v1/admission.ts'
import type { Authorizer } from '#apis/plugin/v1/authorizer.ts'
import { authorizerOf, requestResourceOf } from './authority.ts'
import { kindOf, namespaceOf } from './kinds.ts'
import type { Matched } from './match-resources.ts'

/** What expressions read of one request, in the group and version it was matched in. Made when an expression asks for it. */
export class Inputs {
  readonly object: Readonly<UnstructuredObject> | null
  readonly oldObject: Readonly<UnstructuredObject> | null
  /** What the policy is configured with; null for nothing. */
  readonly params: unknown
  /** What the policy computes for its expressions. */
  variables: object = {}
  readonly #request: AdmissionRequest
  readonly #matched: Matched
  readonly #namespace: Namespace | undefined
  readonly #authority: Authorizer | undefined
  #shownRequest: object | undefined
  #authorizer: ReturnType<typeof authorizerOf> | undefined

  constructor(options: {
    request: AdmissionRequest
    matched: Matched
    object: Readonly<UnstructuredObject> | undefined
    oldObject: Readonly<UnstructuredObject> | undefined
    params?: unknown
    namespace?: Namespace | undefined
    authority?: Authorizer | undefined
  }) {
    this.object = options.object ?? null
    this.oldObject = options.oldObject ?? null
    this.params = options.params ?? null
    this.#request = options.request
    this.#matched = options.matched
    this.#namespace = options.namespace
    this.#authority = options.authority
  }

  get request(): object {
    this.#shownRequest ??= admissionRequestOf(this.#request, this.#matched)
    return this.#shownRequest
  }

  get namespaceObject(): unknown {
    return this.#namespace ?? null
  }

  get authorizer(): unknown {
    this.#authorizer ??= this.#authority && authorizerOf(this.#authority, this.#request)
    return this.#authorizer
  }

  get 'authorizer.requestResource'(): unknown {
    return this.authorizer && requestResourceOf(this.#authorizer!, this.#request)
  }
}

/** What expressions are evaluated with: they read it by the names of its properties. */
export type Bindings = Readonly<Record<string, unknown>>

export const bindingsOf = (inputs: Inputs) => inputs as unknown as Bindings

/**
 * The request as webhooks and expressions see it, without its objects. What is empty is left out.
 * @see https://kubernetes.io/docs/reference/config-api/apiserver-admission.v1/#admission-k8s-io-v1-AdmissionRequest
 */
export function admissionRequestOf(request: AdmissionRequest, matched: Matched): Record<string, unknown> {
  const { group, version, resource, subresource, name, user } = request
  const namespace = namespaceOf(request)
  return {
    kind: matched.kind,
    resource: matched.resource,
    ...(subresource && { subResource: subresource }),
    requestKind: kindOf(request),
    requestResource: { group, version, resource },
    ...(subresource && { requestSubResource: subresource }),
    ...(name && { name }),
    ...(namespace && { namespace }),
    operation: request.operation,
    userInfo: {
      ...(user.username && { username: user.username }),
      ...(user.uid && { uid: user.uid }),
      ...(user.groups.length > 0 && { groups: user.groups }),
      ...(user.extra && { extra: user.extra }),
    },
    dryRun: request.dryRun,
    ...(request.options && { options: request.options() }),
  }
}
