import type { UserInfo } from '../../meta/v1/user-info.ts'

/** What a request asks to do, as authorizers see it. @see https://kubernetes.io/docs/reference/access-authn-authz/authorization/#review-your-request-attributes */
export type RequestAttributes =
  | {
      isResource: true
      verb: string
      group: string
      version: string
      resource: string
      subresource: string
      /** Empty for cluster scope and for all namespaces. */
      namespace: string
      name: string
    }
  | { isResource: false; verb: string; path: string }

export interface Decision {
  allowed: boolean
  /** Why, for logs and the Forbidden message; may be empty. */
  reason: string
}

export interface Authorizer {
  /** Synchronous: it reads an index kept up to date by watches. */
  authorize(user: UserInfo, attributes: RequestAttributes): Decision
}
