/**
 * Reads an expression: recursive descent over the grammar of the specification. The trees it makes are no deeper than
 * `maxDepth`, so that what walks them may recurse.
 */
import type { Call, Element, Entry, Expression, Field } from './ast.ts'
import { qualifiedName } from './ast.ts'
import { numberValue, type Token, tokenize } from './lexer.ts'
import { expandMacro } from './macros.ts'
import { CompileError, issueAt } from './source.ts'
import { Double, toInt, Uint, type Value } from './values.ts'

const maxDepth = 250
const maxCodeUnits = 100_000

const reserved = new Set(
  'as break const continue else for function if import let loop package namespace return var void while'.split(' '),
)
const keywords = new Set(['true', 'false', 'null', 'in'])
const constants = new Map<string, Value>([
  ['true', true],
  ['false', false],
  ['null', null],
])

/** Operators of two operands, loosest first; each level binds to the left. */
const levels: readonly ReadonlyMap<string, string>[] = [
  new Map([
    ['==', '_==_'],
    ['!=', '_!=_'],
    ['<', '_<_'],
    ['<=', '_<=_'],
    ['>', '_>_'],
    ['>=', '_>=_'],
    ['in', '@in'],
  ]),
  new Map([
    ['+', '_+_'],
    ['-', '_-_'],
  ]),
  new Map([
    ['*', '_*_'],
    ['/', '_/_'],
    ['%', '_%_'],
  ]),
]

/** @throws CompileError, and nothing else, for what is no expression */
export function parse(text: string): Expression {
  return new Parser(text).parse()
}

/** What macros make nodes with. */
export interface NodeFactory {
  nextId(): number
  refuse(offset: number, message: string): never
}

class Parser implements NodeFactory {
  readonly #text: string
  readonly #tokens: readonly Token[]
  /** By the ids of nodes; 1 for those of no parts. */
  readonly #depths: number[] = []
  #next = 0
  #lastId = 0
  #nesting = 0

  constructor(text: string) {
    this.#text = text
    if (text.length > maxCodeUnits)
      this.refuse(0, `expression code point size exceeds limit: size: ${text.length}, limit ${maxCodeUnits}`)
    this.#tokens = tokenize(text)
  }

  parse(): Expression {
    const expression = this.#expression()
    const rest = this.#peek()
    if (rest.kind !== 'end') this.#unexpected(rest)
    return expression
  }

  nextId(): number {
    return ++this.#lastId
  }

  refuse(offset: number, message: string): never {
    throw new CompileError([issueAt(this.#text, offset, message)], this.#text)
  }

  #peek(): Token {
    return this.#tokens[this.#next]!
  }

  #take(): Token {
    return this.#tokens[this.#next++]!
  }

  #isNext(text: string): boolean {
    const { kind, text: next } = this.#peek()
    return next === text && (kind === 'symbol' || kind === 'identifier')
  }

