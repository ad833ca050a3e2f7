import { type FieldError, forbidden, invalid, notSupported, required } from '#apis/meta/v1/field-error.ts'
import type { JsonSchema } from '#core/registry/resource.ts'
import { cloneJson, equalJson, isObject } from './json.ts'
import { NodeCompiler } from './node.ts'
import { Path } from './path.ts'
import { patternFault } from './pattern.ts'
import { prune } from './prune.ts'
import { shapeErrors } from './shape.ts'
import { validate } from './validate.ts'

/**
 * What a CustomResourceDefinition's schema must be so that objects can be pruned, defaulted and merged by it.
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export const maxSchemaDepth = 100
export const maxSchemaNodes = 100_000

/**
 * @param schema of a whole custom resource, which may be any JSON in truth
 * @returns its faults; paths begin at the schema: `properties[spec].type`, and are empty for the schema itself
 */
export function validateStructural(schema: JsonSchema): FieldError[] {
  const size = sizeError(schema)
  if (size) return [size]
  const misshapen = shapeErrors(schema, '')
  if (misshapen.length > 0) return misshapen
  const errors = [...schemaErrors(schema, '', { level: 'root', defaults: '' }), ...completenessErrors(schema, '')]
  return errors.length > 0 ? errors : defaultErrors(schema)
}

/** Where a schema stands: the words of its faults depend on it. */
interface Place {
  level: 'root' | 'item' | 'field'
  /** Why no default may be set here; empty where one may. */
  defaults: string
}

const at = (path: string, child: string) => (path === '' ? child : `${path}.${child}`)
const keyed = (path: string, child: string, key: string | number) => `${at(path, child)}[${key}]`

/** Kubernetes' words for what JSON Schema has and a structural schema has not. */
const unsupported: Readonly<Record<string, string>> = {
  $ref: '$ref is not supported',
  id: 'id is not supported',
  definitions: 'definitions is not supported',
  dependencies: 'dependencies is not supported',
  additionalItems: 'additionalItems is not supported',
  patternProperties: 'patternProperties is not supported',
  deprecated: 'deprecated is not supported',
  discriminator: 'discriminator is not supported',
  readOnly: 'readOnly is not supported',
  writeOnly: 'writeOnly is not supported',
  xml: 'xml is not supported',
}

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string']

/** Looks before anything recurses: a hostile schema must not exhaust the stack. */
function sizeError(schema: JsonSchema): FieldError | undefined {
  let layer: unknown[] = isObject(schema) ? [schema] : []
  let nodes = 0
  for (let depth = 0; layer.length > 0; depth++) {
    nodes += layer.length
    if (depth > 2 * maxSchemaDepth) return invalid('', '', `must not be nested deeper than ${maxSchemaDepth} schemas`)
    if (nodes > maxSchemaNodes) return invalid('', '', `must not have more than ${maxSchemaNodes} values`)
    layer = layer.flatMap((one) => Object.values(one as object).filter((inner) => typeof inner === 'object' && inner))
  }
  return undefined
}

function schemaErrors(schema: JsonSchema, path: string, place: Place): FieldError[] {
  return [
    ...vocabularyErrors(schema, path),
    ...typeErrors(schema, path, place),
    ...listErrors(schema, path),
    ...mapErrors(schema, path, place),
    ...extensionErrors(schema, path),
    ...resourceErrors(schema, path, place),
    ...junctorErrors(schema, path),
    ...childErrors(schema, path, place),
  ]
}

function vocabularyErrors(schema: JsonSchema, path: string): FieldError[] {
  const errors = Object.keys(schema)
    .filter((key) => Object.hasOwn(unsupported, key))
    .map((key) => forbidden(at(path, key), unsupported[key]!))
  if (schema.uniqueItems) {
    const detail = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'
    errors.push(forbidden(at(path, 'uniqueItems'), detail))
  }
  const fault = schema.pattern ? patternFault(schema.pattern) : ''
  if (fault) {
    const detail = `must be a valid regular expression, but isn't: ${fault}`
    errors.push(invalid(at(path, 'pattern'), schema.pattern, detail))
  }
  return errors
}

function typeErrors(schema: JsonSchema, path: string, { level, defaults }: Place): FieldError[] {
  const field = at(path, 'type')
  const errors: FieldError[] = []
  const type = schema.type as string | undefined
  const isOpen = schema['x-kubernetes-int-or-string'] || schema['x-kubernetes-preserve-unknown-fields']
  if (type === 'null') errors.push(forbidden(field, 'type cannot be set to null, use nullable as an alternative'))
  else if (type && !types.includes(type)) errors.push(notSupported(field, type, types))
  if (schema['x-kubernetes-embedded-resource'] && type !== 'object') {
    const detail = 'must be object if x-kubernetes-embedded-resource is true'
    errors.push(type ? invalid(field, type, detail) : required(field, detail))
  } else if (!type && !isOpen) {
    errors.push(required(field, missingType[level]))
  }
  if (level === 'root' && type && type !== 'object') errors.push(invalid(field, type, 'must be object at the root'))
  if (schema.default !== undefined && defaults) errors.push(forbidden(at(path, 'default'), defaults))
  return errors
}

