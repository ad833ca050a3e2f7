/**
 * What the nodes of a tree cost when they are evaluated, beside their parts and beside calls, whose price depends on
 * their arguments. The numbers follow how the reference evaluates: it takes an identifier with all that is selected
 * from it as one step and one for each selection, and constant lists and conversions as no step at all.
 */
import type { Call, Comprehension, Expression, Index, Select } from '../ast.ts'
import type { Checked } from '../checker.ts'
import { isOptional } from '../types.ts'
import { Bytes } from '../values.ts'
import { creation } from './prices.ts'

/** In what evaluations of the reference differ by how it is set up. */
export interface CostModel {
  /** Whether `has(a.b)` costs a step for the test beside the one for the selection. */
  readonly chargesPresence: boolean
  /** Whether constant lists, maps and conversions are made once and cost nothing. */
  readonly foldsConstants: boolean
}

/** As Kubernetes sets it up. */
export const kubernetesCosts: CostModel = { chargesPresence: false, foldsConstants: true }

/** What a loop costs. */
export interface LoopCost {
  /** Before and after all steps. */
  readonly once: number
  /** Of each step; of the filter and the body what is known before. */
  readonly step: number
  /** Of a step whose predicate, or filter, holds. */
  readonly kept: number
  /** Of finding out that no further step is needed. */
  readonly ended: number
}

export class Meter {
  readonly #model: CostModel
  readonly #checked: Checked | undefined

  constructor(model: CostModel, checked: Checked | undefined) {
    this.#model = model
    this.#checked = checked
  }

  /** Whether it is made before evaluations begin, and costs them nothing. */
  isConstant(node: Expression): boolean {
    switch (node.kind) {
      case 'literal':
        return true
      case 'identifier':
      case 'select':
        return this.#isType(node)
      case 'list':
        return this.#model.foldsConstants && node.elements.every(({ value }) => this.isConstant(value))
      case 'map':
        return (
          this.#model.foldsConstants &&
          node.entries.every(({ key, value }) => this.isConstant(key) && this.isConstant(value))
        )
      case 'call':
        return this.#model.foldsConstants && this.#isConversion(node) && this.isConstant(node.args[0]!)
    }
    return false
  }

  #isType({ id }: Expression): boolean {
    return this.#checked?.references.get(id)?.kind === 'type'
  }

  #isConversion({ name, target, args }: Call): boolean {
    return !target && args.length === 1 && conversions.has(name)
  }

  /** Whether `a in b` asks a set that was made before evaluations began. */
  isSetMembership({ name, args: [, items] }: Call): boolean {
    if (name !== '@in' || items?.kind !== 'list' || !this.isConstant(items)) return false
    return items.elements.every(({ value }) => this.#isPrimitive(value))
  }

  #isPrimitive(node: Expression): boolean {
    if (node.kind === 'literal') return node.value !== null && !(node.value instanceof Bytes)
    return node.kind === 'call' && primitives.has(node.name)
  }

  /** Beside its parts; nothing for calls, and for what is charged when its outcome is known. */
  own(node: Expression): number {
    switch (node.kind) {
      case 'identifier':
        return 1
      case 'select':
        return this.#select(node)
      case 'index':
        return this.#index(node)
      case 'list':
      case 'map':
      case 'struct':
        return creation[node.kind]
      case 'comprehension':
        return this.#loop(node).once
      case 'bind':
        return this.emptyList
      case 'optionalMap':
        return 1
    }
    return 0
  }

  /** A list without elements. */
  get emptyList(): number {
    return this.#model.foldsConstants ? 0 : creation.list
  }

  #select(node: Select): number {
    if (this.#checked?.references.has(node.id)) return 1
    const base = isAttribute(node.operand) ? 0 : 1
    if (node.isTest) return base + (this.#model.chargesPresence ? 1 : 0)
    return base + (this.isChargedWhenPresent(node) ? 0 : 1)
  }

  #index(node: Index): number {
    const base = isAttribute(node.operand) ? 0 : 1
    return base + (this.isChargedWhenPresent(node) ? 0 : 1) - this.baseOf(node.index)
  }

  /** Whether the step is charged only when there is what it selects: once asked, the rest of a path asks too, whatever its type. */
  isChargedWhenPresent({ isOptional: asks, operand }: Select | Index): boolean {
    if (asks || (this.#checked !== undefined && isOptional(this.#checked.typeOf(operand.id)))) return true
    return (operand.kind === 'select' || operand.kind === 'index') && this.isChargedWhenPresent(operand)
  }

  /**
   * What the identifier, or other value, costs from which a node selects: the reference does not charge it again
   * where the node is an index, or one side of a conditional.
   */
  baseOf(node: Expression): number {
    if (node.kind === 'identifier') return this.#isType(node) ? 0 : 1
    if (node.kind !== 'select' && node.kind !== 'index') return 0
    if (node.kind === 'select' && this.#checked?.references.has(node.id)) return 1
    if (node.kind === 'select' && node.isTest && !this.#model.chargesPresence) return 0
    return isAttribute(node.operand) ? this.baseOf(node.operand) : 1
  }

  /** @param parts what is known of their costs before the evaluation */
  loop(node: Comprehension, parts: { filter: number; body: number }): LoopCost {
    const { once, step, kept, ended } = this.#loop(node)
    return node.filter
      ? { once, step: step + parts.filter, kept: kept + parts.body, ended }
      : { once, step: step + parts.body, kept, ended }
  }

  /** Beside the filter and the body. */
  #loop({ macro, filter, body }: Comprehension): LoopCost {
    const yields = creation.list + 2 - (this.isConstant(body) && this.#model.foldsConstants ? creation.list : 0)
    const emptyMap = this.#model.foldsConstants ? 0 : creation.map
    switch (macro) {
      case 'all':
        return { once: 1, step: 3, kept: 0, ended: 2 }
      case 'exists':
        return { once: 1, step: 4, kept: 0, ended: 3 }
      case 'existsOne':
        return { once: 2, step: 0, kept: 2, ended: 0 }
      case 'filter':
        return { once: this.emptyList + 1, step: 0, kept: creation.list + 3, ended: 0 }
      case 'map':
      case 'transformList':
        return this.#yielding(this.emptyList + 1, yields, filter)
      case 'transformMap':
        return this.#yielding(emptyMap + 1, 3, filter)
      case 'transformMapEntry':
        return this.#yielding(emptyMap + 1, 2, filter)
      case 'sortBy':
        return { once: 3 + 2 * this.emptyList, step: yields, kept: 0, ended: 0 }
    }
  }

  #yielding(once: number, each: number, filter: Expression | undefined): LoopCost {
    return filter ? { once, step: 0, kept: each, ended: 0 } : { once, step: each, kept: 0, ended: 0 }
  }
}

const conversions = new Set([
  'bool',
  'bytes',
  'double',
  'dyn',
  'duration',
  'int',
  'string',
  'timestamp',
  'type',
  'uint',
])
const primitives = new Set(['bool', 'double', 'int', 'string', 'uint'])

/** What the reference selects from without a step of its own. */
const isAttribute = ({ kind }: Expression) =>
  kind === 'identifier' || kind === 'select' || kind === 'index' || kind === 'conditional'
