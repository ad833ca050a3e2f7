/**
 * Quantities as Kubernetes writes them (`250m`, `1.5Gi`, `12e6`), exact to a billionth.
 * @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
export interface Quantity {
  /** Billionths. */
  readonly nano: bigint
  /** How it was written, and is written again. */
  readonly format: 'DecimalSI' | 'BinarySI' | 'DecimalExponent'
}

const nanoPerUnit = 10n ** 9n
/** Kubernetes caps what does not fit an int64. */
const greatest = (2n ** 63n - 1n) * nanoPerUnit

const decimalSuffixes = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'] as const
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const
const suffixUnits: ReadonlyMap<string, bigint> = new Map([
  ...decimalSuffixes.map((suffix, at) => [suffix, 10n ** BigInt(3 * at)] as const),
  ...binarySuffixes.slice(1).map((suffix, at) => [suffix, 1024n ** BigInt(at + 1) * nanoPerUnit] as const),
])

const syntax = /^([+-]?)(\d*)(?:\.(\d*))?(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?\d+)?$/
const maxDigits = 400

export class QuantityError extends Error {}

/** @throws QuantityError with Kubernetes' words */
export function parseQuantity(text: string | number): Quantity {
  const [, sign, whole = '', fraction = '', suffix = ''] = syntax.exec(String(text)) ?? []
  if (sign === undefined || whole + fraction === '' || whole.length + fraction.length > maxDigits) throw malformed()
  const isExponent = /^[eE][^i]/.test(suffix)
  const exponent = isExponent ? Number(suffix.slice(1)) : 0
  if (Math.abs(exponent) > maxDigits) throw malformed()
  const unit = isExponent ? nanoPerUnit : suffixUnits.get(suffix)!
  const scale = fraction.length - exponent
  const amount = BigInt(whole + fraction) * unit
  const nano = scale >= 0 ? divideUp(amount, 10n ** BigInt(scale)) : amount * 10n ** BigInt(-scale)
  const capped = nano > greatest ? greatest : nano
  const format = isExponent ? 'DecimalExponent' : suffix.endsWith('i') ? 'BinarySI' : 'DecimalSI'
  return { nano: sign === '-' ? -capped : capped, format }
}

function malformed(): QuantityError {
  return new QuantityError(
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  )
}

const divideUp = (amount: bigint, by: bigint) => (amount + by - 1n) / by

/** The canonical text: no fraction, the largest unit that allows that. */
export function formatQuantity({ nano, format }: Quantity): string {
  const isBinary = format === 'BinarySI' && nano % nanoPerUnit === 0n && magnitude(nano) >= 1024n * nanoPerUnit
  if (isBinary) {
    const [number, power] = strip(nano / nanoPerUnit, 1024n, binarySuffixes.length - 1)
    return `${number}${binarySuffixes[power]}`
  }
  if (nano === 0n) return '0'
  const [number, power] = strip(nano, 1000n, decimalSuffixes.length - 1)
  if (format !== 'DecimalExponent') return `${number}${decimalSuffixes[power]}`
  const exponent = 3 * power - 9
  return exponent === 0 ? `${number}` : `${number}e${exponent}`
}

/** Divides by `base` as long as nothing remains, at most `most` times. */
function strip(value: bigint, base: bigint, most: number): [number: bigint, power: number] {
  let number = value
  let power = 0
  while (power < most && number % base === 0n) {
    number /= base
    power++
  }
  return [number, power]
}

const magnitude = (value: bigint) => (value < 0n ? -value : value)

/** `1000m` is `1`. @throws QuantityError */
export function canonicalQuantity(text: string | number): string {
  return formatQuantity(parseQuantity(text))
}

export function compareQuantities(a: Quantity, b: Quantity): -1 | 0 | 1 {
  return a.nano < b.nano ? -1 : a.nano > b.nano ? 1 : 0
}

/** The sum in the format of `a`, unless `a` is zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano + b.nano, format: a.nano === 0n ? b.format : a.format }
}

export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano - b.nano, format: a.nano === 0n ? b.format : a.format }
}

/** Whole units, fractions rounded up away from zero: bytes, pods. */
export function unitsOf({ nano }: Quantity): number {
  return Number(roundUp(nano, nanoPerUnit))
}

/** Thousandths, rounded up away from zero: CPU. */
export function milliOf({ nano }: Quantity): number {
  return Number(roundUp(nano, 10n ** 6n))
}

const roundUp = (nano: bigint, by: bigint) => (nano < 0n ? -divideUp(-nano, by) : divideUp(nano, by))
