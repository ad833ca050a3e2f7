import type { JsonSchema } from '#core/registry/resource.ts'

/**
 * What a schema of the manifests must obey: the rules of structural schemas, with `$ref` to a named type where a type stands.
 * @returns one line per fault, with the path to it; empty when the schema is sound
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export function structuralFaults(name: string, schema: JsonSchema, types: ReadonlyMap<string, JsonSchema>): string[] {
  return [...faultsOf(schema, name, types)]
}

type Types = ReadonlyMap<string, JsonSchema>

const knownKeys = new Set([
  '$ref',
  'additionalProperties',
  'default',
  'description',
  'enum',
  'format',
  'items',
  'maxItems',
  'maxLength',
  'maximum',
  'minItems',
  'minLength',
  'minimum',
  'nullable',
  'pattern',
  'properties',
  'required',
  'type',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-group-version-kind',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-map-type',
  'x-kubernetes-patch-merge-key',
  'x-kubernetes-patch-strategy',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-unions',
  'x-kubernetes-validations',
])

function* faultsOf(schema: JsonSchema, at: string, types: Types): Generator<string> {
  for (const key of Object.keys(schema)) {
    if (!knownKeys.has(key)) yield `${at}: ${key} is not allowed`
  }
  yield* shapeFaults(schema, at, types)
  if (schema.default !== undefined) yield* valueFaults(schema.default, schema, `${at} default`, types)
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    yield* faultsOf(property, `${at}.${name}`, types)
  if (schema.items) yield* faultsOf(schema.items, `${at}[]`, types)
  if (typeof schema.additionalProperties === 'object') yield* faultsOf(schema.additionalProperties, `${at}{}`, types)
}

function* shapeFaults(schema: JsonSchema, at: string, types: Types): Generator<string> {
  if (schema.$ref) {
    if (!types.has(schema.$ref)) yield `${at}: no type is named ${schema.$ref}`
    if (schema.type) yield `${at}: has both a type and a $ref`
    return
  }
  const isUntyped = schema['x-kubernetes-int-or-string'] || schema['x-kubernetes-preserve-unknown-fields']
  if (!schema.type && !isUntyped) yield `${at}: has no type`
  if (schema.type === 'array' && !schema.items) yield `${at}: has no items`
  if (schema.properties && schema.additionalProperties) yield `${at}: has properties and additionalProperties`
  for (const name of schema.required ?? []) {
    if (!schema.properties?.[name]) yield `${at}: requires ${name}, which is no property`
  }
  yield* listFaults(schema, at, types)
}

function* listFaults(schema: JsonSchema, at: string, types: Types): Generator<string> {
  const keys = schema['x-kubernetes-list-map-keys']
  if ((schema['x-kubernetes-list-type'] === 'map') !== (keys !== undefined))
    yield `${at}: list map without keys, or keys without list map`
  const item = schema.items && resolve(schema.items, types)
  for (const key of keys ?? []) {
    if (!item?.properties?.[key]) yield `${at}: the list map key ${key} is no property of its items`
  }
}

function resolve(schema: JsonSchema, types: Types): JsonSchema | undefined {
  return schema.$ref ? types.get(schema.$ref) : schema
}

/** Whether a default is a value of its schema: types, enums and fields. Required fields may come from further defaults. */
function* valueFaults(value: unknown, of: JsonSchema, at: string, types: Types): Generator<string> {
  const schema = resolve(of, types)
  if (!schema || schema['x-kubernetes-int-or-string'] || schema['x-kubernetes-preserve-unknown-fields']) return
  if (!isOfType(value, schema.type)) yield `${at}: ${JSON.stringify(value)} is no ${schema.type}`
  if (schema.enum && !schema.enum.includes(value)) yield `${at}: ${JSON.stringify(value)} is not in the enum`
  if (Array.isArray(value)) {
    for (const item of value) yield* valueFaults(item, schema.items!, `${at}[]`, types)
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, field] of Object.entries(value)) {
      const property = schema.properties?.[name]
      if (property) yield* valueFaults(field, property, `${at}.${name}`, types)
      else yield `${at}: has ${name}, which is no property`
    }
  }
}

function isOfType(value: unknown, type: JsonSchema['type']): boolean {
  switch (type) {
    case 'integer':
      return Number.isInteger(value)
    case 'array':
      return Array.isArray(value)
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
    default:
      // The remaining types of JSON Schema are called what `typeof` calls them.
      return typeof value === type
  }
}
