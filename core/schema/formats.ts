import type { JsonSchema } from '#core/registry/resource.ts'
import { isObject } from './json.ts'
import { branchLists, propertiesOf } from './schema-places.ts'

/**
 * The string formats a CustomResourceDefinition may name; others are documentation and hold nothing up. Dashes in their
 * names do not count: `date-time` is `datetime`.
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation
 */

type Check = (value: string) => boolean

const matches =
  (expression: RegExp): Check =>
  (value) =>
    expression.test(value)

const uuid = (version: string) =>
  matches(new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$`, 'i'))

const hostnameLabel = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i

const formats: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['datetime', isDateTime],
  ['date', isDate],
  ['duration', matches(/^([+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$|^[+-]?0$|^\d+ ?[a-zA-Z]+$/)],
  ['byte', isBase64],
  ['ipv4', isIPv4],
  ['ipv6', isIPv6],
  ['cidr', isCidr],
  [
    'mac',
    matches(
      /^([0-9a-f]{2}([:-])[0-9a-f]{2}(\2[0-9a-f]{2}){4}(\2[0-9a-f]{2}\2[0-9a-f]{2})?|[0-9a-f]{4}(\.[0-9a-f]{4}){2,3})$/i,
    ),
  ],
  ['uuid', uuid('[0-9a-f]')],
  ['uuid3', uuid('3')],
  ['uuid4', matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i)],
  ['uuid5', matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i)],
  ['uri', isUri],
  ['email', matches(/^(?:[^<>@]*<[^\s@<>]{1,64}@[^\s@<>]{1,255}>|[^\s@<>]{1,64}@[^\s@<>]{1,255})$/)],
  ['hostname', isHostname],
  ['hexcolor', matches(/^#?([0-9a-f]{3}|[0-9a-f]{6})$/i)],
  ['rgbcolor', isRgbColor],
  ['bsonobjectid', matches(/^[0-9a-f]{24}$/i)],
  ['isbn', (value) => isIsbn10(value) || isIsbn13(value)],
  ['isbn10', isIsbn10],
  ['isbn13', isIsbn13],
  ['creditcard', isCreditCard],
  ['ssn', matches(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/)],
  ['password', () => true],
  ['k8sshortname', matches(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/)],
  [
    'k8slongname',
    (value) => value.length <= 253 && value.split('.').every((one) => /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(one)),
  ],
])

const plainName = (format: string) => (format.includes('-') ? format.replaceAll('-', '') : format)

/** True when `value` is of `format`, or the format is none we know. */
export function hasFormat(format: string, value: string): boolean {
  return formats.get(plainName(format))?.(value) ?? true
}

const ofNumbers: Readonly<Record<string, readonly string[]>> = {
  integer: ['int32', 'int64'],
  number: ['float', 'double'],
}

/** The formats within a schema that hold nothing up, each once. */
export function unknownFormats(schema: JsonSchema): string[] {
  const found = new Set<string>()
  const visit = (one: JsonSchema) => {
    const { type = '', format } = one
    const isKnown =
      type === '' || type === 'string' ? formats.has(plainName(format ?? '')) : ofNumbers[type]?.includes(format!)
    if (format && !isKnown) found.add(format)
    for (const [, inner] of propertiesOf(one)) visit(inner)
    for (const [, inner] of branchLists(one)) visit(inner)
    if (isObject(one.items)) visit(one.items)
    if (isObject(one.additionalProperties)) visit(one.additionalProperties)
  }
  visit(schema)
  return [...found]
}

/** RFC 3339 with a zone. */
export function isDateTime(value: string): boolean {
  if (value === lastDateTime) return true
  const isOne = readsAsDateTime(value)
  if (isOne) lastDateTime = value
  return isOne
}

/** Objects written one after another carry the same second. */
let lastDateTime = ''

function readsAsDateTime(value: string): boolean {
  const parts = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/.exec(value)
  return parts !== null && isDate(parts[1]!) && +parts[2]! < 24 && +parts[3]! < 60 && +parts[4]! <= 60
}

function isDate(value: string): boolean {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(value)
  if (!parts) return false
  const [year, month, day] = [+parts[1]!, +parts[2]!, +parts[3]!]
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()
}

export function isBase64(value: string): boolean {
  return value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value)
}

export function isIPv4(value: string): boolean {
  const parts = value.split('.')
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && +part <= 255)
}

export function isIPv6(value: string): boolean {
  if (!/^[0-9a-f:.]{2,45}$/i.test(value)) return false
  const halves = value.split('::')
  if (halves.length > 2) return false
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
  const tail = groups.at(-1)?.includes('.') && !value.endsWith('::') ? groups.pop() : undefined
  if (tail !== undefined && !isIPv4(tail)) return false
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return false
  const count = groups.length + (tail === undefined ? 0 : 2)
  return halves.length === 2 ? count < 8 : count === 8
}

function isCidr(value: string): boolean {
  const [address = '', bits = '', ...more] = value.split('/')
  if (more.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(bits)) return false
  return (isIPv4(address) && +bits <= 32) || (isIPv6(address) && +bits <= 128)
}

function isUri(value: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\S+$/i.test(value) || /^\/\S*$/.test(value)
}

function isHostname(value: string): boolean {
  const name = value.endsWith('.') ? value.slice(0, -1) : value
  return name.length <= 255 && name.split('.').every((label) => hostnameLabel.test(label))
}

function isRgbColor(value: string): boolean {
  const parts = /^rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$/.exec(value)
  return parts?.slice(1).every((part) => +part <= 255) ?? false
}

function isIsbn10(value: string): boolean {
  const digits = value.replace(/[\s-]/g, '')
  if (!/^\d{9}[\dX]$/.test(digits)) return false
  const sum = [...digits].reduce((total, digit, at) => total + (10 - at) * (digit === 'X' ? 10 : +digit), 0)
  return sum % 11 === 0
}

function isIsbn13(value: string): boolean {
  const digits = value.replace(/[\s-]/g, '')
  if (!/^\d{13}$/.test(digits)) return false
  return [...digits].reduce((total, digit, at) => total + (at % 2 === 0 ? 1 : 3) * +digit, 0) % 10 === 0
}

function isCreditCard(value: string): boolean {
  const digits = value.replace(/[\s-]/g, '')
  if (!/^\d{12,19}$/.test(digits)) return false
  const sum = [...digits].reverse().reduce((total, digit, at) => {
    const weighed = +digit * (at % 2 === 0 ? 1 : 2)
    return total + (weighed > 9 ? weighed - 9 : weighed)
  }, 0)
  return sum % 10 === 0
}
