/** Which keys have which values, and back. Most values have one key: that is kept without a set around it. */
export class ValueIndex {
  readonly #keys = new Map<string, string | KeySet>()
  readonly #values = new Map<string, readonly string[]>()

  /** Replaces what was known of a key. @param values without repetitions */
  set(key: string, values: readonly string[]): void {
    const before = this.#values.get(key) ?? nothing
    if (before.length === values.length && before.every((value, at) => value === values[at])) return
    for (const value of before) this.#remove(value, key)
    for (const value of values) this.#add(value, key)
    if (values.length > 0) this.#values.set(key, values)
    else this.#values.delete(key)
  }

  /** In order. The array is not to be changed, and good until the next `set`. */
  keysWith(value: string): readonly string[] {
    const found = this.#keys.get(value)
    if (found === undefined) return nothing
    return typeof found === 'string' ? [found] : found.inOrder
  }

  #add(value: string, key: string): void {
    const found = this.#keys.get(value)
    if (found === undefined) this.#keys.set(value, key)
    else if (typeof found === 'string') this.#keys.set(value, new KeySet([found, key]))
    else found.add(key)
  }

  #remove(value: string, key: string): void {
    const found = this.#keys.get(value)
    if (typeof found === 'object') {
      found.delete(key)
      if (found.size === 1) this.#keys.set(value, found.inOrder[0]!)
    } else if (found === key) this.#keys.delete(value)
  }
}

const nothing: readonly string[] = []

/** Put in order when somebody asks, which is less often than they change. */
class KeySet {
  readonly #keys: Set<string>
  #inOrder: readonly string[] | undefined

  constructor(keys: Iterable<string>) {
    this.#keys = new Set(keys)
  }

  get size(): number {
    return this.#keys.size
  }

  get inOrder(): readonly string[] {
    this.#inOrder ??= [...this.#keys].sort()
    return this.#inOrder
  }

  add(key: string): void {
    this.#keys.add(key)
    this.#inOrder = undefined
  }

  delete(key: string): void {
    this.#keys.delete(key)
    this.#inOrder = undefined
  }
}
