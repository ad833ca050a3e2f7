import {
  duplicate,
  type FieldError,
  invalid,
  quoteValue,
  required,
  tooLong,
  tooMany,
  typeInvalid,
} from '#apis/meta/v1/field-error.ts'
import { Comparison, ItemsByKey, keysOf } from './correlation.ts'
import { embeddedErrors } from './embedded.ts'
import { hasFormat } from './formats.ts'
import { canonicalText, equalJson, isObject, type JsonObject, own, typeOfJson } from './json.ts'
import type { ArrayRules, EnumRules, Junctors, NumberRules, ObjectRules, SchemaNode, StringRules } from './node.ts'
import { Path } from './path.ts'
import { matchesPattern } from './pattern.ts'

/** How many faults are looked for. Who sends more is told of a tenth of them. */
export const maxFaults = 10_000

/**
 * All faults of a value, in the words of a kube-apiserver that serves a CustomResourceDefinition.
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation
 */
export interface ValidateOptions {
  /**
   * Custom resources are told faults in the words of Kubernetes' OpenAPI validator, and their lists of type set and map must not
   * repeat themselves; built-in kinds have words of their own, and their lists are left to their rules.
   */
  custom: boolean
  /** Where `value` is, for the paths of errors. */
  path?: Path
}

export function validate(node: SchemaNode, value: unknown, options: ValidateOptions): FieldError[] {
  return faultsOf(walkOver(node, value, options))
}

/**
 * The faults an update brings: what did not change since `old` may stay as faulty as it is, so that a stricter schema
 * does not lock existing objects. What resources within say of themselves counts always, and lists may repeat themselves
 * when one did before.
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-ratcheting
 */
export function validateChange(node: SchemaNode, value: unknown, old: unknown, options: ValidateOptions): FieldError[] {
  const whole = walkOver(node, value, options)
  if (faultsOf(whole).length === 0) return []
  const changed = new Walk(options)
  changed.change(node, value, old)
  const mayRepeat = whole.repeats.length > 0 && walkOver(node, old, options).repeats.length > 0
  return [...changed.errors, ...whole.embeddedErrors, ...(mayRepeat ? [] : whole.repeats)]
}

function walkOver(node: SchemaNode, value: unknown, options: ValidateOptions): Walk {
  const walk = new Walk(options)
  walk.value(node, value)
  return walk
}

const faultsOf = ({ errors, embeddedErrors, repeats }: Walk) =>
  embeddedErrors.length + repeats.length > 0 ? [...errors, ...embeddedErrors, ...repeats] : errors

class Walk {
  readonly errors: FieldError[] = []
  /** Of resources within. */
  readonly embeddedErrors: FieldError[] = []
  /** Of sets and keyed lists. */
  readonly repeats: FieldError[] = []
  private readonly path: Path
  private readonly custom: boolean
  private readonly comparison = new Comparison()

  constructor({ path, custom }: ValidateOptions) {
    this.path = path ?? new Path()
    this.custom = custom
  }

  value(node: SchemaNode, value: unknown): void {
    if (value === null) {
      this.nothing(node)
      return
    }
    this.local(node, value)
    if (Array.isArray(value)) this.items(node, value)
    else if (typeof value === 'object') this.fields(node, value as JsonObject)
  }

  /** As `value`, but silent about whatever is as its counterpart in `old`. */
  change(node: SchemaNode, value: unknown, old: unknown): void {
    if (this.custom ? this.comparison.isUnchanged(node.schema, value, old) : equalJson(value, old)) return
    if (old === undefined || value === null) {
      this.value(node, value)
      return
    }
    this.local(node, value)
    if (Array.isArray(value)) this.changedItems(node, value, Array.isArray(old) ? old : [])
    else if (typeof value === 'object') this.changedFields(node, value as JsonObject, isObject(old) ? old : {})
  }

