import { type FieldError, forbidden, invalid, required } from './field-error.ts'
import { labelKeyFaults, labelValueFaults } from './names.ts'
import type { LabelSelector } from './types.ts'

/**
 * Label selectors, as text (`app=web,tier in (a,b),!canary,rev>3`) and as LabelSelector objects.
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
 */
export interface LabelRequirement {
  readonly key: string
  readonly operator: LabelOperator
  /** Sorted and without repetition. None for `exists` and `!`; one for `=`, `==`, `!=`, `gt` and `lt`. */
  readonly values: readonly string[]
}

/** A selector that does not parse or cannot be; the message is Kubernetes'. */
export class LabelSelectorError extends Error {}

export type LabelOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt'

/** True when the labels meet all requirements; none is met by everything. */
export function matchesLabels(
  requirements: readonly LabelRequirement[],
  labels: Readonly<Record<string, string>>,
): boolean {
  for (const requirement of requirements) {
    if (!matchesOne(requirement, labels)) return false
  }
  return true
}

function matchesOne({ key, operator, values }: LabelRequirement, labels: Readonly<Record<string, string>>): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case 'exists':
      return value !== undefined
    case '!':
      return value === undefined
    case '=':
    case '==':
    case 'in':
      return value !== undefined && values.includes(value)
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value)
    default:
      return value !== undefined && compares(operator, value, values[0]!)
  }
}

function compares(operator: 'gt' | 'lt', value: string, bound: string): boolean {
  if (!isInt64(value)) return false
  return operator === 'gt' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound)
}

function isInt64(text: string): boolean {
  // BigInt() knows no leading plus sign, and hexadecimal, which labels do not.
  return /^-?\d{1,40}$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text)
}

/** The selector as text; parsing it gives the same requirements. */
export function formatLabelSelector(requirements: readonly LabelRequirement[]): string {
  return requirements.map(formatOne).join()
}

function formatOne({ key, operator, values }: LabelRequirement): string {
  switch (operator) {
    case 'exists':
      return key
    case '!':
      return `!${key}`
    case 'in':
    case 'notin':
      return `${key} ${operator} (${values.join()})`
    case 'gt':
      return `${key}>${values[0]}`
    case 'lt':
      return `${key}<${values[0]}`
    default:
      return `${key}${operator}${values[0]}`
  }
}

const objectOperators: Readonly<Record<string, LabelOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
}

/**
 * @returns what a LabelSelector demands; undefined when it is absent and so selects nothing
 * @throws LabelSelectorError for one that `validateLabelSelector` refuses
 */
export function requirementsOf(selector: LabelSelector | undefined): LabelRequirement[] | undefined {
  if (!selector) return undefined
  const requirements: LabelRequirement[] = []
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    requirements.push(checked({ key, operator: '=', values: [value] }))
  }
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const known = Object.hasOwn(objectOperators, operator) ? objectOperators[operator] : undefined
    if (!known) throw new LabelSelectorError(`"${operator}" is not a valid label selector operator`)
    requirements.push(checked({ key, operator: known, values: sorted(values ?? []) }))
  }
  return requirements.sort(byKey)
}

/** The faults of a LabelSelector in an object's spec. */
export function validateLabelSelector(selector: LabelSelector, path: string): FieldError[] {
  const errors: FieldError[] = []
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    errors.push(...labelKeyFaults(key).map((fault) => invalid(`${path}.matchLabels`, key, fault)))
    errors.push(...labelValueFaults(value).map((fault) => invalid(`${path}.matchLabels`, value, fault)))
  }
  const expressions = selector.matchExpressions ?? []
  for (let at = 0; at < expressions.length; at++) {
    const { key, operator, values = [] } = expressions[at]!
    const here = `${path}.matchExpressions[${at}]`
    errors.push(...operatorErrors(operator, values.length, here))
    errors.push(...labelKeyFaults(key).map((fault) => invalid(`${here}.key`, key, fault)))
    values.forEach((value, index) => {
      errors.push(...labelValueFaults(value).map((fault) => invalid(`${here}.values[${index}]`, value, fault)))
    })
  }
  return errors
}

