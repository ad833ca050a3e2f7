const base = (10 << 24) | (88 << 16)
const size = 1 << 19

/** Hands out the addresses of 10.88.0.0/13, the least recently used first. */
export class AddressPool {
  #next = 1
  readonly #freed: string[] = []
  #firstFreed = 0

  /** @throws when all 524,286 are in use */
  take(): string {
    if (this.#next < size - 1) return format(base + this.#next++)
    const address = this.#freed[this.#firstFreed++]
    if (address === undefined) throw new Error('no address is left in 10.88.0.0/13')
    return address
  }

  give(address: string): void {
    this.#freed.push(address)
  }
}

const format = (address: number) => [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.')
