/**
 * Structural schemas as types of CEL, with Kubernetes' estimates of how large values may be: what a schema does not bound,
 * the size of a request does.
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#type-system-integration
 */
import { types } from '#core/cel/cel.ts'
import type { JsonSchema } from '#core/registry/resource.ts'
import { propertyOf } from '../schema-places.ts'
import { escapeName, isReserved } from './names.ts'
import { readDate, readDateTime, readDuration } from './readers.ts'

type Type = types.Type

export const maxRequestBytes = 3 * 1024 * 1024

/** What rules know of the values of a schema. */
export interface Declared {
  readonly type: Type
  /** The least that a value takes as JSON. */
  readonly minBytes: number
  /** Of an object: by the names of properties, those that rules cannot see left out. */
  readonly fields?: ReadonlyMap<string, Declared>
  /** Of a list's items, or a map's values. */
  readonly element?: Declared
}

/**
 * @param isResource the whole of a resource, also one within another
 * @param name what messages call it
 * @returns undefined for what rules cannot see, because nothing is known of it
 */
export function declare(schema: JsonSchema, isResource: boolean, name = 'self'): Declared | undefined {
  if (schema['x-kubernetes-int-or-string']) {
    return scalar(types.dyn, 1, schema.maxLength === undefined ? longestText : 4 * natural(schema.maxLength))
  }
  const whole = isResource ? withResourceFields(schema) : schema
  switch (whole.type) {
    case 'array':
      return declareList(whole, name)
    case 'object':
      return isMap(whole) ? declareMap(whole, name) : declareObject(whole, name)
    case 'string':
      return declareText(whole)
    case 'boolean':
      return scalar(types.bool, 4, 0)
    case 'number':
      return scalar(types.double, 1, 0)
    case 'integer':
      return scalar(types.int, 1, 0)
  }
  return undefined
}

/** A text that fills a request, without its quotes. */
const longestText = maxRequestBytes - 2

/** Kubernetes counts no elements of what has none, rather than one. */
const scalar = (type: Type, minBytes: number, maxElements: number): Declared => ({
  type: types.sized(type, maxElements),
  minBytes,
})

const natural = (count: number) => Math.max(0, count)

const isMap = ({ additionalProperties }: JsonSchema) =>
  typeof additionalProperties === 'object' && additionalProperties !== null

function declareList(schema: JsonSchema, name: string): Declared | undefined {
  const { items, maxItems } = schema
  const element = items && declare(items, isEmbedded(items), `${name}.@idx`)
  if (!element) return undefined
  const most = maxItems === undefined ? Math.trunc(longestText / (element.minBytes + 1)) : natural(maxItems)
  const type = types.sized(types.list(element.type), most)
  const identity = identityOf(schema)
  return { type: identity ? { ...type, identity } : type, minBytes: 2, element }
}

function identityOf(schema: JsonSchema): Type['identity'] {
  const listType = schema['x-kubernetes-list-type']
  if (listType === 'set') return 'item'
  return listType === 'map' ? schema['x-kubernetes-list-map-keys'] : undefined
}

function declareMap({ additionalProperties, maxProperties }: JsonSchema, name: string): Declared | undefined {
  const values = additionalProperties as JsonSchema
  const element = declare(values, isEmbedded(values), `${name}.@elem`)
  if (!element) return undefined
  const most = maxProperties === undefined ? Math.trunc(longestText / (element.minBytes + 6)) : natural(maxProperties)
  return { type: types.sized(types.map(types.sized(types.string, 0), element.type), most), minBytes: 2, element }
}

function declareObject(schema: JsonSchema, name: string): Declared {
  const fields = new Map<string, Declared>()
  const visible = new Map<string, Type>()
  const properties = new Map<string, string>()
  const required = new Set(schema.required)
  let minBytes = 2
  for (const [property, written] of Object.entries(schema.properties ?? {})) {
    const declared = declare(written, isEmbedded(written), `${name}.${property}`)
    if (!declared) continue
    if (required.has(property) && written.default === undefined) {
      minBytes += Buffer.byteLength(property) + declared.minBytes + 4
    }
    fields.set(property, declared)
    const escaped = escapeName(property)
    if (escaped === undefined) continue
    visible.set(escaped, declared.type)
    if (escaped !== property) properties.set(escaped, property)
    if (isReserved(property)) visible.set(property, declared.type)
  }
  const type = { ...types.sized(types.object(name, visible), 0), properties }
  return { type, minBytes, fields }
}

const isEmbedded = (schema: JsonSchema) => schema['x-kubernetes-embedded-resource'] === true

const text: JsonSchema = { type: 'string' }

/** Every resource has apiVersion, kind and a name, whatever its schema says; unless that says all of it, it has to be content with these. */
function withResourceFields(schema: JsonSchema): JsonSchema {
  const metadata = propertyOf(schema, 'metadata') ?? {}
  const isWhole =
    propertyOf(schema, 'kind')?.type === 'string' &&
    propertyOf(schema, 'apiVersion')?.type === 'string' &&
    metadata.type === 'object' &&
    propertyOf(metadata, 'name')?.type === 'string' &&
    propertyOf(metadata, 'generateName')?.type === 'string'
  if (isWhole) return schema
  const named: JsonSchema = { type: 'object', properties: { name: text, generateName: text } }
  return { ...schema, properties: { ...schema.properties, kind: text, apiVersion: text, metadata: named } }
}

function declareText(schema: JsonSchema): Declared {
  const { format, maxLength } = schema
  switch (format) {
    case 'byte':
      return scalar(types.bytes, 2, maxLength === undefined ? longestText : natural(maxLength))
    case 'duration':
      return scalar({ ...types.duration, read: readDuration }, 3, 32)
    case 'date':
      return scalar({ ...types.timestamp, read: readDate }, 12, 12)
    case 'date-time':
      return scalar({ ...types.timestamp, read: readDateTime }, 21, 32)
  }
  return scalar(types.string, 2, longestTextOf(schema))
}

/** In bytes, of which a code point has four at most. */
function longestTextOf({ maxLength, enum: values = [] }: JsonSchema): number {
  if (maxLength !== undefined) return 4 * natural(maxLength)
  if (values.length === 0) return longestText
  return Math.max(0, ...values.map((one) => (typeof one === 'string' ? Buffer.byteLength(one) : 0)))
}
