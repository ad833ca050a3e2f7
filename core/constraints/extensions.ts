import { type FieldError, forbidden, invalid, notSupported, required } from '#apis/meta/v1/field-error.ts'
import type { JsonSchema } from '#core/registry/resource.ts'
import { isObject } from '#core/schema/json.ts'
import { isSelectable, type Place, placeText } from './place.ts'

/**
 * What a CustomResourceDefinition's schema may say beyond Kubernetes: `x-keelson-unique`, `x-keelson-reference` and
 * `x-keelson-index`. Absent values, null and the empty text are nothing to any of them.
 */
export interface Extensions {
  unique: readonly Unique[]
  references: readonly Reference[]
  indexes: readonly Index[]
}

/** No two objects have the same value here. */
export interface Unique {
  place: Place
  within: 'namespace' | 'cluster'
}

/** The object named here must exist when it is named. */
export interface Reference {
  place: Place
  /** Empty for the core group. */
  group: string
  /** One of both. */
  resource?: string
  kind?: string
  /**
   * Where a namespaced object is looked for: a list of properties leads from the object that has the reference to the name
   * of another namespace; where that is absent, and without one, in the namespace of the object itself.
   */
  namespace: 'same' | 'cluster' | readonly string[]
  /** Whether the object named here can be deleted while it is. */
  onDelete: 'restrict' | 'ignore'
}

/** Objects can be selected by the values here, without looking at all of them. */
export interface Index {
  place: Place
  /** What a field selector calls it. */
  field: string
}

export const uniqueKeyword = 'x-keelson-unique'
export const referenceKeyword = 'x-keelson-reference'
export const indexKeyword = 'x-keelson-index'
const keywords = [uniqueKeyword, referenceKeyword, indexKeyword] as const

/** In the JSON text of any definition that uses an extension. */
export const extensionMark = '"x-keelson-'

/** @param schema valid in Kubernetes' eyes @returns undefined when it uses no extension; faulty ones are left out */
export function extensionsIn(schema: JsonSchema, options: { namespaced: boolean }): Extensions | undefined {
  const reader = new Reader(options.namespaced)
  reader.read(schema)
  const { unique, references, indexes } = reader
  return unique.length + references.length + indexes.length > 0 ? { unique, references, indexes } : undefined
}

/** What is wrong with the extensions a schema uses; paths begin at the schema, as those of `validateStructural` do. */
export function extensionErrors(schema: JsonSchema, options: { namespaced: boolean }): FieldError[] {
  const reader = new Reader(options.namespaced)
  reader.read(schema)
  return reader.errors
}

/** The path of the keyword in the schema whose values are at `place`. */
export function keywordPath(place: Place, keyword: string): string {
  const steps = place.map((step) => {
    if (step === 'items') return 'items'
    return step === 'values' ? 'additionalProperties' : `properties[${step.property}]`
  })
  return [...steps, keyword].join('.')
}

class Reader {
  readonly unique: Unique[] = []
  readonly references: Reference[] = []
  readonly indexes: Index[] = []
  readonly errors: FieldError[] = []
  readonly #namespaced: boolean

  constructor(namespaced: boolean) {
    this.#namespaced = namespaced
  }

  read(schema: JsonSchema): void {
    this.#visit(schema, [])
  }

