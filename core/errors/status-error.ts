import type { FieldError } from '#apis/meta/v1/field-error.ts'
import type { GroupResource, Status, StatusDetails, StatusReason } from '#apis/meta/v1/types.ts'

/**
 * A failure as the API reports it: one constructor and one predicate per reason, in Kubernetes' wording.
 * @see https://github.com/kubernetes/apimachinery/blob/master/pkg/api/errors/errors.go for the vocabulary
 */
const brand = Symbol.for('keelson.dev/StatusError')

export interface StatusErrorInit {
  reason: StatusReason
  /** HTTP status code. */
  code: number
  message: string
  details?: StatusDetails
}

export class StatusError extends Error {
  readonly [brand] = true
  readonly status: Status

  constructor(init: StatusErrorInit, options?: ErrorOptions) {
    super(init.message, options)
    this.name = 'StatusError'
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: init.message,
      reason: init.reason,
      ...(init.details && { details: init.details }),
      code: init.code,
    }
  }
}

/** The StatusError in `error` or among its causes; sees across two copies of this module. */
export function findStatusError(error: unknown): StatusError | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (brand in at) return at as StatusError
  }
  return undefined
}

export function reasonOf(error: unknown): StatusReason | undefined {
  return findStatusError(error)?.status.reason
}

/** What to answer for any error: its own Status, or an InternalError that does not leak a stack. */
export function statusOf(error: unknown): Status {
  const known = findStatusError(error)
  if (known) return known.status
  return newInternalError(error instanceof Error ? error.message : String(error), error).status
}

const qualified = (of: GroupResource) => (of.group ? `${of.resource}.${of.group}` : of.resource)
const detailsOf = (of: GroupResource, name?: string): StatusDetails => ({
  ...(name && { name }),
  ...(of.group && { group: of.group }),
  kind: of.resource,
})

export function newNotFound(of: GroupResource, name: string, cause?: unknown): StatusError {
  const message = `${qualified(of)} "${name}" not found`
  return new StatusError({ reason: 'NotFound', code: 404, message, details: detailsOf(of, name) }, { cause })
}

/** The path names no resource the server knows. */
export function newPathNotFound(): StatusError {
  return new StatusError({
    reason: 'NotFound',
    code: 404,
    message: 'the server could not find the requested resource',
    details: {},
  })
}

export function newAlreadyExists(of: GroupResource, name: string, cause?: unknown): StatusError {
  const message = `${qualified(of)} "${name}" already exists`
  return new StatusError({ reason: 'AlreadyExists', code: 409, message, details: detailsOf(of, name) }, { cause })
}

/** A name that was to be made by the server, and was taken every time. */
export function newGenerateNameConflict(of: GroupResource, name: string): StatusError {
  const message = `${qualified(of)} "${name}" already exists, the server was not able to generate a unique name for the object`
  const details = { ...detailsOf(of, name), retryAfterSeconds: 1 }
  return new StatusError({ reason: 'AlreadyExists', code: 409, message, details })
}

export function newConflict(of: GroupResource, name: string, why: string, cause?: unknown): StatusError {
  const message = `Operation cannot be fulfilled on ${qualified(of)} "${name}": ${why}`
  return new StatusError({ reason: 'Conflict', code: 409, message, details: detailsOf(of, name) }, { cause })
}

/** The conflict of an update whose resourceVersion is no longer the object's. */
export function newModified(of: GroupResource, name: string): StatusError {
  return newConflict(
    of,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  )
}

/** So many faults of one object are told: more help nobody, and would make a megabyte of faults a hundred of answer. */
const maxToldFaults = 1_000

/** @param of group and *kind* (not resource): that is how Kubernetes words it */
export function newInvalid(
  of: { group: string; kind: string },
  name: string,
  errors: readonly FieldError[],
): StatusError {
  const told = errors.slice(0, maxToldFaults)
  const lines = told.map((error) => `${error.field}: ${error.message}`)
  if (errors.length > told.length) lines.push(`and ${errors.length - told.length} more`)
  const list = lines.length > 1 ? `[${lines.join(', ')}]` : (lines[0] ?? '')
  const kind = of.group ? `${of.kind}.${of.group}` : of.kind
  return new StatusError({
    reason: 'Invalid',
    code: 422,
    message: `${kind} "${name}" is invalid: ${list}`,
    details: {
      ...(name && { name }),
      ...(of.group && { group: of.group }),
      kind: of.kind,
      causes: told.map(({ reason, message, field }) => ({ reason, message, field })),
    },
  })
}

