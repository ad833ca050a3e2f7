import { setImmediate } from 'node:timers/promises'
import type { ListMeta, TypeMeta } from '#apis/meta/v1/types.ts'
import { envelope, itemSize, type ListNumbers, listParts } from '#core/machinery/protobuf/envelope.ts'
import type { ServedVersion } from '#core/registry/registry.ts'
import { EncodedCache } from '#core/storage/cacher/encoded-cache.ts'
import type { CacheEntry } from '#core/storage/cacher/entry.ts'
import type { Representation } from './negotiate.ts'
import { encodeMessage, listMetadataMessage, listNumbers, messageOf } from './protobuf-codec.ts'
import { partialMetadata } from './representation.ts'

/** Enough for what a few lists of thousands of objects are made of, and for every event on its way to its watchers. */
const cacheBytes = 32 * 1024 * 1024
const encoded = new EncodedCache(cacheBytes)

/** Forgets what was encoded; it is encoded anew when it is asked for. */
export function releaseEncoded(): void {
  encoded.clear()
}

/** A way to show a resource's objects in protobuf. What is shown often is encoded once. */
export class ProtobufForm {
  readonly #type: TypeMeta
  readonly #message: string
  readonly #json: (entry: CacheEntry) => Buffer

  /** @param json of an entry that is as the version shows it, in this form */
  constructor(type: TypeMeta, json: (entry: CacheEntry) => Buffer) {
    this.#type = type
    this.#message = messageOf(type)
    this.#json = json
  }

  /** The object's message alone, as lists hold it. */
  message(entry: CacheEntry): Buffer {
    return encoded.get(this, entry) ?? encoded.add(this, entry, this.#encode(entry))
  }

  /** The same for what is not worth keeping: a view that the next call of anything here overwrites. */
  passingMessage(entry: CacheEntry): Buffer {
    return encoded.get(this, entry) ?? this.#encode(entry)
  }

  #encode(entry: CacheEntry): Buffer {
    return encodeMessage(this.#message, this.#json(entry))
  }

  /** The object as it stands by itself. */
  body(entry: CacheEntry): Buffer {
    return envelope(this.#type, this.message(entry))
  }
}

const forms = new WeakMap<ServedVersion, Map<string, ProtobufForm>>()

/** The one form for all who want to see a version's objects like this. */
export function protobufFormOf(served: ServedVersion, { as, metaVersion }: Representation): ProtobufForm {
  let known = forms.get(served)
  if (!known) forms.set(served, (known = new Map()))
  const id = as ? metaVersion : ''
  let form = known.get(id)
  if (!form) {
    const { kind } = served.resource.definition
    form = as
      ? new ProtobufForm({ kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${metaVersion}` }, (entry) =>
          partialMetadata(entry.bytes, { metaVersion }),
        )
      : new ProtobufForm({ kind, apiVersion: served.apiVersion }, (entry) => entry.bytes)
    known.set(id, form)
  }
  return form
}

/** So many bytes of a list are kept until they are sent. What is beyond is encoded twice, and does not push others out. */
const keptBytes = cacheBytes / 2
/** Others get their turn after so long. */
const turnMs = 2

/**
 * A list in protobuf, part by part; each is good until the next one is asked for. A list begins with its length, so that
 * all of it is encoded before any of it is sent.
 */
export async function protobufListParts(
  head: TypeMeta & { metadata: ListMeta },
  entries: readonly CacheEntry[],
  form: ProtobufForm,
): Promise<Iterable<Buffer>> {
  const numbers = listNumbers(messageOf(head))
  const kept: Buffer[] = []
  let size = 0
  let turnEnds = performance.now() + turnMs
  for (const entry of entries) {
    const isKept = size < keptBytes
    const message = isKept ? form.message(entry) : form.passingMessage(entry)
    size += itemSize(numbers, message)
    if (isKept) kept.push(message)
    if (performance.now() < turnEnds) continue
    await setImmediate()
    turnEnds = performance.now() + turnMs
  }
  return partsOf(head, numbers, messages(entries, kept, form), size)
}

function partsOf(
  { kind, apiVersion, metadata }: TypeMeta & { metadata: ListMeta },
  numbers: ListNumbers,
  items: Iterable<Buffer>,
  size: number,
): Iterable<Buffer> {
  const encodedMetadata = Buffer.from(encodeMessage(listMetadataMessage, Buffer.from(JSON.stringify(metadata))))
  return listParts({ kind, apiVersion }, numbers, encodedMetadata, items, size)
}

function* messages(entries: readonly CacheEntry[], kept: readonly Buffer[], form: ProtobufForm): Generator<Buffer> {
  // A copy: other answers are encoded while a part of this one waits.
  for (let at = 0; at < entries.length; at++) yield kept[at] ?? Buffer.from(form.passingMessage(entries[at]!))
}
