import { forbidden, invalid, notSupported, required } from '#apis/meta/v1/field-error.ts'
import type { JsonSchema } from '#core/registry/resource.ts'
import { isObject } from './json.ts'
import { append, at, branchLists, isSet, keyed, propertiesOf, propertyOf, type SchemaFault } from './schema-places.ts'

/**
 * What each keyword of a schema may say, beside what makes it structural: the vocabulary, and list and map types.
 * @returns the faults of a schema of a whole resource and of all within it
 */
export function openApiErrors(schema: JsonSchema, path: string): SchemaFault[] {
  return schemaErrors(schema, path, { isRoot: true, isInMeta: false, noDefault: '' })
}

/** Where a schema stands. */
interface Place {
  isRoot: boolean
  /** Within apiVersion, kind or metadata of a resource. */
  isInMeta: boolean
  /** Why no default may be set here; empty where one may. */
  noDefault: string
}

function schemaErrors(schema: JsonSchema, path: string, place: Place): SchemaFault[] {
  return [
    ...vocabularyErrors(schema, path, place),
    ...mapErrors(schema, path, place),
    ...childErrors(schema, path, place),
    ...extensionErrors(schema, path),
    ...listErrors(schema, path),
    ...itemErrors(schema, path),
  ]
}

/** What JSON Schema has and CustomResourceDefinitions have not. */
const unsupported = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref'] as const
const types = ['array', 'boolean', 'integer', 'number', 'object', 'string']

function vocabularyErrors(schema: JsonSchema, path: string, { isInMeta, noDefault }: Place): SchemaFault[] {
  const errors: SchemaFault[] = []
  const type = schema.type as string | undefined
  if (type && !types.includes(type)) {
    errors.push({ ...notSupported(at(path, 'type'), type, types), ratchet: 'type' })
  }
  if (hasDefault(schema) && noDefault) errors.push(forbidden(at(path, 'default'), `must not be set ${noDefault}`))
  for (const keyword of unsupported) {
    if (isSet(schema, keyword)) {
      errors.push(forbidden(at(path, keyword), `${keyword} is not supported`))
    }
  }
  if (type === 'null') {
    errors.push(forbidden(at(path, 'type'), 'type cannot be set to null, use nullable as an alternative'))
  }
  if (Array.isArray(schema.items)) {
    errors.push(forbidden(at(path, 'items'), 'items must be a schema object and not an array'))
  }
  if (isInMeta && schema['x-kubernetes-embedded-resource']) {
    errors.push(forbidden(at(path, 'x-kubernetes-embedded-resource'), 'must not be used inside of resource meta'))
  }
  if (schema.uniqueItems) {
    const detail = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'
    errors.push(forbidden(at(path, 'uniqueItems'), detail))
  }
  return errors
}

const hasDefault = (schema: JsonSchema) => schema.default !== undefined && schema.default !== null

function mapErrors(schema: JsonSchema, path: string, place: Place): SchemaFault[] {
  const { additionalProperties } = schema
  if (additionalProperties === undefined) return []
  const field = at(path, 'additionalProperties')
  const errors: SchemaFault[] = []
  if (propertiesOf(schema).length > 0 && additionalProperties !== true) {
    errors.push(forbidden(field, 'additionalProperties and properties are mutual exclusive'))
  }
  if (isObject(additionalProperties)) {
    const noDefault = place.isInMeta ? 'inside additionalProperties applying to object metadata' : place.noDefault
    append(errors, schemaErrors(additionalProperties, field, { ...place, isRoot: false, noDefault }))
  }
  return errors
}

const metaFields = ['metadata', 'kind', 'apiVersion']

function childErrors(schema: JsonSchema, path: string, { isRoot, isInMeta, noDefault }: Place): SchemaFault[] {
  const isResource = isRoot || schema['x-kubernetes-embedded-resource'] === true
  const inner = { isRoot: false, isInMeta, noDefault }
  const errors = propertiesOf(schema).flatMap(([name, child]) => {
    const isMeta = isResource && metaFields.includes(name)
    const place = isMeta ? { ...inner, isInMeta: true, noDefault: isRoot ? `in top-level ${name}` : noDefault } : inner
    return schemaErrors(child, keyed(path, 'properties', name), place)
  })
  for (const [branchPath, branch] of branchLists(schema, path)) append(errors, schemaErrors(branch, branchPath, inner))
  for (const [itemPath, item] of itemsOf(schema, path)) append(errors, schemaErrors(item, itemPath, inner))
  return errors
}

function itemsOf({ items }: JsonSchema, path: string): [path: string, schema: JsonSchema][] {
  if (!items) return []
  if (!Array.isArray(items)) return [[at(path, 'items'), items]]
  return (items as JsonSchema[]).filter(isObject).map((item, index) => [keyed(path, 'items', index), item])
}

