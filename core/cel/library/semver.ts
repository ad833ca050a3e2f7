/** Semantic versions. */
import { define, defineMethod, type Library } from '../environment.ts'
import { bool, int, opaque, string } from '../types.ts'
import { fail, Opaque, toInt } from '../values.ts'

const semver = opaque('kubernetes.Semver')

export class Semver extends Opaque {
  readonly typeName = 'kubernetes.Semver'
  readonly core: readonly [bigint, bigint, bigint]
  readonly prerelease: readonly string[]
  readonly build: string

  constructor(core: readonly [bigint, bigint, bigint], prerelease: readonly string[], build: string) {
    super()
    this.core = core
    this.prerelease = prerelease
    this.build = build
  }

  override equals(other: Opaque): boolean {
    return other instanceof Semver && compare(this, other) === 0
  }
}

const written =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*))*))?(?:\+([\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*))?$/
const maxLength = 256

/** @param isTolerant whether a leading `v`, missing numbers and leading zeros are allowed */
function parseSemver(text: string, isTolerant = false): Semver | undefined {
  const found = text.length <= maxLength && written.exec(isTolerant ? normalize(text) : text)
  if (!found) return undefined
  const [, major, minor, patch, prerelease, build = ''] = found
  const core = [BigInt(major!), BigInt(minor!), BigInt(patch!)] as const
  if (core.some((number) => BigInt.asUintN(64, number) !== number)) return undefined
  return new Semver(core, prerelease?.split('.') ?? [], build)
}

function normalize(text: string): string {
  const [, core = '', rest = ''] = /^v?([\d.]*)(.*)$/s.exec(text)!
  const numbers = core.split('.').map((number) => number.replace(/^0+(?=\d)/, ''))
  while (numbers.length < 3) numbers.push('0')
  return numbers.join('.') + rest
}

function compare(a: Semver, b: Semver): number {
  for (const [i, number] of a.core.entries()) if (number !== b.core[i]) return number < b.core[i]! ? -1 : 1
  if (a.prerelease.length === 0 || b.prerelease.length === 0)
    return Math.sign(b.prerelease.length - a.prerelease.length)
  for (const [i, part] of a.prerelease.entries()) {
    const other = b.prerelease[i]
    if (other === undefined) return 1
    const order = compareParts(part, other)
    if (order !== 0) return order
  }
  return a.prerelease.length < b.prerelease.length ? -1 : 0
}

/** Numbers by their size and before words, words by their characters. */
function compareParts(a: string, b: string): number {
  const [x, y] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (x && y) return a === b ? 0 : BigInt(a) < BigInt(b) ? -1 : 1
  if (x !== y) return x ? -1 : 1
  return a === b ? 0 : a < b ? -1 : 1
}

const required = (text: string, isTolerant?: boolean) =>
  parseSemver(text, isTolerant) ?? fail(`invalid semver: ${text}`)
const isSemver = (text: string, isTolerant?: boolean) => parseSemver(text, isTolerant) !== undefined

export const semvers: Library = [
  define('semver', [string], semver, (text: string) => required(text)),
  define('semver', [string, bool], semver, required),
  define('isSemver', [string], bool, (text: string) => isSemver(text)),
  define('isSemver', [string, bool], bool, isSemver),
  defineMethod('major', [semver], int, ({ core }: Semver) => toInt(core[0])),
  defineMethod('minor', [semver], int, ({ core }: Semver) => toInt(core[1])),
  defineMethod('patch', [semver], int, ({ core }: Semver) => toInt(core[2])),
  defineMethod('compareTo', [semver, semver], int, compare),
  defineMethod('isGreaterThan', [semver, semver], bool, (a: Semver, b: Semver) => compare(a, b) > 0),
  defineMethod('isLessThan', [semver, semver], bool, (a: Semver, b: Semver) => compare(a, b) < 0),
]
