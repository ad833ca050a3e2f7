/**
 * Checks an expression against an environment: every name is declared, every function and operator has an overload for
 * its arguments. What is dyn is left to the evaluation. Reports all it finds, in the words of the reference.
 */
import type {
  Bind,
  Call,
  Comprehension,
  Conditional,
  Expression,
  Index,
  ListLiteral,
  Logical,
  MapLiteral,
  OptionalMap,
  Select,
  StructLiteral,
} from './ast.ts'
import { qualifiedName } from './ast.ts'
import { type Environment, formatArguments, type Overload, type Reference } from './environment.ts'
import { operators, rangeVariables, type Signature } from './operators.ts'
import { CompileError, type Issue, inOrder, issueAt } from './source.ts'
import {
  Bindings,
  bool,
  bytes,
  double,
  dyn,
  formatType,
  int,
  isOptional,
  isSameType,
  list,
  map,
  nullType,
  optional,
  string,
  type Type,
  uint,
} from './types.ts'
import { Bytes, Double, Uint, type Value } from './values.ts'

/** What the checker found out, by the ids of nodes. */
export interface Checked {
  readonly type: Type
  typeOf(id: number): Type
  /** What an identifier or a qualified name stands for; undefined for variables of macros and plain selections. */
  readonly references: ReadonlyMap<number, Reference>
  /** The overloads of a call that its arguments may be meant for. */
  readonly overloads: ReadonlyMap<number, readonly Overload[]>
  /** The signatures of an operator that its operands may be meant for; of an index, too. */
  readonly signatures: ReadonlyMap<number, readonly Signature[]>
  /** Calls that look like methods but are functions with a qualified name. */
  readonly qualifiedCalls: ReadonlySet<number>
}

/** @throws CompileError with every issue */
export function check(expression: Expression, environment: Environment, text: string): Checked {
  const checker = new Checker(environment, text)
  return checker.check(expression)
}

/** Variables of macros, innermost first. */
interface Scope {
  readonly name: string
  readonly type: Type
  readonly outer: Scope | undefined
}

export function findInScope<S extends { name: string; outer: S | undefined }>(scope: S | undefined, name: string) {
  for (let one = scope; one; one = one.outer) if (one.name === name) return one
  return undefined
}

/** Whether the first name of a qualified name is a variable of a macro, so that the rest are selections. */
export function isLocal<S extends { name: string; outer: S | undefined }>(scope: S | undefined, qualified: string) {
  return findInScope(scope, qualified.split('.', 1)[0]!) !== undefined
}

/** Each shows its line, so an expression that is wrong throughout would be reported at the square of its length. */
const maxIssues = 100

class Checker {
  readonly #environment: Environment
  readonly #text: string
  readonly #bindings = new Bindings()
  readonly #types = new Map<number, Type>()
  readonly #references = new Map<number, Reference>()
  readonly #overloads = new Map<number, readonly Overload[]>()
  readonly #signatures = new Map<number, readonly Signature[]>()
  readonly #qualifiedCalls = new Set<number>()
  readonly #issues: Issue[] = []

  constructor(environment: Environment, text: string) {
    this.#environment = environment
    this.#text = text
  }

  check(expression: Expression): Checked {
    const type = this.#visit(expression, undefined)
    if (this.#issues.length > 0) throw new CompileError(inOrder(this.#issues), this.#text)
    return {
      type: this.#bindings.resolve(type, true),
      typeOf: (id) => this.#bindings.resolve(this.#types.get(id) ?? dyn, true),
      references: this.#references,
      overloads: this.#overloads,
      signatures: this.#signatures,
      qualifiedCalls: this.#qualifiedCalls,
    }
  }

  /** Notes an issue; the type of what is wrong is dyn, so that it causes no further issues. */
  #issue(offset: number, message: string): Type {
    if (this.#issues.length < maxIssues) this.#issues.push(issueAt(this.#text, offset, message))
    return dyn
  }

  #format(type: Type): string {
    return formatType(this.#bindings.resolve(type, true))
  }

  #visit(expression: Expression, scope: Scope | undefined): Type {
    const type = this.#typeOf(expression, scope)
    this.#types.set(expression.id, type)
    return type
  }