  /** What holds of a value without looking into its fields or items. */
  private local(node: SchemaNode, value: unknown): void {
    this.type(node, value)
    const { junctors } = node
    if (junctors && !(node.repeatsIntOrString && isIntOrString(value))) this.junctors(junctors, value)
    if (typeof value === 'string') {
      if (node.string) this.text(node.string, value)
    } else if (typeof value === 'number') {
      this.number(node, value)
    } else if (Array.isArray(value)) {
      if (node.array) this.list(node.array, value)
      if (this.custom && node.listType) this.listType(node, value)
    } else if (typeof value === 'object') {
      if (node.object) this.object(node.object, node, value as JsonObject)
      if (node.isEmbedded) this.embedded(node, value as JsonObject)
    }
    if (node.enum) this.enum(node.enum, value)
  }

  private nothing(node: SchemaNode): void {
    if (node.nullable) return
    if (node.type || node.intOrString) this.wrongType(typeName(node), 'null')
    if (node.enum) this.enum(node.enum, null)
  }

  private type(node: SchemaNode, value: unknown): void {
    const { type } = node
    switch (typeof value) {
      case 'string':
        if (type === 'string' || node.intOrString) return
        break
      case 'number':
        if (type === 'number' || (type === 'integer' && Number.isInteger(value))) return
        if (node.intOrString && (node.quantity || Number.isInteger(value))) return
        break
      case 'boolean':
        if (type === 'boolean') return
        break
      default:
        if (type === (Array.isArray(value) ? 'array' : 'object')) return
    }
    if (type === undefined && !node.intOrString) return
    this.mismatch(node, value)
  }

  private mismatch(node: SchemaNode, value: unknown): void {
    // A format takes the type's place in the message, unless the value is a string or a list.
    if (node.format && !node.intOrString && typeof value !== 'string' && !Array.isArray(value)) {
      const got = typeof value !== 'number' ? '' : Number.isInteger(value) ? 'int64' : 'double'
      this.wrongType(node.format, got)
    } else {
      this.wrongType(typeName(node), typeOfJson(value))
    }
  }

  private wrongType(want: string, got: string): void {
    const path = this.path.toString()
    this.errors.push(typeInvalid(path || '<nil>', got, `${path} in body must be of type ${want}: ${quoteValue(got)}`))
  }

  private text(rules: StringRules, value: string): void {
    if (value.length > rules.maxLength && codePoints(value) > rules.maxLength) {
      this.errors.push(tooLong(this.path.toString(), rules.maxLength))
    }
    if (value.length < 2 * rules.minLength && codePoints(value) < rules.minLength) {
      this.fault(value, `should be at least ${rules.minLength} chars long`)
    }
    if (rules.expression && !matchesPattern(rules.expression, value)) {
      this.fault(value, `should match '${rules.pattern}'`)
    }
    if (rules.format && !hasFormat(rules.format, value)) {
      const path = this.path.toString()
      this.errors.push(
        typeInvalid(path, value, `${path} in body must be of type ${rules.format}: ${quoteValue(value)}`),
      )
    }
  }

  private number(node: SchemaNode, value: number): void {
    if (node.type === 'integer' && !inRange(node.format, value)) {
      const format = node.format ? `with format ${node.format}` : '(default format)'
      this.composite(`Checked value must be of type integer ${format} in ${this.path}`)
    }
    if (node.number) this.bounds(node.number, value)
  }

  private bounds(rules: NumberRules, value: number): void {
    const { minimum, maximum, multipleOf } = rules
    if (multipleOf !== undefined && !isMultiple(value, multipleOf)) {
      this.fault(value, `should be a multiple of ${multipleOf}`)
    }
    if (maximum !== undefined && (rules.exclusiveMaximum ? value >= maximum : value > maximum)) {
      this.fault(value, `should be less than ${rules.exclusiveMaximum ? '' : 'or equal to '}${maximum}`)
    }
    if (minimum !== undefined && (rules.exclusiveMinimum ? value <= minimum : value < minimum)) {
      this.fault(
        value,
        `${this.custom ? 'should' : 'must'} be greater than ${rules.exclusiveMinimum ? '' : 'or equal to '}${minimum}`,
      )
    }
  }