function extensionErrors(schema: JsonSchema, path: string): SchemaFault[] {
  const preserve = 'x-kubernetes-preserve-unknown-fields'
  const errors: SchemaFault[] = []
  if (schema[preserve] === false) errors.push(invalid(at(path, preserve), false, 'must be true or undefined'))
  const mapType = schema['x-kubernetes-map-type'] as string | undefined
  if (mapType === undefined) return errors
  if (schema.type !== 'object') {
    errors.push(typeError(schema, path, 'must be object if x-kubernetes-map-type is specified'))
  }
  if (mapType !== 'atomic' && mapType !== 'granular') {
    errors.push(notSupported(at(path, 'x-kubernetes-map-type'), mapType, ['atomic', 'granular']))
  }
  return errors
}

const typeError = ({ type }: JsonSchema, path: string, detail: string) =>
  type ? invalid(at(path, 'type'), type, detail) : required(at(path, 'type'), detail)

function listErrors(schema: JsonSchema, path: string): SchemaFault[] {
  const listType = schema['x-kubernetes-list-type'] as string | undefined
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const field = at(path, 'x-kubernetes-list-type')
  const errors: SchemaFault[] = []
  if (listType !== undefined && schema.type !== 'array') {
    errors.push(typeError(schema, path, 'must be array if x-kubernetes-list-type is specified'))
  } else if (listType === 'set' && isObject(schema.items)) {
    append(errors, setErrors(schema.items, at(path, 'items')))
  }
  if (listType !== undefined && !['atomic', 'set', 'map'].includes(listType)) {
    errors.push(notSupported(field, listType, ['atomic', 'set', 'map']))
  }
  if (keys.length > 0 && listType !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty'
    errors.push(listType === undefined ? required(field, detail) : invalid(field, listType, detail))
  }
  return listType === 'map' ? [...errors, ...keyedListErrors(schema, keys, path)] : errors
}

/** The items of a set are compared as wholes, so they must be owned as such. */
function setErrors(items: JsonSchema, path: string): SchemaFault[] {
  const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set'
  const listType = items['x-kubernetes-list-type']
  const isGranular = items.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic'
  if (isGranular) {
    return [{ ...invalid(at(path, 'x-kubernetes-map-type'), listType, detail), ratchet: 'set' }]
  }
  if (items.type !== 'array' || listType === undefined || listType === 'atomic') return []
  return [{ ...invalid(at(path, 'x-kubernetes-list-type'), listType, detail), ratchet: 'set' }]
}

function keyedListErrors(schema: JsonSchema, keys: readonly string[], path: string): SchemaFault[] {
  const { items } = schema
  const itemsPath = at(path, 'items')
  const keysPath = at(path, 'x-kubernetes-list-map-keys')
  const errors: SchemaFault[] = []
  if (keys.length === 0) errors.push(required(keysPath, 'must not be empty if x-kubernetes-list-type is map'))
  if (!items) return [...errors, required(itemsPath, 'must have a schema if x-kubernetes-list-type is map')]
  if (Array.isArray(items)) {
    return [...errors, invalid(itemsPath, items, 'must only have a single schema if x-kubernetes-list-type is map')]
  }
  if (items.type !== 'object') {
    const detail = "must be object if parent array's x-kubernetes-list-type is map"
    return [...errors, invalid(at(itemsPath, 'type'), items.type ?? '', detail)]
  }
  const seen = new Set<string>()
  for (const key of keys) {
    const property = propertyOf(items, key)
    if (!property) errors.push(invalid(keysPath, keys, 'entries must all be names of item properties'))
    else if (property.type === 'array' || property.type === 'object') {
      const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map"
      errors.push(invalid(`${keyed(itemsPath, 'properties', key)}.type`, items.type, detail))
    }
    if (seen.has(key)) errors.push(invalid(keysPath, keys, 'must not contain duplicate entries'))
    seen.add(key)
  }
  return errors
}

/** Items of sets and keyed lists are told apart by what they are, which null is not, and absence only with a default. */
function itemErrors(schema: JsonSchema, path: string): SchemaFault[] {
  const listType = schema['x-kubernetes-list-type']
  const { items } = schema
  if (!items || Array.isArray(items) || (listType !== 'set' && listType !== 'map')) return []
  const itemsPath = at(path, 'items')
  const errors: SchemaFault[] = []
  if (items.nullable) {
    const detail = `cannot be nullable when x-kubernetes-list-type is ${listType}`
    errors.push({ ...forbidden(at(itemsPath, 'nullable'), detail), ratchet: 'keys' })
  }
  if (listType === 'set') return errors
  for (const key of schema['x-kubernetes-list-map-keys'] ?? []) {
    const property = propertyOf(items, key)
    const keyPath = keyed(itemsPath, 'properties', key)
    if (property && !hasDefault(property) && !items.required?.includes(key)) {
      const detail =
        'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property'
      errors.push({ ...required(`${keyPath}.default`, detail), ratchet: 'keys' })
    }
    if (property?.nullable) {
      const detail = 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable'
      errors.push({ ...forbidden(`${keyPath}.nullable`, detail), ratchet: 'keys' })
    }
  }
  return errors
}
