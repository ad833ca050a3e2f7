import type { WatchEventType } from '#apis/meta/v1/types.ts'

/** What selectors ask of an object, extracted at most once for each revision. */
export interface ObjectFacts {
  labels: Readonly<Record<string, string>>
  /** Values of the resource's selectable fields; absent fields are the empty string. */
  fields: Readonly<Record<string, string>>
}

export type ExtractFacts = (bytes: Buffer, key: string) => ObjectFacts

/** One object at one revision: its canonical bytes, resourceVersion included. Never changes. */
export class CacheEntry {
  /** `namespace/name`, or `name` for cluster scope. */
  readonly key: string
  readonly bytes: Buffer
  readonly revision: number
  #facts: ObjectFacts | undefined
  #extractedBy: ExtractFacts | undefined

  constructor(key: string, bytes: Buffer, revision: number) {
    this.key = key
    this.bytes = bytes
    this.revision = revision
  }

  facts(extract: ExtractFacts): ObjectFacts {
    // A custom resource's definition may change what is extracted.
    if (this.#facts && this.#extractedBy === extract) return this.#facts
    this.#extractedBy = extract
    this.#facts = extract(this.bytes, this.key)
    return this.#facts
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
