/**
 * Prints trees in the form in which the reference shows them for debugging, on one line: macros as the folds that the
 * reference makes of them; of a checked tree, after each node its type and what it refers to, `~int^add_int64`; of a
 * parsed one, after each constant its kind, `#Int64Value`.
 */
import type {
  Bind,
  Call,
  Comprehension,
  Conditional,
  Entry,
  Expression,
  Field,
  Identifier,
  Index,
  Logical,
  OptionalMap,
  Select,
} from '../ast.ts'
import type { Checked } from '../checker.ts'
import type { Signature } from '../operators.ts'
import { formatType } from '../types.ts'
import { Bytes, Double, Uint, type Value } from '../values.ts'
import { overloadId } from './overload-ids.ts'
import { quote, quoteBytes } from './quote.ts'

/** @param text what was parsed: trees do not keep under which name macros were called */
export function printParsed(expression: Expression, text: string): string {
  return new ParsedTree(text).print(expression)
}

interface CheckedForm {
  /** Whether numbers of different types can be compared, which the reference can do without. */
  hasMixedOrder: boolean
  /** The ids of overloads that are not of a library. */
  ids: ReadonlyMap<Signature, string>
}

export function printChecked(expression: Expression, checked: Checked, form: CheckedForm): string {
  return new CheckedTree(checked, form).print(expression)
}

/** What follows a node; either may be unknown to one of the forms. */
interface Notes {
  type?: string
  /** The kind of a constant. */
  constant?: string
  /** The name of a variable or a type, or ids of overloads. */
  refersTo?: string
}

/** The parts of a fold, printed. */
interface Fold {
  variable: string
  range: string
  accumulator: string
  init: string
  condition: string
  step: string
  result: string
}

/** The accumulator of macros, which no expression can name. */
const accumulator = '@result'

abstract class Tree {
  abstract print(node: Expression): string
  protected abstract noted(text: string, notes: Notes): string

  protected call(name: string, args: readonly string[], type: string, id: string): string {
    return this.noted(`${name}(${args.join()})`, { type, refersTo: id })
  }

  protected variable(name: string, type: string): string {
    return this.noted(name, { type, refersTo: name })
  }

  protected literal(value: Value): string {
    const [constant, type, text] = shownLiteral(value)
    return this.noted(text, { constant, type })
  }

  protected list(elements: readonly string[], type: string): string {
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
      return this.call(`_${operator}_`, args, 'bool', id)
    }
    return balanced(terms.map((term) => this.print(term)))
  }

  /** A macro of one variable. @param type that of the whole */
  protected fold(node: Comprehension, type: string): string {
    const range = this.print(node.range)
    const base = { variable: node.variables[0], range, accumulator }
    return this.noted(shownFold({ ...base, ...this.#folded(node, type) }), { type })
  }

  #folded(node: Comprehension, type: string): Pick<Fold, 'init' | 'condition' | 'step' | 'result'> {
    const body = this.print(node.body)
    const so = (type: string) => this.variable(accumulator, type)
    const unlessFalse = (test: string) => this.call('@not_strictly_false', [test], 'bool', 'not_strictly_false')
    const always = this.literal(true)
    switch (node.macro) {
      case 'all': {
        const step = this.call('_&&_', [so('bool'), body], 'bool', 'logical_and')
        return { init: always, condition: unlessFalse(so('bool')), step, result: so('bool') }
      }
      case 'exists': {
        const step = this.call('_||_', [so('bool'), body], 'bool', 'logical_or')
        const condition = unlessFalse(this.call('!_', [so('bool')], 'bool', 'logical_not'))
        return { init: this.literal(false), condition, step, result: so('bool') }
      }
      case 'existsOne': {
        const more = this.call('_+_', [so('int'), this.literal(1)], 'int', 'add_int64')
        const result = this.call('_==_', [so('int'), this.literal(1)], 'bool', 'equals')
        return { init: this.literal(0), condition: always, step: this.#when(body, more, so('int'), 'int'), result }
      }
      default: {
        const step = node.macro === 'filter' ? this.#filtered(node, body, type) : this.#mapped(node, body, type)
        return { init: this.list([], type), condition: always, step, result: so(type) }
      }
    }
  }

  #filtered({ variables: [name] }: Comprehension, body: string, type: string): string {
    const item = this.variable(name, type.slice('list('.length, -1))
    return this.#when(body, this.#more(item, type), this.variable(accumulator, type), type)
  }

  #mapped({ filter }: Comprehension, body: string, type: string): string {
    const more = this.#more(body, type)
    return filter ? this.#when(this.print(filter), more, this.variable(accumulator, type), type) : more
  }

  #more(item: string, type: string): string {
    return this.call('_+_', [this.variable(accumulator, type), this.list([item], type)], type, 'add_list')
  }

  #when(test: string, then: string, otherwise: string, type: string): string {
    return this.call('_?_:_', [test, then, otherwise], type, 'conditional')
  }
}

