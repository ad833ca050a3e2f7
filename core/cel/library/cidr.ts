/** Networks in the notation of CIDR. */
import { define, defineMethod, type Library } from '../environment.ts'
import { bool, int, opaque, string } from '../types.ts'
import { fail, Opaque } from '../values.ts'
import { type Address, formatAddress, parseAddress, widthOf } from './addresses.ts'
import { Ip, ipType, requiredAddress } from './ip.ts'

const cidrType = opaque('net.CIDR')

export class Cidr extends Opaque {
  readonly typeName = 'net.CIDR'
  readonly address: Address
  readonly prefixLength: number

  constructor(address: Address, prefixLength: number) {
    super()
    this.address = address
    this.prefixLength = prefixLength
  }

  /** The bytes that its prefix fills. */
  override get size(): number {
    return Math.ceil(this.prefixLength / 8)
  }

  override equals(other: Opaque): boolean {
    return other instanceof Cidr && format(other) === format(this)
  }
}

const format = ({ address, prefixLength }: Cidr) => `${formatAddress(address)}/${prefixLength}`

function parseCidr(text: string): Cidr | undefined {
  const [, address, length] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? []
  const parsed = address === undefined ? undefined : parseAddress(address)
  return parsed && Number(length) <= widthOf(parsed.family) ? new Cidr(parsed, Number(length)) : undefined
}

const required = (text: string) =>
  parseCidr(text) ?? fail(`network address parse error during conversion from string: ${JSON.stringify(text)}`)

/** The bits that all addresses of the network share. */
const networkOf = ({ family, bits }: Address, prefixLength: number) => bits >> BigInt(widthOf(family) - prefixLength)

function containsAddress({ address, prefixLength }: Cidr, other: Address): boolean {
  return address.family === other.family && networkOf(address, prefixLength) === networkOf(other, prefixLength)
}

const containsCidr = (outer: Cidr, inner: Cidr) =>
  outer.prefixLength <= inner.prefixLength && containsAddress(outer, inner.address)

function masked({ address, prefixLength }: Cidr): Cidr {
  const hostBits = BigInt(widthOf(address.family) - prefixLength)
  return new Cidr({ family: address.family, bits: (address.bits >> hostBits) << hostBits }, prefixLength)
}

export const cidrs: Library = [
  define('cidr', [string], cidrType, required),
  define('isCIDR', [string], bool, (text: string) => parseCidr(text) !== undefined),
  define('string', [cidrType], string, format),
  defineMethod('containsIP', [cidrType, ipType], bool, (cidr: Cidr, { address }: Ip) => containsAddress(cidr, address)),
  defineMethod('containsIP', [cidrType, string], bool, (cidr: Cidr, text: string) =>
    containsAddress(cidr, requiredAddress(text)),
  ),
  defineMethod('containsCIDR', [cidrType, cidrType], bool, containsCidr),
  defineMethod('containsCIDR', [cidrType, string], bool, (cidr: Cidr, text: string) =>
    containsCidr(cidr, required(text)),
  ),
  defineMethod('ip', [cidrType], ipType, ({ address }: Cidr) => new Ip(address)),
  defineMethod('masked', [cidrType], cidrType, masked),
  defineMethod('prefixLength', [cidrType], int, ({ prefixLength }: Cidr) => prefixLength),
]
