import { type FieldError, forbidden, invalid, required } from '#apis/meta/v1/field-error.ts'
import type { JsonSchema } from '#core/registry/resource.ts'
import { defaultErrors } from './default-errors.ts'
import { equalJson, isObject } from './json.ts'
import { openApiErrors } from './openapi-rules.ts'
import { patternFault } from './pattern.ts'
import { append, at, branchLists, isSet, keyed, propertiesOf, propertyOf, type SchemaFault } from './schema-places.ts'
import { shapeErrors } from './shape.ts'

/**
 * What a CustomResourceDefinition's schema must be so that objects can be pruned, defaulted and merged by it: first that
 * it is structural, then that its defaults are what it asks for, and in any case what each keyword may say.
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export const maxSchemaDepth = 100
export const maxSchemaNodes = 100_000
/** Of all patterns together: compiling them takes a second or so for a million. */
export const maxPatternCharacters = 100_000

export interface JudgedSchema {
  errors: SchemaFault[]
  /** True when the schema has a structure that its CEL rules can be typed by: then they are next to be judged. */
  isStructural: boolean
}

/**
 * @param schema of a whole custom resource, which may be any JSON in truth
 * @param path where it is: `spec.validation.openAPIV3Schema`
 * @param hasStatus whether the status is a subresource, which leaves little to say at the root
 */
export function judgeSchema(schema: JsonSchema, path: string, hasStatus: boolean): JudgedSchema {
  const misfit = sizeError(schema, path)
  const misshapen = misfit ? [misfit] : shapeErrors(schema, path)
  if (misshapen.length > 0) return { errors: misshapen, isStructural: false }
  const errors: SchemaFault[] = rootErrors(schema, path, hasStatus)
  const structural = structuralErrors(schema, path)
  const defaults = structural?.length === 0 ? defaultErrors(schema, path) : []
  for (const found of [structural ?? [], defaults, openApiErrors(schema, path)]) append(errors, found)
  if (!structural && errors.length === 0) errors.push(invalid(path, '', `OpenAPIV3Schema 'schema' is not supported`))
  return {
    errors,
    isStructural: structural?.length === 0 && defaults.length === 0,
  }
}

/** All faults of a schema by itself; paths begin at the schema: `properties[spec].type`, and are empty for the schema itself. */
export function validateStructural(schema: JsonSchema): FieldError[] {
  return judgeSchema(schema, '', false).errors
}

/** Looks before anything recurses: a hostile schema must not exhaust the stack. */
function sizeError(schema: JsonSchema, path: string): FieldError | undefined {
  let layer: unknown[] = isObject(schema) ? [schema] : []
  let nodes = 0
  let characters = 0
  for (let depth = 0; layer.length > 0; depth++) {
    nodes += layer.length
    if (depth > 2 * maxSchemaDepth) return invalid(path, '', `must not be nested deeper than ${maxSchemaDepth} schemas`)
    if (nodes > maxSchemaNodes) return invalid(path, '', `must not have more than ${maxSchemaNodes} values`)
    characters += layer.reduce((sum: number, one) => sum + patternLength(one), 0)
    if (characters > maxPatternCharacters) {
      return invalid(path, '', `must not have patterns of more than ${maxPatternCharacters} characters in all`)
    }
    layer = layer.flatMap((one) => Object.values(one as object).filter((inner) => typeof inner === 'object' && inner))
  }
  return undefined
}

const patternLength = (schema: unknown) =>
  isObject(schema) && typeof schema.pattern === 'string' ? schema.pattern.length : 0

/** What may stand at the root beside a status subresource, under the names that Kubernetes tells. */
const besideStatus = new Map(
  [
    ...['description', 'type', 'format', 'title', 'maximum', 'exclusiveMaximum', 'minimum', 'exclusiveMinimum'],
    ...['maxLength', 'minLength', 'pattern', 'maxItems', 'minItems', 'uniqueItems', 'multipleOf', 'required', 'items'],
    ...['properties', 'externalDocs', 'example'],
  ]
    .map((keyword): [string, string] => [keyword, keyword[0]!.toUpperCase() + keyword.slice(1)])
    .concat([
      ['x-kubernetes-preserve-unknown-fields', 'XPreserveUnknownFields'],
      ['x-kubernetes-validations', 'XValidations'],
    ]),
)

function rootErrors(schema: JsonSchema, path: string, hasStatus: boolean): FieldError[] {
  const errors: FieldError[] = []
  if (hasStatus) {
    const others = Object.keys(schema).filter((keyword) => says(schema, keyword) && !besideStatus.has(keyword))
    if (schema.type && schema.type !== 'object') {
      const detail =
        'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
      errors.push(invalid(at(path, 'type'), schema.type, detail))
    } else if (others.some((keyword) => !keyword.startsWith('x-keelson-'))) {
      const allowed = [...besideStatus.values()].join(' ')
      const detail = `only [${allowed}] fields are allowed at the root of the schema if the status subresource is enabled`
      errors.push(invalid(path, others, detail))
    }
  }
  if (schema.nullable) errors.push(forbidden(at(path, 'nullable'), 'nullable cannot be true at the root'))
  return errors
}

