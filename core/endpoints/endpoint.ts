import { type FieldError, notSupported } from '#apis/meta/v1/field-error.ts'
import { newInvalid, newMethodNotSupported } from '#core/errors/status-error.ts'
import type { FieldValidation } from '#core/registry/decode.ts'
import type { Registry, ServedVersion } from '#core/registry/registry.ts'
import { maxObjectBytes, type ResourceStore, type WriteContext } from '#core/registry/resource-store.ts'
import type { Exchange, UserInfo } from '#core/server/exchange.ts'
import type { ResourceInfo } from '#core/server/request-info.ts'
import type { Cacher } from '#core/storage/cacher/cacher.ts'
import { managerFaults, managerName } from './field-manager.ts'
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
  /** @throws StatusError Forbidden when the user may not do that, either */
  permit(info: ResourceInfo): void
  /** How long a watch lasts at least that names no time itself. */
  minWatchMs: number
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
export function writeContext(request: ResourceRequest): WriteContext {
  const { exchange, user, info } = request
  negotiate(request, info.subresource === 'scale' ? 'own' : 'objects')
  return {
    user,
    manager: managerName(exchange),
    ...parseWriteOptions(exchange, info.verb),
    options: () => writeOptions(exchange),
    warn: warnings((message) => exchange.setHeader('warning', warningHeader(message))),
  }
}

/** The same for what the server itself changes on behalf of a client: nobody owns that. */
export function untracked({ manager: _, ...context }: WriteContext): WriteContext {
  return context
}

/** As the query has them. */
function writeOptions({ query }: Exchange): Record<string, unknown> {
  const [dryRun, fieldManager, fieldValidation] = [
    query.getAll('dryRun').filter(Boolean),
    query.get('fieldManager'),
    query.get('fieldValidation'),
  ]
  return {
    ...(dryRun.length > 0 && { dryRun }),
    ...(fieldManager && { fieldManager }),
    ...(fieldValidation && { fieldValidation }),
  }
}

const optionKinds = new Map([
  ['update', 'UpdateOptions'],
  ['patch', 'PatchOptions'],
  ['delete', 'DeleteOptions'],
  ['deletecollection', 'DeleteOptions'],
])

function parseWriteOptions(exchange: Exchange, verb: string): Pick<WriteContext, 'dryRun' | 'fieldValidation'> {
  const { query } = exchange
  const dryRun = query.getAll('dryRun')
  const fieldValidation = query.get('fieldValidation') || 'Warn'
  const errors = [...managerFaults(exchange, verb), ...dryRunErrors(dryRun)]
  if (!isFieldValidation(fieldValidation)) {
    errors.push(notSupported('fieldValidation', fieldValidation, ['', ...fieldValidations]))
  } else if (errors.length === 0) return { dryRun: dryRun.some(Boolean), fieldValidation }
  throw newInvalid({ group: 'meta.k8s.io', kind: optionKinds.get(verb) ?? 'CreateOptions' }, '', errors)
}

const fieldValidations = ['Ignore', 'Strict', 'Warn'] as const satisfies FieldValidation[]

function isFieldValidation(value: string): value is FieldValidation {
  return fieldValidations.some((one) => one === value)
}

/** @param values of the query, the body, or both; empty ones say nothing */
export function dryRunErrors(values: readonly string[]): FieldError[] {
  const given = values.filter((value) => value !== '')
  return given.every((value) => value === 'All') ? [] : [notSupported('dryRun', given, ['All'])]
}

/** An answer's head has little room, and some clients take no more than a hundred headers: each warning is given once. */
const maxWarnings = 64
const maxWarningCharacters = 4_096
/** Of each, once they do not all fit whole. */
const maxWarningLength = 256

function warnings(send: (message: string) => void): (message: string) => void {
  const sent = new Set<string>()
  let room = maxWarningCharacters
  return (message) => {
    const shown = message.length > room ? message.slice(0, maxWarningLength) : message
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