const missingType: Readonly<Record<Place['level'], string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
}

function listErrors(schema: JsonSchema, path: string): FieldError[] {
  const { type, items } = schema
  const listType = schema['x-kubernetes-list-type']
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const listTypePath = at(path, 'x-kubernetes-list-type')
  const errors: FieldError[] = []
  if (Array.isArray(items)) errors.push(forbidden(at(path, 'items'), 'items must be a schema object and not an array'))
  if (type === 'array' && !items) errors.push(required(at(path, 'items'), 'must be specified'))
  if (listType !== undefined) {
    if (type !== 'array') {
      const detail = 'must be array if x-kubernetes-list-type is specified'
      errors.push(type ? invalid(at(path, 'type'), type, detail) : required(at(path, 'type'), detail))
    }
    if (!['atomic', 'map', 'set'].includes(listType)) {
      errors.push(notSupported(listTypePath, listType, ['atomic', 'map', 'set']))
    }
  }
  if (keys.length > 0 && listType !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty'
    errors.push(listType ? invalid(listTypePath, listType, detail) : required(listTypePath, detail))
  }
  if (listType === 'map') errors.push(...keyedListErrors(schema, keys, path))
  if (listType === 'set' && items) errors.push(...setErrors(items, at(path, 'items')))
  return errors
}

function keyedListErrors({ items }: JsonSchema, keys: readonly string[], path: string): FieldError[] {
  const keysPath = at(path, 'x-kubernetes-list-map-keys')
  const itemsPath = at(path, 'items')
  const errors: FieldError[] = []
  if (keys.length === 0) errors.push(required(keysPath, 'must not be empty if x-kubernetes-list-type is map'))
  if (!items) return [...errors, required(itemsPath, 'must have a schema if x-kubernetes-list-type is map')]
  if (items.type !== 'object') {
    const detail = "must be object if parent array's x-kubernetes-list-type is map"
    errors.push(invalid(at(itemsPath, 'type'), items.type, detail))
  }
  if (items.nullable) {
    errors.push(forbidden(at(itemsPath, 'nullable'), 'cannot be nullable when x-kubernetes-list-type is map'))
  }
  const seen = new Set<string>()
  for (const key of keys) {
    if (seen.has(key)) errors.push(invalid(keysPath, keys, 'must not contain duplicate entries'))
    seen.add(key)
    errors.push(...listKeyErrors(items, key, keys, itemsPath, keysPath))
  }
  return errors
}

function listKeyErrors(
  items: JsonSchema,
  key: string,
  keys: readonly string[],
  itemsPath: string,
  keysPath: string,
): FieldError[] {
  const property = items.properties && Object.hasOwn(items.properties, key) ? items.properties[key] : undefined
  if (!property) return [invalid(keysPath, keys, 'entries must all be names of item properties')]
  const path = keyed(itemsPath, 'properties', key)
  const errors: FieldError[] = []
  if (property.type === 'array' || property.type === 'object') {
    const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map"
    errors.push(invalid(at(path, 'type'), property.type, detail))
  }
  if (property.nullable) {
    const detail = 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable'
    errors.push(forbidden(at(path, 'nullable'), detail))
  }
  if (property.default === undefined && !items.required?.includes(key)) {
    const detail = 'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property'
    errors.push(required(at(path, 'default'), detail))
  }
  return errors
}

function setErrors(items: JsonSchema, path: string): FieldError[] {
  const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set'
  const errors: FieldError[] = []
  if (items.nullable) {
    errors.push(forbidden(at(path, 'nullable'), 'cannot be nullable when x-kubernetes-list-type is set'))
  }
  if (items.type === 'array' && items['x-kubernetes-list-type'] !== 'atomic') {
    errors.push(invalid(at(path, 'x-kubernetes-list-type'), items['x-kubernetes-list-type'], detail))
  }
  if (items.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic') {
    errors.push(invalid(at(path, 'x-kubernetes-map-type'), items['x-kubernetes-map-type'], detail))
  }
  return errors
}