  private list(rules: ArrayRules, items: readonly unknown[]): void {
    if (items.length < rules.minItems) {
      this.fault(items.length, `should have at least ${rules.minItems} items`)
    }
    if (items.length > rules.maxItems) {
      this.errors.push(tooMany(this.path.toString(), items.length, rules.maxItems))
    }
    if (rules.uniqueItems && new Set(items.map(canonicalText)).size < items.length) {
      this.fault('', "shouldn't contain duplicates")
    }
  }

  private listType(node: SchemaNode, items: readonly unknown[]): void {
    if (node.listType === 'atomic') return
    if (areDistinctNames(node, items)) return
    const seen = new Set<string>()
    for (let at = 0; at < items.length; at++) {
      const key = node.listType === 'set' ? items[at] : keyOfItem(node, items[at])
      if (key === undefined) continue
      const text = canonicalText(key)
      if (seen.has(text) && this.repeats.length < maxFaults)
        this.repeats.push(duplicate(`${this.path}[${at}]`, JSON.parse(text)))
      seen.add(text)
    }
  }

  private object(rules: ObjectRules, node: SchemaNode, value: JsonObject): void {
    if (rules.minProperties > 0 || rules.maxProperties < Number.POSITIVE_INFINITY) this.size(rules, value)
    for (const name of rules.required) {
      if (!Object.hasOwn(value, name)) this.errors.push(required(this.path.child(name)))
    }
    if (rules.closed) this.closed(node, value)
  }

  private embedded(node: SchemaNode, value: JsonObject): void {
    const metadata = own(value, 'metadata')
    const isSound = metadata === undefined || this.trial(node.property('metadata')!, metadata).length === 0
    this.embeddedErrors.push(...embeddedErrors(value, this.path.toString(), isSound))
  }

  private size(rules: ObjectRules, value: JsonObject): void {
    const count = Object.keys(value).length
    if (count < rules.minProperties) {
      this.fault(rules.minProperties, `should have at least ${rules.minProperties} properties`)
    }
    if (count > rules.maxProperties) {
      this.errors.push(tooMany(this.path.toString(), count, rules.maxProperties))
    }
  }

  private closed(node: SchemaNode, value: JsonObject): void {
    for (const key of Object.keys(value)) {
      if (node.property(key)) continue
      const path = this.path.toString()
      this.errors.push(invalid(path, key, `${path}.${key} in body is a forbidden property`))
    }
  }

  private enum(rules: EnumRules, value: unknown): void {
    if (rules.scalars.has(value)) return
    if (typeof value === 'object' && rules.values.some((one) => equalJson(one, value))) return
    const supported = rules.values.map((one) => JSON.stringify(typeof one === 'string' ? one : JSON.stringify(one)))
    this.errors.push({
      reason: 'FieldValueNotSupported',
      field: this.path.toString(),
      message: `Unsupported value: ${quoteValue(value)}: supported values: ${supported.join(', ')}`,
    })
  }

  private junctors({ allOf, anyOf, oneOf, not }: Junctors, value: unknown): void {
    if (anyOf.length > 0) this.anyOf(anyOf, value)
    if (oneOf.length > 0) this.oneOf(oneOf, value)
    if (allOf.length > 0) this.allOf(allOf, value)
    if (not && this.trial(not, value).length === 0) this.composite(`"${this.path}" must not validate the schema (not)`)
  }

  private anyOf(branches: readonly SchemaNode[], value: unknown): void {
    let nearest: FieldError[] | undefined
    for (const branch of branches) {
      const errors = this.trial(branch, value)
      if (errors.length === 0) return
      if (!nearest || errors.length < nearest.length) nearest = errors
    }
    this.composite(`"${this.path}" must validate at least one schema (anyOf)`)
    this.errors.push(...nearest!)
  }

