import { notSupported } from '#apis/meta/v1/field-error.ts'
import { newBadRequest, newInvalid, newMethodNotSupported } from '#core/errors/status-error.ts'
import type { FieldValidation } from '#core/registry/decode.ts'
import type { Registry, ServedVersion } from '#core/registry/registry.ts'
import { maxObjectBytes, type ResourceStore, type WriteContext } from '#core/registry/resource-store.ts'
import type { Exchange, UserInfo } from '#core/server/exchange.ts'
import type { ResourceInfo } from '#core/server/request-info.ts'
import type { Cacher } from '#core/storage/cacher/cacher.ts'
import { negotiate } from './negotiate.ts'

/** What every verb is handed: who asks for what, and where the objects are. */
export interface ResourceRequest {
  exchange: Exchange
  info: ResourceInfo
  served: ServedVersion
  user: UserInfo
  store: ResourceStore
  registry: Registry
  cacher: Cacher
}

/** Answers one request by writing to its exchange, or throws a StatusError. */
export type Endpoint = (request: ResourceRequest) => Promise<void> | void

/** As in Kubernetes. */
export const maxBodyBytes = maxObjectBytes

/** Writes go to one namespace: `/api/v1/pods` can be listed but not posted to. */
export function requireNamespace({ served, info }: ResourceRequest): void {
  if (served.resource.definition.namespaced && !info.namespace) {
    throw newMethodNotSupported(served.resource.definition, info.verb)
  }
}

/**
 * What the request says about a write beside its body. An answer nobody can give is refused here, before anything is written.
 * @throws StatusError BadRequest, Invalid, NotAcceptable
 */
export function writeContext({ exchange, user }: ResourceRequest): WriteContext {
  negotiate(exchange)
  const { query } = exchange
  return {
    user,
    dryRun: parseDryRun(query.getAll('dryRun')),
    fieldValidation: parseFieldValidation(query.get('fieldValidation')),
    warn: warnings((message) => exchange.setHeader('warning', warningHeader(message))),
  }
}

export function parseDryRun(values: readonly string[]): boolean {
  const given = values.filter((value) => value !== '')
  if (given.some((value) => value !== 'All')) {
    throw newInvalid({ group: 'meta.k8s.io', kind: 'CreateOptions' }, '', [notSupported('dryRun', given, ['All'])])
  }
  return given.length > 0
}

function parseFieldValidation(value: string | null): FieldValidation {
  if (value === null || value === '') return 'Warn'
  if (value === 'Ignore' || value === 'Warn' || value === 'Strict') return value
  throw newBadRequest(
    `fieldValidation: Unsupported value: ${JSON.stringify(value)}: supported values: "", "Ignore", "Strict", "Warn"`,
  )
}

/** An answer's head has little room, and some clients take no more than a hundred headers: each warning is given once. */
const maxWarnings = 64
const maxWarningCharacters = 4_096
const maxWarningLength = 256

function warnings(send: (message: string) => void): (message: string) => void {
  const sent = new Set<string>()
  let room = maxWarningCharacters
  return (message) => {
    const shown = message.slice(0, maxWarningLength)
    if (sent.has(shown) || sent.size === maxWarnings || shown.length > room) return
    sent.add(shown)
    room -= shown.length
    send(shown)
  }
}

/** @see https://kubernetes.io/blog/2020/09/03/warnings/ */
export function warningHeader(message: string): string {
  const plain = message.replace(/[\u0000-\u001f\u007f]/g, ' ').replace(/[\\"]/g, '\\$&')
  return `299 - "${encodeNonAscii(plain)}"`
}

/** Header values are Latin-1; anything beyond is shown as `?`. */
function encodeNonAscii(text: string): string {
  return text.replace(/[^\u0020-\u00ff]/g, '?')
}
