import { isObject, type JsonObject, own } from '#core/schema/json.ts'

/**
 * The JSONPath of printer columns and selectable fields, compiled once to a closure. Only own properties are seen.
 * @see https://kubernetes.io/docs/reference/kubectl/jsonpath/
 */

/** The values at the path, in order; none where a step is missing. */
export type JsonPath = (value: unknown) => unknown[]

export class JsonPathError extends Error {}

/**
 * @param text `.status.conditions[?(@.type=="Ready")].status`; braces and a leading `$` are allowed
 * @throws JsonPathError
 */
export function compileJsonPath(text: string): JsonPath {
  if (text.length > maxPathLength) throw new JsonPathError(`JSONPath is longer than ${maxPathLength} characters`)
  const steps = new Parser(unwrap(text), text).path()
  return (value) => {
    allowance = maxVisits
    try {
      return follow(steps, value)
    } catch (error) {
      if (error === tooMuch) return []
      throw error
    }
  }
}

const maxPathLength = 4_096
/** So many values a path may come by, which takes milliseconds; one that wants more finds nothing. */
const maxVisits = 100_000
const tooMuch = new JsonPathError('JSONPath comes by too many values')
/** What is left of them to the path that is followed right now. */
let allowance = 0

function visit(): void {
  if (--allowance < 0) throw tooMuch
}

/** From the values so far to those one step on. */
type Step = (value: unknown, found: unknown[]) => void

function follow(steps: readonly Step[], value: unknown): unknown[] {
  let values = [value]
  for (const step of steps) {
    const found: unknown[] = []
    for (const one of values) {
      visit()
      step(one, found)
    }
    values = found
  }
  return values
}

function unwrap(text: string): string {
  const inner = text.startsWith('{') && text.endsWith('}') ? text.slice(1, -1) : text
  return inner.startsWith('$') || inner.startsWith('@') ? inner.slice(1) : inner
}

const field =
  (name: string): Step =>
  (value, found) => {
    if (isObject(value) && Object.hasOwn(value, name)) found.push(value[name])
  }

const wildcard: Step = (value, found) => {
  for (const one of valuesIn(value)) found.push(one)
}

const valuesIn = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []

/** The value itself and everything in it, parents first. */
const descend: Step = (value, found) => {
  visit()
  found.push(value)
  for (const one of valuesIn(value)) descend(one, found)
}

const index =
  (at: number): Step =>
  (value, found) => {
    if (!Array.isArray(value)) return
    const place = at < 0 ? at + value.length : at
    if (place >= 0 && place < value.length) found.push(value[place])
  }

const slice =
  (from: number | undefined, to: number | undefined, by: number): Step =>
  (value, found) => {
    if (!Array.isArray(value)) return
    const items = value.slice(from, to)
    for (let at = 0; at < items.length; at += by) found.push(items[at])
  }

const union =
  (steps: readonly Step[]): Step =>
  (value, found) => {
    for (const step of steps) step(value, found)
  }

const filter =
  (test: (item: unknown) => boolean): Step =>
  (value, found) => {
    for (const item of valuesIn(value)) {
      visit()
      if (test(item)) found.push(item)
    }
  }

type Operand = (item: unknown) => unknown[]

const comparisons: ReadonlyMap<string, (a: unknown, b: unknown) => boolean> = new Map([
  ['==', (a: unknown, b: unknown) => a === b],
  ['!=', (a: unknown, b: unknown) => a !== b],
  ['<', (a: unknown, b: unknown) => areComparable(a, b) && (a as string) < (b as string)],
  ['<=', (a: unknown, b: unknown) => areComparable(a, b) && (a as string) <= (b as string)],
  ['>', (a: unknown, b: unknown) => areComparable(a, b) && (a as string) > (b as string)],
  ['>=', (a: unknown, b: unknown) => areComparable(a, b) && (a as string) >= (b as string)],
])

const areComparable = (a: unknown, b: unknown) =>
  typeof a === typeof b && (typeof a === 'string' || typeof a === 'number')

class Parser {
  private readonly text: string
  private readonly whole: string
  private at = 0

  constructor(text: string, whole: string) {
    this.text = text
    this.whole = whole
  }