  #accept(text: string): Token | undefined {
    return this.#isNext(text) ? this.#take() : undefined
  }

  #expect(text: string): Token {
    return this.#accept(text) ?? this.#unexpected(this.#peek(), text)
  }

  #unexpected({ kind, text, offset }: Token, expected?: string): never {
    const found = kind === 'end' ? '<EOF>' : text
    const message = expected ? `mismatched input '${found}' expecting '${expected}'` : `unexpected input '${found}'`
    return this.refuse(offset, `Syntax error: ${message}`)
  }

  /** Counts the depth of a node above its parts, so that a long chain of operators is no deeper than the stack. */
  #node<N extends Expression>(node: N, ...parts: readonly Expression[]): N {
    let depth = 1
    for (const part of parts) depth = Math.max(depth, (this.#depths[part.id] ?? 1) + 1)
    if (depth > maxDepth) this.#tooDeep(node.offset)
    if (depth > 1) this.#depths[node.id] = depth
    return node
  }

  #tooDeep(offset: number): never {
    return this.refuse(offset, `expression recursion limit exceeded: ${maxDepth}`)
  }

  #expression(): Expression {
    if (++this.#nesting > maxDepth) this.#tooDeep(this.#peek().offset)
    const test = this.#logical('||')
    const mark = this.#accept('?')
    const result = mark ? this.#conditional(test, mark.offset) : test
    this.#nesting--
    return result
  }

  #conditional(test: Expression, offset: number): Expression {
    const id = this.nextId()
    const then = this.#logical('||')
    this.#expect(':')
    const otherwise = this.#expression()
    return this.#node({ kind: 'conditional', id, offset, test, then, otherwise }, test, then, otherwise)
  }

  #logical(operator: '&&' | '||'): Expression {
    const operand = () => (operator === '||' ? this.#logical('&&') : this.#binary(0))
    const first = operand()
    const offset = this.#peek().offset
    if (!this.#isNext(operator)) return first
    const terms = [first]
    while (this.#accept(operator)) terms.push(operand())
    return this.#node({ kind: 'logical', id: this.nextId(), offset, operator, terms }, ...terms)
  }

  #binary(level: number): Expression {
    const operators = levels[level]
    if (!operators) return this.#unary()
    let left = this.#binary(level + 1)
    for (let name = this.#operator(operators); name !== undefined; name = this.#operator(operators)) {
      const { offset } = this.#take()
      const id = this.nextId()
      const right = this.#binary(level + 1)
      left = this.#node({ kind: 'call', id, offset, name, target: undefined, args: [left, right] }, left, right)
    }
    return left
  }

  #operator(operators: ReadonlyMap<string, string>): string | undefined {
    const { kind, text } = this.#peek()
    return kind === 'symbol' || kind === 'identifier' ? operators.get(text) : undefined
  }

  /** Signs in pairs take back each other; those of one operand are all the same. */
  #unary(): Expression {
    const mark = this.#peek()
    const count = this.#run('!') || this.#run('-')
    if (count === 0) return this.#member(this.#primary())
    if (mark.text === '-' && count === 1 && this.#takesSign()) return this.#negative(mark)
    const id = this.nextId()
    const minus = this.#accept('-')
    const operand = minus ? this.#negative(minus) : this.#member(this.#primary())
    if (count % 2 === 0) return operand
    const name = mark.text === '!' ? '!_' : '-_'
    return this.#node({ kind: 'call', id, offset: mark.offset, name, target: undefined, args: [operand] }, operand)
  }

  #negative({ offset }: Token): Expression {
    if (!this.#takesSign()) this.#unexpected(this.#peek())
    return this.#member(this.#number(offset, true))
  }

  /** Whether a number follows of which a sign before it is a part. */
  #takesSign(): boolean {
    const { kind, text } = this.#peek()
    return kind === 'number' && !/[uU]$/.test(text)
  }

  /** How many of a sign follow, which are taken. */
  #run(sign: string): number {
    let count = 0
    while (this.#accept(sign)) count++
    return count
  }

  /** The selections, calls, indices and struct literals that follow a primary expression. */
  #member(primary: Expression): Expression {
    let operand = primary
    for (;;) {
      if (this.#isNext('.')) operand = this.#dot(operand)
      else if (this.#isNext('[')) operand = this.#index(operand)
      else if (this.#isNext('{') && qualifiedName(operand) !== undefined) operand = this.#struct(operand)
      else return operand
    }
  }

  #dot(operand: Expression): Expression {
    const { offset } = this.#take()
    const isOptional = this.#accept('?') !== undefined
    const name = this.#fieldName()
    const open = this.#peek()
    if (isOptional || name.kind === 'quoted' || !this.#accept('(')) {
      if (name.kind === 'identifier' && keywords.has(name.text)) this.#unexpected(name)
      return this.#node(
        { kind: 'select', id: this.nextId(), offset, operand, field: name.text, isTest: false, isOptional },
        operand,
      )
    }
    const id = this.nextId()
    const args = this.#list(')', () => this.#expression())
    return this.#call({ kind: 'call', id, offset: open.offset, name: name.text, target: operand, args })
  }

  #call(call: Call): Expression {
    const parts = call.target ? [call.target, ...call.args] : call.args
    const expanded = expandMacro(call, this)
    return this.#node(expanded ?? call, ...parts)
  }

  #fieldName(): Token {
    const token = this.#take()
    return token.kind === 'identifier' || token.kind === 'quoted' ? token : this.#unexpected(token)
  }

  #index(operand: Expression): Expression {
    const { offset } = this.#take()
    const id = this.nextId()
    const isOptional = this.#accept('?') !== undefined
    const index = this.#expression()
    this.#expect(']')
    return this.#node({ kind: 'index', id, offset, operand, index, isOptional }, operand, index)
  }

  #struct(operand: Expression): Expression {
    const { offset } = this.#take()
    const id = this.nextId()
    const fields = this.#list('}', () => this.#field())
    const name = qualifiedName(operand)!
    return this.#node({ kind: 'struct', id, offset, name, fields }, ...fields.map(({ value }) => value))
  }

  #field(): Field {
    const isOptional = this.#accept('?') !== undefined
    const name = this.#fieldName()
    const { offset } = this.#expect(':')
    return { name: name.text, offset, value: this.#expression(), isOptional }
  }

  #primary(): Expression {
    const token = this.#peek()
    if (token.kind === 'number') return this.#number(token.offset, false)
    if (token.kind === 'literal') return this.#literal(this.#take())
    if (token.kind === 'identifier') return this.#identifier('')
    if (this.#accept('.')) return this.#identifier('.')
    if (this.#accept('(')) return this.#parenthesized()
    if (this.#accept('[')) return this.#listLiteral(token.offset)
    if (this.#accept('{')) return this.#mapLiteral(token.offset)
    return this.#unexpected(token)
  }

  #literal({ value, offset }: Token): Expression {
    return this.#node({ kind: 'literal', id: this.nextId(), offset, value })
  }

  #number(offset: number, isNegative: boolean): Expression {
    const { text } = this.#take()
    const value = numberValue(text, isNegative)
    if (value === undefined) this.refuse(offset, `invalid ${kindOfNumber(text)} literal`)
    return this.#node({ kind: 'literal', id: this.nextId(), offset, value: runtimeNumber(value) })
  }

  #identifier(root: '' | '.'): Expression {
    const token = this.#take()
    if (token.kind !== 'identifier') this.#unexpected(token)
    const { text, offset } = token
    if (text === 'in') this.#unexpected(token)
    if (constants.has(text)) {
      if (root) this.#unexpected(token)
      return this.#node({ kind: 'literal', id: this.nextId(), offset, value: constants.get(text) })
    }
    if (reserved.has(text)) this.refuse(offset, `reserved identifier: ${text}`)
    const name = root + text
    const open = this.#accept('(')
    if (!open) return this.#node({ kind: 'identifier', id: this.nextId(), offset, name })
    const id = this.nextId()
    const args = this.#list(')', () => this.#expression())
    return this.#call({ kind: 'call', id, offset: open.offset, name, target: undefined, args })
  }

  #parenthesized(): Expression {
    const inner = this.#expression()
    this.#expect(')')
    return inner
  }

  #listLiteral(offset: number): Expression {
    const id = this.nextId()
    const elements = this.#list(']', () => this.#element())
    return this.#node({ kind: 'list', id, offset, elements }, ...elements.map(({ value }) => value))
  }

  #element(): Element {
    const isOptional = this.#accept('?') !== undefined
    return { value: this.#expression(), isOptional }
  }

  #mapLiteral(offset: number): Expression {
    const id = this.nextId()
    const entries = this.#list('}', () => this.#entry())
    return this.#node({ kind: 'map', id, offset, entries }, ...entries.flatMap(({ key, value }) => [key, value]))
  }

  #entry(): Entry {
    const isOptional = this.#accept('?') !== undefined
    const key = this.#expression()
    const { offset } = this.#expect(':')
    return { key, offset, value: this.#expression(), isOptional }
  }

  /** Items up to the closing bracket; a comma may follow the last, save among arguments. */
  #list<T>(close: ')' | ']' | '}', item: () => T): T[] {
    const items: T[] = []
    if (this.#accept(close)) return items
    do {
      if (items.length > 0 && close !== ')' && this.#isNext(close)) break
      if (items.length === 0 && close !== ')' && this.#isNext(',')) {
        this.#take()
        break
      }
      items.push(item())
    } while (this.#accept(','))
    this.#expect(close)
    return items
  }
}

function runtimeNumber(value: bigint | { unsigned: bigint } | Double): Value {
  if (typeof value === 'bigint') return toInt(value)
  return value instanceof Double ? value : new Uint(value.unsigned)
}

function kindOfNumber(text: string): string {
  if (/[uU]$/.test(text)) return 'uint'
  return !text.startsWith('0x') && /[.eE]/.test(text) ? 'double' : 'int'
}