function operatorErrors(operator: string, count: number, path: string): FieldError[] {
  const isSet = operator === 'In' || operator === 'NotIn'
  if (!isSet && operator !== 'Exists' && operator !== 'DoesNotExist') {
    return [invalid(`${path}.operator`, operator, 'not a valid selector operator')]
  }
  if (isSet && count === 0) {
    return [required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'")]
  }
  if (!isSet && count > 0) {
    return [forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")]
  }
  return []
}

/** Refuses a requirement that cannot be, in the words of Kubernetes' parser. */
function checked(requirement: LabelRequirement): LabelRequirement {
  const errors = requirementErrors(requirement)
  if (errors.length === 0) return requirement
  const lines = errors.map(({ field, message }) => `${field}: ${message}`)
  throw new LabelSelectorError(lines.length > 1 ? `[${lines.join(', ')}]` : lines[0]!)
}

function requirementErrors({ key, operator, values }: LabelRequirement): FieldError[] {
  const errors: FieldError[] = []
  const keyFaults = labelKeyFaults(key)
  if (keyFaults.length > 0) errors.push(invalid('key', key, keyFaults.join('; ')))
  errors.push(...countErrors(operator, values))
  values.forEach((value, at) => {
    const faults = labelValueFaults(value)
    if (faults.length > 0) errors.push(invalid(`values[${at}][${key}]`, value, faults.join('; ')))
  })
  return errors
}

function countErrors(operator: LabelOperator, values: readonly string[]): FieldError[] {
  switch (operator) {
    case 'in':
    case 'notin':
      return values.length > 0
        ? []
        : [invalid('values', values, "for 'in', 'notin' operators, values set can't be empty")]
    case 'exists':
    case '!':
      return values.length === 0
        ? []
        : [invalid('values', values, 'values set must be empty for exists and does not exist')]
    case 'gt':
    case 'lt':
      return values.every(isInt64)
        ? []
        : [invalid('values[0]', values[0], "for 'Gt', 'Lt' operators, the value must be an integer")]
    default:
      return []
  }
}

/** @throws LabelSelectorError */
export function parseLabelSelector(text: string): LabelRequirement[] {
  return new Parser(text).selector().sort(byKey)
}

const byKey = (a: LabelRequirement, b: LabelRequirement) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)
const sorted = (values: Iterable<string>) => [...new Set(values)].sort()

/** A symbol, a word (`in` and `notin` are words, too), or the end. */
interface Token {
  kind: 'symbol' | 'word' | 'end' | 'fault'
  text: string
}

const symbols = new Set([')', ',', '!', '==', '=', '>', '<', '!=', '('])
const binary = new Map<string, LabelOperator>([
  ['in', 'in'],
  ['notin', 'notin'],
  ['=', '='],
  ['==', '=='],
  ['!=', '!='],
  ['>', 'gt'],
  ['<', 'lt'],
])
const binaryNames = 'in, notin, =, ==, !=, gt, lt'

const found = (token: Token, expected: string) => new LabelSelectorError(`found '${token.text}', expected: ${expected}`)
const isSymbol = (token: Token, text: string) => token.kind === 'symbol' && token.text === text

class Parser {
  private readonly text: string
  private at = 0
  private next: Token

  constructor(text: string) {
    this.text = text
    this.next = this.scan()
  }

  selector(): LabelRequirement[] {
    const requirements: LabelRequirement[] = []
    if (this.next.kind === 'end') return requirements
    if (!this.startsRequirement()) throw found(this.next, "!, identifier, or 'end of string'")
    for (;;) {
      requirements.push(this.requirement())
      const behind = this.take()
      if (behind.kind === 'end') return requirements
      if (!isSymbol(behind, ',')) throw found(behind, "',' or 'end of string'")
      if (!this.startsRequirement()) throw found(this.next, "identifier after ','")
    }
  }

  private startsRequirement(): boolean {
    return this.next.kind === 'word' || isSymbol(this.next, '!')
  }

  private requirement(): LabelRequirement {
    try {
      return this.unwrappedRequirement()
    } catch (error) {
      throw new LabelSelectorError(`unable to parse requirement: ${(error as Error).message}`, { cause: error })
    }
  }

  private unwrappedRequirement(): LabelRequirement {
    const absent = isSymbol(this.next, '!')
    if (absent) this.take()
    const key = this.key()
    if (this.next.kind === 'end' || isSymbol(this.next, ',')) {
      return { key, operator: absent ? '!' : 'exists', values: [] }
    }
    if (absent) return { key, operator: '!', values: [] }
    const operator = this.operator()
    const values = operator === 'in' || operator === 'notin' ? this.set() : [this.exact()]
    return checked({ key, operator, values })
  }

  private key(): string {
    const token = this.take()
    if (token.kind !== 'word') throw found(token, 'identifier')
    const faults = labelKeyFaults(token.text)
    if (faults.length > 0) throw new LabelSelectorError(`<nil>: ${invalid('', token.text, faults.join('; ')).message}`)
    return token.text
  }

  private operator(): LabelOperator {
    const token = this.take()
    const operator = binary.get(token.text)
    if (!operator) throw found(token, binaryNames)
    return operator
  }

  private exact(): string {
    if (this.next.kind === 'end' || isSymbol(this.next, ',')) return ''
    const token = this.take()
    if (token.kind !== 'word') throw found(token, 'identifier')
    return token.text
  }

  /** `(a,b)`; where a word is missing, the empty string is meant. */
  private set(): string[] {
    const open = this.take()
    if (!isSymbol(open, '(')) throw new LabelSelectorError(`found '${open.text}' expected: '('`)
    const values = new Set<string>()
    let expectsWord = true
    for (;;) {
      const token = this.take()
      if (token.kind === 'word') {
        if (!expectsWord) throw found(token, "',' or ')'")
        values.add(token.text)
        expectsWord = false
      } else if (isSymbol(token, ',') || isSymbol(token, ')')) {
        if (expectsWord) values.add('')
        expectsWord = true
        if (token.text === ')') return sorted(values)
      } else {
        throw found(token, expectsWord ? "',', ')' or identifier" : "',' or ')'")
      }
    }
  }

  private take(): Token {
    const token = this.next
    this.next = this.scan()
    return token
  }

  private scan(): Token {
    while (this.at < this.text.length && ' \t\r\n'.includes(this.text[this.at]!)) this.at++
    if (this.at >= this.text.length) return { kind: 'end', text: '' }
    return '=!(),><'.includes(this.text[this.at]!) ? this.scanSymbol() : this.scanWord()
  }

  private scanSymbol(): Token {
    const two = this.text.slice(this.at, this.at + 2)
    const text = symbols.has(two) ? two : this.text[this.at]!
    this.at += text.length
    return { kind: 'symbol', text }
  }

  private scanWord(): Token {
    const start = this.at
    while (this.at < this.text.length && !'=!(),>< \t\r\n'.includes(this.text[this.at]!)) this.at++
    return { kind: 'word', text: this.text.slice(start, this.at) }
  }
}
