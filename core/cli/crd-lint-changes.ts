import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
} from '#apis/apiextensions/v1/zz_generated.types.ts'
import type { JsonSchema } from '#core/registry/resource.ts'
import { equalJson, isObject } from '#core/schema/json.ts'
import { at, keyed, propertiesOf, propertyOf } from '#core/schema/schema-places.ts'
import type { Remark } from './crd-lint-finding.ts'

/**
 * What clients and objects of today will stumble over when a definition replaces another. What the server refuses by itself,
 * such as another scope, is not said again.
 */
export function breakingChanges(crd: CustomResourceDefinition, old: CustomResourceDefinition): Remark[] {
  return [...nameChanges(crd, old), ...old.spec.versions.flatMap((version) => versionChanges(crd, version))]
}

const breaking = (path: string, message: string): Remark => ({ severity: 'breaking', path, message })
const warning = (path: string, message: string): Remark => ({ severity: 'warning', path, message })

function nameChanges({ spec: { names } }: CustomResourceDefinition, old: CustomResourceDefinition): Remark[] {
  const remarks: Remark[] = []
  for (const field of ['singular', 'listKind'] as const) {
    const before = old.spec.names[field]
    if (before && names[field] !== before)
      remarks.push(breaking(`spec.names.${field}`, `was ${JSON.stringify(before)}`))
  }
  for (const field of ['shortNames', 'categories'] as const) {
    const gone = (old.spec.names[field] ?? []).filter((name) => !names[field]?.includes(name))
    if (gone.length > 0) remarks.push(warning(`spec.names.${field}`, `${listed(gone)} gone`))
  }
  return remarks
}

const listed = (names: readonly string[]) =>
  `${names.map((name) => JSON.stringify(name)).join(', ')} ${names.length > 1 ? 'are' : 'is'}`

function versionChanges({ spec }: CustomResourceDefinition, old: CustomResourceDefinitionVersion): Remark[] {
  const index = spec.versions.findIndex(({ name }) => name === old.name)
  const version = spec.versions[index]
  if (!version?.served) {
    if (!old.served) return []
    const path = version ? `spec.versions[${index}].served` : 'spec.versions'
    return [
      breaking(path, `version ${JSON.stringify(old.name)} is served today: clients that use it will find nothing`),
    ]
  }
  const path = `spec.versions[${index}]`
  const [schema, before] = [schemaOf(version), schemaOf(old)]
  const changes = new SchemaChanges()
  if (schema && before) changes.compare(schema, before, `${path}.schema.openAPIV3Schema`)
  return [...changes.remarks, ...subresourceChanges(version, old, path), ...selectorChanges(version, old, path)]
}

const schemaOf = ({ schema }: CustomResourceDefinitionVersion) => schema?.openAPIV3Schema as JsonSchema | undefined

function subresourceChanges(
  { subresources }: CustomResourceDefinitionVersion,
  old: CustomResourceDefinitionVersion,
  path: string,
): Remark[] {
  const remarks: Remark[] = []
  for (const name of ['status', 'scale'] as const) {
    if (old.subresources?.[name] && !subresources?.[name]) {
      remarks.push(breaking(`${path}.subresources.${name}`, `the ${name} subresource is gone`))
    }
  }
  if (subresources?.status && !old.subresources?.status) {
    const message =
      'the status subresource is new: what is written to the status with the rest of the object is dropped from now on'
    remarks.push(breaking(`${path}.subresources.status`, message))
  }
  return remarks
}

function selectorChanges(
  { selectableFields = [] }: CustomResourceDefinitionVersion,
  old: CustomResourceDefinitionVersion,
  path: string,
): Remark[] {
  const gone = (old.selectableFields ?? []).filter(
    (one) => !selectableFields.some(({ jsonPath }) => jsonPath === one.jsonPath),
  )
  return gone.map(({ jsonPath }) => breaking(`${path}.selectableFields`, `${jsonPath} can no longer be selected by`))
}

/** Keywords under which objects of today may be too large, with what they bound. */
const upperBounds = ['maxLength', 'maxItems', 'maxProperties', 'maximum'] as const
const lowerBounds = ['minLength', 'minItems', 'minProperties', 'minimum'] as const
const junctors = ['allOf', 'anyOf', 'oneOf', 'not'] as const

/** Compares two schemas field by field. */
class SchemaChanges {
  readonly remarks: Remark[] = []

  compare(schema: JsonSchema, old: JsonSchema, path: string): void {
    const before = this.remarks.length
    this.#types(schema, old, path)
    // Of another type nothing else can be compared.
    if (this.remarks.length > before) return
    this.#values(schema, old, path)
    this.#bounds(schema, old, path)
    this.#fields(schema, old, path)
    this.#merging(schema, old, path)
    this.#rules(schema, old, path)
    this.#children(schema, old, path)
  }

