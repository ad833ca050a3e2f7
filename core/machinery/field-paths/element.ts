/**
 * One step of a path into an object, as FieldsV1 writes it: `f:NAME` a field, `k:{...}` the list item with these keys,
 * `v:VALUE` the item of a set, `i:N` the item at an index. The prefix makes any name a harmless key of a plain object.
 * @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/#ObjectMeta for fieldsV1
 */

/** Stands in a set for the place itself, beside the elements below it. */
export const self = '.'

export const fieldElement = (name: string) => `f:${name}`

/** @param keys names and values, by name */
export function keyElement(keys: readonly (readonly [name: string, value: unknown])[]): string {
  if (keys.length === 1) return `k:{${JSON.stringify(keys[0]![0])}:${JSON.stringify(keys[0]![1])}}`
  return `k:{${keys.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join()}}`
}

export function valueElement(value: unknown): string {
  return `v:${JSON.stringify(value)}`
}

/**
 * An element as a client wrote it, in the one way it is written here.
 * @returns undefined for a prefix nobody knows, which is to be passed over
 * @throws Error when what is behind the prefix cannot be read
 */
export function parseElement(text: string): string | undefined {
  if (text === self || text.startsWith('f:')) return text
  const rest = text.slice(2)
  switch (text.slice(0, 2)) {
    case 'k:': {
      const keys: unknown = JSON.parse(rest)
      if (typeof keys !== 'object' || keys === null || Array.isArray(keys))
        throw new Error('expected an object of keys')
      return keyElement(Object.entries(keys).sort(([one], [other]) => compareText(one, other)))
    }
    case 'v:':
      return valueElement(JSON.parse(rest))
    case 'i:':
      if (!/^-?\d{1,15}$/.test(rest)) throw new Error('expected an index')
      return `i:${Number(rest)}`
    default:
      if (text[1] !== ':') throw new Error(`missing colon: ${JSON.stringify(text)}`)
      return undefined
  }
}

const ranks: Readonly<Record<string, number>> = { '.': 0, f: 1, k: 2, v: 3, i: 4 }

/** An element with what is read of it to compare it. */
interface Readable {
  element: string
  value: unknown
}

function readable(element: string): Readable {
  const isText = element === self || element[0] === 'f'
  return { element, value: isText ? undefined : JSON.parse(element.slice(2)) }
}

/** Kubernetes' order: the place itself, fields, keyed items, values, indices; each kind by what it says. */
export function sortElements(elements: readonly string[]): string[] {
  return elements
    .map(readable)
    .sort(compareElements)
    .map(({ element }) => element)
}

export function areSorted(elements: readonly string[]): boolean {
  if (elements.length < 2) return true
  const read = elements.map(readable)
  return read.every((one, at) => at === 0 || compareElements(read[at - 1]!, one) < 0)
}

function compareElements({ element: a, value: first }: Readable, { element: b, value: second }: Readable): number {
  if (a[0] !== b[0]) return ranks[a[0]!]! - ranks[b[0]!]!
  if (a[0] === 'k') return compareKeys(Object.entries(first as object), Object.entries(second as object))
  return first === undefined ? compareText(a, b) : compareValues(first, second)
}

function compareKeys(a: [string, unknown][], b: [string, unknown][]): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    const order = compareText(a[at]![0], b[at]![0]) || compareValues(a[at]![1], b[at]![1])
    if (order !== 0) return order
  }
  return a.length - b.length
}

/** Numbers before texts before truths, as Kubernetes orders them. */
const typeRanks: Readonly<Record<string, number>> = { number: 0, string: 1, boolean: 2 }

export function compareValues(a: unknown, b: unknown): number {
  if (typeof a !== typeof b) return (typeRanks[typeof a] ?? 3) - (typeRanks[typeof b] ?? 3)
  if (typeof a === 'number') return a - (b as number)
  if (typeof a === 'string') return compareText(a, b as string)
  return Number(a) - Number(b)
}

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** A path as messages show it: `.spec.containers[name="web"].image`, `.metadata.finalizers[="x"]`. */
export function formatPath(path: readonly string[]): string {
  return path.map(formatElement).join('')
}

export function formatElement(element: string): string {
  const rest = element.slice(2)
  switch (element[0]) {
    case 'f':
      return `.${rest}`
    case 'k': {
      const keys = Object.entries(JSON.parse(rest) as object)
      return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join()}]`
    }
    case 'v':
      return `[=${rest}]`
    default:
      return `[${rest}]`
  }
}
