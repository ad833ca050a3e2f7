/** Prints parsed trees: after each constant its kind, `1#Int64Value`; calls of macros that are not standard as they were written. */
import type { Call, Comprehension, Expression, Select } from '../ast.ts'
import { dyn } from '../types.ts'
import { type Notes, Tree } from './tree-form.ts'

/** @param text what was parsed: trees do not keep under which name macros were called */
export function printParsed(expression: Expression, text: string): string {
  return new ParsedTree(text).print(expression)
}

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
    if (isStandard) return this.fold(node, dyn)
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
