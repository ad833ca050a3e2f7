/**
 * The price list: what the functions and operators of the reference and of Kubernetes cost. The numbers are those of
 * Kubernetes 1.36, where changing one would change which rules a definition may have.
 * @see https://kubernetes.io/docs/reference/using-api/cel/#runtime-cost-budget
 */
import type { Overload } from '../environment.ts'
import { NamedFormat } from '../library/format.ts'
import type { Type } from '../types.ts'
import { Bytes, isInt, isMap, mapGet, mapKeys, Opaque, type Value } from '../values.ts'
import { bySize, type Estimate, fixed, type Operand, type Price, unit } from './price.ts'
import { exactly, product, type Range, ranged, scaled, sum, unbounded, union } from './ranges.ts'
import { sizeOf } from './sizes.ts'

/** What making a value costs, beside its parts. */
export const creation = { list: 10, map: 30, struct: 40 } as const

/** Walking a string costs a tenth for each of its characters. */
const perCharacter = 0.1
/** What is tried at each character: one expression in four characters of a pattern. */
const perPatternCharacter = 0.25

const walk = (size: number) => Math.ceil(size * perCharacter)
const match = (text: number, pattern: number) => walk(text + 1) * Math.ceil(pattern * perPatternCharacter)

const sameSize = ([whole]: readonly Operand[]) => whole!.size
const upToSize = ([whole]: readonly Operand[]) => ({ min: 0, max: whole!.size.max })

const walked = bySize(walk)
const walkedTwice = bySize((size) => Math.ceil(size * 2 * perCharacter))
const rewritten = bySize(walk, sameSize)

/** What costs one step to walk, and is told from more without counting characters. */
const shortText = 10

function walkOf(value: Value): number {
  if (typeof value === 'string' && value.length <= shortText) return value === '' ? 0 : 1
  return walk(sizeOf(value))
}

/** Of the receiver at run time, but before that of what it is compared with. */
const affix: Price = {
  actual: walkOf,
  estimate: ([, part]) => ({ cost: scaled(part!.size, perCharacter) }),
}

/** A walk of the whole tree, in which each string is walked, too. */
function traversal(value: Value): number {
  if (typeof value === 'string') return Math.floor(Buffer.byteLength(value) * perCharacter)
  if (value instanceof Bytes) return Math.floor(value.data.length * perCharacter)
  if (Array.isArray(value)) return value.reduce<number>((total, item) => total + traversal(item), 0)
  if (!isMap(value)) return 1
  return mapKeys(value).reduce<number>((total, key) => total + traversal(key) + traversal(mapGet(value, key)), 0)
}

const isText = ({ kind }: Type) => kind === 'string' || kind === 'bytes'

const traversed: Price = {
  actual: traversal,
  estimate([whole]) {
    const { items, size } = whole!
    if (!items) return { cost: scaled(size, perCharacter) }
    const perItem = isText(items.type) ? sum(exactly(1), scaled(items.size, perCharacter)) : exactly(1)
    return { cost: product(size, perItem) }
  },
}

const replaced: Price = {
  ...walkedTwice,
  estimate: (args) => ({ ...walkedTwice.estimate(args), size: replacedSize(args) }),
}

/** The longest result has the shortest parts replaced by the longest, the shortest the other way. */
function replacedSize([whole, part, by]: readonly Operand[]): Range {
  const most = replacedLength(whole!.size.max, part!.size.min, by!.size.max, by!.size.max <= part!.size.min)
  const least = replacedLength(whole!.size.min, part!.size.max, by!.size.min, part!.size.max <= by!.size.min)
  return { min: least, max: most }
}

/** @param isKept whether the length is the best when nothing is replaced */
function replacedLength(whole: number, part: number, by: number, isKept: boolean): number {
  if (part === 0) return Math.min(unbounded, (whole + 1) * by + whole)
  return isKept ? whole : Math.min(unbounded, Math.ceil(whole / part) * by)
}

const split: Price = {
  ...walkedTwice,
  estimate(args) {
    const limit = args[2]?.constant
    const max = typeof limit === 'number' ? limit : args[0]!.size.max
    return { ...walkedTwice.estimate(args), size: { min: 0, max } }
  },
}

