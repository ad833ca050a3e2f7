import type { JsonSchema } from '#core/registry/resource.ts'
import { objectMetaSchema } from './object-meta.ts'
import { compilePattern, type Pattern } from './pattern.ts'

/**
 * A schema prepared for interpretation. Nodes are made when a walk first reaches them and a named definition has one node
 * however many places refer to it, so that the first use of a kind costs what its objects use, and types may be recursive.
 */
export class SchemaNode {
  /** The schema as written; beside a `$ref`, the definition with what was written there laid over it. */
  readonly schema: JsonSchema
  /** Name of the definition (`io.k8s.api.core.v1.Container`); empty for a schema written in place. */
  readonly definition: string
  readonly type: JsonSchema['type']
  readonly format: string
  readonly nullable: boolean
  /** An integer or a string; `quantity` also takes fractions, as Kubernetes' decoder does. */
  readonly intOrString: boolean
  readonly quantity: boolean
  /** A moment of a built-in kind, and how exact it is kept. */
  readonly clock: 'seconds' | 'microseconds' | undefined
  /** Fields that are not named are kept as they are. */
  readonly preservesUnknown: boolean
  /** An API object of its own, with apiVersion, kind and metadata whether or not the schema names them. */
  readonly isResource: boolean
  /** One within another object. */
  readonly isEmbedded: boolean
  readonly hasDefault: boolean
  readonly enum: EnumRules | undefined
  readonly string: StringRules | undefined
  readonly number: NumberRules | undefined
  readonly array: ArrayRules | undefined
  readonly object: ObjectRules | undefined
  /** Any string will do: the walk over an object, which is mostly such fields, need not look closer. */
  readonly takesAnyString: boolean
  readonly listType: JsonSchema['x-kubernetes-list-type']
  readonly listMapKeys: readonly string[]
  /** An object that is owned and replaced as a whole. */
  readonly isAtomicMap: boolean
  /** Words of x-kubernetes-patch-strategy: `merge`, `replace`, `retainKeys`. */
  readonly patchStrategies: readonly string[]
  readonly patchMergeKey: string

  private readonly compiler: NodeCompiler
  /** Its junctors say once more that it is an integer or a string, as generators of schemas have them do. */
  readonly repeatsIntOrString: boolean
  private readonly hasJunctors: boolean
  private junctorNodes: Junctors | undefined
  private readonly base: SchemaNode | undefined
  private readonly children = new Map<string, SchemaNode>()
  private itemNode: SchemaNode | undefined
  private additionalNode: SchemaNode | undefined
  private defaultedNames: readonly string[] | undefined
  private defaultSize: number | undefined

  constructor(compiler: NodeCompiler, schema: JsonSchema, options: NodeOptions = {}) {
    this.compiler = compiler
    this.base = options.base
    this.schema = schema
    this.definition = options.definition ?? options.base?.definition ?? ''
    this.type = schema.type
    this.format = schema.format ?? ''
    this.nullable = schema.nullable === true
    this.quantity = this.definition.endsWith('.api.resource.Quantity')
    this.clock = clockOf(this.definition)
    this.intOrString = schema['x-kubernetes-int-or-string'] === true || this.format === 'int-or-string' || this.quantity
    this.preservesUnknown = schema['x-kubernetes-preserve-unknown-fields'] === true || saysNothing(schema)
    this.isEmbedded = schema['x-kubernetes-embedded-resource'] === true
    if (this.isEmbedded) compiler.embeds = true
    this.isResource = options.isResource === true || this.isEmbedded
    this.hasDefault = schema.default !== undefined && schema.default !== null
    this.enum = schema.enum && enumRules(schema.enum)
    this.string = stringRules(schema)
    this.number = numberRules(schema)
    this.array = arrayRules(schema)
    this.object = objectRules(schema)
    this.repeatsIntOrString = this.intOrString && repeatsIntOrString(schema)
    this.hasJunctors = Boolean(schema.allOf || schema.anyOf || schema.oneOf || schema.not)
    this.takesAnyString = this.type === 'string' && !this.enum && !this.string && !this.hasJunctors
    this.listType = schema['x-kubernetes-list-type']
    this.listMapKeys = schema['x-kubernetes-list-map-keys'] ?? []
    this.isAtomicMap =
      schema['x-kubernetes-map-type'] === 'atomic' || this.definition.endsWith('.pkg.runtime.RawExtension')
    this.patchStrategies = schema['x-kubernetes-patch-strategy']?.split(',') ?? []
    this.patchMergeKey = schema['x-kubernetes-patch-merge-key'] ?? ''
  }

  /** The schema of a named field; undefined when the schema does not name it. */
  property(name: string): SchemaNode | undefined {
    const known = this.children.get(name)
    if (known) return known
    const made = this.base ? this.base.property(name) : this.makeProperty(name)
    if (made) this.children.set(name, made)
    return made
  }

