/** Prints checked trees: after each node its type and what it refers to, a name or the ids of overloads: `~int^add_int64`. */
import type {
  Bind,
  Call,
  Comprehension,
  Conditional,
  Expression,
  Identifier,
  Index,
  OptionalMap,
  Select,
} from '../ast.ts'
import type { Checked } from '../checker.ts'
import type { Signature } from '../operators.ts'
import { bool, dyn, formatType, isOptional, list, type Type } from '../types.ts'
import { overloadId } from './overload-ids.ts'
import { quote } from './quote.ts'
import { type Notes, Tree } from './tree-form.ts'

export interface CheckedForm {
  /** Whether numbers of different types can be compared, which the reference can do without. */
  hasMixedOrder: boolean
  /** The ids of overloads that are not of a library. */
  ids: ReadonlyMap<Signature, string>
}

export function printChecked(expression: Expression, checked: Checked, form: CheckedForm): string {
  return new CheckedTree(checked, form).print(expression)
}

/** The ids of comparisons of numbers of different types. */
export const mixedOrder = /\b(less|greater)_(equals_)?(int64|uint64|double)_(int64|uint64|double)\b/

class CheckedTree extends Tree {
  readonly #checked: Checked
  readonly #form: CheckedForm

  constructor(checked: Checked, form: CheckedForm) {
    super()
    this.#checked = checked
    this.#form = form
  }

  protected noted(text: string, { type, refersTo }: Notes): string {
    return `${text}~${formatType(type)}${refersTo === undefined ? '' : `^${refersTo}`}`
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
        return this.noted(`${type.name}${this.items(node.fields)}`, { type, refersTo: type.name })
      case 'logical':
        return this.logical(node)
      case 'conditional':
        return this.#conditional(node)
      case 'comprehension':
        return node.macro === 'sortBy' ? this.#sorted(node) : this.fold(node, type)
      case 'bind':
        return this.#bind(node)
      case 'optionalMap':
        return this.#optionalMap(node)
    }
  }

  #type({ id }: Expression): Type {
    return this.#checked.typeOf(id)
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
    if (node.isOptional)
      return this.call('_?._', [this.print(node.operand), quote(node.field)], type, 'select_optional_field')
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

  #bind({ name, value, body }: Bind): string {
    return this.#bound(name, this.#type(value), this.print(value), this.#type(body), this.print(body))
  }

  /** A fold over nothing, the accumulator of which is the variable. */
  #bound(name: string, type: Type, init: string, resultType: Type, result: string): string {
    const range = this.list([], list(dyn))
    const [condition, step] = [this.literal(false), this.variable(name, type)]
    return this.shownFold(
      { variables: ['#unused'], range, accumulator: name, init, condition, step, result },
      resultType,
    )
  }

  #optionalMap(node: OptionalMap): string {
    const target = this.print(node.target)
    const type = this.#type(node)
    const from = this.#type(node.target)
    const held = isOptional(from) ? from.params[0]! : dyn
    const hasValue = this.call(`${target}.hasValue`, [], bool, 'optional_hasValue')
    const value = this.call(`${target}.value`, [], held, 'optional_value')
    const bound = this.#bound(node.name, held, value, this.#type(node.body), this.print(node.body))
    const then = node.isFlat ? bound : this.call('optional.of', [bound], type, 'optional_of')
    const none = this.call('optional.none', [], type, 'optional_none')
    return this.call('_?_:_', [hasValue, then, none], type, 'conditional')
  }

  /** What is sorted, bound to a name; the keys are mapped from it. */
  #sorted(node: Comprehension): string {
    const [type, from, key] = [this.#type(node), this.#type(node.range), this.#type(node.body)]
    const name = '@__sortBy_input__'
    const input = this.variable(name, from)
    const keys = this.fold({ ...node, macro: 'map' }, list(key), input)
    const sort = '@sortByAssociatedKeys'
    const sorted = this.call(`${input}.${sort}`, [keys], type, this.#ids(node, sort))
    return this.#bound(name, from, this.print(node.range), type, sorted)
  }
}