/** Whether a keyword is there with more than the zero of its type. */
function says(schema: JsonSchema, keyword: string): boolean {
  const value = (schema as Record<string, unknown>)[keyword]
  return value !== undefined && value !== null && value !== false && value !== '' && value !== 0
}

/** Where a schema stands: the words of its faults depend on it. */
type Level = 'root' | 'item' | 'field'

/** @returns undefined when the schema has what no structure is made of, and other rules tell that */
function structuralErrors(schema: JsonSchema, path: string): FieldError[] | undefined {
  if (hasUnstructured(schema)) return undefined
  const errors = [...invariantErrors(schema, path, 'root'), ...completenessErrors(schema, schema, path, path)]
  return errors.sort((a, b) => compare(`${a.field}: ${a.message}`, `${b.field}: ${b.message}`))
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

const unstructured = ['id', '$schema', '$ref', 'patternProperties', 'dependencies', 'additionalItems', 'definitions']

function hasUnstructured(schema: JsonSchema): boolean {
  if (unstructured.some((keyword) => isSet(schema, keyword)) || Array.isArray(schema.items)) return true
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) return true
  const nested = [...propertiesOf(schema), ...branchLists(schema)].map(([, inner]) => inner)
  if (schema.items) nested.push(schema.items)
  if (isObject(schema.additionalProperties)) nested.push(schema.additionalProperties as JsonSchema)
  return nested.some(hasUnstructured)
}

function invariantErrors(schema: JsonSchema, path: string, level: Level): FieldError[] {
  const { type, items, additionalProperties } = schema
  const errors: FieldError[] = []
  if (type === 'array' && !items) errors.push(required(at(path, 'items'), 'must be specified'))
  if (items) append(errors, invariantErrors(items, at(path, 'items'), 'item'))
  for (const [name, child] of propertiesOf(schema)) {
    append(errors, invariantErrors(child, keyed(path, 'properties', name), 'field'))
  }
  if (additionalProperties !== undefined) {
    const field = at(path, 'additionalProperties')
    if (level === 'root') errors.push(forbidden(field, 'must not be used at the root'))
    if (isObject(additionalProperties)) append(errors, invariantErrors(additionalProperties, field, 'field'))
  }
  return [
    ...errors,
    ...extensionErrors(schema, path),
    ...valueErrors(schema, path),
    ...typeErrors(schema, path, level),
    ...resourceErrors(schema, path, level),
  ]
}

function extensionErrors(schema: JsonSchema, path: string): FieldError[] {
  if (!schema['x-kubernetes-int-or-string']) return []
  const detail = 'must be false if x-kubernetes-int-or-string is true'
  return (['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource'] as const)
    .filter((extension) => schema[extension])
    .map((extension) => invalid(at(path, extension), true, detail))
}

const missingType: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
}

function typeErrors(schema: JsonSchema, path: string, level: Level): FieldError[] {
  const field = at(path, 'type')
  const errors: FieldError[] = []
  const { type } = schema
  const isOpen = schema['x-kubernetes-int-or-string'] || schema['x-kubernetes-preserve-unknown-fields']
  if (schema['x-kubernetes-embedded-resource'] && type !== 'object') {
    const detail = 'must be object if x-kubernetes-embedded-resource is true'
    errors.push(type ? invalid(field, type, detail) : required(field, detail))
  } else if (!type && !isOpen) {
    errors.push(required(field, missingType[level]))
  }
  if (level === 'root' && type && type !== 'object') errors.push(invalid(field, type, 'must be object at the root'))
  return errors
}

/** The fields that every resource has are the server's. */
function resourceErrors(schema: JsonSchema, path: string, level: Level): FieldError[] {
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true
  const isResource = level === 'root' || isEmbedded
  const errors: FieldError[] = []
  if (isEmbedded && schema.additionalProperties !== undefined) {
    const detail = 'must not be used if x-kubernetes-embedded-resource is set'
    errors.push(forbidden(at(path, 'additionalProperties'), detail))
  }
  for (const name of ['kind', 'apiVersion']) {
    const property = propertyOf(schema, name)
    if (!isResource || !property || property.type === 'string') continue
    errors.push(invalid(`${keyed(path, 'properties', name)}.type`, property.type ?? '', 'must be string'))
  }
  const metadata = propertyOf(schema, 'metadata')
  const metadataPath = keyed(path, 'properties', 'metadata')
  if (metadata && isResource && metadata.type !== 'object') {
    errors.push(invalid(`${metadataPath}.type`, metadata.type ?? '', 'must be object'))
  }
  if (metadata && level === 'root' && restrictsMore(metadata)) {
    const detail = 'must not specify anything other than name and generateName, but metadata is implicitly specified'
    errors.push(forbidden(metadataPath, detail))
  }
  if (isEmbedded && !schema['x-kubernetes-preserve-unknown-fields'] && propertiesOf(schema).length === 0) {
    const detail =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields'
    errors.push(required(at(path, 'properties'), detail))
  }
  return errors
}

