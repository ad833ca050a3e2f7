import { type FieldError, invalid } from './field-error.ts'

/** IP addresses and blocks of them, as text. */
export interface IpAddress {
  family: 'IPv4' | 'IPv6'
  /** The address as one number of 32 or 128 bits. */
  value: bigint
}

export interface IpBlock extends IpAddress {
  prefixLength: number
}

/** How many bits an address has. */
export const bitsOf = ({ family }: Pick<IpAddress, 'family'>) => (family === 'IPv4' ? 32 : 128)

/** @returns undefined when `text` is no address */
export function parseIp(text: string): IpAddress | undefined {
  if (text.includes(':')) {
    const value = parseIPv6(text)
    return value === undefined ? undefined : { family: 'IPv6', value }
  }
  const value = parseIPv4(text)
  return value === undefined ? undefined : { family: 'IPv4', value }
}

/** @returns undefined when `text` is not `address/length` */
export function parseCidr(text: string): IpBlock | undefined {
  const [address = '', length = '', more] = text.split('/')
  const ip = parseIp(address)
  if (!ip || more !== undefined || !/^\d{1,3}$/.test(length)) return undefined
  const prefixLength = Number(length)
  return prefixLength <= bitsOf(ip) ? { ...ip, prefixLength } : undefined
}

/** True when every address of `inner` is in `outer`. */
export function containsBlock(outer: IpBlock, inner: IpBlock): boolean {
  if (outer.family !== inner.family || inner.prefixLength < outer.prefixLength) return false
  const rest = BigInt(bitsOf(outer) - outer.prefixLength)
  return outer.value >> rest === inner.value >> rest
}

/** The first address of a block: its number without the bits behind the prefix. */
export function firstOf(block: IpBlock): IpAddress {
  const rest = BigInt(bitsOf(block) - block.prefixLength)
  return { family: block.family, value: (block.value >> rest) << rest }
}

/** In canonical form: IPv6 in lower case, its longest run of zeros as `::`. */
export function formatIp({ family, value }: IpAddress): string {
  return family === 'IPv4' ? formatIPv4(value) : formatIPv6(value)
}

export function ipErrors(field: string, text: string): FieldError[] {
  if (parseIp(text)) return []
  return [invalid(field, text, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')]
}

const notReachable = [
  { cidrs: ['0.0.0.0/32', '::/128'], detail: 'may not be unspecified (0.0.0.0 or ::)' },
  { cidrs: ['127.0.0.0/8', '::1/128'], detail: 'may not be in the loopback range (127.0.0.0/8, ::1/128)' },
  { cidrs: ['169.254.0.0/16', 'fe80::/10'], detail: 'may not be in the link-local range (169.254.0.0/16, fe80::/10)' },
  {
    cidrs: ['224.0.0.0/24', 'ff02::/16'],
    detail: 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
  },
].flatMap(({ cidrs, detail }) => cidrs.map((cidr) => ({ block: parseCidr(cidr)!, detail })))

/** Refuses what is no address, and addresses by which no other machine can be reached. */
export function reachableIpErrors(field: string, text: string): FieldError[] {
  const ip = parseIp(text)
  if (!ip) return ipErrors(field, text)
  const address = { ...ip, prefixLength: bitsOf(ip) }
  const special = notReachable.find(({ block }) => containsBlock(block, address))
  return special ? [invalid(field, text, special.detail)] : []
}

export function cidrErrors(field: string, text: string): FieldError[] {
  if (parseCidr(text)) return []
  return [invalid(field, text, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')]
}

const formatIPv4 = (value: bigint) => [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.')

function formatIPv6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, at) => ((value >> BigInt(112 - 16 * at)) & 0xffffn).toString(16))
  const text = groups.join(':')
  const [first, ...others] = text.matchAll(/\b0(?::0)+\b/g)
  if (!first) return text
  const { 0: zeros, index } = others.reduce(
    (longest, run) => (run[0].length > longest[0].length ? run : longest),
    first,
  )
  return `${text.slice(0, index).replace(/:$/, '')}::${text.slice(index + zeros.length).replace(/^:/, '')}`
}

function parseIPv4(text: string): bigint | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) return undefined
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n)
}

function parseIPv6(text: string): bigint | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = halves.map((half, at) => groupsOf(half, at === halves.length - 1))
  if (!head || (halves.length === 2 && !tail)) return undefined
  const missing = 8 - head.length - (tail?.length ?? 0)
  if (tail ? missing < 1 : missing !== 0) return undefined
  const groups = [...head, ...Array<bigint>(missing).fill(0n), ...(tail ?? [])]
  return groups.reduce((value, group) => (value << 16n) | group, 0n)
}

/** The groups of half an address, of which the very last may be an IPv4 address. */
function groupsOf(half: string, isEnd: boolean): bigint[] | undefined {
  if (half === '') return []
  const groups: bigint[] = []
  const parts = half.split(':')
  for (const [at, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(BigInt(`0x${part}`))
    else {
      const ipv4 = isEnd && at === parts.length - 1 ? parseIPv4(part) : undefined
      if (ipv4 === undefined) return undefined
      groups.push(ipv4 >> 16n, ipv4 & 0xffffn)
    }
  }
  return groups
}
