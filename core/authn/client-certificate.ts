import type { TLSSocket } from 'node:tls'
import { newUnauthorized } from '#core/errors/status-error.ts'
import type { Authenticator, UserInfo } from '#core/server/exchange.ts'
import { groups } from './users.ts'

interface Holder {
  /** Undefined: no certificate. */
  user?: UserInfo
  /** Milliseconds since the epoch. */
  notAfter: number
}

/**
 * Knows users by the certificate of their connection: its common name is their name, its organizations their groups.
 * The certificate is read once a connection, and expires even when the connection goes on.
 */
export function clientCertificates(clock: () => number = Date.now): Authenticator {
  const holders = new WeakMap<TLSSocket, Holder>()
  return {
    authenticate({ socket }) {
      let holder = holders.get(socket)
      if (!holder) {
        holder = readHolder(socket)
        holders.set(socket, holder)
      }
      if (clock() > holder.notAfter) throw newUnauthorized()
      return holder.user
    },
  }
}

const never: Holder = { notAfter: Number.POSITIVE_INFINITY }
const invalid: Holder = { notAfter: Number.NEGATIVE_INFINITY }

function readHolder(socket: TLSSocket): Holder {
  // `authorized` alone proves nothing: node sets it on a resumed TLS 1.3 session without any certificate.
  const certificate = socket.getPeerX509Certificate()
  if (!certificate) return never
  if (!socket.authorized) return invalid
  const { subject } = certificate.toLegacyObject()
  const username = valuesOf(subject.CN)[0]
  if (!username) return invalid
  const fingerprint = certificate.fingerprint256.replaceAll(':', '').toLowerCase()
  return {
    notAfter: certificate.validToDate.getTime(),
    user: {
      username,
      groups: [...valuesOf(subject.O), groups.authenticated],
      extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] },
    },
  }
}

function valuesOf(attribute: string | string[] | undefined): string[] {
  if (attribute === undefined) return []
  return typeof attribute === 'string' ? [attribute] : attribute
}
