/** Quantities of resources, such as `500m` and `1.5Gi`: exact, in billionths, which is the least there is. */
import { define, defineMethod, type Library } from '../environment.ts'
import type { Int } from '../integers.ts'
import { bool, double, int, opaque, string } from '../types.ts'
import { Double, fail, Opaque, toInt } from '../values.ts'

const unit = 1_000_000_000n
const quantity = opaque('kubernetes.Quantity')

export class Quantity extends Opaque {
  readonly typeName = 'kubernetes.Quantity'
  readonly billionths: bigint

  constructor(billionths: bigint) {
    super()
    this.billionths = billionths
  }

  override equals(other: Opaque): boolean {
    return other instanceof Quantity && other.billionths === this.billionths
  }
}

const written = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,3}))?$/
const binary = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const decimal = new Map(Object.entries({ n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }))

/** undefined for what is none. What is finer than a billionth is rounded away from zero. */
export function parseQuantity(text: string): Quantity | undefined {
  const found = written.exec(text)
  if (!found || text.length > 100) return undefined
  const [, sign, number, suffix = '', exponent = '0'] = found
  const [whole = '', fraction = ''] = number!.split('.')
  const power = suffix.length === 1 ? decimal.get(suffix)! : Number(exponent)
  const factor = suffix.length === 2 ? 1024n ** BigInt(binary.indexOf(suffix) + 1) : 1n
  const size = scaled(BigInt(whole + fraction) * factor * unit, power - fraction.length)
  return new Quantity(sign === '-' ? -size : size)
}

function scaled(size: bigint, power: number): bigint {
  if (power >= 0) return size * 10n ** BigInt(power)
  const divisor = 10n ** BigInt(-power)
  return (size + divisor - 1n) / divisor
}

const fits = (billionths: bigint) =>
  billionths % unit === 0n && BigInt.asIntN(64, billionths / unit) === billionths / unit

function asInteger({ billionths }: Quantity): Int {
  return fits(billionths) ? toInt(billionths / unit) : fail('cannot convert value to integer')
}

const compare = (a: Quantity, b: Quantity) => (a.billionths < b.billionths ? -1 : a.billionths > b.billionths ? 1 : 0)
const ofInt = (value: Int) => BigInt(value) * unit

export const quantities: Library = [
  define('quantity', [string], quantity, (text: string) => {
    return (
      parseQuantity(text) ??
      fail("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
    )
  }),
  define('isQuantity', [string], bool, (text: string) => parseQuantity(text) !== undefined),
  defineMethod('isInteger', [quantity], bool, ({ billionths }: Quantity) => fits(billionths)),
  defineMethod('asInteger', [quantity], int, asInteger),
  defineMethod(
    'asApproximateFloat',
    [quantity],
    double,
    ({ billionths }: Quantity) => new Double(Number(billionths) / 1e9),
  ),
  defineMethod('sign', [quantity], int, (value: Quantity) => compare(value, new Quantity(0n))),
  defineMethod(
    'add',
    [quantity, quantity],
    quantity,
    (a: Quantity, b: Quantity) => new Quantity(a.billionths + b.billionths),
  ),
  defineMethod('add', [quantity, int], quantity, (a: Quantity, b: Int) => new Quantity(a.billionths + ofInt(b))),
  defineMethod(
    'sub',
    [quantity, quantity],
    quantity,
    (a: Quantity, b: Quantity) => new Quantity(a.billionths - b.billionths),
  ),
  defineMethod('sub', [quantity, int], quantity, (a: Quantity, b: Int) => new Quantity(a.billionths - ofInt(b))),
  defineMethod('compareTo', [quantity, quantity], int, compare),
  defineMethod('isGreaterThan', [quantity, quantity], bool, (a: Quantity, b: Quantity) => compare(a, b) > 0),
  defineMethod('isLessThan', [quantity, quantity], bool, (a: Quantity, b: Quantity) => compare(a, b) < 0),
]
