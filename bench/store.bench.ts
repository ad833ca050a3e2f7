import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { openEmbeddedStorage } from '#core/storage/embedded/embedded-storage.ts'
import { type Figure, figureOf } from './figure.ts'
import { configMap } from './objects.ts'
import { alternate, type Rate } from './rounds.ts'
import { scratch } from './servers.ts'

/** Durable creates in the store alone, against appends of the same bytes to a plain file, synced in groups the same way. */
export async function storeBench(durationMs: number): Promise<Figure[]> {
  const { directory, remove } = scratch()
  try {
    await using storage = await openEmbeddedStorage({ directory: join(directory, 'store') })
    await using file = await open(join(directory, 'yardstick'), 'a')
    const appends = new GroupedAppends(file)
    const value = configMap('stored', 2_048)
    const figures: Figure[] = []
    for (const writers of [1, 64]) {
      const round = await alternate(
        durationMs,
        (roundMs) => rateOf(writers, roundMs, () => appends.append(value)),
        (roundMs) => rateOf(writers, roundMs, (id) => storage.create(`/registry/core/configmaps/default/${id}`, value)),
      )
      figures.push(
        figureOf(`durable create in the store, ${writers} writer${writers === 1 ? '' : 's'}`, round, 'synced appends'),
      )
    }
    return figures
  } finally {
    remove()
  }
}

let ids = 0

/** @returns the rate of writes by so many writers, each with one write under way */
async function rateOf(writers: number, durationMs: number, write: (id: number) => Promise<unknown>): Promise<Rate> {
  const started = performance.now()
  let written = 0
  const writer = async () => {
    while (performance.now() - started < durationMs) {
      await write(ids++)
      written++
    }
  }
  await Promise.all(Array.from({ length: writers }, writer))
  return { perSecond: (written / (performance.now() - started)) * 1000 }
}

/** What came while one group was being synced is the next group. */
class GroupedAppends {
  readonly #file: FileHandle
  #queued: { bytes: Buffer; resolve: () => void }[] = []
  #syncing = false

  constructor(file: FileHandle) {
    this.#file = file
  }

  append(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.#queued.push({ bytes, resolve })
      if (this.#syncing) return
      this.#syncing = true
      setImmediate(() => this.#sync())
    })
  }

  async #sync(): Promise<void> {
    while (this.#queued.length > 0) {
      const group = this.#queued.splice(0)
      await this.#file.writev(group.map(({ bytes }) => bytes))
      await this.#file.datasync()
      for (const { resolve } of group) resolve()
      // The writers' next appends are on their way.
      await new Promise(setImmediate)
    }
    this.#syncing = false
  }
}
