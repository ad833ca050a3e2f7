/** Who a request is from. @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/ */
export interface UserInfo {
  username: string
  uid?: string
  groups: readonly string[]
  extra?: Readonly<Record<string, readonly string[]>>
}
