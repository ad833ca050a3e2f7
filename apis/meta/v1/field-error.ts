import type { StatusCause } from './types.ts'

/**
 * One fault of one field, in the words kubectl users know.
 * @see https://github.com/kubernetes/apimachinery/blob/master/pkg/util/validation/field/errors.go for the vocabulary
 */
export interface FieldError extends StatusCause {
  reason: FieldErrorReason
  /** Dotted path with `[index]` and `[key]`: `spec.containers[0].name`. */
  field: string
  /** The message without the field: `Invalid value: -1: must be greater than or equal to 0`. */
  message: string
}

export type FieldErrorReason =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden'
  | 'FieldValueTypeInvalid'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueNotFound'
  | 'InternalError'

const join = (label: string, detail: string) => (detail ? `${label}: ${detail}` : label)

/** Renders a value the way Kubernetes quotes it in messages: strings quoted, objects as JSON. */
export function quoteValue(value: unknown): string {
  return value === undefined ? 'null' : JSON.stringify(value)
}

export function required(field: string, detail = ''): FieldError {
  return { reason: 'FieldValueRequired', field, message: join('Required value', detail) }
}

export function invalid(field: string, value: unknown, detail: string): FieldError {
  return { reason: 'FieldValueInvalid', field, message: join(`Invalid value: ${quoteValue(value)}`, detail) }
}

export function notSupported(field: string, value: unknown, supported: readonly string[]): FieldError {
  const list = [...supported]
    .sort()
    .map((one) => JSON.stringify(one))
    .join(', ')
  return {
    reason: 'FieldValueNotSupported',
    field,
    message: `Unsupported value: ${quoteValue(value)}: supported values: ${list}`,
  }
}

export function duplicate(field: string, value: unknown): FieldError {
  return { reason: 'FieldValueDuplicate', field, message: `Duplicate value: ${quoteValue(value)}` }
}

export function forbidden(field: string, detail: string): FieldError {
  return { reason: 'FieldValueForbidden', field, message: join('Forbidden', detail) }
}

export function typeInvalid(field: string, value: unknown, detail: string): FieldError {
  return { reason: 'FieldValueTypeInvalid', field, message: join(`Invalid value: ${quoteValue(value)}`, detail) }
}

export function tooLong(field: string, maxLength: number): FieldError {
  return { reason: 'FieldValueTooLong', field, message: `Too long: may not be more than ${maxLength} bytes` }
}

export function tooMany(field: string, actual: number, max: number): FieldError {
  return { reason: 'FieldValueTooMany', field, message: `Too many: ${actual}: must have at most ${max} items` }
}

export function notFound(field: string, value: unknown): FieldError {
  return { reason: 'FieldValueNotFound', field, message: `Not found: ${quoteValue(value)}` }
}