const joined: Price = {
  actual: (parts: Value, separator: Value = '') => Math.ceil(joinedSize(parts, sizeOf(separator)) * 2 * perCharacter),
  estimate([parts, separator]) {
    const letters = parts!.items ? product(parts!.size, parts!.items.size) : exactly(0)
    const gaps = ranged((count) => Math.max(0, count - 1), [parts!.size])
    const size = separator ? sum(letters, product(separator.size, gaps)) : letters
    return { cost: scaled(size, perCharacter), size }
  },
}

function joinedSize(parts: Value, separator: number): number {
  if (!Array.isArray(parts)) return 1
  return parts.reduce<number>((total, part) => total + sizeOf(part), Math.max(0, parts.length - 1) * separator)
}

const found = bySize(match, upToSize)

/** Whether a network contains another address or network: its bits are compared, what is a string is read. */
function contained(params: readonly Type[] | undefined, isNetwork: boolean): Price {
  const isString = params?.[1]?.kind === 'string'
  const formula = (network: number, other: number) =>
    walk(network * 2) + (isNetwork ? walk(network) + 1 : 0) + (isString ? walk(other) : 0)
  const bytesOfAddress = { min: 4, max: 16 }
  return {
    actual: (network: Value, other: Value) => formula(sizeOf(network), sizeOf(other)),
    estimate: ([, other]) => ({ cost: ranged(formula, [bytesOfAddress, other!.size]) }),
  }
}

/** The longest pattern that a format is as good as. */
const maxFormatPattern = 128
const maxFormatName = 64

const validated: Price = {
  actual: (format: Value, text: Value) => (format instanceof NamedFormat ? match(sizeOf(text), format.patternSize) : 1),
  estimate: ([, text]) => ({
    cost: scaled(scaled(text!.size, perCharacter), maxFormatPattern * perPatternCharacter),
  }),
}

/** A selector is parsed, and each of its requirements, of which one needs two characters, is a struct and a list. */
const selector = (size: number) => creation.list + walk(size) + Math.ceil(size / 2) * (creation.list + creation.struct)
const selected: Price = {
  actual: (_check: Value, text: Value) => selector(sizeOf(text)),
  estimate: ([, text]) => ({ cost: ranged(selector, [text!.size]) }),
}

/** What makes a list costs a call, the list, and what it does for each item. */
const listing = (work: number) => 1 + creation.list + work
const listed = (work: Range, size: Range): Estimate => ({ cost: sum(exactly(listing(0)), work), size })

/** An argument that is a number of items; 0 when it is none. */
const countOf = (value: Value) => (isInt(value) ? Math.max(0, Number(value)) : 0)

const integer = (constant: Value, otherwise: number) =>
  typeof constant === 'number' ? Math.max(0, constant) : otherwise

const sliced: Price = {
  actual: (_items: Value, start: Value, end: Value) => listing(Math.max(0, countOf(end) - countOf(start))),
  estimate([items, start, end]) {
    const size = exactly(Math.max(0, integer(end!.constant, items!.size.max) - integer(start!.constant, 0)))
    return listed(size, size)
  },
}

const numbered: Price = {
  actual: (count: Value) => listing(countOf(count)),
  estimate([count]) {
    const size = exactly(integer(count!.constant, unbounded))
    return listed(size, size)
  },
}

const reversed = bySize(listing, sameSize)

const flattened: Price = {
  actual: (items: Value, depth: Value = 1) => listing(sizeOf(items) * countOf(depth)),
  estimate([items, depth]) {
    const levels = depth ? integer(depth.constant, unbounded) : 1
    return listed(scaled(items!.size, levels), items!.size)
  },
}

/** Each item is compared with each; strings and bytes are walked besides. */
const selfComparison = (areTexts: boolean) => 2 + (areTexts ? perCharacter : 0)

