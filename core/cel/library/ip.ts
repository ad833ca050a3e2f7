/** IP addresses. */
import { isIPv6 } from 'node:net'
import { define, defineMethod, type Library } from '../environment.ts'
import { bool, int, opaque, string } from '../types.ts'
import { fail, Opaque } from '../values.ts'
import { type Address, formatAddress, parseAddress, widthOf } from './addresses.ts'

export const ipType = opaque('net.IP')

export class Ip extends Opaque {
  readonly typeName = 'net.IP'
  readonly address: Address

  constructor(address: Address) {
    super()
    this.address = address
  }

  /** In bytes. */
  override get size(): number {
    return widthOf(this.address.family) / 8
  }

  override equals(other: Opaque): boolean {
    return (
      other instanceof Ip && other.address.family === this.address.family && other.address.bits === this.address.bits
    )
  }
}

export function requiredAddress(text: string): Address {
  return parseAddress(text) ?? fail(notAnAddress(text))
}

function notAnAddress(text: string): string {
  const shown = JSON.stringify(text)
  if (text.includes('%') && isIPv6(text)) return `IP address ${shown} with zone value is not allowed`
  if (isIPv6(text)) return `IPv4-mapped IPv6 address ${shown} is not allowed`
  return `IP Address ${shown} parse error during conversion from string: ParseAddr(${shown}): unable to parse IP`
}

/** A test of the leading bits, which differ by family. */
interface Range {
  readonly bits: bigint
  readonly shift: bigint
}

const isWithin = ({ family, bits }: Address, ranges: Readonly<Record<4 | 6, Range>>) =>
  bits >> ranges[family].shift === ranges[family].bits

const loopback = { 4: { bits: 127n, shift: 24n }, 6: { bits: 1n, shift: 0n } }
const linkLocal = { 4: { bits: 0xa9fen, shift: 16n }, 6: { bits: 0xfe80n >> 6n, shift: 118n } }
const linkLocalMulticast = { 4: { bits: 0xe00000n, shift: 8n }, 6: { bits: 0xff02n, shift: 112n } }
const multicast = { 4: { bits: 0xen, shift: 28n }, 6: { bits: 0xffn, shift: 120n } }
const broadcast = 0xffffffffn

function isGlobalUnicast(address: Address): boolean {
  if (address.bits === 0n || (address.family === 4 && address.bits === broadcast)) return false
  return ![loopback, linkLocal, multicast].some((ranges) => isWithin(address, ranges))
}

const test = (name: string, holds: (address: Address) => boolean) =>
  defineMethod(name, [ipType], bool, ({ address }: Ip) => holds(address))

export const ips: Library = [
  define('ip', [string], ipType, (text: string) => new Ip(requiredAddress(text))),
  define('isIP', [string], bool, (text: string) => parseAddress(text) !== undefined),
  define('ip.isCanonical', [string], bool, (text: string) => formatAddress(requiredAddress(text)) === text),
  define('string', [ipType], string, ({ address }: Ip) => formatAddress(address)),
  defineMethod('family', [ipType], int, ({ address }: Ip) => address.family),
  test('isUnspecified', ({ bits }) => bits === 0n),
  test('isLoopback', (address) => isWithin(address, loopback)),
  test('isLinkLocalUnicast', (address) => isWithin(address, linkLocal)),
  test('isLinkLocalMulticast', (address) => isWithin(address, linkLocalMulticast)),
  test('isGlobalUnicast', isGlobalUnicast),
]
