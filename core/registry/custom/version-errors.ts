import type {
  CustomResourceColumnDefinition,
  CustomResourceSubresources,
  SelectableField,
} from '#apis/apiextensions/v1/zz_generated.types.ts'
import { duplicate, type FieldError, invalid, required, tooMany } from '#apis/meta/v1/field-error.ts'
import { isObject } from '#core/schema/json.ts'
import { propertyOf } from '#core/schema/schema-places.ts'
import type { JsonSchema } from '../resource.ts'

/** What a version of a definition may say beside its schema: columns, subresources, selectable fields, its deprecation. */

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string']
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']

export function columnErrors(column: CustomResourceColumnDefinition, path: string): FieldError[] {
  const { name, type, format, jsonPath } = column
  const errors: FieldError[] = []
  const types = `must be one of ${columnTypes.join(',')}`
  if (name === '') errors.push(required(`${path}.name`))
  if (type === '') errors.push(required(`${path}.type`, types))
  else if (type !== undefined && !columnTypes.includes(type)) errors.push(invalid(`${path}.type`, type, types))
  if (format && !columnFormats.includes(format)) {
    errors.push(invalid(`${path}.format`, format, `must be one of ${columnFormats.join(',')}`))
  }
  return [...errors, ...pathErrors(jsonPath, `${path}.JSONPath`)]
}

/** Of a path that must be there and begin like one. @param roots where it must lead to; absent: anywhere */
function pathErrors(jsonPath: string | undefined, field: string, roots?: readonly string[]): FieldError[] {
  if (jsonPath === undefined) return []
  if (jsonPath === '') return [required(field)]
  if (!jsonPath.startsWith('.')) return [invalid(field, jsonPath, 'must be a simple json path starting with .')]
  if (!roots || roots.some((root) => jsonPath.startsWith(`${root}.`))) return []
  const where = roots.length > 1 ? `either ${roots.join(' or ')}` : roots[0]
  return [invalid(field, jsonPath, `should be a json path under ${where}`)]
}

export function subresourceErrors(subresources: CustomResourceSubresources | undefined, path: string): FieldError[] {
  const scale = subresources?.scale
  if (!scale) return []
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = scale
  return [
    ...pathErrors(specReplicasPath, `${path}.scale.specReplicasPath`, ['.spec']),
    ...pathErrors(statusReplicasPath, `${path}.scale.statusReplicasPath`, ['.status']),
    ...pathErrors(labelSelectorPath || undefined, `${path}.scale.labelSelectorPath`, ['.spec', '.status']),
  ]
}

export const maxSelectableFields = 8

/** @param mayBeMany whether there may be more than `maxSelectableFields`, because there were before */
export function selectableErrors(
  fields: readonly SelectableField[],
  schema: JsonSchema | undefined,
  path: string,
  mayBeMany: boolean,
): FieldError[] {
  if (!schema) return [invalid(path, '', 'may only be set when validations.schema is included')]
  const seen = new Set<string>()
  const errors = fields.flatMap(({ jsonPath }, at) => {
    const field = `${path}[${at}].jsonPath`
    if (jsonPath === undefined) return []
    if (jsonPath === '') return [required(field)]
    const found = schemaAt(jsonPath, schema)
    if (typeof found === 'string') return [invalid(field, jsonPath, `is an invalid path: ${found}`)]
    const isRepeated = seen.has(jsonPath)
    seen.add(jsonPath)
    return [...selectedErrors(jsonPath, found, field), ...(isRepeated ? [duplicate(field, jsonPath)] : [])]
  })
  if (seen.size > maxSelectableFields && !mayBeMany) errors.push(tooMany(path, seen.size, maxSelectableFields))
  return errors
}

function selectedErrors(jsonPath: string, { type }: JsonSchema, field: string): FieldError[] {
  const errors: FieldError[] = []
  if (/^\.metadata(?:\.|$)/.test(jsonPath))
    errors.push(invalid(field, jsonPath, 'must not point to fields in metadata'))
  if (type !== 'string' && type !== 'boolean' && type !== 'integer') {
    const detail =
      'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.'
    errors.push(invalid(field, jsonPath, detail))
  }
  return errors
}

/** The schema of the field that a path leads to, or why it leads nowhere. */
function schemaAt(jsonPath: string, schema: JsonSchema): JsonSchema | string {
  const tokens = jsonPath.match(/[.[\]]|[^.[\]]+/g) ?? []
  let found = schema
  for (let at = 0; at < tokens.length; at += 2) {
    if (tokens[at] === '[') return 'array notation is not allowed'
    if (tokens[at] !== '.') return `expected [ or . but got: ${tokens[at]}`
    const name = tokens[at + 1]
    if (name === undefined) return 'unexpected end of JSON path'
    const { additionalProperties: values } = found
    const next = found.properties ? propertyOf(found, name) : isObject(values) ? (values as JsonSchema) : undefined
    if (!next) return 'does not refer to a valid field'
    found = next
  }
  return found
}

const maxWarningBytes = 256
const unprintable = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u

export function deprecationFaults(deprecated: boolean | undefined, warning: string | undefined): string[] {
  if (warning === undefined) return []
  if (!deprecated) return ['can only be set for deprecated versions']
  const faults: string[] = []
  if (Buffer.byteLength(warning) > maxWarningBytes) faults.push(`must be <= ${maxWarningBytes} characters long`)
  if (warning === '') faults.push('must not be an empty string')
  const at = warning.search(unprintable)
  if (at >= 0) {
    const index = Buffer.byteLength(warning.slice(0, at))
    faults.push(`must only contain printable UTF-8 characters; non-printable character found at index ${index}`)
  }
  return faults
}
