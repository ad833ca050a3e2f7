import { compareQuantities, parseQuantity, QuantityError } from './quantity.ts'

/**
 * Whether two values mean the same to clients in Go, which do not tell an absent field from an empty one and send back
 * quantities in their canonical form. An update may not change a spec, but such a client may bring it back.
 */
export function isSame(a: unknown, b: unknown): boolean {
  return same(a, b, '')
}

/** Fields whose zero is the same as their absence; of other numbers and booleans it is not. */
const zeroMeansAbsent = new Set([
  'hostIPC',
  'hostNetwork',
  'hostPID',
  'hostPort',
  'initialDelaySeconds',
  'nodePort',
  'readOnly',
  'stdin',
  'stdinOnce',
  'tty',
  'publishNotReadyAddresses',
  'minReadySeconds',
  'paused',
  'unschedulable',
  'allowVolumeExpansion',
])
const quantityMaps = new Set(['limits', 'requests', 'overhead', 'capacity', 'hard'])
const quantityFields = new Set(['sizeLimit', 'divisor'])

function same(a: unknown, b: unknown, field: string, isQuantity = false): boolean {
  if (a === b || (isEmpty(a, field) && isEmpty(b, field))) return true
  if (isQuantity || quantityFields.has(field)) return sameQuantity(a, b)
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, at) => same(item, b[at], ''))
  }
  return isObject(a) && isObject(b) && sameFields(a, b, quantityMaps.has(field))
}

function sameFields(a: Fields, b: Fields, ofQuantities: boolean): boolean {
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    if (!same(own(a, key), own(b, key), key, ofQuantities)) return false
  }
  return true
}

type Fields = Readonly<Record<string, unknown>>

const own = (object: Fields, key: string) => (Object.hasOwn(object, key) ? object[key] : undefined)

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function isEmpty(value: unknown, field: string): boolean {
  if (value === undefined || value === null || value === '') return true
  if (value === 0 || value === false) return zeroMeansAbsent.has(field)
  if (Array.isArray(value)) return value.length === 0
  // A union names its member by an empty object: `emptyDir: {}` is not the absence of a source.
  return isObject(value) && !unionMembers.has(field) && Object.values(value).every((one) => one === undefined)
}

const unionMembers = new Set(['emptyDir', 'downwardAPI', 'recreate', 'podSelector', 'namespaceSelector'])

function sameQuantity(a: unknown, b: unknown): boolean {
  if (!isText(a) || !isText(b)) return false
  try {
    return compareQuantities(parseQuantity(a), parseQuantity(b)) === 0
  } catch (error) {
    if (error instanceof QuantityError) return false
    throw error
  }
}

const isText = (value: unknown): value is string | number => typeof value === 'string' || typeof value === 'number'
