/**
 * Which keys exist, without their values: the durable state in key order and, over it, what pending writes will make of it.
 * Writes are decided against the latter, reads see the former. Also in key order: the state at an earlier revision.
 */
import { createRequire } from 'node:module'
import type { LogRows } from './protocol.ts'
import { rowColumn, rowWidth } from './protocol.ts'

// A CommonJS module whose `default` Node and bundlers nest differently under an ES import.
const { default: BTree } = createRequire(import.meta.url)('sorted-btree') as typeof import('sorted-btree')
type BTree<K, V> = InstanceType<typeof BTree<K, V>>

/** A key that exists. Revisions of its creation and of its last write; `expires` in milliseconds since the epoch, 0 for never. */
export interface KeyState {
  readonly created: number
  readonly revision: number
  readonly expires: number
}

/** The object behind a key, to be read: `revision` says which row has the value. */
export interface KeyVersion {
  key: string
  created: number
  revision: number
}

/** A change of one key. `state` is undefined when it deletes the key. */
export interface KeyChange {
  key: string
  revision: number
  state: KeyState | undefined
}

export class KeyIndex {
  #durable: BTree<string, KeyState> = new BTree<string, KeyState>(undefined, compareStrings)
  readonly #pending = new Map<string, KeyChange>()
  readonly #expiring: BTree<KeyState, string> = new BTree<KeyState, string>(undefined, compareExpiry)

  get size(): number {
    return this.#durable.size
  }

  /** The state once all pending writes are durable; undefined when the key does not exist then. */
  latest(key: string): KeyState | undefined {
    const pending = this.#pending.get(key)
    return pending ? pending.state : this.#durable.get(key)
  }

  durable(key: string): KeyState | undefined {
    return this.#durable.get(key)
  }

  /** Whether any key under `prefix` exists once all pending writes are durable. */
  hasUnder(prefix: string): boolean {
    for (const { key, state } of this.#pending.values()) if (state && key.startsWith(prefix)) return true
    for (const { key } of this.page(prefix, undefined)) if (!this.#pending.has(key)) return true
    return false
  }

  stage(change: KeyChange): void {
    this.#pending.set(change.key, change)
  }

  /** Makes a staged change durable. Changes are applied in revision order. */
  apply(change: KeyChange): void {
    if (this.#pending.get(change.key)?.revision === change.revision) this.#pending.delete(change.key)
    if (this.#expiring.size > 0) this.#forgetExpiry(change.key)
    if (change.state) this.#put(change.key, change.state)
    else this.#durable.delete(change.key)
  }

  #forgetExpiry(key: string): void {
    const before = this.#durable.get(key)
    if (before && before.expires > 0) this.#expiring.delete(before)
  }

  /** Forgets every staged change. */
  rollback(): void {
    this.#pending.clear()
  }

  /** Fills an empty index from a log that comes in revision order. */
  static loader(): { add(rows: LogRows): void; finish(): KeyIndex } {
    const states = new Map<string, KeyState>()
    const add = (rows: LogRows) => {
      for (const [at, key] of rows.keys.entries()) {
        const state = stateOf(rows.numbers, at * rowWidth)
        if (state) states.set(key, state)
        else states.delete(key)
      }
    }
    const finish = () => {
      const index = new KeyIndex()
      for (const key of [...states.keys()].sort(compareStrings)) index.#put(key, states.get(key)!)
      states.clear()
      return index
    }
    return { add, finish }
  }

  /** When the next key expires; undefined when none does. */
  nextExpiry(): number | undefined {
    return this.#expiring.minKey()?.expires
  }

  /** Up to `limit` keys whose time has come, the longest overdue first. */
  expired(now: number, limit: number): KeyVersion[] {
    const due: KeyVersion[] = []
    for (const [{ expires, created, revision }, key] of this.#expiring.entries()) {
      if (expires > now || due.length === limit) break
      due.push({ key, created, revision })
    }
    return due
  }

  /**
   * The keys under `prefix` in order, at the durable state or, when `past` is made of the rows written since, at an earlier one.
   * @param after start behind this key
   */
  *page(prefix: string, after: string | undefined, past: Past = noPast): Generator<KeyVersion> {
    const start = after !== undefined && after >= prefix ? after : prefix
    const isBehindStart = (key: string) => after === undefined || key > after
    const { earlier, keys: undone } = past
    let next = 0
    while (next < undone.length && !isBehindStart(undone[next]!)) next++
    for (const [key, state] of this.#durable.entries(start)) {
      if (!key.startsWith(prefix)) break
      if (!isBehindStart(key)) continue
      while (next < undone.length && undone[next]! < key) yield* existing(earlier.get(undone[next++]!))
      if (undone[next] === key) yield* existing(earlier.get(undone[next++]!))
      else yield { key, created: state.created, revision: state.revision }
    }
    while (next < undone.length) yield* existing(earlier.get(undone[next++]!))
  }

  #put(key: string, state: KeyState): void {
    this.#durable.set(key, state)
    if (state.expires > 0) this.#expiring.set(state, key)
  }
}

/** What the keys that have changed since were before; undefined for one that did not exist. */
export interface Past {
  earlier: ReadonlyMap<string, KeyVersion | undefined>
  /** In order. */
  keys: readonly string[]
}

const noPast: Past = { earlier: new Map(), keys: [] }

/** The state before some changes, as far as it was another one. */
export function pastOf({ keys, numbers }: LogRows): Past {
  const earlier = new Map<string, KeyVersion | undefined>()
  for (const [at, key] of keys.entries()) {
    if (earlier.has(key)) continue
    const created = numbers[at * rowWidth + rowColumn.created]!
    const revision = numbers[at * rowWidth + rowColumn.replaced]!
    earlier.set(key, revision === 0 ? undefined : { key, created, revision })
  }
  return { earlier, keys: [...earlier.keys()].sort(compareStrings) }
}

function existing(version: KeyVersion | undefined): KeyVersion[] {
  return version ? [version] : []
}

function stateOf(numbers: Float64Array, at: number): KeyState | undefined {
  if (numbers[at + rowColumn.length]! < 0) return undefined
  const revision = unboxed(numbers[at + rowColumn.revision]!)
  return { revision, created: unboxed(numbers[at + rowColumn.created]!), expires: numbers[at + rowColumn.expires]! }
}

/** The same number. Of what comes from an array of doubles V8 keeps each in an object of its own, unless it is told that it is small. */
function unboxed(value: number): number {
  const small = value | 0
  return small === value ? small : value
}

function compareStrings(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function compareExpiry(a: KeyState, b: KeyState): number {
  return a.expires - b.expires || a.revision - b.revision
}