/** Whether a schema of metadata says more than what names may look like. */
function restrictsMore(metadata: JsonSchema): boolean {
  const keywords = Object.keys(metadata).filter((keyword) => says(metadata, keyword))
  return (
    keywords.some((keyword) => keyword !== 'type' && keyword !== 'default' && keyword !== 'properties') ||
    propertiesOf(metadata).some(([name]) => name !== 'name' && name !== 'generateName')
  )
}

/** The faults of what stands under junctors, and of the pattern beside them. */
function valueErrors(schema: JsonSchema, path: string, skips: Skips = intOrString(schema)): FieldError[] {
  const errors: FieldError[] = []
  for (const [branchPath, branch, name, index] of branchLists(schema, path)) {
    if (name === 'anyOf' && skips.anyOf) continue
    const within = { anyOf: name === 'allOf' && index === 0 && skips.firstOfAll, firstOfAll: false }
    append(errors, nestedErrors(branch, branchPath, within))
  }
  const fault = schema.pattern ? patternFault(schema.pattern) : ''
  if (fault) {
    const detail = `must be a valid regular expression, but isn't: ${fault}`
    errors.push(invalid(at(path, 'pattern'), schema.pattern, detail))
  }
  return errors
}

/** Which branches only spell out that a value is an integer or a string, the one use of types under junctors. */
interface Skips {
  anyOf: boolean
  firstOfAll: boolean
}

const spellsIntOrString = (anyOf: JsonSchema[] | undefined) =>
  equalJson(anyOf, [{ type: 'integer' }, { type: 'string' }])

const intOrString = ({ anyOf, allOf }: JsonSchema): Skips => ({
  anyOf: spellsIntOrString(anyOf),
  firstOfAll: spellsIntOrString(allOf?.[0]?.anyOf),
})

/** What belongs to the structure, and so may not be said under a junctor. */
const structureWords: readonly [keyword: keyof JsonSchema, words: string][] = [
  ['type', 'must be empty to be structural'],
  ['default', 'must be undefined to be structural'],
  ['title', 'must be empty to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
  ['x-kubernetes-embedded-resource', 'must be false to be structural'],
  ['x-kubernetes-int-or-string', 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
  ['x-kubernetes-validations', 'must be empty to be structural'],
]

function nestedErrors(schema: JsonSchema, path: string, skips: Skips): FieldError[] {
  const errors = valueErrors(schema, path, skips)
  const none = { anyOf: false, firstOfAll: false }
  if (schema.items) append(errors, nestedErrors(schema.items, at(path, 'items'), none))
  for (const [name, child] of propertiesOf(schema)) {
    append(errors, nestedErrors(child, keyed(path, 'properties', name), none))
  }
  if (schema.additionalProperties) {
    errors.push(forbidden(at(path, 'additionalProperties'), 'must be undefined to be structural'))
  }
  for (const [keyword, words] of structureWords) {
    const isEmptyList = Array.isArray(schema[keyword]) && (schema[keyword] as unknown[]).length === 0
    const isSaid = keyword === 'default' ? (schema.default ?? undefined) !== undefined : says(schema, keyword)
    if (isSaid && !isEmptyList) errors.push(forbidden(at(path, keyword), words))
  }
  if (propertyOf(schema, 'metadata')) {
    errors.push(forbidden(keyed(path, 'properties', 'metadata'), 'must not be specified in a nested context'))
  }
  return errors
}

/**
 * Every field that a junctor at the root speaks of must be part of the structure, too.
 * @param branch what stands under the junctors, first the schema itself; @param from where it is
 */
function completenessErrors(schema: JsonSchema, branch: JsonSchema, path: string, from: string): FieldError[] {
  return branchLists(branch, from).flatMap(([nestedFrom, nested]) => missingErrors(schema, nested, path, nestedFrom))
}

function missingErrors(schema: JsonSchema, branch: JsonSchema, path: string, from: string): FieldError[] {
  const errors = completenessErrors(schema, branch, path, from)
  if (branch.items) {
    const [itemsPath, itemsFrom] = [at(path, 'items'), at(from, 'items')]
    if (schema.items) append(errors, missingErrors(schema.items, branch.items, itemsPath, itemsFrom))
    else errors.push(required(itemsPath, `because it is defined in ${itemsFrom}`))
  }
  for (const [name, child] of propertiesOf(branch)) {
    const own = propertyOf(schema, name)
    const [ownPath, childFrom] = [keyed(path, 'properties', name), keyed(from, 'properties', name)]
    if (own) append(errors, missingErrors(own, child, ownPath, childFrom))
    else errors.push(required(ownPath, `because it is defined in ${childFrom}`))
  }
  return errors
}
