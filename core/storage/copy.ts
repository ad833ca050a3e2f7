/** Moves what one store holds to another, whatever they are. */
import type { Storage, StorageReader, StoredObject } from './storage.ts'

const root = '/registry/'
const pageSize = 500
const atOnce = 64

export interface CopyOptions {
  /** How long a key is to live in the target, in seconds; undefined: for good. */
  ttlOf(key: string): number | undefined
  /** Told how many objects have been written so far. */
  onProgress(count: number): void
}

/** @returns how many objects there were at one moment, all of which the target has now */
export async function copyObjects(from: StorageReader, to: Storage, options: CopyOptions): Promise<number> {
  let count = 0
  for await (const page of pagesOf(from)) {
    await forEachAtOnce(page, async ({ key, value }) => {
      const ttlSeconds = options.ttlOf(key)
      try {
        await to.create(key, value, ttlSeconds === undefined ? undefined : { ttlSeconds })
      } catch (cause) {
        throw new Error(`write ${key}`, { cause })
      }
      options.onProgress(++count)
    })
  }
  return count
}

export async function isEmpty(storage: StorageReader): Promise<boolean> {
  return (await storage.list(root, { limit: 1 })).items.length === 0
}

/** Deletes everything that is there when it begins. */
export async function empty(storage: Storage): Promise<void> {
  for await (const page of pagesOf(storage)) {
    await forEachAtOnce(page, async ({ key, modRevision }) => void (await storage.delete(key, modRevision)))
  }
}

/** All objects as they are at one revision. */
async function* pagesOf(storage: StorageReader): AsyncGenerator<StoredObject[]> {
  let page = await storage.list(root, { limit: pageSize })
  const { revision } = page
  while (page.items.length > 0) {
    yield page.items
    if (!page.more) return
    page = await storage.list(root, { limit: pageSize, revision, after: page.items.at(-1)!.key })
  }
}

async function forEachAtOnce<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < items.length) await act(items[next++]!)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker))
}