  private makeProperty(name: string): SchemaNode | undefined {
    const { properties } = this.schema
    const written = properties && Object.hasOwn(properties, name) ? properties[name] : undefined
    if (this.isResource && name === 'metadata') return this.compiler.objectMeta(written)
    if (written) return this.compiler.node(written)
    return this.isResource && (name === 'apiVersion' || name === 'kind') ? this.compiler.text : undefined
  }

  /** The schema of fields that are not named: of a map's values. */
  get additional(): SchemaNode | undefined {
    if (this.base) return this.base.additional
    const written = this.schema.additionalProperties
    if (!written) return undefined
    this.additionalNode ??= written === true ? this.compiler.anything : this.compiler.node(written)
    return this.additionalNode
  }

  /** allOf, anyOf, oneOf and not; made at first use, like fields, because they may refer to the type they are part of. */
  get junctors(): Junctors | undefined {
    if (this.hasJunctors) this.junctorNodes ??= junctors(this.compiler, this.schema)
    return this.junctorNodes
  }

  get items(): SchemaNode | undefined {
    if (this.base) return this.base.items
    if (!this.schema.items) return undefined
    this.itemNode ??= this.compiler.node(this.schema.items)
    return this.itemNode
  }

  /** Whether a walk over this schema, or over another of its set, has come by a resource within another. */
  get embeds(): boolean {
    return this.compiler.embeds
  }

  /** Characters of the default as JSON. */
  get defaultLength(): number {
    this.defaultSize ??= JSON.stringify(this.schema.default).length
    return this.defaultSize
  }

  /** The names of the fields that have a default. */
  get defaulted(): readonly string[] {
    if (this.base) return this.base.defaulted
    this.defaultedNames ??= Object.entries(this.schema.properties ?? {})
      .filter(([name, written]) => this.compiler.hasDefault(written) && !(this.isResource && name === 'metadata'))
      .map(([name]) => name)
    return this.defaultedNames
  }
}

interface NodeOptions {
  definition?: string
  /** The node of the definition whose structure this one shares. */
  base?: SchemaNode
  isResource?: boolean
}

const objectMetaName = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

/** Makes nodes over one set of named definitions and shares those of definitions. */
export class NodeCompiler {
  /** Set by the first node of a resource within another. */
  embeds = false
  readonly anything = new SchemaNode(this, {})
  readonly text = new SchemaNode(this, { type: 'string' })
  private readonly types: Readonly<Record<string, JsonSchema>>
  private readonly named = new Map<string, SchemaNode>()
  private plainObjectMeta: SchemaNode | undefined

  constructor(types: Readonly<Record<string, JsonSchema>>) {
    this.types = types
  }

  /** The node of a kind: an object with apiVersion, kind and metadata. */
  resource(schema: JsonSchema): SchemaNode {
    const resolved = schema.$ref ? { ...this.lookup(definitionName(schema.$ref)), ...schema, $ref: undefined } : schema
    const definition = schema.$ref && definitionName(schema.$ref)
    return new SchemaNode(this, resolved, { isResource: true, ...(definition && { definition }) })
  }

  /** @throws Error when a `$ref` names no definition */
  node(schema: JsonSchema): SchemaNode {
    if (!schema.$ref) return new SchemaNode(this, schema)
    const base = this.definition(definitionName(schema.$ref))
    const { $ref, description, title, ...rest } = schema
    if (Object.keys(rest).length === 0) return base
    return new SchemaNode(this, { ...base.schema, ...rest }, { base })
  }

  /** The shared node of a definition. @throws Error when there is none of that name */
  definition(name: string): SchemaNode {
    const known = this.named.get(name)
    if (known) return known
    const made = new SchemaNode(this, this.lookup(name), { definition: name })
    this.named.set(name, made)
    return made
  }

  /** Whether a field written so has a default; asked without making its node. */
  hasDefault(schema: JsonSchema): boolean {
    if (schema.default !== undefined) return schema.default !== null
    return schema.$ref !== undefined && this.lookup(definitionName(schema.$ref)).default !== undefined
  }

  /** Metadata is the server's: a schema can only narrow it. A `$ref` says which definition it is (ListMeta of lists). */
  objectMeta(written: JsonSchema | undefined): SchemaNode {
    if (written?.$ref) return this.node(written)
    if (written && Object.keys(written.properties ?? {}).length > 0) {
      return new SchemaNode(this, narrowed(objectMetaSchema, written))
    }
    this.plainObjectMeta ??= Object.hasOwn(this.types, objectMetaName)
      ? this.definition(objectMetaName)
      : new SchemaNode(this, objectMetaSchema, { definition: objectMetaName })
    return this.plainObjectMeta
  }