export function newForbidden(of: GroupResource, name: string, why: string): StatusError {
  const message = name ? `${qualified(of)} "${name}" is forbidden: ${why}` : `${qualified(of)} is forbidden: ${why}`
  return new StatusError({ reason: 'Forbidden', code: 403, message, details: detailsOf(of, name) })
}

/** A path that is no resource (`/metrics`) and that the user may not read. */
export function newForbiddenPath(why: string): StatusError {
  return new StatusError({ reason: 'Forbidden', code: 403, message: `forbidden: ${why}`, details: {} })
}

export function newUnauthorized(message = 'Unauthorized'): StatusError {
  return new StatusError({ reason: 'Unauthorized', code: 401, message })
}

export function newBadRequest(message: string, cause?: unknown): StatusError {
  return new StatusError({ reason: 'BadRequest', code: 400, message }, { cause })
}

export function newMethodNotSupported(of: GroupResource, action: string): StatusError {
  const message = `${action} is not supported on resources of kind "${qualified(of)}"`
  return new StatusError({ reason: 'MethodNotAllowed', code: 405, message, details: detailsOf(of) })
}

export function newMethodNotAllowed(): StatusError {
  return new StatusError({
    reason: 'MethodNotAllowed',
    code: 405,
    message: 'the server does not allow this method on the requested resource',
    details: {},
  })
}

/** What an applied configuration would take from others. */
export function newApplyConflict(conflicts: readonly { manager: string; field: string }[]): StatusError {
  const causes = conflicts.map(({ manager, field }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${manager}`,
    field,
  }))
  return new StatusError({
    reason: 'Conflict',
    code: 409,
    message: applyConflictMessage(conflicts),
    details: { causes },
  })
}

function applyConflictMessage(conflicts: readonly { manager: string; field: string }[]): string {
  const [first] = conflicts
  if (conflicts.length === 1) return `Apply failed with 1 conflict: conflict with ${first!.manager}: ${first!.field}`
  const lines: string[] = []
  for (const [manager, fields] of Map.groupBy(conflicts, (conflict) => conflict.manager)) {
    lines.push(`conflicts with ${manager}:`, ...fields.map(({ field }) => `- ${field}`))
  }
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`
}

/** A configuration that cannot be applied, whatever is there: Kubernetes gives no reason for it, and the code of its own faults. */
export function newApplyFault(message: string): StatusError {
  return new StatusError({ reason: '', code: 500, message })
}

export function newNotAcceptable(supported: readonly string[]): StatusError {
  const message = `only the following media types are accepted: ${supported.join(', ')}`
  return new StatusError({ reason: 'NotAcceptable', code: 406, message })
}

export function newUnsupportedMediaType(got: string, supported: readonly string[]): StatusError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${supported.join(', ')}`
  return new StatusError({
    reason: 'UnsupportedMediaType',
    code: 415,
    message: got ? message : `a Content-Type is required: ${message}`,
  })
}

export function newRequestEntityTooLarge(message: string): StatusError {
  return new StatusError({
    reason: 'RequestEntityTooLarge',
    code: 413,
    message: `Request entity too large: ${message}`,
  })
}

/** A continue token or a resourceVersion from before compaction in a list. */
export function newExpired(message: string): StatusError {
  return new StatusError({ reason: 'Expired', code: 410, message })
}

export function newTooManyRequests(message: string, retryAfterSeconds: number): StatusError {
  return new StatusError({ reason: 'TooManyRequests', code: 429, message, details: { retryAfterSeconds } })
}

export function newTimeout(message: string, retryAfterSeconds?: number): StatusError {
  const text = `Timeout: ${message}`
  return new StatusError({
    reason: 'Timeout',
    code: 504,
    message: text,
    ...(retryAfterSeconds !== undefined && { details: { retryAfterSeconds } }),
  })
}

export function newServiceUnavailable(message: string, cause?: unknown): StatusError {
  return new StatusError({ reason: 'ServiceUnavailable', code: 503, message }, { cause })
}

export function newInternalError(message: string, cause?: unknown): StatusError {
  return new StatusError(
    {
      reason: 'InternalError',
      code: 500,
      message: `Internal error occurred: ${message}`,
      details: { causes: [{ message }] },
    },
    { cause },
  )
}

const is = (reason: StatusReason) => (error: unknown) => reasonOf(error) === reason
export const isNotFound = is('NotFound')
export const isAlreadyExists = is('AlreadyExists')
export const isConflict = is('Conflict')
export const isInvalid = is('Invalid')
export const isForbidden = is('Forbidden')
export const isUnauthorized = is('Unauthorized')
export const isBadRequest = is('BadRequest')
export const isExpired = (error: unknown) => reasonOf(error) === 'Expired' || reasonOf(error) === 'Gone'
