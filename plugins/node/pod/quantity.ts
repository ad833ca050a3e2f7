import type { Quantity } from '@keelson/apis/meta/v1/zz_generated.types.ts'

const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

const syntax = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d+))?$/

/** A quantity as a number: CPUs, bytes. The server has checked its syntax: what cannot be read counts as 0. */
export function quantityValue(quantity: Quantity | undefined): number {
  const match = syntax.exec(String(quantity ?? '0').trim())
  if (!match) return 0
  const [, digits, suffix = '', exponent] = match
  return Number(digits) * (exponent === undefined ? (factors[suffix] ?? 0) : 10 ** Number(exponent))
}