function mapErrors(schema: JsonSchema, path: string, { level }: Place): FieldError[] {
  const { type, properties, additionalProperties } = schema
  const mapType = schema['x-kubernetes-map-type']
  const field = at(path, 'additionalProperties')
  const errors: FieldError[] = []
  if (additionalProperties !== undefined) {
    if (level === 'root') errors.push(forbidden(field, 'must not be used at the root'))
    if (schema['x-kubernetes-embedded-resource']) {
      errors.push(forbidden(field, 'must not be used if x-kubernetes-embedded-resource is set'))
    }
    if (Object.keys(properties ?? {}).length > 0 && additionalProperties !== true) {
      errors.push(forbidden(field, 'additionalProperties and properties are mutual exclusive'))
    } else if (additionalProperties === false) {
      errors.push(forbidden(field, 'additionalProperties cannot be set to false'))
    }
  }
  if (mapType !== undefined) {
    if (type !== 'object') {
      const detail = 'must be object if x-kubernetes-map-type is specified'
      errors.push(type ? invalid(at(path, 'type'), type, detail) : required(at(path, 'type'), detail))
    }
    if (mapType !== 'atomic' && mapType !== 'granular') {
      errors.push(notSupported(at(path, 'x-kubernetes-map-type'), mapType, ['atomic', 'granular']))
    }
  }
  return errors
}

function extensionErrors(schema: JsonSchema, path: string): FieldError[] {
  const preserve = 'x-kubernetes-preserve-unknown-fields'
  const embedded = 'x-kubernetes-embedded-resource'
  const detail = 'must be false if x-kubernetes-int-or-string is true'
  const errors: FieldError[] = []
  if (schema[preserve] === false) errors.push(invalid(at(path, preserve), false, 'must be true or undefined'))
  if (schema['x-kubernetes-int-or-string']) {
    if (schema[preserve]) errors.push(invalid(at(path, preserve), true, detail))
    if (schema[embedded]) errors.push(invalid(at(path, embedded), true, detail))
  }
  return errors
}

/** The fields that every resource has are the server's. */
function resourceErrors(schema: JsonSchema, path: string, { level }: Place): FieldError[] {
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true
  const errors: FieldError[] = []
  if (isEmbedded && !schema['x-kubernetes-preserve-unknown-fields'] && !Object.keys(schema.properties ?? {}).length) {
    const detail =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields'
    errors.push(required(at(path, 'properties'), detail))
  }
  if (level !== 'root' && !isEmbedded) return errors
  for (const name of ['kind', 'apiVersion'] as const) {
    const type = schema.properties?.[name]?.type
    if (schema.properties?.[name] && type !== 'string') {
      errors.push(invalid(`${keyed(path, 'properties', name)}.type`, type ?? '', 'must be string'))
    }
  }
  const metadata = schema.properties?.metadata
  if (metadata) errors.push(...metadataErrors(metadata, keyed(path, 'properties', 'metadata'), level === 'root'))
  return errors
}

function metadataErrors(metadata: JsonSchema, path: string, isRoot: boolean): FieldError[] {
  const errors: FieldError[] = []
  if (metadata.type !== 'object') errors.push(invalid(`${path}.type`, metadata.type ?? '', 'must be object'))
  if (!isRoot) return errors
  const { type, description, properties, required: _, ...more } = metadata
  const others = Object.keys(properties ?? {}).filter((name) => name !== 'name' && name !== 'generateName')
  if (others.length > 0 || Object.keys(more).some((key) => !valueRules.has(key))) {
    const detail = 'must not specify anything other than name and generateName, but metadata is implicitly specified'
    errors.push(forbidden(path, detail))
  }
  return errors
}

const valueRules = new Set(['minProperties', 'maxProperties', 'allOf', 'anyOf', 'oneOf', 'not', 'enum', 'default'])

function childErrors(schema: JsonSchema, path: string, place: Place): FieldError[] {
  const errors: FieldError[] = []
  const isResource = place.level === 'root' || schema['x-kubernetes-embedded-resource'] === true
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    const ofMeta = isResource && (name === 'metadata' || name === 'apiVersion' || name === 'kind')
    const defaults = ofMeta
      ? `must not be set in ${place.level === 'root' ? 'top-level' : 'embedded'} ${name}`
      : place.defaults
    errors.push(...schemaErrors(child, keyed(path, 'properties', name), { level: 'field', defaults }))
  }
  if (isObject(schema.additionalProperties)) {
    const inner = { ...place, level: 'field' as const }
    errors.push(...schemaErrors(schema.additionalProperties as JsonSchema, at(path, 'additionalProperties'), inner))
  }
  if (schema.items && !Array.isArray(schema.items)) {
    errors.push(...schemaErrors(schema.items, at(path, 'items'), { ...place, level: 'item' }))
  }
  return errors
}

const junctorNames = ['anyOf', 'allOf', 'oneOf'] as const