  #typeOf(expression: Expression, scope: Scope | undefined): Type {
    switch (expression.kind) {
      case 'literal':
        return typeOfLiteral(expression.value)
      case 'identifier':
        return (
          this.#identifier(expression, expression.name, scope) ?? this.#undeclared(expression.offset, expression.name)
        )
      case 'select':
        return this.#select(expression, scope)
      case 'index':
        return this.#index(expression, scope)
      case 'call':
        return this.#call(expression, scope)
      case 'list':
        return this.#list(expression, scope)
      case 'map':
        return this.#map(expression, scope)
      case 'struct':
        return this.#struct(expression, scope)
      case 'logical':
        return this.#logical(expression, scope)
      case 'conditional':
        return this.#conditional(expression, scope)
      case 'comprehension':
        return this.#comprehension(expression, scope)
      case 'bind':
        return this.#bind(expression, scope)
      case 'optionalMap':
        return this.#optionalMap(expression, scope)
    }
  }

  #undeclared(offset: number, name: string): Type {
    const shown = name.startsWith('.') ? name.slice(1) : name
    return this.#issue(offset, `undeclared reference to '${shown}' (in container '${this.#environment.container}')`)
  }

  #identifier({ id }: Expression, name: string, scope: Scope | undefined): Type | undefined {
    const local = name.includes('.') ? undefined : findInScope(scope, name)
    if (local) return local.type
    if (isLocal(scope, name)) return undefined
    const reference = this.#environment.lookup(name)
    if (reference) this.#references.set(id, reference)
    return reference?.type
  }

  #select(node: Select, scope: Scope | undefined): Type {
    const qualified = qualifiedName(node)
    const referred = qualified === undefined ? undefined : this.#identifier(node, qualified, scope)
    if (referred) return referred
    const operand = this.#bindings.resolve(this.#visit(node.operand, scope))
    const from = isOptional(operand) ? this.#bindings.resolve(operand.params[0]!) : operand
    const field = this.#field(node, from)
    if (node.isTest) return bool
    return node.isOptional || isOptional(operand) ? optional(field) : field
  }

  #field({ field, offset }: Select, from: Type): Type {
    if (from.kind === 'dyn' || this.#becomesDyn(from)) return dyn
    if (from.kind === 'object') return from.fields?.get(field) ?? this.#issue(offset, `undefined field '${field}'`)
    if (from.kind === 'map') return from.params[1]!
    const shown = formatType(this.#bindings.resolve(from))
    return this.#issue(offset, `type '${shown}' does not support field selection`)
  }

  /** Whether a type is not known yet, and is not to be found out from how it is used later either. */
  #becomesDyn(type: Type): boolean {
    return type.kind === 'param' && this.#bindings.isAssignable(dyn, type)
  }

  #index(node: Index, scope: Scope | undefined): Type {
    const name = node.isOptional ? '_[?_]' : '_[_]'
    return this.#operator(node, name, operators.get(name)!, this.#visitAll([node.operand, node.index], scope))
  }

  #call(node: Call, scope: Scope | undefined): Type {
    const operator = operators.get(node.name)
    if (operator && !node.target) return this.#operator(node, node.name, operator, this.#visitAll(node.args, scope))
    const qualified = this.#qualifiedFunction(node, scope)
    if (qualified) return this.#function(node, qualified.name, qualified.overloads, node.args, scope)
    const overloads = this.#environment.overloads(node.name)?.filter(({ isMethod }) => isMethod === !!node.target)
    const args = node.target ? [node.target, ...node.args] : node.args
    if (overloads && (overloads.length > 0 || this.#environment.overloads(node.name)))
      return this.#function(node, node.name, overloads, args, scope)
    this.#visitAll(args, scope)
    return this.#undeclared(node.offset, node.name)
  }

  #qualifiedFunction({ id, target, name }: Call, scope: Scope | undefined) {
    const overloads = qualifiedOverloads(this.#environment, target, name, scope)
    if (overloads) this.#qualifiedCalls.add(id)
    return overloads && { name: overloads[0]!.name, overloads }
  }

  #visitAll(expressions: readonly Expression[], scope: Scope | undefined): Type[] {
    return expressions.map((one) => this.#visit(one, scope))
  }

  #function(
    node: Call,
    name: string,
    overloads: readonly Overload[],
    args: readonly Expression[],
    scope: Scope | undefined,
  ): Type {
    const isMethod = args.length > node.args.length
    const chosen: Overload[] = []
    const type = this.#apply(name, overloads, this.#visitAll(args, scope), node.offset, isMethod, chosen)
    this.#overloads.set(node.id, chosen)
    return type
  }

  #operator({ id, offset }: Expression, name: string, signatures: readonly Signature[], args: readonly Type[]): Type {
    const chosen: Signature[] = []
    const type = this.#apply(name, signatures, args, offset, false, chosen)
    this.#signatures.set(id, chosen)
    return type
  }

  /** The type of the overloads that fit; dyn when they differ. */
  #apply<S extends Signature>(
    name: string,
    signatures: readonly S[],
    args: readonly Type[],
    offset: number,
    isMethod = false,
    chosen: S[] = [],
  ): Type {
    let result: Type | undefined
    for (const signature of signatures) {
      if (!mayFit(signature.params, args)) continue
      const [type, ...params] = this.#bindings.instantiate([signature.result, ...signature.params])
      if (!this.#bindings.areAssignable(params, args)) continue
      chosen.push(signature)
      const found = this.#bindings.resolve(type!)
      result = result === undefined || isSameType(result, found) ? found : dyn
    }
    if (result) return result
    const shown = args.map((one) => this.#bindings.resolve(one, true))
    return this.#issue(
      offset,
      `found no matching overload for '${name}' applied to '${formatArguments(isMethod, shown)}'`,
    )
  }

  #logical({ terms }: Logical, scope: Scope | undefined): Type {
    for (const term of terms) this.#expectBool(term, scope)
    return bool
  }

  #conditional({ test, then, otherwise, offset }: Conditional, scope: Scope | undefined): Type {
    return this.#apply('_?_:_', operators.get('_?_:_')!, this.#visitAll([test, then, otherwise], scope), offset)
  }

  #list({ elements }: ListLiteral, scope: Scope | undefined): Type {
    return list(this.#joined(elements.map((one) => this.#element(one, scope))))
  }

  #map({ entries }: MapLiteral, scope: Scope | undefined): Type {
    const keys = entries.map(({ key }) => this.#visit(key, scope))
    const values = entries.map((entry) => this.#element(entry, scope))
    return map(this.#joined(keys), this.#joined(values))
  }

  #joined(types: readonly Type[]): Type {
    return types.length === 0 ? this.#bindings.fresh() : types.reduce((a, b) => this.#bindings.join(a, b))
  }

  /** The type an element adds: what an optional one holds. */
  #element(element: { value: Expression; isOptional: boolean }, scope: Scope | undefined): Type {
    const type = this.#visit(element.value, scope)
    if (!element.isOptional) return type
    const known = this.#bindings.resolve(type)
    if (isOptional(known)) return known.params[0]!
    if (known.kind === 'dyn') return dyn
    const [want, got] = [this.#format(optional(type)), this.#format(type)]
    return this.#issue(element.value.offset, `expected type '${want}' but found '${got}'`)
  }

  #struct({ name, fields, offset }: StructLiteral, scope: Scope | undefined): Type {
    const type = this.#environment.object(name)
    if (!type) this.#noObject(offset, name)
    for (const field of fields) {
      const value = this.#element(field, scope)
      if (type) this.#structField(type, field.name, value, field.offset)
    }
    return type ?? dyn
  }

  #noObject(offset: number, name: string): void {
    if (this.#environment.lookup(name)?.kind === 'type') this.#issue(offset, `'${name}' is not a message type`)
    else this.#undeclared(offset, name)
  }

  #structField(type: Type, name: string, value: Type, offset: number): void {
    const declared = type.fields?.get(name)
    if (!declared) this.#issue(offset, `undefined field '${name}'`)
    else if (!this.#bindings.isAssignable(declared, value)) {
      const [want, got] = [this.#format(declared), this.#format(value)]
      this.#issue(offset, `expected type of field '${name}' is '${want}' but provided type is '${got}'`)
    }
  }

  #comprehension(node: Comprehension, scope: Scope | undefined): Type {
    const { macro, variables, filter, body } = node
    const range = this.#bindings.resolve(this.#visit(node.range, scope))
    const types = this.#rangeVariables(node, range)
    const inner = variables.reduce<Scope | undefined>((outer, name, i) => ({ name, type: types[i]!, outer }), scope)
    if (filter) this.#expectBool(filter, inner)
    if (macro === 'all' || macro === 'exists' || macro === 'existsOne') return this.#expectBool(body, inner)
    if (macro === 'filter') {
      this.#expectBool(body, inner)
      return list(types[0]!)
    }
    const yielded = this.#visit(body, inner)
    if (macro === 'sortBy') return this.#sorted(node, range, yielded)
    if (macro === 'map' || macro === 'transformList') return list(yielded)
    if (macro === 'transformMap') return map(types[0]!, yielded)
    return this.#entries(body, yielded)
  }

  /** A list can be sorted by what has an order. */
  #sorted({ id, offset }: Comprehension, range: Type, key: Type): Type {
    const name = '@sortByAssociatedKeys'
    const chosen: Signature[] = []
    const type = this.#apply(name, operators.get(name)!, [range, list(key)], offset, true, chosen)
    this.#signatures.set(id, chosen)
    return type
  }

  #rangeVariables({ range, variables }: Comprehension, type: Type): readonly Type[] {
    if (this.#becomesDyn(type)) return [dyn, dyn]
    const types = rangeVariables(type, variables.length)
    if (types) return types
    const shown = this.#format(type)
    this.#issue(
      range.offset,
      `expression of type '${shown}' cannot be range of a comprehension (must be list, map, or dynamic)`,
    )
    return [dyn, dyn]
  }

  #entries(body: Expression, yielded: Type): Type {
    const entry = map(this.#bindings.fresh(), this.#bindings.fresh())
    if (this.#bindings.isAssignable(entry, yielded)) return entry
    return this.#issue(body.offset, `expected type 'map(dyn, dyn)' but found '${this.#format(yielded)}'`)
  }

  #expectBool(expression: Expression, scope: Scope | undefined): Type {
    const type = this.#visit(expression, scope)
    if (!this.#bindings.isAssignable(bool, type))
      this.#issue(expression.offset, `expected type 'bool' but found '${this.#format(type)}'`)
    return bool
  }

  #bind({ name, value, body }: Bind, scope: Scope | undefined): Type {
    return this.#visit(body, { name, type: this.#visit(value, scope), outer: scope })
  }

  #optionalMap({ target, name, body, isFlat }: OptionalMap, scope: Scope | undefined): Type {
    const held = this.#bindings.fresh()
    const type = this.#visit(target, scope)
    if (!this.#bindings.isAssignable(optional(held), type))
      this.#issue(target.offset, `expected type 'optional_type(dyn)' but found '${this.#format(type)}'`)
    const result = this.#visit(body, { name, type: held, outer: scope })
    if (!isFlat) return optional(result)
    const flat = optional(this.#bindings.fresh())
    if (this.#bindings.isAssignable(flat, result)) return flat
    return this.#issue(body.offset, `expected type 'optional_type(dyn)' but found '${this.#format(result)}'`)
  }
}

/** The overloads of a function with a qualified name, such as `optional.of`, that a call with a target may be. */
export function qualifiedOverloads<S extends { name: string; outer: S | undefined }>(
  environment: Environment,
  target: Expression | undefined,
  name: string,
  scope: S | undefined,
): readonly Overload[] | undefined {
  const prefix = target && qualifiedName(target)
  if (prefix === undefined || isLocal(scope, prefix)) return undefined
  return environment.overloads(`${prefix}.${name}`)
}

/** Tells quickly of most that do not fit that they do not. */
function mayFit(params: readonly Type[], args: readonly Type[]): boolean {
  return params.length === args.length && params.every((param, i) => mayBe(param, args[i]!))
}

const mayBe = (param: Type, arg: Type) =>
  (param.kind === arg.kind && param.name === arg.name) || isOpen(param) || isOpen(arg)
const isOpen = ({ kind }: Type) => kind === 'param' || kind === 'dyn' || kind === 'null'

function typeOfLiteral(value: Value): Type {
  if (typeof value === 'number' || typeof value === 'bigint') return int
  if (typeof value === 'string') return string
  if (typeof value === 'boolean') return bool
  if (value instanceof Uint) return uint
  if (value instanceof Double) return double
  return value instanceof Bytes ? bytes : nullType
}
