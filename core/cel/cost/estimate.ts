/**
 * What an evaluation may cost, before it: the tree is walked with the sizes that the types of variables allow. Follows
 * how the reference walks the tree in which macros are folds, and what Kubernetes knows of sizes, so that the numbers
 * are theirs.
 */
import type {
  Bind,
  Call,
  Comprehension,
  Conditional,
  Element,
  Expression,
  Index,
  ListLiteral,
  Logical,
  MapLiteral,
  OptionalMap,
  Select,
} from '../ast.ts'
import { qualifiedName } from '../ast.ts'
import { type Checked, findInScope } from '../checker.ts'
import { size as lengthOf } from '../text.ts'
import { isOptional, type Type } from '../types.ts'
import { Bytes, type Value } from '../values.ts'
import type { CostModel } from './meter.ts'
import type { Operand } from './price.ts'
import { creation, functionPrice, operatorPrice, sortEstimate, unionOf } from './prices.ts'
import { exactly, free, product, type Range, sum, union, unknown } from './ranges.ts'

/**
 * How large a value may be, by the path to it: the name of a variable and then fields, `@items` or `@indices` of lists,
 * `@keys` or `@values` of maps. It is empty for what no variable leads to. Undefined where it is not known.
 */
export type SizeHints = (path: readonly string[], type: Type) => Range | undefined

export function estimateCost(expression: Expression, checked: Checked, model: CostModel, hints: SizeHints): Range {
  return new Estimator(checked, model, hints).cost(expression, undefined)
}

/** The sizes that the declared types of variables allow. @param typeOf the type of a variable */
export function declaredSizes(typeOf: (variable: string) => Type | undefined): SizeHints {
  return ([variable, ...path]) => {
    if (variable === undefined) return undefined
    // Kubernetes follows all paths from the object that a rule is for, whatever they begin with.
    let type = typeOf(variable) ?? typeOf('self')
    for (const name of path) type = type && step(type, name)
    return type && sizeOfType(type)
  }
}

function step({ kind, params, fields }: Type, name: string): Type | undefined {
  if (name === '@items' || name === '@values') return kind === 'list' ? params[0] : params[1]
  if (name === '@keys') return kind === 'map' ? params[0] : undefined
  return fields?.get(name)
}

/** What has no size by its type, as numbers, is of none. */
function sizeOfType({ kind, maxElements }: Type): Range | undefined {
  if (maxElements !== undefined) return { min: 0, max: maxElements }
  return unsized.has(kind) ? undefined : free
}

const unsized = new Set<Type['kind']>(['list', 'map', 'string', 'bytes', 'dyn', 'param', 'opaque'])

/** How large the parts of a list or a map are. */
interface EntrySizes {
  readonly kind: 'list' | 'map'
  readonly key: Range
  readonly value: Range
}

interface Variable {
  readonly name: string
  readonly path: readonly string[]
  readonly size: Range | undefined
  readonly entries: EntrySizes | undefined
}

/** Variables of macros, innermost first. */
interface Scope extends Variable {
  readonly outer: Scope | undefined
}

class Estimator {
  readonly #checked: Checked
  readonly #model: CostModel
  readonly #hints: SizeHints
  readonly #paths = new Map<number, readonly string[]>()
  readonly #sizes = new Map<number, Range>()
  readonly #entries = new Map<number, EntrySizes>()

  constructor(checked: Checked, model: CostModel, hints: SizeHints) {
    this.#checked = checked
    this.#model = model
    this.#hints = hints
  }

  cost(node: Expression, scope: Scope | undefined): Range {
    switch (node.kind) {
      case 'literal':
        return free
      case 'identifier':
        return exactly(1)
      case 'select':
        return this.#select(node, scope)
      case 'index':
        return this.#index(node, scope)
      case 'call':
        return this.#call(node, scope)
      case 'list':
        return this.#list(node, scope)
      case 'map':
        return this.#map(node, scope)
      case 'struct':
        return sum(exactly(creation.struct), ...node.fields.map(({ value }) => this.cost(value, scope)))
      case 'logical':
        return this.#logical(node, scope)
      case 'conditional':
        return this.#conditional(node, scope)
      case 'comprehension':
        return node.macro === 'sortBy' ? this.#sort(node, scope) : this.#comprehension(node, scope)
      case 'bind':
        return this.#bind(node, scope)
      case 'optionalMap':
        return this.#optionalMap(node, scope)
    }
  }