  #visit(schema: JsonSchema, place: Place): void {
    for (const keyword of keywords) {
      const value = schema[keyword]
      if (value === undefined || value === false) continue
      const error = this.#errorOf(keyword, value, schema, place)
      if (error) this.errors.push(error)
      else this.#take(keyword, value, place)
    }
    this.#refuseInJunctors(schema, place)
    for (const [name, child] of Object.entries(schema.properties ?? {})) {
      this.#visit(child, [...place, { property: name }])
    }
    if (isObject(schema.items)) this.#visit(schema.items as JsonSchema, [...place, 'items'])
    if (isObject(schema.additionalProperties)) {
      this.#visit(schema.additionalProperties as JsonSchema, [...place, 'values'])
    }
  }

  #errorOf(
    keyword: (typeof keywords)[number],
    value: unknown,
    schema: JsonSchema,
    place: Place,
  ): FieldError | undefined {
    const path = keywordPath(place, keyword)
    const [first] = place
    const head = typeof first === 'object' ? first.property : ''
    if (place.length === 0) return forbidden(path, 'must not be set at the root')
    if (['apiVersion', 'kind', 'metadata'].includes(head)) return forbidden(path, `must not be set in ${head}`)
    if (schema.type === 'array') return forbidden(path, 'must not be set for a list: set it for its items')
    if (keyword === uniqueKeyword) return this.#uniqueError(path, value)
    if (schema.type === 'object') return forbidden(path, 'must not be set for an object')
    return keyword === indexKeyword ? indexError(path, value, place) : this.#referenceError(path, value, schema)
  }

  #uniqueError(path: string, value: unknown): FieldError | undefined {
    if (value !== 'namespace' && value !== 'cluster') return notSupported(path, value, ['cluster', 'namespace'])
    if (value === 'cluster' || this.#namespaced) return undefined
    return invalid(path, value, 'must be cluster for a resource without namespaces')
  }

  #referenceError(path: string, value: unknown, schema: JsonSchema): FieldError | undefined {
    if (schema.type !== 'string') return forbidden(path, 'must be set for a string, the name of an object')
    if (!isObject(value)) return invalid(path, value, 'must be an object')
    const { group = '', resource, kind, namespace = 'same', onDelete = 'ignore' } = value
    const texts = Object.entries({ group, resource: resource ?? '', kind: kind ?? '', namespace })
    for (const [name, text] of texts)
      if (typeof text !== 'string') return invalid(`${path}.${name}`, text, 'must be a string')
    if (!resource === !kind) return required(`${path}.resource`, 'either resource or kind must be set, and not both')
    if (onDelete !== 'restrict' && onDelete !== 'ignore') {
      return notSupported(`${path}.onDelete`, onDelete, ['ignore', 'restrict'])
    }
    if (namespace === 'same' || namespace === 'cluster' || namespacePath.test(namespace as string)) return undefined
    return invalid(`${path}.namespace`, namespace, 'must be same, cluster or a path such as .namespace')
  }

  #take(keyword: (typeof keywords)[number], value: unknown, place: Place): void {
    if (keyword === uniqueKeyword) this.unique.push({ place, within: value as Unique['within'] })
    else if (keyword === indexKeyword) this.indexes.push({ place, field: placeText(place) })
    else this.references.push(referenceOf(value as Record<string, string>, place))
  }

  #refuseInJunctors(schema: JsonSchema, place: Place): void {
    const branches = [
      ...(['allOf', 'anyOf', 'oneOf'] as const).flatMap((name) => schema[name] ?? []),
      ...(schema.not ? [schema.not] : []),
    ]
    for (const branch of branches) {
      if (!JSON.stringify(branch).includes(extensionMark)) continue
      this.errors.push(
        forbidden(keywordPath(place, 'x-keelson-*'), 'must not be set within allOf, anyOf, oneOf or not'),
      )
    }
  }
}

const namespacePath = /^(\.[A-Za-z_][A-Za-z0-9_-]*)+$/

function indexError(path: string, value: unknown, place: Place): FieldError | undefined {
  if (value !== true) return invalid(path, value, 'must be true')
  if (isSelectable(place)) return undefined
  return forbidden(
    path,
    'no field selector can name a field whose path has other characters than letters, digits, _ and -',
  )
}

function referenceOf(value: Readonly<Record<string, string>>, place: Place): Reference {
  const { group = '', resource, kind, namespace = 'same', onDelete = 'ignore' } = value
  return {
    place,
    group,
    ...(resource ? { resource } : { kind: kind! }),
    namespace: namespace.startsWith('.') ? namespace.slice(1).split('.') : (namespace as 'same' | 'cluster'),
    onDelete: onDelete as Reference['onDelete'],
  }
}
