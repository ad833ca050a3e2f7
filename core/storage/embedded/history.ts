/**
 * What of the past can still be asked for, and the work of forgetting it: compaction moves the floor at once, the sweep then
 * takes the rows off the disk slice by slice, so that writers get their turn in between, and never below a read under way.
 */
import { StorageError } from '../storage.ts'
import type { StorageThread } from './storage-thread.ts'

export class History {
  readonly #thread: StorageThread
  /** Revisions that reads under way rely on. */
  readonly #holds = new Set<{ revision: number }>()
  #waiting: { revision: number; resolve: () => void; reject: (error: unknown) => void }[] = []
  #compacted: number
  #swept: number
  #isSweeping = false

  constructor(thread: StorageThread, { compacted, swept }: { compacted: number; swept: number }) {
    this.#thread = thread
    this.#compacted = compacted
    this.#swept = swept
  }

  /** History up to here is gone; the state at exactly this revision can still be read. */
  get compacted(): number {
    return this.#compacted
  }

  /** @throws StorageError `Compacted` when what happened after `revision` is no longer known */
  check(revision: number): void {
    if (revision < this.#compacted) throw newCompacted(revision, this.#compacted)
  }

  /** Keeps the state at `revision` and all that came after on the disk until disposed of. */
  hold(revision: number): Disposable {
    const hold = { revision }
    this.#holds.add(hold)
    return {
      [Symbol.dispose]: () => {
        if (this.#holds.delete(hold)) void this.sweep()
      },
    }
  }

  /** Resolves when history up to `revision` is off the disk. A revision already compacted is no error. */
  async compact(revision: number): Promise<void> {
    if (revision > this.#compacted) {
      this.#compacted = revision
      await this.#thread.ask('compact', revision)
    }
    if (this.#swept >= revision) return
    const swept = new Promise<void>((resolve, reject) => this.#waiting.push({ revision, resolve, reject }))
    void this.sweep()
    await swept
  }

  /** Continues whatever sweep is not finished. Never rejects: who waits for a compaction hears of the error. */
  async sweep(): Promise<void> {
    if (this.#isSweeping) return
    this.#isSweeping = true
    try {
      while (this.#swept < this.#goal()) {
        this.#swept = await this.#thread.ask('sweep', this.#goal())
        this.#settle()
      }
    } catch (error) {
      for (const { reject } of this.#waiting.splice(0)) reject(error)
    } finally {
      this.#isSweeping = false
    }
  }

  #goal(): number {
    let goal = this.#compacted
    for (const { revision } of this.#holds) goal = Math.min(goal, revision)
    return goal
  }

  #settle(): void {
    const finished = this.#waiting.filter(({ revision }) => revision <= this.#swept)
    this.#waiting = this.#waiting.filter(({ revision }) => revision > this.#swept)
    for (const { resolve } of finished) resolve()
  }
}

function newCompacted(revision: number, compacted: number): StorageError {
  return new StorageError('Compacted', `revision ${revision} has been compacted; the oldest known is ${compacted}`)
}
