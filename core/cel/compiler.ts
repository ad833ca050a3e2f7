/**
 * Turns a tree into closures, once. What the tree tells is decided here: names become slots or keys, calls the overloads
 * that are left, constants the comparisons made for them. With what a checker found, fewer overloads are left.
 */
import type { Code } from './activation.ts'
import * as arithmetic from './arithmetic.ts'
import type {
  Bind,
  Call,
  Comprehension,
  Conditional,
  Element,
  Expression,
  Identifier,
  Index,
  ListLiteral,
  Literal,
  Logical,
  MapLiteral,
  OptionalMap,
  Select,
  StructLiteral,
} from './ast.ts'
import { qualifiedName } from './ast.ts'
import { type Cost, callCode } from './calls.ts'
import { type Checked, findInScope, isLocal, qualifiedOverloads } from './checker.ts'
import { comprehensionCode } from './comprehensions.ts'
import { chargedCallCode, chargedCode, chargedWhenPresentCode, mayStrain, twiceChargedCode } from './cost/charging.ts'
import { type CostModel, Meter } from './cost/meter.ts'
import type { Price } from './cost/price.ts'
import { functionPrice, operatorPrice } from './cost/prices.ts'
import type { Environment, Overload, Reference } from './environment.ts'
import { equal } from './equality.ts'
import {
  binaryCode,
  binaryOperators,
  equalsConstantCode,
  fastOperators,
  logicalCode,
  unaryCode,
  unaryOperators,
} from './operator-code.ts'
import { adapterOf, withAdapter } from './schema-types.ts'
import {
  alternativeCode,
  constant,
  heldBy,
  indexCode,
  lazyCode,
  localCode,
  optionalIndexCode,
  plainCode,
  structuralCode,
  testCode,
  unread,
  variableCode,
} from './selections.ts'
import { type Equality, equalityOf, joinOf, structuralField, structuralTestCode } from './structural.ts'
import { dyn, type Type } from './types.ts'
import { CelMap, fail, newObject, noSuchOverload, Optional, type Value } from './values.ts'

export interface Compiled {
  readonly code: Code
  /** What every evaluation costs, to be charged by who evaluates. */
  readonly due: number
  /** How many slots its macros need. */
  readonly slots: number
}

/**
 * @param checked what the checker found, when the expression was checked
 * @param costs for code that charges a budget, which it cannot run without; other code charges nothing
 */
export function compileTree(
  expression: Expression,
  environment: Environment,
  checked: Checked | undefined,
  costs?: CostModel,
): Compiled {
  const compiler = new Compiler(environment, checked, costs && new Meter(costs, checked))
  const { code, due } = compiler.apart(expression, undefined)
  return { code, due, slots: compiler.slots }
}

interface Scope {
  readonly name: string
  readonly slot: number
  /** What the variable is when it is first read; undefined when it is set before. */
  readonly value: Code | undefined
  readonly outer: Scope | undefined
}

class Compiler {
  readonly #environment: Environment
  readonly #checked: Checked | undefined
  #meter: Meter | undefined
  /** What the code compiled last costs whenever it runs, to be charged at once with what is around it. */
  #due = 0
  slots = 0

  constructor(environment: Environment, checked: Checked | undefined, meter: Meter | undefined) {
    this.#environment = environment
    this.#checked = checked
    this.#meter = meter
  }

  /** Code that may run or not, and charges what it costs itself. @param base what of it is not charged here */
  branch(node: Expression, scope: Scope | undefined, base = 0): Code {
    const { code, due } = this.apart(node, scope)
    return chargedCode(code, due - base)
  }

  /** Code that is charged by others. */
  apart(node: Expression, scope: Scope | undefined): { code: Code; due: number } {
    const around = this.#due
    this.#due = 0
    const code = this.compile(node, scope)
    const due = this.#due
    this.#due = around
    return { code, due }
  }

  compile(node: Expression, scope: Scope | undefined): Code {
    const meter = this.#meter
    if (!meter) return this.#code(node, scope)
    if (meter.isConstant(node)) return this.#unmetered(node, scope)
    this.#due += meter.own(node)
    return this.#code(node, scope)
  }

