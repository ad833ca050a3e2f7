import { isSame } from './equality.ts'
import { type FieldError, forbidden, invalid, notSupported, required } from './field-error.ts'
import { labelKeyFaults, labelValueFaults } from './names.ts'
import type { LabelSelector, LabelSelectorRequirement } from './types.ts'
import { validateLabels } from './validate-object-meta.ts'

/**
 * Checks that rules share. The schema has already told which required fields are absent, which values are no members of
 * their enum and which numbers are too small for their minimum: rules only tell what is left.
 */

/** The errors of every item of a list, each at `field[index]`. */
export function each<T>(
  field: string,
  items: readonly T[] | undefined,
  check: (field: string, item: T, at: number) => FieldError[],
): FieldError[] {
  return items?.flatMap((item, at) => check(`${field}[${at}]`, item, at)) ?? []
}

/** Refuses the empty text, and its absence only where the schema does not. */
export function nonEmpty(field: string, value: string | undefined, detail = ''): FieldError[] {
  return value === '' ? [required(field, detail)] : []
}

/** Refuses a text or a list that is absent or empty, where the schema asks for none. */
export function present(field: string, value: { length: number } | undefined, detail = ''): FieldError[] {
  return value?.length ? [] : [required(field, detail)]
}

/** The faults of a value as errors of its field. */
export function faults(field: string, value: string, faultsOf: (value: string) => string[]): FieldError[] {
  return faultsOf(value).map((fault) => invalid(field, value, fault))
}

/** As `faults`, where neither absence nor the empty text is one. */
export function optionalFaults(
  field: string,
  value: string | undefined,
  faultsOf: (value: string) => string[],
): FieldError[] {
  return value ? faults(field, value, faultsOf) : []
}

/** Refuses the empty text as missing, and else tells its faults. */
export function named(field: string, value: string | undefined, faultsOf: (value: string) => string[]): FieldError[] {
  return value === '' ? [required(field)] : optionalFaults(field, value, faultsOf)
}

export function inRange(field: string, value: number | undefined, least: number, most: number): FieldError[] {
  if (value === undefined || (value >= least && value <= most)) return []
  return [invalid(field, value, `must be between ${least} and ${most}, inclusive`)]
}

export function nonNegative(field: string, value: number | undefined): FieldError[] {
  return value === undefined || value >= 0 ? [] : [invalid(field, value, 'must be greater than or equal to 0')]
}

export function positive(field: string, value: number | undefined, detail = 'must be greater than 0'): FieldError[] {
  return value === undefined || value > 0 ? [] : [invalid(field, value, detail)]
}

/** Where a field has no enum in its schema, because the kind is older than it. */
export function oneOf(field: string, value: string | undefined, supported: readonly string[]): FieldError[] {
  return value === undefined || supported.includes(value) ? [] : [notSupported(field, value, supported)]
}

export function immutable(field: string, value: unknown, old: unknown): FieldError[] {
  return isSame(value, old) ? [] : [invalid(field, value, 'field is immutable')]
}

/** Path of a key in a map: `data[a.b]`. */
export const keyOf = (field: string, key: string) => `${field}[${key}]`

/**
 * Text that names a file below a directory: relative, and nowhere `..`.
 * @param reserved true where names that begin with `..` are the system's
 */
export function descendingPath(field: string, path: string | undefined, reserved = false): FieldError[] {
  if (!path) return []
  const errors = path.startsWith('/') ? [invalid(field, path, 'must be a relative path')] : []
  errors.push(...noBacksteps(field, path))
  if (reserved && path.startsWith('..') && path !== '..' && !path.startsWith('../')) {
    errors.push(invalid(field, path, "must not start with '..'"))
  }
  return errors
}

export function noBacksteps(field: string, path: string): FieldError[] {
  return path.split('/').includes('..') ? [invalid(field, path, "must not contain '..'")] : []
}

/** Errors of a label selector. */
export function labelSelectorErrors(field: string, selector: LabelSelector | undefined): FieldError[] {
  if (!selector) return []
  return [
    ...validateLabels(selector.matchLabels ?? {}, `${field}.matchLabels`),
    ...each(`${field}.matchExpressions`, selector.matchExpressions, requirementErrors),
  ]
}

/** True when a selector has no requirement at all: it selects everything. */
export function isEmptySelector(selector: LabelSelector | undefined): boolean {
  return Object.keys(selector?.matchLabels ?? {}).length + (selector?.matchExpressions?.length ?? 0) === 0
}

/** True when the labels fulfil the selector. */
export function selects(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  const labelOf = (key: string) => (Object.hasOwn(labels, key) ? labels[key] : undefined)
  const wanted = Object.entries(selector.matchLabels ?? {})
  if (!wanted.every(([key, value]) => labelOf(key) === value)) return false
  return (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = labelOf(key)
    if (operator === 'Exists') return value !== undefined
    if (operator === 'DoesNotExist') return value === undefined
    const isListed = value !== undefined && values.includes(value)
    return operator === 'In' ? isListed : !isListed
  })
}

function requirementErrors(field: string, { key, operator, values }: LabelSelectorRequirement): FieldError[] {
  return [
    ...operandErrors(field, operator, values),
    ...faults(`${field}.key`, key ?? '', labelKeyFaults),
    ...each(`${field}.values`, values, (at, value) => faults(at, value, labelValueFaults)),
  ]
}

function operandErrors(field: string, operator: string, values: readonly string[] | undefined): FieldError[] {
  switch (operator) {
    case 'In':
    case 'NotIn':
      return present(`${field}.values`, values, "must be specified when `operator` is 'In' or 'NotIn'")
    case 'Exists':
    case 'DoesNotExist':
      if (!values?.length) return []
      return [forbidden(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")]
    default:
      return [invalid(`${field}.operator`, operator, 'not a valid selector operator')]
  }
}