  private lookup(name: string): JsonSchema {
    const schema = Object.hasOwn(this.types, name) ? this.types[name] : undefined
    if (!schema) throw new Error(`schema refers to ${name}, which is not defined`)
    return schema
  }
}

/** `#/definitions/io.k8s.api.core.v1.Pod` and the bare name mean the same. */
function definitionName(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1)
}

function narrowed(whole: JsonSchema, written: JsonSchema): JsonSchema {
  const properties = { ...whole.properties }
  for (const [name, narrower] of Object.entries(written.properties ?? {})) {
    properties[name] = { ...properties[name], ...narrower }
  }
  return { ...whole, ...(written.required && { required: written.required }), properties }
}

function clockOf(definition: string): SchemaNode['clock'] {
  if (definition.endsWith('.meta.v1.Time')) return 'seconds'
  return definition.endsWith('.meta.v1.MicroTime') ? 'microseconds' : undefined
}

/** A schema with no structure at all: any JSON. */
function saysNothing(schema: JsonSchema): boolean {
  return (
    !schema.type &&
    !schema.properties &&
    !schema.items &&
    schema.additionalProperties === undefined &&
    !schema['x-kubernetes-int-or-string']
  )
}

function repeatsIntOrString({ allOf, anyOf, oneOf, not }: JsonSchema): boolean {
  if (allOf || oneOf || not || anyOf?.length !== 2) return false
  const saysOnly = (one: JsonSchema, type: string) => one.type === type && Object.keys(one).length === 1
  return anyOf.some((one) => saysOnly(one, 'integer')) && anyOf.some((one) => saysOnly(one, 'string'))
}

export interface EnumRules {
  /** Strings, numbers and booleans, found at once; objects and lists are compared one by one. */
  readonly scalars: ReadonlySet<unknown>
  readonly values: readonly unknown[]
}

function enumRules(values: readonly unknown[]): EnumRules {
  return { values, scalars: new Set(values.filter((one) => typeof one !== 'object' || one === null)) }
}

export interface StringRules {
  readonly minLength: number
  readonly maxLength: number
  /** As written, for the message; empty for none. */
  readonly pattern: string
  /** @returns undefined when the pattern cannot be compiled, which then holds nothing up */
  readonly expression: Pattern | undefined
  readonly format: string
}

function stringRules(schema: JsonSchema): StringRules | undefined {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern = '', format = '' } = schema
  if (minLength === 0 && maxLength === Number.POSITIVE_INFINITY && !pattern && !format) return undefined
  return { minLength, maxLength, pattern, format, expression: pattern ? compilePattern(pattern) : undefined }
}

export interface NumberRules {
  readonly minimum: number | undefined
  readonly maximum: number | undefined
  readonly exclusiveMinimum: boolean
  readonly exclusiveMaximum: boolean
  readonly multipleOf: number | undefined
}

function numberRules(schema: JsonSchema): NumberRules | undefined {
  const { minimum, maximum, exclusiveMinimum = false, exclusiveMaximum = false, multipleOf } = schema
  if (minimum === undefined && maximum === undefined && multipleOf === undefined) return undefined
  return { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }
}

export interface ArrayRules {
  readonly minItems: number
  readonly maxItems: number
  readonly uniqueItems: boolean
}

function arrayRules(schema: JsonSchema): ArrayRules | undefined {
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY, uniqueItems = false } = schema
  if (minItems === 0 && maxItems === Number.POSITIVE_INFINITY && !uniqueItems) return undefined
  return { minItems, maxItems, uniqueItems }
}

export interface ObjectRules {
  readonly required: readonly string[]
  readonly minProperties: number
  readonly maxProperties: number
  /** `additionalProperties: false`: fields that are not named are faults. */
  readonly closed: boolean
}

function objectRules(schema: JsonSchema): ObjectRules | undefined {
  const { required = [], minProperties = 0, maxProperties = Number.POSITIVE_INFINITY } = schema
  const closed = schema.additionalProperties === false
  if (required.length === 0 && minProperties === 0 && maxProperties === Number.POSITIVE_INFINITY && !closed) {
    return undefined
  }
  return { required, minProperties, maxProperties, closed }
}

export interface Junctors {
  readonly allOf: readonly SchemaNode[]
  readonly anyOf: readonly SchemaNode[]
  readonly oneOf: readonly SchemaNode[]
  readonly not: SchemaNode | undefined
}

function junctors(compiler: NodeCompiler, { allOf, anyOf, oneOf, not }: JsonSchema): Junctors {
  const nodes = (schemas: readonly JsonSchema[] | undefined) => (schemas ?? []).map((one) => compiler.node(one))
  return { allOf: nodes(allOf), anyOf: nodes(anyOf), oneOf: nodes(oneOf), not: not && compiler.node(not) }
}
