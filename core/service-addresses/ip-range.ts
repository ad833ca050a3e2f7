import { bitsOf, firstOf, formatIp, type IpAddress, type IpBlock, parseCidr } from '#apis/meta/v1/ip.ts'
import { candidates, type Random, staticBand } from './candidates.ts'

export type IpFamily = IpAddress['family']

const band = { part: 16n, most: 256n }

/** The addresses of a block that services may have: not the first, and of IPv4 not the last, which mean the network. */
export class IpRange {
  readonly family: IpFamily
  readonly #first: bigint
  readonly #size: bigint

  constructor(block: IpBlock) {
    this.family = block.family
    const all = 1n << BigInt(bitsOf(block) - block.prefixLength)
    this.#first = firstOf(block).value + 1n
    this.#size = all - (block.family === 'IPv4' ? 2n : 1n)
  }

  /** @returns undefined when `cidr` is none */
  static parse(cidr: string): IpRange | undefined {
    const block = parseCidr(cidr)
    return block && new IpRange(block)
  }

  /** How many there are; not above zero for the smallest blocks. */
  get size(): bigint {
    return this.#size
  }

  get first(): string {
    return this.#text(0n)
  }

  has({ family, value }: IpAddress): boolean {
    const offset = value - this.#first
    return family === this.family && offset >= 0n && offset < this.#size
  }

  /** Every address, in the order in which they are tried. */
  *candidates(random: Random): Generator<string> {
    for (const offset of candidates(this.#size, staticBand(this.#size, band), random)) yield this.#text(offset)
  }

  #text(offset: bigint): string {
    return formatIp({ family: this.family, value: this.#first + offset })
  }
}
