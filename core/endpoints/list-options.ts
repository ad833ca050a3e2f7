import { type FieldError, forbidden, notSupported } from '#apis/meta/v1/field-error.ts'
import { newBadRequest, newInvalid } from '#core/errors/status-error.ts'
import { isTrue } from '#core/server/request-info.ts'

/**
 * The parameters of lists and watches.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
 * @see https://kubernetes.io/docs/reference/kubernetes-api/common-parameters/common-parameters/
 */
export interface ListOptions {
  /** 0 when absent, and when it is "0": any state will do. */
  revision: number
  /** True for the state of exactly that revision; else nothing older will do. */
  isExact: boolean
  /** 0 for all. */
  limit: number
  /** Empty: from the beginning. */
  continue: string
}

export interface WatchOptions {
  /** 0 when absent, and when it is "0". */
  revision: number
  /** Say what there is before what changes. */
  sendInitial: boolean
  /** The client asked for that in so many words, and is told when it has all of it. */
  announceInitialEnd: boolean
  bookmarks: boolean
  timeoutMs: number
}

/** @throws StatusError BadRequest, or Invalid for parameters that do not go together */
export function parseListOptions(query: URLSearchParams): ListOptions {
  const text = query.get('resourceVersion') ?? ''
  const match = query.get('resourceVersionMatch') ?? ''
  const token = query.get('continue') ?? ''
  const limit = parseLimit(query.get('limit'))
  // A list does not last; Kubernetes refuses a bad value all the same.
  parseTimeout(query.get('timeoutSeconds'))
  refuse(listFaults(query, text, match, token))
  if (token && text !== '' && text !== '0') {
    throw newBadRequest('specifying resource version is not allowed when using continue')
  }
  const revision = parseRevision(text)
  // A limited list has always been of exactly the revision it names, unless it says otherwise.
  const isExact = match === 'Exact' || (match === '' && limit > 0 && revision > 0)
  return { revision, isExact, limit, continue: token }
}

function listFaults(query: URLSearchParams, revision: string, match: string, token: string): FieldError[] {
  const errors: FieldError[] = []
  const fault = (detail: string) => errors.push(forbidden('resourceVersionMatch', detail))
  if (match !== '') {
    if (revision === '') fault('resourceVersionMatch is forbidden unless resourceVersion is provided')
    if (token !== '') fault('resourceVersionMatch is forbidden when continue is provided')
    if (match !== 'Exact' && match !== 'NotOlderThan') {
      errors.push(notSupported('resourceVersionMatch', match, ['Exact', 'NotOlderThan', '']))
    }
    if (match === 'Exact' && revision === '0') {
      fault('resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
    }
  }
  if (query.has('sendInitialEvents')) {
    errors.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'))
  }
  return errors
}

/** @throws StatusError BadRequest, or Invalid for parameters that do not go together */
export function parseWatchOptions(query: URLSearchParams, minWatchMs: number): WatchOptions {
  const timeoutMs = parseTimeout(query.get('timeoutSeconds')) ?? spread(minWatchMs)
  const isStreamingList = query.has('sendInitialEvents')
  refuse(watchFaults(query, isStreamingList))
  const revision = parseRevision(query.get('resourceVersion') ?? '')
  const bookmarks = isTrue(query.get('allowWatchBookmarks'))
  const sendInitial = isStreamingList ? isTrue(query.get('sendInitialEvents')) : revision === 0
  return {
    revision,
    sendInitial,
    announceInitialEnd: sendInitial && isStreamingList && bookmarks,
    bookmarks,
    timeoutMs,
  }
}

function watchFaults(query: URLSearchParams, isStreamingList: boolean): FieldError[] {
  const match = query.get('resourceVersionMatch') ?? ''
  const errors: FieldError[] = []
  const fault = (detail: string) => errors.push(forbidden('resourceVersionMatch', detail))
  if (isStreamingList && match !== 'NotOlderThan') {
    fault('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
  }
  if (match !== '') {
    if (!isStreamingList) fault('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')
    if (match !== 'NotOlderThan') errors.push(notSupported('resourceVersionMatch', match, ['NotOlderThan']))
    if (query.get('continue')) fault('resourceVersionMatch is forbidden when continue is provided')
  }
  return errors
}

function refuse(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw newInvalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', errors)
}

/** @returns 0 for absent @throws StatusError BadRequest */
export function parseRevision(text: string): number {
  if (text === '') return 0
  const revision = Number(text)
  if (!/^\d+$/.test(text)) throw badRevision(text, 'invalid syntax')
  // Kubernetes counts to 2^64; no store comes near what a number holds.
  if (!Number.isSafeInteger(revision)) throw badRevision(text, 'value out of range')
  return revision
}

function badRevision(text: string, fault: string) {
  const quoted = JSON.stringify(text)
  return newBadRequest(`resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: ${fault}`)
}

/** @returns 0 for no limit @throws StatusError BadRequest */
export function parseLimit(text: string | null): number {
  return Math.max(0, parseInteger(text) ?? 0)
}

/** Watches that began together do not all come back together. */
function spread(ms: number): number {
  return ms * (1 + Math.random())
}

/** How long a watch may last. @returns milliseconds; undefined when the server is to say @throws StatusError BadRequest */
export function parseTimeout(text: string | null): number | undefined {
  const seconds = parseInteger(text)
  if (!seconds) return undefined
  return Math.min(Math.max(seconds, 0), 24 * 3600) * 1000
}

/** @returns undefined for absent and empty @throws StatusError BadRequest */
function parseInteger(text: string | null): number | undefined {
  if (text === null || text === '') return undefined
  if (!/^[+-]?\d{1,40}$/.test(text)) throw badInteger(text, 'invalid syntax')
  const value = BigInt(text.replace('+', ''))
  if (BigInt.asIntN(64, value) !== value) throw badInteger(text, 'value out of range')
  return Number(value)
}

function badInteger(text: string, fault: string) {
  return newBadRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${fault}`)
}