  #unmetered(node: Expression, scope: Scope | undefined): Code {
    const meter = this.#meter
    this.#meter = undefined
    const code = this.#code(node, scope)
    this.#meter = meter
    return code
  }

  /** Charges a price that is fixed. @returns a price that depends on the arguments, undefined without a meter */
  #charge(price: Price, [, second]: readonly Expression[]): Cost | undefined {
    if (!this.#meter) return undefined
    if (price.fixed === undefined)
      return ((second?.kind === 'literal' && price.actualWith?.(second.value)) || price.actual) as Cost
    this.#due += price.fixed
    return undefined
  }

  #code(node: Expression, scope: Scope | undefined): Code {
    switch (node.kind) {
      case 'literal':
        return constant(node.value)
      case 'identifier':
        return this.#identifier(node, scope)
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
        return this.#struct(node, scope)
      case 'logical':
        return this.#logical(node, scope)
      case 'conditional':
        return this.#conditional(node, scope)
      case 'comprehension':
        return this.#comprehension(node, scope)
      case 'bind':
        return this.#bind(node, scope)
      case 'optionalMap':
        return this.#optionalMap(node, scope)
    }
  }

  #all(nodes: readonly Expression[], scope: Scope | undefined): Code[] {
    return nodes.map((node) => this.compile(node, scope))
  }

  #typeOf(node: Expression): Type {
    return this.#checked?.typeOf(node.id) ?? dyn
  }

  /** A scope with one more variable, in a slot of its own. */
  #declare(scope: Scope | undefined, name: string, value?: Code): Scope {
    return { name, slot: this.slots++, value, outer: scope }
  }

  #reference(node: Expression, name: string, scope: Scope | undefined): Reference | undefined {
    if (this.#checked) return this.#checked.references.get(node.id)
    return isLocal(scope, name) ? undefined : this.#environment.lookup(name)
  }

  #identifier(node: Identifier, scope: Scope | undefined): Code {
    const local = findInScope(scope, node.name)
    if (local) return local.value ? lazyCode(local.slot, local.value) : localCode(local.slot)
    const reference = this.#reference(node, node.name, scope)
    if (reference) return this.#referenceCode(reference)
    return variableCode(node.name.startsWith('.') ? node.name.slice(1) : node.name)
  }

  #referenceCode(reference: Reference): Code {
    if (reference.kind === 'type') return constant(reference.value)
    return withAdapter(variableCode(reference.name), reference.type)
  }

  #select(node: Select, scope: Scope | undefined): Code {
    const qualified = node.isTest ? undefined : qualifiedName(node)
    const reference = qualified === undefined ? undefined : this.#reference(node, qualified, scope)
    if (reference) return this.#referenceCode(reference)
    const operand = this.compile(node.operand, scope)
    const structural = structuralField(this.#typeOf(node.operand), node.field)
    if (node.isTest) return structural ? structuralTestCode(operand, structural) : testCode(operand, node.field)
    const code = structural ? structuralCode(operand, structural, node) : plainCode(operand, node)
    return withAdapter(this.#chargedWhenPresent(node, code), this.#typeOf(node))
  }

  #chargedWhenPresent(node: Select | Index, code: Code): Code {
    return this.#meter?.isChargedWhenPresent(node) ? chargedWhenPresentCode(code) : code
  }

  #index(node: Index, scope: Scope | undefined): Code {
    const operand = this.compile(node.operand, scope)
    const key = this.compile(node.index, scope)
    const code = (node.isOptional ? optionalIndexCode : indexCode)(operand, key)
    return withAdapter(this.#chargedWhenPresent(node, code), this.#typeOf(node))
  }

  #call(node: Call, scope: Scope | undefined): Code {
    const operator = node.target ? undefined : this.#operator(node, scope)
    if (operator) return operator
    const isQualified = this.#checked
      ? this.#checked.qualifiedCalls.has(node.id)
      : qualifiedOverloads(this.#environment, node.target, node.name, scope) !== undefined
    const name = isQualified ? `${qualifiedName(node.target!)}.${node.name}` : node.name
    const isMethod = node.target !== undefined && !isQualified
    const overloads = this.#checked?.overloads.get(node.id) ?? this.#environment.overloads(name) ?? []
    const args = isMethod ? [node.target!, ...node.args] : node.args
    if (isAlternative(node, isMethod)) return this.#alternative(node, scope)
    const codes = this.#all(args, scope)
    return callCode(name, overloads, isMethod, args, codes, this.#callCost(name, overloads, args))
  }

  /** Calls of a fixed price are charged before; those that may take long nevertheless go on as charged ones. */
  #callCost(name: string, overloads: readonly Overload[], args: readonly Expression[]): Cost | undefined {
    const cost = this.#charge(functionPrice(name, overloads), args)
    return cost ?? (this.#meter && overloads.some(mayStrain) ? () => 0 : undefined)
  }

  /** `optional.or(other)`, `optional.orValue(other)`: the other is evaluated only when it is needed, and the call is free. */
  #alternative({ name, target, args }: Call, scope: Scope | undefined): Code {
    const from = this.compile(target!, scope)
    const other = this.branch(args[0]!, scope)
    return alternativeCode(from, other, name === 'orValue')
  }

  #operator(node: Call, scope: Scope | undefined): Code | undefined {
    const { name, args } = node
    const [a, b] = args
    if (!a || !(unaryOperators.has(name) || binaryOperators.has(name))) return undefined
    const cost = this.#operatorCost(node)
    if (!b) return unaryCode(unaryOperators.get(name)!, this.compile(a, scope))
    if (!cost) return this.#binary(name, a, b, scope)
    return chargedCallCode(this.#valueOperator(name, a), this.#all([a, b], scope), cost)
  }

  #operatorCost(node: Call): Cost | undefined {
    if (this.#meter?.isSetMembership(node)) return undefined
    const signatures = this.#checked?.signatures.get(node.id) ?? []
    const params = signatures.length === 1 ? signatures[0]!.params : undefined
    return this.#charge(operatorPrice(node.name, params), node.args)
  }

  /** What an operator does with two values. @param a its first operand */
  #valueOperator(name: string, a: Expression): arithmetic.Binary {
    if (name === '_==_') return this.#equalityOf(a)
    if (name === '_!=_') {
      const same = this.#equalityOf(a)
      return (x, y) => !same(x, y)
    }
    const join = name === '_+_' ? joinOf(this.#listType(a)) : undefined
    return join ? arithmetic.joining(join) : binaryOperators.get(name)!
  }

  #binary(name: string, a: Expression, b: Expression, scope: Scope | undefined): Code {
    if (name === '_==_' || name === '_!=_') return this.#equality(a, b, name === '_==_', scope)
    if (name === '@in' && b.kind === 'list') return this.#inList(a, b, scope)
    const join = name === '_+_' ? joinOf(this.#listType(a)) : undefined
    if (join) return binaryCode(arithmetic.joining(join), this.compile(a, scope), this.compile(b, scope))
    const fast = fastOperators.get(name)
    if (fast) return fast(this.compile(a, scope), this.compile(b, scope))
    return binaryCode(binaryOperators.get(name)!, this.compile(a, scope), this.compile(b, scope))
  }

  #equality(a: Expression, b: Expression, wanted: boolean, scope: Scope | undefined): Code {
    const [left, right] = this.#all([a, b], scope)
    const same = this.#equalityOf(a)
    if (same !== equal) return (activation) => same(left!(activation), right!(activation)) === wanted
    if (b.kind === 'literal') return equalsConstantCode(left!, b, wanted)
    if (a.kind === 'literal') return equalsConstantCode(right!, a, wanted)
    return (activation) => equal(left!(activation), right!(activation)) === wanted
  }

  /** Values that are no containers have been read by their types. */
  #equalityOf(node: Expression): Equality {
    const type = this.#listType(node)
    return (containers.has(type.kind) && equalityOf(type)) || equal
  }

  /** The type of an operand; what is added to a list leaves it a list of its kind. */
  #listType(node: Expression): Type {
    const type = this.#typeOf(node)
    if (type.kind !== 'list' || node.kind !== 'call' || node.name !== '_+_') return type
    const { identity } = this.#listType(node.args[0]!)
    return identity ? { ...type, identity } : type
  }

  #inList(needle: Expression, haystack: ListLiteral, scope: Scope | undefined): Code {
    const left = this.compile(needle, scope)
    const strings = new Set<Value>()
    for (const { value, isOptional } of haystack.elements) {
      if (isOptional || value.kind !== 'literal' || typeof value.value !== 'string') {
        return binaryCode(arithmetic.isIn, left, this.compile(haystack, scope))
      }
      strings.add(value.value)
    }
    return (activation) => strings.has(left(activation))
  }

  #list({ elements }: ListLiteral, scope: Scope | undefined): Code {
    const values = elements.map(({ value }) => this.compile(value, scope))
    if (elements.every(isConstant)) return constant(elements.map(({ value }) => (value as Literal).value))
    if (!elements.some(({ isOptional }) => isOptional)) return (activation) => values.map((value) => value(activation))
    return (activation) =>
      values.flatMap((value, i) => (elements[i]!.isOptional ? heldBy(value(activation)) : [value(activation)]))
  }

  #map({ entries }: MapLiteral, scope: Scope | undefined): Code {
    const parts = entries.map(({ key, value, isOptional }) => ({
      key: this.compile(key, scope),
      value: this.compile(value, scope),
      isOptional,
    }))
    return (activation) => {
      const map = new CelMap()
      for (const { key, value, isOptional } of parts) {
        const at = key(activation)
        if (map.get(at) !== undefined) fail(`Failed with repeated key: ${String(at)}`)
        const held = isOptional ? heldBy(value(activation)) : [value(activation)]
        if (held.length > 0) map.set(at, held[0])
      }
      return map
    }
  }

  /** An object: of plain properties, without a prototype. */
  #struct({ name: written, fields }: StructLiteral, scope: Scope | undefined): Code {
    const typeName = this.#environment.object(written)?.name ?? written
    const parts = fields.map(({ name, value, isOptional }) => ({ name, isOptional, value: this.compile(value, scope) }))
    return (activation) => {
      const made = newObject(typeName)
      for (const { name, value, isOptional } of parts) {
        const held = isOptional ? heldBy(value(activation)) : [value(activation)]
        if (held.length > 0) made[name] = held[0]
      }
      return made
    }
  }

  #logical({ operator, terms }: Logical, scope: Scope | undefined): Code {
    const codes = terms.map((term, i) => (i === 0 ? this.compile(term, scope) : this.branch(term, scope)))
    return logicalCode(codes, operator === '||')
  }

  #conditional({ test, then, otherwise }: Conditional, scope: Scope | undefined): Code {
    const condition = this.compile(test, scope)
    const [yes, no] = [then, otherwise].map((side) => this.branch(side, scope, this.#meter?.baseOf(side)))
    return (activation) => {
      const decided = condition(activation)
      if (decided === true) return yes!(activation)
      return decided === false ? no!(activation) : noSuchOverload()
    }
  }

  #comprehension(node: Comprehension, scope: Scope | undefined): Code {
    const range = this.compile(node.range, scope)
    const inner = node.variables.reduce<Scope | undefined>((outer, name) => this.#declare(outer, name), scope)
    const filter = node.filter && this.apart(node.filter, inner)
    const body = this.apart(node.body, inner)
    return comprehensionCode({
      macro: node.macro,
      range,
      hasTwo: node.variables.length === 2,
      slot: inner!.slot - node.variables.length + 1,
      adaptElement: adapterOf(this.#typeOf(node.range).params.at(-1) ?? dyn),
      filter: filter?.code,
      body: body.code,
      cost: this.#meter?.loop(node, { filter: filter?.due ?? 0, body: body.due }),
    })
  }

  #bind({ name, value, body }: Bind, scope: Scope | undefined): Code {
    const inner = this.#declare(scope, name, this.branch(value, scope))
    const result = this.compile(body, inner)
    return (activation) => {
      activation.locals[inner.slot] = unread
      return result(activation)
    }
  }

  #optionalMap({ target, name, body, isFlat }: OptionalMap, scope: Scope | undefined): Code {
    const from = this.#optionalMapped(target, scope, isFlat)
    const inner = this.#declare(scope, name)
    const result = this.branch(body, inner)
    return (activation) => {
      const [held] = heldBy(from(activation))
      if (held === undefined) return Optional.none
      activation.locals[inner.slot] = held
      const value = result(activation)
      if (!isFlat) return new Optional(value)
      return value instanceof Optional ? value : noSuchOverload()
    }
  }

  #optionalMapped(target: Expression, scope: Scope | undefined, isFlat: boolean): Code {
    const meter = this.#meter
    if (!meter) return this.compile(target, scope)
    return twiceChargedCode(this.branch(target, scope), { absent: 1, present: 1 + meter.emptyList + (isFlat ? 0 : 1) })
  }
}

const containers = new Set<Type['kind']>(['list', 'map', 'object'])

const isConstant = ({ value, isOptional }: Element) => !isOptional && value.kind === 'literal'

const isAlternative = ({ name, args }: Call, isMethod: boolean) =>
  isMethod && args.length === 1 && (name === 'or' || name === 'orValue')