  #breaks(path: string, message: string): void {
    this.remarks.push(breaking(path, message))
  }

  #types(schema: JsonSchema, old: JsonSchema, path: string): void {
    const [now, was] = [typeOf(schema), typeOf(old)]
    if (now === was || now === 'anything' || (was === 'integer' && now === 'number')) return
    if (now === 'int-or-string' && (was === 'integer' || was === 'string')) return
    this.#breaks(schema.type ? at(path, 'type') : path, `was ${was}, is ${now}`)
  }

  #values(schema: JsonSchema, old: JsonSchema, path: string): void {
    if (schema.enum && !old.enum) this.#breaks(at(path, 'enum'), 'any value was allowed')
    const gone = schema.enum
      ? (old.enum ?? []).filter((one) => !schema.enum!.some((other) => equalJson(one, other)))
      : []
    if (gone.length > 0)
      this.#breaks(at(path, 'enum'), `${gone.map((one) => JSON.stringify(one)).join(', ')} no longer allowed`)
    if (old.nullable && !schema.nullable) this.#breaks(at(path, 'nullable'), 'null is no longer allowed')
    for (const keyword of ['pattern', 'format'] as const) {
      if (schema[keyword] === undefined || schema[keyword] === old[keyword]) continue
      const was = old[keyword] === undefined ? 'there was none' : `was ${JSON.stringify(old[keyword])}`
      this.#breaks(at(path, keyword), `values of today may not match: ${was}`)
    }
    if (schema.multipleOf !== undefined && schema.multipleOf !== old.multipleOf) {
      this.#breaks(at(path, 'multipleOf'), 'values of today may be no multiples')
    }
    if (!equalJson(schema.default, old.default)) {
      const message = `was ${old.default === undefined ? 'absent' : JSON.stringify(old.default)}: objects that leave it out change`
      this.remarks.push(warning(schema.default === undefined ? path : at(path, 'default'), `default ${message}`))
    }
  }

  #bounds(schema: JsonSchema, old: JsonSchema, path: string): void {
    for (const keyword of upperBounds) {
      const now = schema[keyword]
      if (now === undefined || now >= (old[keyword] ?? Number.POSITIVE_INFINITY)) continue
      this.#breaks(at(path, keyword), `was ${old[keyword] ?? 'absent'}, is ${now}`)
    }
    for (const keyword of lowerBounds) {
      const now = schema[keyword]
      const least = keyword === 'minimum' ? Number.NEGATIVE_INFINITY : 0
      if (now === undefined || now <= (old[keyword] ?? least)) continue
      this.#breaks(at(path, keyword), `was ${old[keyword] ?? 'absent'}, is ${now}`)
    }
    for (const keyword of ['exclusiveMinimum', 'exclusiveMaximum'] as const) {
      if (schema[keyword] && !old[keyword]) this.#breaks(at(path, keyword), 'the bound itself was allowed')
    }
  }

  #fields(schema: JsonSchema, old: JsonSchema, path: string): void {
    const isOpen = Boolean(schema['x-kubernetes-preserve-unknown-fields'])
    const takesAny = isOpen || Boolean(schema.additionalProperties)
    if (old['x-kubernetes-preserve-unknown-fields'] && !isOpen) {
      this.#breaks(path, 'unknown fields were kept, and are dropped from now on')
    }
    if (old.additionalProperties && !takesAny) this.#breaks(path, 'any key was allowed')
    for (const [name] of propertiesOf(old)) {
      if (propertyOf(schema, name) || takesAny) continue
      this.#breaks(
        schema.properties ? at(path, 'properties') : path,
        `field ${JSON.stringify(name)} is gone: it is dropped from objects that have it`,
      )
    }
    for (const name of schema.required ?? []) {
      if (old.required?.includes(name) || propertyOf(schema, name)?.default !== undefined) continue
      this.#breaks(at(path, 'required'), `field ${JSON.stringify(name)} was optional, and has no default`)
    }
  }

  /** How objects are applied: who owns what of them. */
  #merging(schema: JsonSchema, old: JsonSchema, path: string): void {
    const usual = { 'x-kubernetes-list-type': 'atomic', 'x-kubernetes-map-type': 'granular' } as const
    for (const keyword of ['x-kubernetes-list-type', 'x-kubernetes-map-type'] as const) {
      const [now, was] = [schema[keyword] ?? usual[keyword], old[keyword] ?? usual[keyword]]
      if (now !== was)
        this.#breaks(
          schema[keyword] ? at(path, keyword) : path,
          `${keyword} was ${was}, is ${now}: fields change their owners`,
        )
    }
    const keys = 'x-kubernetes-list-map-keys'
    if (schema[keys] && old[keys] && !equalJson(schema[keys], old[keys])) {
      this.#breaks(at(path, keys), `were ${old[keys].join(', ')}: items of today may be equal by the new ones`)
    }
  }

  #rules(schema: JsonSchema, old: JsonSchema, path: string): void {
    const known = new Set(old['x-kubernetes-validations']?.map(({ rule }) => rule))
    schema['x-kubernetes-validations']?.forEach(({ rule }, index) => {
      if (known.has(rule)) return
      const place = `${keyed(path, 'x-kubernetes-validations', index)}.rule`
      this.remarks.push(
        warning(place, 'is new: objects of today that break it can be changed only where it is not concerned'),
      )
    })
    for (const keyword of junctors) {
      if (schema[keyword] === undefined || equalJson(schema[keyword], old[keyword])) continue
      this.remarks.push(warning(at(path, keyword), 'has changed: nobody can tell whether objects of today still fit'))
    }
    for (const keyword of ['x-keelson-unique', 'x-keelson-reference'] as const) {
      if (schema[keyword] && !equalJson(schema[keyword], old[keyword])) {
        this.remarks.push(warning(at(path, keyword), 'is new: writes of today may be refused'))
      }
    }
  }

  #children(schema: JsonSchema, old: JsonSchema, path: string): void {
    for (const [name, child] of propertiesOf(schema)) {
      const before = propertyOf(old, name)
      if (before) this.compare(child, before, keyed(path, 'properties', name))
    }
    if (isObject(schema.items) && isObject(old.items)) {
      this.compare(schema.items as JsonSchema, old.items as JsonSchema, at(path, 'items'))
    }
    if (isObject(schema.additionalProperties) && isObject(old.additionalProperties)) {
      const inner = at(path, 'additionalProperties')
      this.compare(schema.additionalProperties as JsonSchema, old.additionalProperties as JsonSchema, inner)
    }
  }
}

function typeOf(schema: JsonSchema): string {
  if (schema['x-kubernetes-int-or-string']) return 'int-or-string'
  return schema.type ?? 'anything'
}