  #select(node: Select, scope: Scope | undefined): Range {
    if (this.#checked.references.has(node.id)) {
      this.#paths.set(node.id, [qualifiedName(node)!])
      return exactly(1)
    }
    const operand = this.cost(node.operand, scope)
    if (node.isTest) return sum(operand, exactly(this.#model.chargesPresence ? 1 : 0))
    if (node.isOptional) return sum(operand, exactly(1))
    this.#paths.set(node.id, [...this.#pathOf(node.operand, scope), node.field])
    return sum(operand, exactly(selectable.has(this.#typeOf(node.operand).kind) ? 1 : 0))
  }

  #index(node: Index, scope: Scope | undefined): Range {
    const cost = sum(this.cost(node.operand, scope), this.cost(node.index, scope), exactly(1))
    if (node.isOptional) return cost
    const [of] = this.#checked.signatures.get(node.id)?.at(-1)?.params ?? []
    const isList = (of && isOptional(of) ? of.params[0]! : of)?.kind === 'list'
    const entries = this.#entriesOf(node.operand, scope)
    this.#paths.set(node.id, [...this.#pathOf(node.operand, scope), isList ? '@items' : '@values'])
    this.#setSize(node, entries?.value ?? this.#sizeOf(node, scope))
    return cost
  }

  #call(node: Call, scope: Scope | undefined): Range {
    if (node.name === 'dyn') return this.#dyn(node, scope)
    const isMethod = node.target !== undefined && !this.#checked.qualifiedCalls.has(node.id)
    const args = isMethod ? [...node.args, node.target!] : node.args
    const walked = args.map((arg) => ({ cost: this.cost(arg, scope), operand: this.#operand(arg, scope) }))
    // The receiver comes last when costs are walked, and first in prices.
    const operands = walked.map(({ operand }) => operand)
    if (isMethod) operands.unshift(operands.pop()!)
    const estimate = this.#estimate(node, operands)
    if (node.name === '_+_') this.#setEntries(node, unionOfEntries(...this.#entriesOfBoth(node.args, scope)))
    this.#setSize(node, estimate.size ?? this.#sizeOf(node, scope))
    return sum(...walked.map(({ cost }) => cost), estimate.cost)
  }

  /** What a call itself costs, by all that it may be meant for. */
  #estimate(node: Call, operands: readonly Operand[]) {
    const signatures = this.#checked.signatures.get(node.id)
    const overloads = this.#checked.overloads.get(node.id) ?? []
    const name = this.#checked.qualifiedCalls.has(node.id) ? `${qualifiedName(node.target!)}.${node.name}` : node.name
    const prices = signatures
      ? signatures.map(({ params }) => operatorPrice(name, params))
      : overloads.map((overload) => functionPrice(name, [overload]))
    return prices.map((price) => price.estimate(operands)).reduce<Estimated | undefined>(unionOf, undefined)!
  }

  /** It only turns the check of types off. */
  #dyn(node: Call, scope: Scope | undefined): Range {
    const [arg] = node.args
    const cost = this.cost(arg!, scope)
    this.#copySizes(node, arg!, scope)
    return sum(exactly(1), cost)
  }

  #list(node: ListLiteral, scope: Scope | undefined): Range {
    const { cost, size } = this.#elements(node.elements, scope)
    this.#entries.set(node.id, { kind: 'list', key: exactly(1), value: size })
    return sum(cost, exactly(creation.list))
  }

  #map(node: MapLiteral, scope: Scope | undefined): Range {
    const keys = this.#elements(
      node.entries.map(({ key }) => ({ value: key, isOptional: false })),
      scope,
    )
    const values = this.#elements(node.entries, scope)
    this.#entries.set(node.id, { kind: 'map', key: keys.size, value: values.size })
    return sum(keys.cost, values.cost, exactly(creation.map))
  }

  /** What the elements cost, and the size of any of them. */
  #elements(elements: readonly Element[], scope: Scope | undefined): { cost: Range; size: Range } {
    const costs: Range[] = []
    const sizes: Range[] = []
    for (const { value } of elements) {
      costs.push(this.cost(value, scope))
      sizes.push(this.#sizeOrUnknown(value, scope))
    }
    return { cost: sum(...costs), size: sizes.length === 0 ? free : sizes.reduce(union) }
  }