/** What it costs to sort by these keys. */
export function sortCost(keys: Value): number {
  if (!Array.isArray(keys)) return listing(0)
  const [first] = keys
  return listing(Math.floor(keys.length ** 2 * selfComparison(typeof first === 'string' || first instanceof Bytes)))
}

const compared = (areTexts: boolean): Price => ({
  actual: sortCost,
  estimate: ([items]) => sortEstimate(items!.size, areTexts),
})

/** Of a list of so many items that are sorted by what is a text or not. */
export function sortEstimate(size: Range, areTexts: boolean): Estimate {
  const pairs = product(size, size)
  return listed(scaled(pairs, selfComparison(areTexts)), pairs)
}

const paired = (times: number) => bySize((a, b) => 1 + a * b * times)

const encoded = bySize(walk, ([text]) => ({ min: text!.size.min, max: Math.min(unbounded, text!.size.max * 4) }))
const decoded = bySize(walk, ([data]) => ({ min: Math.floor(data!.size.min / 4), max: data!.size.max }))
const quoted = bySize(walk, ([text]) => sum(exactly(2), { min: text!.size.min, max: text!.size.max * 2 }))

/** By the types of the parameters, which are unknown when the checker left several overloads. */
type ByParams = (params: readonly Type[] | undefined) => Price

const ofKind =
  (kind: Type['kind'], price: Price): ByParams =>
  ([first] = []) =>
    first?.kind === kind ? price : unit

/** Prices that Kubernetes gives only to calls whose overload the checker knows. */
const resolved =
  (price: Price | ByParams): ByParams =>
  (params) => {
    if (!params) return unit
    return typeof price === 'function' ? price(params) : price
  }

const sortPrice: ByParams = ([items] = []) => compared(items !== undefined && isText(items.params[0]!))

const priced = (price: Price | ByParams, ...names: string[]) => names.map((name) => [name, price] as const)

const functions: ReadonlyMap<string, Price | ByParams> = new Map([
  ...priced(resolved(affix), 'startsWith', 'endsWith'),
  ...priced(resolved(bySize((text, part) => walk(text) * walk(part))), 'contains'),
  ...priced(resolved(bySize(match)), 'matches'),
  ...priced(ofKind('string', encoded), 'bytes'),
  ...priced(ofKind('bytes', decoded), 'string'),
  ...priced(resolved(quoted), 'strings.quote'),
  ...priced(resolved(walked), 'format'),
  ...priced(traversed, 'isSorted', 'sum', 'max', 'min', 'indexOf', 'lastIndexOf'),
  ...priced(rewritten, 'url', 'jsonpatch.escapeKey', 'lowerAscii', 'upperAscii', 'substring', 'trim'),
  ...priced(replaced, 'replace'),
  ...priced(split, 'split'),
  ...priced(joined, 'join'),
  ...priced(found, 'find', 'findAll'),
  ...priced(walked, 'cidr', 'isIP', 'isCIDR', 'quantity', 'isQuantity', 'semver', 'isSemver'),
  ...priced(([from] = []) => (from?.name === 'net.CIDR' ? unit : walked), 'ip'),
  ...priced(walkedTwice, 'ip.isCanonical'),
  ...priced((params) => contained(params, false), 'containsIP'),
  ...priced((params) => contained(params, true), 'containsCIDR'),
  ...priced(validated, 'validate'),
  ...priced(selected, 'fieldSelector', 'labelSelector'),
  ...priced(fixed(350_000), 'check'),
  ...priced(resolved(sliced), 'slice'),
  ...priced(resolved(numbered), 'lists.range'),
  ...priced(ofKind('list', reversed), 'reverse'),
  ...priced(resolved(flattened), 'flatten'),
  ...priced(resolved(compared(false)), 'distinct'),
  ...priced(resolved(sortPrice), 'sort'),
  ...priced(resolved(paired(1)), 'sets.contains', 'sets.intersects'),
  ...priced(resolved(paired(2)), 'sets.equivalent'),
])

/** What a call of a function costs. @param overloads those that the arguments may be meant for */
export function functionPrice(name: string, overloads: readonly Overload[]): Price {
  const [only] = overloads.length === 1 ? overloads : []
  return only?.price ?? priceFor(functions.get(name), only?.params)
}

