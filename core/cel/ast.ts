/**
 * The tree of an expression. Macros are kinds of their own rather than expanded folds, so that they compile to plain
 * loops. Every node has an id, unique within the expression and dense from 1, and the offset that errors point at: the
 * operator, the opening bracket of a call, the dot of a selection, else the first character.
 */
import type { Value } from './values.ts'

interface Node {
  readonly id: number
  readonly offset: number
}

export interface Literal extends Node {
  readonly kind: 'literal'
  readonly value: Value
}

/** A name; with a leading dot it is looked up in the root scope only. */
export interface Identifier extends Node {
  readonly kind: 'identifier'
  readonly name: string
}

export interface Select extends Node {
  readonly kind: 'select'
  readonly operand: Expression
  readonly field: string
  /** `has(operand.field)`. */
  readonly isTest: boolean
  /** `operand.?field`. */
  readonly isOptional: boolean
}

export interface Index extends Node {
  readonly kind: 'index'
  readonly operand: Expression
  readonly index: Expression
  /** `operand[?index]`. */
  readonly isOptional: boolean
}

/** A function, a method when it has a target, or an operator by its name in the specification, such as `_+_`. */
export interface Call extends Node {
  readonly kind: 'call'
  readonly name: string
  readonly target: Expression | undefined
  readonly args: readonly Expression[]
}

export interface Element {
  readonly value: Expression
  readonly isOptional: boolean
}

export interface ListLiteral extends Node {
  readonly kind: 'list'
  readonly elements: readonly Element[]
}

export interface Entry extends Element {
  readonly key: Expression
  readonly offset: number
}

export interface MapLiteral extends Node {
  readonly kind: 'map'
  readonly entries: readonly Entry[]
}

export interface Field extends Element {
  readonly name: string
  readonly offset: number
}

export interface StructLiteral extends Node {
  readonly kind: 'struct'
  readonly name: string
  readonly fields: readonly Field[]
}

/** A chain of `&&` or of `||`, flat: the order of evaluation is the order of the terms. */
export interface Logical extends Node {
  readonly kind: 'logical'
  readonly operator: '&&' | '||'
  readonly terms: readonly Expression[]
}

export interface Conditional extends Node {
  readonly kind: 'conditional'
  readonly test: Expression
  readonly then: Expression
  readonly otherwise: Expression
}

export type ComprehensionMacro =
  | 'all'
  | 'exists'
  | 'existsOne'
  | 'map'
  | 'filter'
  | 'sortBy'
  | 'transformList'
  | 'transformMap'
  | 'transformMapEntry'

export interface Comprehension extends Node {
  readonly kind: 'comprehension'
  readonly macro: ComprehensionMacro
  readonly range: Expression
  /** One name: the element, or the key of a map. Two: index and element, or key and value. */
  readonly variables: readonly [string] | readonly [string, string]
  readonly filter: Expression | undefined
  /** The predicate, or what each step yields. */
  readonly body: Expression
}

/** `cel.bind(name, value, body)`. */
export interface Bind extends Node {
  readonly kind: 'bind'
  readonly name: string
  readonly value: Expression
  readonly body: Expression
}

/** `target.optMap(name, body)`, or `optFlatMap` when flat. */
export interface OptionalMap extends Node {
  readonly kind: 'optionalMap'
  readonly target: Expression
  readonly name: string
  readonly body: Expression
  readonly isFlat: boolean
}

export type Expression =
  | Literal
  | Identifier
  | Select
  | Index
  | Call
  | ListLiteral
  | MapLiteral
  | StructLiteral
  | Logical
  | Conditional
  | Comprehension
  | Bind
  | OptionalMap

/** `a.b.c` as one name when the expression is nothing but plain selections from an identifier. */
export function qualifiedName(expression: Expression): string | undefined {
  if (expression.kind === 'identifier') return expression.name
  if (expression.kind !== 'select' || expression.isTest || expression.isOptional) return undefined
  const prefix = qualifiedName(expression.operand)
  return prefix === undefined ? undefined : `${prefix}.${expression.field}`
}
