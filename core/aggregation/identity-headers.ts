import type { UserInfo } from '#apis/meta/v1/user-info.ts'
import { newInternalError } from '#core/errors/status-error.ts'

/**
 * How an aggregated API server is told who asks. It believes these headers because they come with this server's client
 * certificate.
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/#authentication-flow
 */
export const requestHeaders = {
  username: 'X-Remote-User',
  uid: 'X-Remote-Uid',
  group: 'X-Remote-Group',
  extraPrefix: 'X-Remote-Extra-',
} as const

/** @returns names and values, in pairs @throws StatusError InternalError for a user whose name no header can carry */
export function identityHeaders({ username, uid, groups, extra = {} }: UserInfo): [string, string][] {
  return [
    [requestHeaders.username, headerValue(username)],
    ...(uid ? [[requestHeaders.uid, headerValue(uid)] as [string, string]] : []),
    ...groups.map((group): [string, string] => [requestHeaders.group, headerValue(group)]),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map((value): [string, string] => [requestHeaders.extraPrefix + escapeKey(key), headerValue(value)]),
    ),
  ]
}

/** Node writes each character as one byte: the bytes of UTF-8 go over the wire as they are. */
function headerValue(value: string): string {
  if (/[\0-\x08\x0a-\x1f\x7f]/.test(value)) throw newInternalError('the user has a name that no header can carry')
  return Buffer.from(value).toString('latin1')
}

/** Keys may hold what header names may not: it is percent-encoded, `%` included. */
function escapeKey(key: string): string {
  return Array.from(Buffer.from(key), (byte) => {
    const character = String.fromCharCode(byte)
    if (/[!#$&'*+\-.^_`|~0-9A-Za-z]/.test(character)) return character
    return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }).join('')
}