  /** The first term is always evaluated, the others perhaps. */
  #logical({ terms }: Logical, scope: Scope | undefined): Range {
    const costs = terms.map((term) => this.cost(term, scope))
    return { min: costs[0]!.min, max: sum(...costs).max }
  }

  #conditional(node: Conditional, scope: Scope | undefined): Range {
    const { test, then, otherwise } = node
    const [decision, yes, no] = [test, then, otherwise].map((one) => this.cost(one, scope))
    this.#setEntries(node, unionOfEntries(this.#entriesOf(then, scope), this.#entriesOf(otherwise, scope)))
    this.#setSize(node, union(this.#sizeOrUnknown(then, scope), this.#sizeOrUnknown(otherwise, scope)))
    return sum(decision!, union(yes!, no!))
  }

  #comprehension(node: Comprehension, scope: Scope | undefined): Range {
    const range = this.cost(node.range, scope)
    const inner = this.#iterate(node, scope)
    const filter = node.filter ? this.cost(node.filter, inner) : free
    const body = this.cost(node.body, inner)
    const { once, step } = foldCost(node, filter, body)
    const count = this.#sizeOrUnknown(node.range, scope)
    this.#setResult(node, count, inner)
    return sum(range, exactly(once), product(count, step))
  }

  #iterate({ range, variables }: Comprehension, scope: Scope | undefined): Scope {
    const path = this.#pathOf(range, scope)
    const entries = this.#entriesOf(range, scope)
    const isList = (entries?.kind ?? this.#typeOf(range).kind) === 'list'
    const keys = { path: [...path, isList ? '@indices' : '@keys'], size: entries?.key, entries: undefined }
    const values = { path: [...path, isList ? '@items' : '@values'], size: entries?.value, entries: undefined }
    const [first, second] = variables
    if (second === undefined) return { name: first, ...(isList ? values : keys), outer: scope }
    return { name: second, ...values, outer: { name: first, ...keys, outer: scope } }
  }

  /** What is known of the value that a fold makes. */
  #setResult(node: Comprehension, count: Range, inner: Scope): void {
    const { macro, body } = node
    if (macro === 'all' || macro === 'exists' || macro === 'existsOne') {
      this.#sizes.set(node.id, exactly(1))
      return
    }
    this.#sizes.set(node.id, count)
    if (macro === 'transformMap' || macro === 'transformMapEntry') return
    const made = macro === 'filter' ? this.#sizeOfVariable(node, inner) : this.#sizeOrUnknown(body, inner)
    this.#entries.set(node.id, { kind: 'list', key: exactly(1), value: { min: 0, max: made.max } })
  }

  /** Of the element that a filter keeps. */
  #sizeOfVariable({ range }: Comprehension, { path, size }: Scope): Range {
    const type = this.#typeOf(range)
    const element = type.params[0]
    return this.#hints(path, element ?? type) ?? (element && isScalar(element) ? exactly(1) : (size ?? unknown))
  }

  /** Keys are made for all, by which the list is then sorted. */
  #sort(node: Comprehension, scope: Scope | undefined): Range {
    const range = this.cost(node.range, scope)
    const key = this.cost(node.body, this.#iterate(node, scope))
    const count = this.#sizeOrUnknown(node.range, scope)
    const { kind } = this.#typeOf(node.body)
    const { cost, size } = sortEstimate(count, kind === 'string' || kind === 'bytes')
    this.#setSize(node, size)
    const keys = sum(exactly(creation.list + 2), product(count, sum(exactly(creation.list + 2), key)))
    return sum(exactly(creation.list + 1), range, keys, cost)
  }

  #bind(node: Bind, scope: Scope | undefined): Range {
    const value = this.cost(node.value, scope)
    const inner: Scope = {
      name: node.name,
      path: this.#pathOf(node.value, scope),
      size: this.#sizeOf(node.value, scope),
      entries: this.#entriesOf(node.value, scope),
      outer: scope,
    }
    const body = this.cost(node.body, inner)
    this.#copySizes(node, node.body, inner)
    return sum(exactly(creation.list), value, body)
  }

  /** `target.hasValue() ? optional.of(cel.bind(name, target.value(), body)) : optional.none()`. */
  #optionalMap({ target, name, body, isFlat }: OptionalMap, scope: Scope | undefined): Range {
    const asked = sum(this.cost(target, scope), exactly(1))
    const inner: Scope = { name, path: [], size: undefined, entries: undefined, outer: scope }
    const mapped = sum(asked, exactly(creation.list + (isFlat ? 0 : 1)), this.cost(body, inner))
    return sum(asked, union(mapped, exactly(1)))
  }

  #typeOf(node: Expression): Type {
    return this.#checked.typeOf(node.id)
  }

  #pathOf(node: Expression, scope: Scope | undefined): readonly string[] {
    if (node.kind !== 'identifier') return this.#paths.get(node.id) ?? []
    return findInScope(scope, node.name)?.path ?? [node.name]
  }

  #setSize(node: Expression, size: Range | undefined): void {
    if (size) this.#sizes.set(node.id, size)
  }

  #setEntries(node: Expression, entries: EntrySizes | undefined): void {
    if (entries) this.#entries.set(node.id, entries)
  }

  #copySizes(to: Expression, from: Expression, scope: Scope | undefined): void {
    this.#setSize(to, this.#sizeOf(from, scope))
    this.#setEntries(to, this.#entriesOf(from, scope))
  }

  #sizeOf(node: Expression, scope: Scope | undefined): Range | undefined {
    const known = this.#sizes.get(node.id) ?? sizeAsWritten(node)
    if (known) return known
    const type = this.#typeOf(node)
    const hinted = this.#hints(this.#pathOf(node, scope), type)
    if (hinted) {
      this.#sizes.set(node.id, hinted)
      return hinted
    }
    if (isScalar(type)) return exactly(1)
    return node.kind === 'identifier' ? findInScope(scope, node.name)?.size : undefined
  }

  #sizeOrUnknown(node: Expression, scope: Scope | undefined): Range {
    return this.#sizeOf(node, scope) ?? unknown
  }

  #entriesOf(node: Expression, scope: Scope | undefined): EntrySizes | undefined {
    const known = this.#entries.get(node.id)
    if (known || node.kind !== 'identifier') return known
    return findInScope(scope, node.name)?.entries
  }

  #entriesOfBoth([a, b]: readonly Expression[], scope: Scope | undefined) {
    return [this.#entriesOf(a!, scope), this.#entriesOf(b!, scope)] as const
  }

  #operand(node: Expression, scope: Scope | undefined): Operand {
    const type = this.#typeOf(node)
    const [item] = type.params
    const path = this.#pathOf(node, scope)
    const items = item && this.#itemOperand(path, item)
    return {
      type,
      size: this.#sizeOrUnknown(node, scope),
      constant: node.kind === 'literal' ? node.value : undefined,
      items,
    }
  }

  #itemOperand(path: readonly string[], type: Type): Operand {
    const size = this.#hints(path.length === 0 ? [] : [...path, '@items'], type) ?? unknown
    return { type, size, constant: undefined, items: undefined }
  }
}