/** Standard macros are folds already; those of libraries are the calls they were written as. */
class ParsedTree extends Tree {
  readonly #text: string

  constructor(text: string) {
    super()
    this.#text = text
  }

  protected noted(text: string, { constant }: Notes): string {
    return constant ? `${text}#${constant}` : text
  }

  print(node: Expression): string {
    switch (node.kind) {
      case 'literal':
        return this.literal(node.value)
      case 'identifier':
        return node.name
      case 'select':
        return this.#select(node)
      case 'index':
        return `${node.isOptional ? '_[?_]' : '_[_]'}(${this.print(node.operand)},${this.print(node.index)})`
      case 'call':
        return this.#call(node)
      case 'list':
        return `[${node.elements.map(({ value }) => this.print(value)).join()}]`
      case 'map':
        return this.items(node.entries)
      case 'struct':
        return `${node.name}${this.items(node.fields)}`
      case 'logical':
        return this.logical(node)
      case 'conditional':
        return `_?_:_(${this.#all([node.test, node.then, node.otherwise])})`
      case 'comprehension':
        return this.#comprehension(node)
      case 'bind':
        return `cel.bind(${node.name},${this.#all([node.value, node.body])})`
      case 'optionalMap':
        return this.#method(node.offset, node.target, [node.name, this.print(node.body)])
    }
  }

  #all(nodes: readonly Expression[]): string {
    return nodes.map((node) => this.print(node)).join()
  }

  #select({ operand, field, isTest, isOptional }: Select): string {
    if (isOptional) return `_?._(${this.print(operand)},${this.literal(field)})`
    return `${this.print(operand)}.${field}${isTest ? '~test-only~' : ''}`
  }

  #call(node: Call): string {
    if (node.name.startsWith('math.@')) return `math.${this.#macroName(node.offset)}(${this.#all(writtenArgs(node))})`
    const target = node.target ? `${this.print(node.target)}.` : ''
    return `${target}${node.name}(${this.#all(node.args)})`
  }

  #comprehension(node: Comprehension): string {
    const name = this.#macroName(node.offset)
    const isStandard = /^(all|exists|exists_one|existsOne|map|filter)$/.test(name) && node.variables.length === 1
    if (isStandard) return this.fold(node, '')
    const rest = node.filter ? [node.filter, node.body] : [node.body]
    return this.#method(node.offset, node.range, [...node.variables, ...rest.map((one) => this.print(one))])
  }

  #method(offset: number, target: Expression, args: readonly string[]): string {
    return `${this.print(target)}.${this.#macroName(offset)}(${args.join()})`
  }

  /** What stands before the bracket that a call opens. */
  #macroName(offset: number): string {
    return /\w+(?=\s*$)/.exec(this.#text.slice(0, offset))![0]
  }
}

/** The arguments that were made one list, which no bracket of its own opens. */
function writtenArgs({ args, offset }: Call): readonly Expression[] {
  const [only] = args
  return only?.kind === 'list' && only.offset === offset ? only.elements.map(({ value }) => value) : args
}

class CheckedTree extends Tree {
  readonly #checked: Checked
  readonly #form: CheckedForm

  constructor(checked: Checked, form: CheckedForm) {
    super()
    this.#checked = checked
    this.#form = form
  }

  protected noted(text: string, { type, refersTo }: Notes): string {
    return `${text}~${type}${refersTo === undefined ? '' : `^${refersTo}`}`
  }

  print(node: Expression): string {
    const type = this.#type(node)
    switch (node.kind) {
      case 'literal':
        return this.literal(node.value)
      case 'identifier':
        return this.#identifier(node)
      case 'select':
        return this.#select(node)
      case 'index':
        return this.#index(node)
      case 'call':
        return this.#call(node)
      case 'list':
        return this.list(
          node.elements.map(({ value }) => this.print(value)),
          type,
        )
      case 'map':
        return this.noted(this.items(node.entries), { type })
      case 'struct':
        return this.noted(`${type}${this.items(node.fields)}`, { type, refersTo: type })
      case 'logical':
        return this.logical(node)
      case 'conditional':
        return this.#conditional(node)
      case 'comprehension':
        return this.fold(node, type)
      case 'bind':
        return this.#bind(node)
      case 'optionalMap':
        return this.#optionalMap(node)
    }
  }

  #type({ id }: Expression): string {
    return formatType(this.#checked.typeOf(id))
  }

