import type { WatchEventType } from '#apis/meta/v1/types.ts'
import type { Slab } from './slab.ts'

/** What selectors ask of an object, extracted at most once for each revision. */
export interface ObjectFacts {
  labels: Readonly<Record<string, string>>
  /** Values of the resource's selectable fields; absent fields are the empty string. A field in lists may have several. */
  fields: Readonly<Record<string, string | readonly string[]>>
}

export type ExtractFacts = (bytes: Buffer, key: string) => ObjectFacts

/**
 * One object at one revision: its canonical bytes, resourceVersion included. They never change, but may move: there is one
 * of these for every stored object, so it has no Buffer of its own.
 */
export class CacheEntry {
  /** `namespace/name`, or `name` for cluster scope. */
  readonly key: string
  readonly revision: number
  /** Bytes. */
  readonly length: number
  #memory: Buffer
  #start = 0
  #slab: Slab | undefined
  /** How many the cache has that keep it: the state now, and the history. */
  #holders = 0
  #facts: ObjectFacts | undefined
  #extractedBy: ExtractFacts | undefined

  constructor(key: string, bytes: Buffer, revision: number, length = bytes.length) {
    this.key = key
    this.revision = revision
    this.length = length
    this.#memory = bytes
  }

  get bytes(): Buffer {
    return this.#slab ? this.#memory.subarray(this.#start, this.#start + this.length) : this.#memory
  }

  /** Copies as Buffer's `copy` does; large lists are written so, without a Buffer for each object. */
  copy(target: Buffer, targetStart: number, from: number, to: number): number {
    return this.#memory.copy(target, targetStart, this.#start + from, this.#start + to)
  }

  /** Whether the bytes begin like this. A loop: at this length it beats every call into native code. */
  startsWith(head: Buffer): boolean {
    for (let at = 0; at < head.length; at++) if (this.#memory[this.#start + at] !== head[at]) return false
    return true
  }

  /** The value or values of a selectable field; empty when absent. Names stand in the key: nothing is parsed for them. */
  field(name: string, extract: ExtractFacts): string | readonly string[] {
    if (name === 'metadata.name') return this.key.slice(this.key.indexOf('/') + 1)
    if (name === 'metadata.namespace') return this.key.slice(0, Math.max(0, this.key.indexOf('/')))
    const { fields } = this.facts(extract)
    return Object.hasOwn(fields, name) ? fields[name]! : ''
  }

  facts(extract: ExtractFacts): ObjectFacts {
    // A custom resource's definition may change what is extracted.
    if (this.#facts && this.#extractedBy === extract) return this.#facts
    this.#extractedBy = extract
    this.#facts = extract(this.bytes, this.key)
    return this.#facts
  }

  get isHeld(): boolean {
    return this.#holders > 0
  }

  hold(): void {
    if (this.#holders++ === 0) this.#slab?.occupy(this.length)
  }

  letGo(): void {
    if (--this.#holders === 0) this.#slab?.vacate(this.length)
  }

  /** Its bytes are in `slab` from `start` on, too, and there from now on. */
  moveTo(slab: Slab, start: number): void {
    this.#slab = slab
    this.#memory = slab.memory
    this.#start = start
    if (this.isHeld) slab.occupy(this.length)
  }
}

export type ChangeType = Extract<WatchEventType, 'ADDED' | 'MODIFIED' | 'DELETED'>

/** One change of one object, as every watch of the resource sees it before its selectors have a say. */
export class Change {
  readonly type: ChangeType
  /** The state after; of a deletion, the last state under the revision of the deletion. */
  readonly entry: CacheEntry
  /** The state before, absent when the change created the object. */
  readonly previous: CacheEntry | undefined
  #frame: Buffer | undefined

  constructor(type: ChangeType, entry: CacheEntry, previous: CacheEntry | undefined) {
    this.type = type
    this.entry = entry
    this.previous = previous
  }

  get revision(): number {
    return this.entry.revision
  }

  /** The event in the storage version, framed once however many watchers take it. */
  get frame(): Buffer {
    this.#frame ??= frameEvent(this.type, this.entry.bytes)
    return this.#frame
  }
}

const heads = Object.fromEntries(
  (['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR'] as const).map((type) => [
    type,
    Buffer.from(`{"type":"${type}","object":`),
  ]),
) as Record<WatchEventType, Buffer>
const tail = Buffer.from('}\n')

/** One line of a watch's answer. */
export function frameEvent(type: WatchEventType, object: Buffer): Buffer {
  return Buffer.concat([heads[type], object, tail])
}
