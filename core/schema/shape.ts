import { type FieldError, typeInvalid } from '#apis/meta/v1/field-error.ts'
import { isObject, typeOfJson } from './json.ts'
import { append } from './schema-places.ts'

/**
 * Whether JSON that claims to be a schema has values of the right types under the keywords, at any depth: what may then
 * be read as a JsonSchema. Unknown keywords are not looked at.
 */
export function shapeErrors(schema: unknown, path: string): FieldError[] {
  if (!isObject(schema)) return [wrong(path, schema, 'object')]
  const errors: FieldError[] = []
  for (const [keyword, value] of Object.entries(schema)) {
    const shape = shapes.get(keyword)
    if (shape && value !== undefined) append(errors, shape(value, path ? `${path}.${keyword}` : keyword))
  }
  return errors
}

type Shape = (value: unknown, path: string) => FieldError[]

const wrong = (path: string, value: unknown, want: string) => {
  const got = typeOfJson(value)
  return typeInvalid(path, got, `${path || 'schema'} in body must be of type ${want}: ${JSON.stringify(got)}`)
}

const scalar =
  (type: 'string' | 'number' | 'boolean'): Shape =>
  (value, path) =>
    typeof value === type ? [] : [wrong(path, value, type)]

const listOf =
  (item: Shape): Shape =>
  (value, path) =>
    Array.isArray(value) ? value.flatMap((one, at) => item(one, `${path}[${at}]`)) : [wrong(path, value, 'array')]

const mapOf =
  (item: Shape): Shape =>
  (value, path) =>
    isObject(value)
      ? Object.entries(value).flatMap(([key, one]) => item(one, `${path}[${key}]`))
      : [wrong(path, value, 'object')]

const text = scalar('string')
const number = scalar('number')
const truth = scalar('boolean')
const schemaOrTruth: Shape = (value, path) => (typeof value === 'boolean' ? [] : shapeErrors(value, path))
/** Schemas, or the list of them that `validateStructural` refuses in its own words. */
const items: Shape = (value, path) => (Array.isArray(value) ? listOf(shapeErrors) : shapeErrors)(value, path)

const shapes: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ...['id', '$schema', '$ref', 'type', 'format', 'title', 'description', 'pattern'].map(
    (keyword) => [keyword, text] as const,
  ),
  ...['list', 'map'].map((kind) => [`x-kubernetes-${kind}-type`, text] as const),
  ...['minLength', 'maxLength', 'minimum', 'maximum', 'multipleOf', 'minItems', 'maxItems', 'minProperties'].map(
    (keyword) => [keyword, number] as const,
  ),
  ['maxProperties', number],
  ...['nullable', 'exclusiveMinimum', 'exclusiveMaximum', 'uniqueItems'].map((keyword) => [keyword, truth] as const),
  ...['preserve-unknown-fields', 'embedded-resource', 'int-or-string'].map(
    (name) => [`x-kubernetes-${name}`, truth] as const,
  ),
  ['enum', listOf(() => [])],
  ['required', listOf(text)],
  ['x-kubernetes-list-map-keys', listOf(text)],
  ['x-kubernetes-validations', listOf(mapOf(() => []))],
  ['properties', mapOf(shapeErrors)],
  ['additionalProperties', schemaOrTruth],
  ['items', items],
  ['allOf', listOf(shapeErrors)],
  ['anyOf', listOf(shapeErrors)],
  ['oneOf', listOf(shapeErrors)],
  ['not', shapeErrors],
])