function priceFor(price: Price | ByParams | undefined, params: readonly Type[] | undefined): Price {
  return typeof price === 'function' ? price(params) : (price ?? unit)
}

/** A walk of the shorter of two values. */
function shorter(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string' && (a.length <= shortText || b.length <= shortText))
    return a === '' || b === '' ? 0 : 1
  if (isStep(a)) return sizeOf(b) === 0 ? 0 : 1
  return isStep(b) ? Math.min(1, sizeOf(a)) : walk(Math.min(sizeOf(a), sizeOf(b)))
}

const isStep = (value: Value) => typeof value === 'number' || typeof value === 'boolean' || value === null

/** The shorter of both is walked; of that, no more is known before than that it may be nothing. */
const comparison: Price = {
  actual: shorter,
  estimate([a, b]) {
    const max = Math.min(a!.size.max, b!.size.max)
    return { cost: scaled({ min: max > 0 ? 1 : 0, max }, perCharacter) }
  },
}

/** Values of Kubernetes' own types are equal at the cost of one step. */
const equality: Price = {
  actual: (a: Value, b: Value) => (a instanceof Opaque ? 1 : shorter(a, b)),
  estimate(args) {
    const [a, b] = args
    return a!.type.name === b!.type.name ? (ofOwnType(a!, b!) ?? comparison.estimate(args)) : comparison.estimate(args)
  },
}

const stepwise = new Set([
  'net.IP',
  'net.CIDR',
  'kubernetes.Quantity',
  'kubernetes.Semver',
  'kubernetes.authorization.Authorizer',
  'kubernetes.authorization.PathCheck',
  'kubernetes.authorization.GroupCheck',
  'kubernetes.authorization.ResourceCheck',
  'kubernetes.authorization.Decision',
])

function ofOwnType({ type }: Operand, { size }: Operand): Estimate | undefined {
  if (stepwise.has(type.name)) return { cost: exactly(1) }
  if (type.name === 'kubernetes.NamedFormat') return { cost: scaled({ min: 1, max: maxFormatName }, perCharacter) }
  if (type.name !== 'kubernetes.URL') return undefined
  return { cost: scaled({ min: 1, max: size.max === unbounded ? 1 : size.max }, perCharacter) }
}

const bothSizes = ([a, b]: readonly Operand[]) => sum(a!.size, b!.size)
const concatenation = bySize((a, b) => walk(a + b), bothSizes)
/** A list is copied, which its price does not tell: the clock is looked at after each. */
const listConcatenation: Price = { actual: () => 1, estimate: (args) => ({ cost: exactly(1), size: bothSizes(args) }) }
const anyConcatenation: Price = { actual: () => 1, estimate: unit.estimate }

const membership: Price = {
  actual: (_item: Value, items: Value) => sizeOf(items),
  estimate: ([, items]) => ({ cost: items!.size }),
}

const ofTexts =
  (price: Price): ByParams =>
  ([a] = []) =>
    a && isText(a) ? price : unit

function addition([a]: readonly Type[] = []): Price {
  if (!a) return anyConcatenation
  if (a.kind === 'list') return listConcatenation
  return isText(a) ? concatenation : unit
}

const operators: ReadonlyMap<string, Price | ByParams> = new Map([
  ...priced(equality, '_==_'),
  ...priced(comparison, '_!=_'),
  ...priced(ofTexts(comparison), '_<_', '_<=_', '_>_', '_>=_'),
  ...priced(addition, '_+_'),
  ...priced(([, items] = []) => (items?.kind === 'list' ? membership : unit), '@in'),
])

/** What an operator costs. @param params of the only signature that its arguments may be meant for */
export function operatorPrice(name: string, params: readonly Type[] | undefined): Price {
  return priceFor(operators.get(name), params)
}

export const unionOf = (a: Estimate | undefined, b: Estimate): Estimate =>
  a ? { cost: union(a.cost, b.cost), size: a.size && b.size ? union(a.size, b.size) : (a.size ?? b.size) } : b
