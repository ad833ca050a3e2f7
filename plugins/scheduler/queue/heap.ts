/** A priority queue whose members can be taken out of the middle. */
export class Heap<T> {
  readonly #compare: (a: T, b: T) => number
  readonly #items: T[] = []
  readonly #positions = new Map<T, number>()

  /** @param compare negative when `a` leaves first */
  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare
  }

  get size(): number {
    return this.#items.length
  }

  has(item: T): boolean {
    return this.#positions.has(item)
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    if (this.#positions.has(item)) return
    this.#put(item, this.#items.length)
    this.#up(this.#items.length - 1)
  }

  pop(): T | undefined {
    const first = this.#items[0]
    if (first !== undefined) this.delete(first)
    return first
  }

  delete(item: T): boolean {
    const at = this.#positions.get(item)
    if (at === undefined) return false
    this.#positions.delete(item)
    const last = this.#items.pop()!
    if (at === this.#items.length) return true
    this.#put(last, at)
    this.#up(at)
    this.#down(this.#positions.get(last)!)
    return true
  }

  #put(item: T, at: number): void {
    this.#items[at] = item
    this.#positions.set(item, at)
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#items[a]!, this.#items[b]!]
    this.#put(second, a)
    this.#put(first, b)
  }

  #isBefore(a: number, b: number): boolean {
    return this.#compare(this.#items[a]!, this.#items[b]!) < 0
  }

  #up(at: number): void {
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#isBefore(at, parent)) return
      this.#swap(at, parent)
      at = parent
    }
  }

  #down(at: number): void {
    for (;;) {
      let first = at
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#items.length && this.#isBefore(child, first)) first = child
      }
      if (first === at) return
      this.#swap(at, first)
      at = first
    }
  }
}
