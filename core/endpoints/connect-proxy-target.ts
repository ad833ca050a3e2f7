import type { StatusReason } from '#apis/meta/v1/types.ts'
import { newBadRequest, StatusError } from '#core/errors/status-error.ts'

/** What proxied requests and upgrades share: where they go, which headers go along, and how a refusal reads. */

export interface ProxyTarget {
  host: string
  port: number
  /** Path and query, escaped. */
  path: string
  /** Absent: plain HTTP. */
  tls?: ProxyTls
  /** Sent beside those of the client, as name and value pairs. */
  headers?: readonly (readonly [string, string])[]
}

/** PEM throughout. Without `ca` the target's certificate is not verified, as by an API server that has no --kubelet-certificate-authority. */
export interface ProxyTls {
  ca?: string
  cert?: string
  key?: string
  servername?: string
  /** Default: whether there is a `ca`. */
  rejectUnauthorized?: boolean
}

/** The options of node's `tls.connect` and `https.request`. */
export function tlsOptions({ host, tls }: ProxyTarget) {
  return {
    ...tls,
    rejectUnauthorized: tls?.rejectUnauthorized ?? tls?.ca !== undefined,
    servername: tls?.servername ?? (/^[0-9.]+$|:/.test(host) ? '' : host),
    ALPNProtocols: ['http/1.1'],
  }
}

export function hostHeader({ host, port }: ProxyTarget): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Says who the client is to this server: the target is told who this server is instead. */
const credentials = /^(authorization|proxy-authorization|impersonate-.*|x-remote-.*)$/
const hopByHop =
  /^(host|connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|content-length|expect|http2-settings)$/
const bearerProtocol = /^base64url\.bearer\.authorization\.k8s\.io\./

/**
 * The headers to send along, as name and value pairs in the order they came.
 * @param rawHeaders names and values alternating
 */
export function forwardedHeaders(rawHeaders: readonly string[]): [string, string][] {
  return pairs(rawHeaders).flatMap(([name, value]): [string, string][] => {
    const lower = name.toLowerCase()
    if (lower.startsWith(':') || credentials.test(lower) || hopByHop.test(lower)) return []
    if (lower !== 'sec-websocket-protocol') return [[name, value]]
    const protocols = withoutBearer(value)
    return protocols ? [[name, protocols]] : []
  })
}

/** As `forwardedHeaders`, with what asks for the upgrade. */
export function forwardedUpgradeHeaders(rawHeaders: readonly string[]): [string, string][] {
  const upgrade = pairs(rawHeaders).find(([name]) => name.toLowerCase() === 'upgrade')?.[1] ?? ''
  return [['Connection', 'Upgrade'], ['Upgrade', upgrade], ...forwardedHeaders(rawHeaders)]
}

/** Browsers can send a token only as one of the subprotocols they ask for. */
function withoutBearer(protocols: string): string {
  return protocols
    .split(',')
    .map((one) => one.trim())
    .filter((one) => !bearerProtocol.test(one))
    .join(', ')
}

/** Headers of the target's answer that are for the client, as pairs. */
export function answeredHeaders(rawHeaders: readonly string[]): [string, string][] {
  return pairs(rawHeaders).filter(([name]) => !hopByHop.test(name.toLowerCase()))
}

function pairs(rawHeaders: readonly string[]): [string, string][] {
  const list: [string, string][] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) list.push([rawHeaders[at]!, rawHeaders[at + 1]!])
  return list
}

/** @throws StatusError `BadRequest` for a path that would end the request line early */
export function checkPath(path: string): string {
  if (!/^\/[\x21-\x7e]*$/.test(path)) throw newBadRequest('the path to proxy to is malformed')
  return path
}

/** The target could not be reached. Worded as Kubernetes does. */
export function newDialError(cause: Error): StatusError {
  const message = `error dialing backend: ${cause.message}`
  return new StatusError({ reason: '', code: 500, message }, { cause })
}

const reasons = new Map<number, StatusReason>([
  [400, 'BadRequest'],
  [401, 'Unauthorized'],
  [403, 'Forbidden'],
  [404, 'NotFound'],
  [405, 'MethodNotAllowed'],
  [409, 'Conflict'],
  [429, 'TooManyRequests'],
  [500, 'InternalError'],
  [503, 'ServiceUnavailable'],
  [504, 'Timeout'],
])

/** A target's refusal in words as a Status. @param text the answer's body */
export function newTargetRefusal(code: number, text: string): StatusError {
  const message = text.trim() || `the server responded with the status code ${code} but did not return more information`
  return new StatusError({ reason: reasons.get(code) ?? '', code, message })
}