  private oneOf(branches: readonly SchemaNode[], value: unknown): void {
    const trials = branches.map((branch) => this.trial(branch, value))
    const valid = trials.filter((errors) => errors.length === 0).length
    if (valid === 1) return
    const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`
    this.composite(`"${this.path}" must validate one and only one schema (oneOf). ${found}`)
    if (valid === 0) this.errors.push(...trials.reduce((a, b) => (b.length < a.length ? b : a)))
  }

  private allOf(branches: readonly SchemaNode[], value: unknown): void {
    const failed = branches.map((branch) => this.trial(branch, value)).filter((errors) => errors.length > 0)
    if (failed.length === 0) return
    const none = failed.length === branches.length ? '. None validated' : ''
    this.errors.push(...failed.flat())
    this.composite(`"${this.path}" must validate all the schemas (allOf)${none}`)
  }

  private trial(node: SchemaNode, value: unknown): FieldError[] {
    return walkOver(node, value, { path: this.path, custom: this.custom }).errors
  }

  private items(node: SchemaNode, items: readonly unknown[]): void {
    const schema = node.items
    if (!schema) return
    for (let at = 0; at < items.length && this.errors.length < maxFaults; at++) {
      this.path.push(at)
      this.value(schema, items[at])
      this.path.pop()
    }
  }

  private fields(node: SchemaNode, object: JsonObject): void {
    const { additional } = node
    for (const key in object) {
      const schema = node.property(key) ?? additional
      if (!schema || (schema.takesAnyString && typeof object[key] === 'string')) continue
      if (this.errors.length >= maxFaults) return
      this.path.push(key)
      this.value(schema, object[key])
      this.path.pop()
    }
  }

  /** Only the items of a keyed list have counterparts: others may have moved. */
  private changedItems(node: SchemaNode, items: readonly unknown[], old: readonly unknown[]): void {
    const schema = node.items
    if (!schema) return
    const keys = keysOf(node.schema)
    const before = keys && new ItemsByKey(keys, old)
    for (let at = 0; at < items.length && this.errors.length < maxFaults; at++) {
      this.path.push(at)
      this.change(schema, items[at], before?.counterpart(items[at]))
      this.path.pop()
    }
  }

  private changedFields(node: SchemaNode, object: JsonObject, old: JsonObject): void {
    for (const key of Object.keys(object)) {
      const schema = node.property(key) ?? node.additional
      if (!schema) continue
      if (this.errors.length >= maxFaults) return
      this.path.push(key)
      this.change(schema, object[key], own(old, key))
      this.path.pop()
    }
  }

  private fault(value: unknown, detail: string): void {
    const path = this.path.toString()
    this.errors.push(invalid(path, value, this.custom ? `${path} in body ${detail}` : detail))
  }

  /** Kubernetes loses the path of these: it is in the message only. */
  private composite(detail: string): void {
    this.errors.push(invalid('<nil>', '', detail))
  }
}

const typeName = (node: SchemaNode) => (node.intOrString ? 'integer,string' : String(node.type))

/** A value that needs no second look where either will do. */
const isIntOrString = (value: unknown) => typeof value === 'string' || Number.isSafeInteger(value)

/** What most lists are: their items are told apart by one string each, and all these differ. */
function areDistinctNames({ listType, listMapKeys }: SchemaNode, items: readonly unknown[]): boolean {
  const [name] = listMapKeys
  if (listType === 'map' && listMapKeys.length !== 1) return false
  const names = new Set<unknown>()
  for (const item of items) {
    const one = listType === 'set' ? item : isObject(item) ? own(item, name!) : undefined
    if (typeof one !== 'string') return false
    names.add(one)
  }
  return names.size === items.length
}

/** The values of an item's keys, a default where absent; undefined for what is no object. */
function keyOfItem(node: SchemaNode, item: unknown): JsonObject | undefined {
  if (!isObject(item)) return undefined
  const keys: JsonObject = Object.create(null)
  for (const name of node.listMapKeys) {
    const value = Object.hasOwn(item, name) ? item[name] : node.items?.property(name)?.schema.default
    if (value !== undefined) keys[name] = value
  }
  return keys
}

const int32 = 2 ** 31
const int64 = 2 ** 63

function inRange(format: string, value: number): boolean {
  if (format === 'int32') return value >= -int32 && value < int32
  // 2^63 itself passes: parsed JSON cannot tell it from the greatest int64.
  return value >= -int64 && value <= int64
}

function isMultiple(value: number, of: number): boolean {
  const times = value / of
  return Number.isInteger(times) || Math.abs(times - Math.round(times)) < 1e-9
}

function codePoints(value: string): number {
  let count = 0
  for (const _ of value) count++
  return count
}