/** The branches under a schema's junctors with their paths; not those that only spell out int-or-string. */
function* branches(schema: JsonSchema, path: string): Iterable<[branch: JsonSchema, path: string]> {
  const isIntOrString = schema['x-kubernetes-int-or-string'] === true
  for (const name of junctorNames) {
    if (name === 'anyOf' && isIntOrString && spellsIntOrString(schema.anyOf)) continue
    for (const [index, branch] of (schema[name] ?? []).entries()) {
      const skips = name === 'allOf' && index === 0 && isIntOrString && spellsIntOrString(branch.anyOf)
      yield [skips ? { ...branch, anyOf: undefined } : branch, keyed(path, name, index)]
    }
  }
  if (schema.not) yield [schema.not, at(path, 'not')]
}

const spellsIntOrString = (anyOf: JsonSchema[] | undefined) =>
  equalJson(anyOf, [{ type: 'integer' }, { type: 'string' }])

function junctorErrors(schema: JsonSchema, path: string): FieldError[] {
  return [...branches(schema, path)].flatMap(([branch, branchPath]) => nestedErrors(branch, branchPath))
}

/** What belongs to the structure, and so may not be said under a junctor. */
const structural: readonly [key: keyof JsonSchema, words: string][] = [
  ['type', 'must be empty to be structural'],
  ['additionalProperties', 'must be undefined to be structural'],
  ['default', 'must be undefined to be structural'],
  ['title', 'must be empty to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  ['externalDocs', 'must be undefined to be structural'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
  ['x-kubernetes-embedded-resource', 'must be false to be structural'],
  ['x-kubernetes-int-or-string', 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
  ['x-kubernetes-validations', 'must be empty to be structural'],
]

function nestedErrors(schema: JsonSchema, path: string): FieldError[] {
  const errors = structural
    .filter(([key]) => schema[key] !== undefined && schema[key] !== false && schema[key] !== '')
    .map(([key, words]) => forbidden(at(path, key), words))
  errors.push(...vocabularyErrors(schema, path))
  if (schema.properties?.metadata) {
    errors.push(forbidden(keyed(path, 'properties', 'metadata'), 'must not be specified in a nested context'))
  }
  for (const [inner, innerPath] of nestedChildren(schema, path)) errors.push(...nestedErrors(inner, innerPath))
  return errors
}

function* nestedChildren(schema: JsonSchema, path: string): Iterable<[schema: JsonSchema, path: string]> {
  for (const [name, child] of Object.entries(schema.properties ?? {})) yield [child, keyed(path, 'properties', name)]
  if (schema.items) yield [schema.items, at(path, 'items')]
  yield* branches(schema, path)
}

/** Every field that a junctor speaks of must be part of the structure, too. */
function completenessErrors(schema: JsonSchema, path: string): FieldError[] {
  const errors = [...branches(schema, path)].flatMap(([branch, from]) => missingErrors(schema, path, branch, from))
  for (const [child, childPath] of structureChildren(schema, path)) errors.push(...completenessErrors(child, childPath))
  return errors
}

function* structureChildren(schema: JsonSchema, path: string): Iterable<[schema: JsonSchema, path: string]> {
  for (const [name, child] of Object.entries(schema.properties ?? {})) yield [child, keyed(path, 'properties', name)]
  if (schema.items) yield [schema.items, at(path, 'items')]
  if (isObject(schema.additionalProperties)) {
    yield [schema.additionalProperties as JsonSchema, at(path, 'additionalProperties')]
  }
}

function missingErrors(schema: JsonSchema, path: string, branch: JsonSchema, from: string): FieldError[] {
  const errors: FieldError[] = []
  for (const [name, child] of Object.entries(branch.properties ?? {})) {
    const own = schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined
    const [ownPath, childFrom] = [keyed(path, 'properties', name), keyed(from, 'properties', name)]
    if (own) errors.push(...missingErrors(own, ownPath, child, childFrom))
    else errors.push(required(ownPath, `because it is defined in ${childFrom}`))
  }
  if (branch.items) {
    if (schema.items) errors.push(...missingErrors(schema.items, at(path, 'items'), branch.items, at(from, 'items')))
    else errors.push(required(at(path, 'items'), `because it is defined in ${at(from, 'items')}`))
  }
  for (const [inner, innerFrom] of branches(branch, from)) errors.push(...missingErrors(schema, path, inner, innerFrom))
  return errors
}

/** A default must itself be what the schema asks for, and no more. */
function defaultErrors(schema: JsonSchema): FieldError[] {
  const compiler = new NodeCompiler({})
  const errors: FieldError[] = []
  const visit = (one: JsonSchema, path: string) => {
    if (one.default !== undefined) {
      const node = compiler.node(one)
      const field = at(path, 'default')
      const pruned = cloneJson(one.default)
      prune(node, pruned)
      if (!equalJson(pruned, one.default)) errors.push(invalid(field, one.default, 'must not have unknown fields'))
      errors.push(...validate(node, one.default, { custom: true, path: new Path(field) }))
    }
    for (const [child, childPath] of structureChildren(one, path)) visit(child, childPath)
  }
  visit(schema, '')
  return errors
}
