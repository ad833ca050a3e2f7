import type { Status, StatusReason } from '@keelson/apis/meta/v1/types.ts'

/**
 * What a call to the API can fail with. Predicates follow `cause` and read a `Symbol.for` brand, so they also recognise
 * errors that another copy of this module made.
 */
const apiBrand = Symbol.for('keelson.dev/ApiError')
const connectionBrand = Symbol.for('keelson.dev/ConnectionError')

/** The server answered, with a failure. */
export class ApiError extends Error {
  readonly [apiBrand] = true
  readonly status: Status

  constructor(status: Status, options?: ErrorOptions) {
    super(status.message ?? status.reason ?? `the server answered ${status.code}`, options)
    this.name = 'ApiError'
    this.status = status
  }
}

/** There was no answer, or only a part of one: whether the server acted is unknown. */
export class ConnectionError extends Error {
  readonly [connectionBrand] = true
  /** True when the server certainly did not act, so that any call may be repeated. */
  readonly isUnsent: boolean

  constructor(message: string, { isUnsent = false, ...options }: ErrorOptions & { isUnsent?: boolean } = {}) {
    super(message, options)
    this.name = 'ConnectionError'
    this.isUnsent = isUnsent
  }
}

const findBranded = <E>(error: unknown, brand: symbol): E | undefined => {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (brand in at) return at as E
  }
  return undefined
}

/** The ApiError in `error` or among its causes. */
export const findApiError = (error: unknown) => findBranded<ApiError>(error, apiBrand)

export const findConnectionError = (error: unknown) => findBranded<ConnectionError>(error, connectionBrand)

export const isConnectionError = (error: unknown) => findConnectionError(error) !== undefined

export function reasonOf(error: unknown): StatusReason | undefined {
  return findApiError(error)?.status.reason
}

const is = (reason: StatusReason) => (error: unknown) => reasonOf(error) === reason
export const isNotFound = is('NotFound')
export const isAlreadyExists = is('AlreadyExists')
export const isConflict = is('Conflict')
export const isInvalid = is('Invalid')
export const isForbidden = is('Forbidden')
export const isUnauthorized = is('Unauthorized')
export const isBadRequest = is('BadRequest')
export const isMethodNotAllowed = is('MethodNotAllowed')
export const isTooManyRequests = is('TooManyRequests')
export const isTimeout = is('Timeout')
export const isServiceUnavailable = is('ServiceUnavailable')
/** For `catch`: what is not there is undefined. @throws whatever else went wrong */
export function ignoreAbsence(error: unknown): undefined {
  if (!isNotFound(error)) throw error
}
/** The resourceVersion or continue token is from before compaction: list again. */
export const isExpired = (error: unknown) => reasonOf(error) === 'Expired' || reasonOf(error) === 'Gone'

/** True for a create refused because its namespace is being deleted. */
export function isNamespaceTerminating(error: unknown): boolean {
  const causes = findApiError(error)?.status.details?.causes ?? []
  return isForbidden(error) && causes.some((cause) => cause.reason === 'NamespaceTerminating')
}

const reasonOfCode: Readonly<Record<number, StatusReason>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

/** The Status a failed answer carries, or one made from its code when the body is something else (a proxy's page). */
export function statusOfAnswer(code: number, body: Buffer): Status {
  const text = body.toString()
  const parsed = parseStatus(text)
  if (parsed) return { ...parsed, code: parsed.code ?? code }
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: text.slice(0, 2048) || `the server answered ${code} without a message`,
    reason: reasonOfCode[code] ?? '',
    code,
  }
}

function parseStatus(text: string): Status | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isStatus(value) ? value : undefined
  } catch {
    return undefined
  }
}

export function isStatus(value: unknown): value is Status {
  return typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'Status'
}
