/** Mathematics. `math.greatest` and `math.least` take any number of arguments: the parser makes more than two one list. */
import { define, type Library } from '../environment.ts'
import { compare } from '../equality.ts'
import { checkedInt, type Int } from '../integers.ts'
import { bool, double, dyn, int, list, type Type, uint } from '../types.ts'
import { adapt, Double, fail, isInt, noSuchOverload, toInt, Uint, type Value } from '../values.ts'

const numbers = [int, uint, double]

function extreme(name: string, isBetter: (order: number) => boolean): Library {
  const call = (values: readonly Value[]) => pick(values, isBetter)
  const of = (one: Value, other: Value) => call([one, other])
  return [
    ...numbers.map((type) => define(name, [type], type, (value: Value) => value)),
    ...numbers.flatMap((a) => numbers.map((b) => define(name, [a, b], a === b ? a : dyn, of))),
    ...numbers.map((type) => define(name, [list(type)], type, call)),
  ]
}

function pick(values: readonly Value[], isBetter: (order: number) => boolean): Value {
  if (values.length === 0) return fail('argument must not be empty')
  return values
    .map(adapt)
    .map(numeric)
    .reduce((best, value) => (isBetter(compare(value, best)!) ? value : best))
}

const numeric = (value: Value) =>
  isInt(value) || value instanceof Double || value instanceof Uint ? value : noSuchOverload()

const onDouble = (name: string, call: (value: number) => number) =>
  define(name, [double], double, ({ value }: Double) => new Double(call(value)))
const tests = (name: string, call: (value: number) => boolean) =>
  define(name, [double], bool, ({ value }: Double) => call(value))

/** Half away from zero. */
const round = (value: number) => (Number.isFinite(value) ? Math.sign(value) * roundPositive(Math.abs(value)) : value)
/** Math.round adds a half first, which rounds 0.49999999999999994 up. */
const roundPositive = (value: number) => (value - Math.floor(value) < 0.5 ? Math.floor(value) : Math.ceil(value))

type Bits = (a: bigint, b: bigint) => bigint

function bitwise(name: string, call: Bits): Library {
  return [
    define(name, [int, int], int, (a: Int, b: Int) => toInt(BigInt.asIntN(64, call(BigInt(a), BigInt(b))))),
    define(name, [uint, uint], uint, (a: Uint, b: Uint) => new Uint(BigInt.asUintN(64, call(a.value, b.value)))),
  ]
}

function shift(name: string, call: Bits): Library {
  const by = (bits: bigint, offset: Int) => {
    if (offset < 0) return fail(`${name}() negative offset: ${offset}`)
    return offset > 63 ? 0n : call(BigInt.asUintN(64, bits), BigInt(offset))
  }
  return [
    define(name, [int, int], int, (a: Int, b: Int) => toInt(BigInt.asIntN(64, by(BigInt(a), b)))),
    define(name, [uint, int], uint, (a: Uint, b: Int) => new Uint(BigInt.asUintN(64, by(a.value, b)))),
  ]
}

const sqrt = (type: Type, read: (value: never) => number) =>
  define('math.sqrt', [type], double, (value: never) => new Double(Math.sqrt(read(value))))

export const math: Library = [
  ...extreme('math.@max', (order) => order > 0),
  ...extreme('math.@min', (order) => order < 0),
  onDouble('math.ceil', Math.ceil),
  onDouble('math.floor', Math.floor),
  onDouble('math.round', round),
  onDouble('math.trunc', Math.trunc),
  tests('math.isNaN', Number.isNaN),
  tests('math.isInf', (value) => Math.abs(value) === Infinity),
  tests('math.isFinite', Number.isFinite),
  define('math.abs', [int], int, (value: Int) => (value < 0 ? checkedInt(-BigInt(value)) : value)),
  define('math.abs', [uint], uint, (value: Uint) => value),
  onDouble('math.abs', Math.abs),
  define('math.sign', [int], int, (value: Int) => (value > 0 ? 1 : value < 0 ? -1 : 0)),
  define('math.sign', [uint], uint, ({ value }: Uint) => new Uint(value > 0n ? 1n : 0n)),
  onDouble('math.sign', Math.sign),
  sqrt(int, (value: Int) => Number(value)),
  sqrt(uint, ({ value }: Uint) => Number(value)),
  sqrt(double, ({ value }: Double) => value),
  ...bitwise('math.bitAnd', (a, b) => a & b),
  ...bitwise('math.bitOr', (a, b) => a | b),
  ...bitwise('math.bitXor', (a, b) => a ^ b),
  define('math.bitNot', [int], int, (value: Int) => toInt(~BigInt(value))),
  define('math.bitNot', [uint], uint, ({ value }: Uint) => new Uint(BigInt.asUintN(64, ~value))),
  ...shift('math.bitShiftLeft', (bits, by) => bits << by),
  ...shift('math.bitShiftRight', (bits, by) => bits >> by),
]