type Estimated = ReturnType<typeof unionOf>

/** Selections from other types are not known to be any, and cost nothing. */
const selectable = new Set<Type['kind']>(['map', 'object', 'param'])

/** What the fold that stands for a macro costs at its begin and end, and for each element. */
function foldCost({ macro, filter }: Comprehension, test: Range, body: Range): { once: number; step: Range } {
  const yielding = (each: number) =>
    filter ? sum(test, union(sum(exactly(each), body), exactly(1))) : sum(exactly(each), body)
  switch (macro) {
    case 'all':
      return { once: 1, step: sum(exactly(3), { min: 0, max: body.max }) }
    case 'exists':
      return { once: 1, step: sum(exactly(4), { min: 0, max: body.max }) }
    case 'existsOne':
      return { once: 2, step: sum(body, { min: 1, max: 2 }) }
    case 'filter':
      return { once: creation.list + 1, step: sum(body, { min: 1, max: creation.list + 3 }) }
    case 'transformMap':
      return { once: creation.map + 1, step: yielding(3) }
    case 'transformMapEntry':
      return { once: creation.map + 1, step: yielding(2) }
    default:
      return { once: creation.list + 1, step: yielding(creation.list + 2) }
  }
}

function unionOfEntries(a: EntrySizes | undefined, b?: EntrySizes): EntrySizes | undefined {
  return a && b && { kind: a.kind, key: union(a.key, b.key), value: union(a.value, b.value) }
}

/** Of what is written in the expression itself. */
function sizeAsWritten(node: Expression): Range | undefined {
  switch (node.kind) {
    case 'literal':
      return exactly(sizeOfLiteral(node.value))
    case 'list':
      return exactly(node.elements.length)
    case 'map':
      return exactly(node.entries.length)
  }
  return undefined
}

function sizeOfLiteral(value: Value): number {
  if (typeof value === 'string') return lengthOf(value)
  return value instanceof Bytes ? value.data.length : 1
}

const scalars = new Set<Type['kind']>(['bool', 'double', 'duration', 'int', 'timestamp', 'uint'])
const isScalar = (type: Type): boolean => scalars.has(type.kind) || (isOptional(type) && isScalar(type.params[0]!))