  /** The full name of the variable or the type that a node stands for. */
  #referred({ id }: Expression): string | undefined {
    const reference = this.#checked.references.get(id)
    return reference?.kind === 'type' ? reference.value.name : reference?.name
  }

  #identifier(node: Identifier): string {
    return this.variable(this.#referred(node) ?? node.name, this.#type(node))
  }

  #select(node: Select): string {
    const name = this.#referred(node)
    const type = this.#type(node)
    if (name !== undefined) return this.variable(name, type)
    if (node.isOptional) {
      const field = this.noted(quote(node.field), {})
      return this.call('_?._', [this.print(node.operand), field], type, 'select_optional_field')
    }
    return this.noted(`${this.print(node.operand)}.${node.field}${node.isTest ? '~test-only~' : ''}`, { type })
  }

  #index(node: Index): string {
    const name = node.isOptional ? '_[?_]' : '_[_]'
    return this.call(name, [this.print(node.operand), this.print(node.index)], this.#type(node), this.#ids(node, name))
  }

  #call(node: Call): string {
    const args = node.args.map((one) => this.print(one))
    const name = this.#checked.overloads.get(node.id)?.[0]?.name ?? node.name
    const isMethod = node.target && !this.#checked.qualifiedCalls.has(node.id)
    const shown = isMethod ? `${this.print(node.target)}.${name}` : name
    return this.call(shown, args, this.#type(node), this.#ids(node, name))
  }

  #conditional(node: Conditional): string {
    const args = [node.test, node.then, node.otherwise].map((one) => this.print(one))
    return this.call('_?_:_', args, this.#type(node), 'conditional')
  }

  /** Those of the overloads that the checker left. */
  #ids({ id }: Expression, name: string): string {
    const left = this.#checked.overloads.get(id) ?? this.#checked.signatures.get(id) ?? []
    const { hasMixedOrder, ids } = this.#form
    return left
      .map((one) => ids.get(one) ?? overloadId(name, one.params, 'isMethod' in one && one.isMethod === true))
      .filter((shown) => hasMixedOrder || !mixedOrder.test(shown))
      .sort()
      .join('|')
  }

  /** A fold over nothing, the accumulator of which is the variable. */
  #bind({ name, value, body }: Bind): string {
    return this.#bound(name, this.print(value), this.#type(value), body)
  }

  #bound(name: string, init: string, type: string, body: Expression): string {
    const fold = {
      variable: '#unused',
      range: this.list([], 'list(dyn)'),
      accumulator: name,
      init,
      condition: this.literal(false),
      step: this.variable(name, type),
      result: this.print(body),
    }
    return this.noted(shownFold(fold), { type: this.#type(body) })
  }

  #optionalMap(node: OptionalMap): string {
    const target = this.print(node.target)
    const held = heldType(this.#type(node.target))
    const hasValue = this.call(`${target}.hasValue`, [], 'bool', 'optional_hasValue')
    const value = this.call(`${target}.value`, [], held, 'optional_value')
    const type = this.#type(node)
    const bound = this.#bound(node.name, value, held, node.body)
    const then = node.isFlat ? bound : this.call('optional.of', [bound], type, 'optional_of')
    const none = this.call('optional.none', [], type, 'optional_none')
    return this.call('_?_:_', [hasValue, then, none], type, 'conditional')
  }
}

/** The ids of comparisons of numbers of different types. */
export const mixedOrder = /\b(less|greater)_(equals_)?(int64|uint64|double)_(int64|uint64|double)\b/

const heldType = (type: string) => (type.startsWith('optional_type(') ? type.slice('optional_type('.length, -1) : 'dyn')

function shownFold({ variable, range, accumulator, init, condition, step, result }: Fold): string {
  return `__comprehension__(${[variable, range, accumulator, init, condition, step, result].join()})`
}

/** The kind of a constant, its type, and how it is written. */
function shownLiteral(value: Value): [constant: string, type: string, text: string] {
  if (typeof value === 'boolean') return ['BoolValue', 'bool', String(value)]
  if (typeof value === 'number' || typeof value === 'bigint') return ['Int64Value', 'int', String(value)]
  if (value instanceof Uint) return ['Uint64Value', 'uint', `${value.value}u`]
  if (value instanceof Double) return ['DoubleValue', 'double', shownDouble(value.value)]
  if (typeof value === 'string') return ['StringValue', 'string', quote(value)]
  return value instanceof Bytes ? ['BytesValue', 'bytes', quoteBytes(value.data)] : ['NullValue', 'null', 'null']
}

/** The shortest digits; with an exponent, of two digits at least, when it is below -4 or above 5. */
function shownDouble(value: number): string {
  if (Object.is(value, -0)) return '-0'
  const shown = value.toExponential()
  const exponent = Number(shown.split('e')[1])
  return exponent >= -4 && exponent < 6 ? String(value) : shown.replace(/e([+-])(\d)$/, 'e$10$2')
}