  path(): Step[] {
    // Go accepts a first name without its dot.
    const steps = /^[^.[]/.test(this.text) ? [this.name()] : []
    while (this.at < this.text.length) steps.push(...this.step())
    return steps
  }

  private step(): Step[] {
    if (this.take('[')) return [this.bracket()]
    if (this.take('..')) return this.peek('[') ? [descend] : [descend, this.name()]
    if (!this.take('.')) throw this.fault(`unexpected ${JSON.stringify(this.text[this.at])}`)
    // A lone dot is the value itself, and `.[0]` is `[0]`.
    return this.at === this.text.length || this.peek('[') ? [] : [this.name()]
  }

  private name(): Step {
    let name = ''
    while (this.at < this.text.length && !'.['.includes(this.text[this.at]!)) {
      if (this.text[this.at] === '\\') this.at++
      if (this.at >= this.text.length) throw this.fault('unterminated escape')
      name += this.text[this.at++]
    }
    if (name === '') throw this.fault('a name is missing')
    return name === '*' ? wildcard : field(name)
  }

  private bracket(): Step {
    if (this.take('?(')) return this.filter()
    const steps: Step[] = []
    do {
      this.blank()
      steps.push(this.selector())
      this.blank()
    } while (this.take(','))
    this.expect(']')
    return steps.length === 1 ? steps[0]! : union(steps)
  }

  private selector(): Step {
    if (this.take('*')) return wildcard
    if (this.peek("'") || this.peek('"')) return field(this.quoted())
    const from = this.integer()
    if (!this.take(':')) {
      if (from === undefined) throw this.fault('invalid array index')
      return index(from)
    }
    const to = this.integer()
    const by = this.take(':') ? (this.integer() ?? 1) : 1
    if (by < 1) throw this.fault('the step of a slice must be positive')
    return slice(from, to, by)
  }

  private filter(): Step {
    this.blank()
    const left = this.operand()
    this.blank()
    const compare = this.comparison()
    if (!compare) {
      this.expect(')]')
      return filter((item) => left(item).length > 0)
    }
    this.blank()
    const right = this.operand()
    this.blank()
    this.expect(')]')
    return filter((item) => {
      const [a, b] = [left(item), right(item)]
      return a.length > 0 && b.length > 0 && compare(a[0], b[0])
    })
  }

  private comparison() {
    for (const operator of ['==', '!=', '<=', '>=', '<', '>']) {
      if (this.take(operator)) return comparisons.get(operator)!
    }
    return undefined
  }

  private operand(): Operand {
    if (this.take('@')) return this.relative()
    const value = this.literal()
    return () => [value]
  }

  /** A path within a filter: it ends where an operator, a blank or the filter does. */
  private relative(): Operand {
    const start = this.at
    for (let depth = 0; this.at < this.text.length; this.at++) {
      const char = this.text[this.at]!
      if (char === '\\') this.at++
      else if (char === '[') depth++
      else if (char === ']') depth--
      else if (depth === 0 && '=!<>) '.includes(char)) break
    }
    const steps = new Parser(this.text.slice(start, this.at), this.whole).path()
    return (item) => follow(steps, item)
  }

  private literal(): unknown {
    if (this.peek("'") || this.peek('"')) return this.quoted()
    const word = /^[^\s)=!<>]+/.exec(this.text.slice(this.at))?.[0] ?? ''
    this.at += word.length
    if (word === 'true' || word === 'false') return word === 'true'
    if (word === 'null') return null
    if (!/^-?\d+(\.\d+)?$/.test(word)) throw this.fault(`unrecognized literal ${JSON.stringify(word)}`)
    return Number(word)
  }

  private quoted(): string {
    const quote = this.text[this.at++]
    let value = ''
    while (this.text[this.at] !== quote) {
      if (this.text[this.at] === '\\') this.at++
      if (this.at >= this.text.length) throw this.fault('unterminated quoted string')
      value += this.text[this.at++]
    }
    this.at++
    return value
  }

  private integer(): number | undefined {
    const digits = /^-?\d{1,9}/.exec(this.text.slice(this.at))?.[0]
    this.at += digits?.length ?? 0
    return digits === undefined ? undefined : Number(digits)
  }

  private blank(): void {
    while (this.text[this.at] === ' ') this.at++
  }

  private peek(text: string): boolean {
    return this.text.startsWith(text, this.at)
  }

  private take(text: string): boolean {
    if (!this.peek(text)) return false
    this.at += text.length
    return true
  }

  private expect(text: string): void {
    if (!this.take(text)) throw this.fault(`expected ${JSON.stringify(text)}`)
  }

  private fault(detail: string): JsonPathError {
    return new JsonPathError(`invalid JSONPath ${JSON.stringify(this.whole)}: ${detail}`)
  }
}

/** The value at a path of plain names (`spec.replicas`), without compiling it; undefined where a step is missing. */
export function valueAt(object: JsonObject, names: readonly string[]): unknown {
  let value: unknown = object
  for (const name of names) value = isObject(value) ? own(value, name) : undefined
  return value
}
