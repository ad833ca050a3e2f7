/** IP addresses as numbers, for the libraries of addresses and of networks. Pure. */
import { isIPv4, isIPv6 } from 'node:net'

export interface Address {
  readonly family: 4 | 6
  /** Of 32 or 128 bits. */
  readonly bits: bigint
}

export const widthOf = (family: 4 | 6) => (family === 4 ? 32 : 128)

/** undefined for what is none; zones and IPv4 addresses within IPv6 are none here. */
export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { family: 4, bits: bitsOf4(text) }
  if (!isIPv6(text) || text.includes('%')) return undefined
  const bits = bitsOf6(text)
  return bits >> 32n === 0xffffn ? undefined : { family: 6, bits }
}

const bitsOf4 = (text: string) => text.split('.').reduce((bits, part) => (bits << 8n) | BigInt(part), 0n)

function bitsOf6(text: string): bigint {
  const hex = text.replace(/\d+\.\d+\.\d+\.\d+$/, (tail) => {
    const bits = bitsOf4(tail)
    return `${(bits >> 16n).toString(16)}:${(bits & 0xffffn).toString(16)}`
  })
  const [head = '', tail] = hex.split('::')
  const before = groupsOf(head)
  const after = groupsOf(tail ?? '')
  const zeros = Array<string>(8 - before.length - after.length).fill('0')
  return [...before, ...zeros, ...after].reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n)
}

const groupsOf = (text: string) => (text === '' ? [] : text.split(':'))

/** As RFC 5952 writes it: in lower case, the longest run of zeros left out. */
export function formatAddress({ family, bits }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 0xffn).join('.')
  const groups = Array.from({ length: 8 }, (_, i) => (bits >> BigInt(112 - 16 * i)) & 0xffffn)
  const text = groups.map((group) => group.toString(16)).join(':')
  const runs = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)]
  const longest = runs.sort((a, b) => zerosIn(b) - zerosIn(a))[0]
  if (!longest) return text
  const before = text.slice(0, longest.index)
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, '')
  return `${before}::${after}`
}

const zerosIn = (run: RegExpExecArray) => run[0].replaceAll(':', '').length
