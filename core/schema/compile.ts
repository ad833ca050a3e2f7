import type { FieldError } from '#apis/meta/v1/field-error.ts'
import type { JsonSchema } from '#core/registry/resource.ts'
import { applyDefaults, dropNulls } from './defaults.ts'
import { coercionError } from './embedded.ts'
import { type JsonObject, own } from './json.ts'
import { NodeCompiler, type SchemaNode } from './node.ts'
import { normalize } from './normalize.ts'
import { type OnUnknown, prune } from './prune.ts'
import { judge } from './rules/judge.ts'
import { type RuleNode, ruleTree } from './rules/rule-tree.ts'
import { typeError } from './type-errors.ts'
import { type ValidateOptions, validate, validateChange } from './validate.ts'

/**
 * The schema of a kind, ready for use. It is interpreted over prepared nodes, which come to be as objects need them:
 * compiling costs next to nothing, whatever the size of the schema.
 */
export class CompiledSchema {
  readonly root: SchemaNode
  private readonly options: ValidateOptions
  /** null before it was looked for. */
  private ruleNode: RuleNode | undefined | null = null

  constructor(root: SchemaNode, builtin: boolean) {
    this.root = root
    this.options = { custom: !builtin }
  }

  /** Removes unknown fields in place. @param onUnknown told the path of each, without the words around it */
  prune(value: unknown, onUnknown?: OnUnknown): void {
    prune(this.root, value, onUnknown)
  }

  /** Sets absent fields to their defaults in place; each value gets copies of its own. */
  applyDefaults(value: unknown): void {
    applyDefaults(this.root, value)
  }

  /** Removes in place the nulls that mean absence. Call it before `applyDefaults`. */
  dropNulls(value: unknown): void {
    dropNulls(this.root, value)
  }

  /** Writes quantities and times in place the one way Kubernetes does. For built-in kinds, once `typeErrors` is content. */
  normalize(value: unknown): void {
    normalize(this.root, value)
  }

  /** All faults. @param old the value before an update: faults of what did not change are not told */
  validate(value: unknown, old?: unknown): FieldError[] {
    return old === undefined
      ? validate(this.root, value, this.options)
      : validateChange(this.root, value, old, this.options)
  }

  /** All faults of the status alone, which is what a write of it is held to; in messages, paths begin there. */
  validateStatus(value: object, old: object): FieldError[] {
    const node = this.root.property('status')
    const status = own(value as JsonObject, 'status')
    if (!node || status === undefined) return []
    const errors = validateChange(node, status, own(old as JsonObject, 'status'), this.options)
    return errors.map((error) => ({ ...error, field: within('status', error.field) }))
  }

  /**
   * The faults that the CEL rules of the schema find, of which built-in kinds have none.
   * @param old the value before an update
   * @param onKept told the faults that an update leaves as they were, and which do not hold it up
   */
  judge(value: unknown, old?: unknown, onKept?: (error: FieldError) => void): FieldError[] {
    const { rules } = this
    return rules ? judge(rules, value, old === undefined ? {} : { old, ...(onKept && { onKept }) }) : []
  }

  /** Where the schema has rules; undefined when it has none. Found out at first use. */
  get rules(): RuleNode | undefined {
    if (this.ruleNode === null) this.ruleNode = this.options.custom ? ruleTree(this.root.schema, true) : undefined
    return this.ruleNode
  }

  /** The first thing that resources within a value say of themselves in the wrong JSON type. Ask once it is pruned. */
  embeddedMisfit(value: unknown): FieldError | undefined {
    return this.root.embeds ? coercionError(this.root, value, '') : undefined
  }

  /** The first fault of JSON types in the words of Go's decoder; for built-in kinds. */
  typeErrors(value: unknown): string | undefined {
    return typeError(this.root, value)
  }
}

/** A path within a field, where `<nil>` and nothing are the field itself. */
function within(field: string, path: string): string {
  if (path === '' || path === '<nil>') return field
  return path.startsWith('[') ? `${field}${path}` : `${field}.${path}`
}

/**
 * Compiles the kinds that share one set of named definitions, and with it the prepared nodes: what Pods, Deployments and
 * Jobs have in common is prepared once.
 */
export class SchemaCompiler {
  private readonly nodes: NodeCompiler
  private readonly builtin: boolean

  /**
   * @param types what `$ref`s name
   * @param options.builtin list types are not enforced, as Kubernetes does not for its own kinds
   */
  constructor(types: Readonly<Record<string, JsonSchema>>, options: { builtin?: boolean } = {}) {
    this.nodes = new NodeCompiler(types)
    this.builtin = options.builtin === true
  }

  /** @param schema of a whole kind: apiVersion, kind and metadata are understood */
  compile(schema: JsonSchema): CompiledSchema {
    return new CompiledSchema(this.nodes.resource(schema), this.builtin)
  }

  /** A named definition by itself: `io.k8s.api.core.v1.PodSpec`. @throws Error when there is none */
  compileDefinition(name: string): CompiledSchema {
    return new CompiledSchema(this.nodes.definition(name), this.builtin)
  }
}

/** For one kind by itself; several over the same types share more through a `SchemaCompiler`. */
export function compileSchema(
  schema: JsonSchema,
  types: Readonly<Record<string, JsonSchema>>,
  options?: { builtin?: boolean },
): CompiledSchema {
  return new SchemaCompiler(types, options).compile(schema)
}
