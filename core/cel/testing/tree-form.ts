/**
 * The form in which the reference shows trees for debugging, on one line: macros as the folds that the reference makes of
 * them, chains as pairs. What follows each node depends on whether the tree is parsed or checked.
 */
import type { Comprehension, Entry, Expression, Field, Logical } from '../ast.ts'
import { bool, bytes, double, dyn, int, nullType, string, type Type, uint } from '../types.ts'
import { Bytes, Double, Uint, type Value } from '../values.ts'
import { quote, quoteBytes } from './quote.ts'

/** What follows a node: the forms tell one or the other. */
export interface Notes {
  type: Type
  /** The kind of a constant. */
  constant?: string
  /** The name of a variable or a type, or ids of overloads. */
  refersTo?: string
}

/** The parts of a fold, printed. */
interface Fold {
  variables: readonly string[]
  range: string
  accumulator: string
  init: string
  condition: string
  step: string
  result: string
}

type Folded = Pick<Fold, 'init' | 'condition' | 'step' | 'result'>

/** The accumulator of macros, which no expression can name. */
const accumulator = '@result'

export abstract class Tree {
  abstract print(node: Expression): string
  protected abstract noted(text: string, notes: Notes): string

  protected call(name: string, args: readonly string[], type: Type, id: string): string {
    return this.noted(`${name}(${args.join()})`, { type, refersTo: id })
  }

  protected variable(name: string, type: Type): string {
    return this.noted(name, { type, refersTo: name })
  }

  protected literal(value: Value): string {
    const [constant, type, text] = shownLiteral(value)
    return this.noted(text, { constant, type })
  }

  protected list(elements: readonly string[], type: Type): string {
    return this.noted(`[${elements.join()}]`, { type })
  }

  protected items(items: readonly (Entry | Field)[]): string {
    const shown = items.map((item) => {
      const name = 'key' in item ? this.print(item.key) : item.name
      return `${item.isOptional ? '?' : ''}${name}:${this.print(item.value)}`
    })
    return `{${shown.join()}}`
  }

  /** A chain as the balanced tree of pairs that the reference makes of it. */
  protected logical({ operator, terms }: Logical): string {
    const id = operator === '&&' ? 'logical_and' : 'logical_or'
    const balanced = (shown: readonly string[]): string => {
      if (shown.length === 1) return shown[0]!
      const half = Math.ceil(shown.length / 2)
      const args = [balanced(shown.slice(0, half)), balanced(shown.slice(half))]
      return this.call(`_${operator}_`, args, bool, id)
    }
    return balanced(terms.map((term) => this.print(term)))
  }

  protected shownFold(fold: Fold, type: Type): string {
    const { variables, range, accumulator, init, condition, step, result } = fold
    const parts = [...variables, range, accumulator, init, condition, step, result]
    return this.noted(`__comprehension__(${parts.join()})`, { type })
  }

  /** @param type that of the whole */
  protected fold(node: Comprehension, type: Type, range = this.print(node.range)): string {
    return this.shownFold({ variables: node.variables, range, accumulator, ...this.#folded(node, type) }, type)
  }

  #folded(node: Comprehension, type: Type): Folded {
    const body = this.print(node.body)
    switch (node.macro) {
      case 'all':
        return this.#all(body)
      case 'exists':
        return this.#exists(body)
      case 'existsOne':
        return this.#existsOne(body)
      case 'filter':
        return this.#collected(
          this.list([], type),
          this.#when(body, this.#more(this.#itemOf(node, type), type), type),
          type,
        )
      case 'map':
      case 'transformList':
        return this.#collected(this.list([], type), this.#filtered(node, this.#more(body, type), type), type)
      case 'transformMap':
      case 'transformMapEntry':
        return this.#collected(
          this.noted('{}', { type }),
          this.#filtered(node, this.#inserted(node, body, type), type),
          type,
        )
      case 'sortBy':
        throw new Error('is two folds')
    }
  }

  #all(body: string): Folded {
    const step = this.call('_&&_', [this.#soFar(bool), body], bool, 'logical_and')
    return {
      init: this.literal(true),
      condition: this.#unlessFalse(this.#soFar(bool)),
      step,
      result: this.#soFar(bool),
    }
  }

  #exists(body: string): Folded {
    const step = this.call('_||_', [this.#soFar(bool), body], bool, 'logical_or')
    const condition = this.#unlessFalse(this.call('!_', [this.#soFar(bool)], bool, 'logical_not'))
    return { init: this.literal(false), condition, step, result: this.#soFar(bool) }
  }

  #existsOne(body: string): Folded {
    const more = this.call('_+_', [this.#soFar(int), this.literal(1)], int, 'add_int64')
    const result = this.call('_==_', [this.#soFar(int), this.literal(1)], bool, 'equals')
    return { init: this.literal(0), condition: this.literal(true), step: this.#when(body, more, int), result }
  }

  #collected(init: string, step: string, type: Type): Folded {
    return { init, condition: this.literal(true), step, result: this.#soFar(type) }
  }

  #soFar(type: Type): string {
    return this.variable(accumulator, type)
  }

  #unlessFalse(test: string): string {
    return this.call('@not_strictly_false', [test], bool, 'not_strictly_false')
  }

  #filtered({ filter }: Comprehension, more: string, type: Type): string {
    return filter ? this.#when(this.print(filter), more, type) : more
  }

  /** The next step, or what there is so far. */
  #when(test: string, more: string, type: Type): string {
    return this.call('_?_:_', [test, more, this.#soFar(type)], type, 'conditional')
  }

  #more(item: string, type: Type): string {
    return this.call('_+_', [this.#soFar(type), this.list([item], type)], type, 'add_list')
  }

  #inserted(node: Comprehension, body: string, type: Type): string {
    const isEntry = node.macro === 'transformMapEntry'
    const args = isEntry ? [this.#soFar(type), body] : [this.#soFar(type), this.#itemOf(node, type), body]
    return this.call('cel.@mapInsert', args, type, isEntry ? '@mapInsert_map_map' : '@mapInsert_map_key_value')
  }

  /** The first variable, of which the items or the keys of what is collected are. */
  #itemOf({ variables: [name] }: Comprehension, { params }: Type): string {
    return this.variable(name, params[0] ?? dyn)
  }
}

/** The kind of a constant, its type, and how it is written. */
function shownLiteral(value: Value): [constant: string, type: Type, text: string] {
  if (typeof value === 'boolean') return ['BoolValue', bool, String(value)]
  if (typeof value === 'number' || typeof value === 'bigint') return ['Int64Value', int, String(value)]
  if (value instanceof Uint) return ['Uint64Value', uint, `${value.value}u`]
  if (value instanceof Double) return ['DoubleValue', double, shownDouble(value.value)]
  if (typeof value === 'string') return ['StringValue', string, quote(value)]
  return value instanceof Bytes ? ['BytesValue', bytes, quoteBytes(value.data)] : ['NullValue', nullType, 'null']
}

/** The shortest digits; with an exponent, of two digits at least, when it is below -4 or above 5. */
function shownDouble(value: number): string {
  if (Object.is(value, -0)) return '-0'
  const shown = value.toExponential()
  const exponent = Number(shown.split('e')[1])
  return exponent >= -4 && exponent < 6 ? String(value) : shown.replace(/e([+-])(\d)$/, 'e$10$2')
}
