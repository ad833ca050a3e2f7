import { Worker } from 'node:worker_threads'
import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import type { FieldError } from '#apis/meta/v1/field-error.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { noteSpecErrors } from './judged-specs.ts'
import type { JudgeReply, JudgeRequest } from './judging.worker.ts'

/** Objects and lists within a definition beyond which judging it takes longer than others should wait: some 200 KB. */
const manyValues = 5_000
/** The thread ends when it was not asked for so long. */
const idleMs = 10_000

/**
 * Has large definitions judged by a thread of its own, started for the first of them, so that requests go on to be answered
 * meanwhile: a schema of 1 MB takes a tenth of a second.
 */
export class LargeDefinitions {
  #thread: JudgingThread | undefined

  /**
   * What is wrong with the definition's spec is known once this resolves, for as long as nobody changes it.
   * @returns undefined for a definition of the usual size
   */
  prejudge(object: UnstructuredObject, old?: UnstructuredObject): Promise<void> | undefined {
    return isLarge(object.spec) ? this.#judge(object, old) : undefined
  }

  async #judge(object: UnstructuredObject, old: UnstructuredObject | undefined): Promise<void> {
    this.#thread ??= new JudgingThread(() => {
      this.#thread = undefined
    })
    const errors = await this.#thread.judge(JSON.stringify(object), old && JSON.stringify(old))
    // Otherwise it is judged where it is validated.
    if (errors) noteSpecErrors(object as unknown as CustomResourceDefinition, errors)
  }
}

class JudgingThread {
  readonly #worker: Worker
  readonly #waiting = new Map<number, (errors: FieldError[] | undefined) => void>()
  #idle: NodeJS.Timeout | undefined
  #lastId = 0

  /** @param onEnd called once, when nobody can be answered any more */
  constructor(onEnd: () => void) {
    this.#worker = new Worker(new URL('./judging.worker.ts', import.meta.url), { name: 'judging', execArgv: [] })
    this.#worker.unref()
    this.#worker.on('message', ({ id, errors }: JudgeReply) => this.#settle(id, errors))
    // Told by the exit that follows.
    this.#worker.on('error', () => {})
    this.#worker.on('exit', () => {
      onEnd()
      for (const id of [...this.#waiting.keys()]) this.#settle(id, undefined)
      clearTimeout(this.#idle)
    })
  }

  /** @returns undefined when the thread could not tell */
  judge(definition: string, old: string | undefined): Promise<FieldError[] | undefined> {
    const id = ++this.#lastId
    clearTimeout(this.#idle)
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve)
      this.#worker.postMessage({ id, definition, old } satisfies JudgeRequest)
    })
  }

  #settle(id: number, errors: FieldError[] | undefined): void {
    this.#waiting.get(id)?.(errors)
    this.#waiting.delete(id)
    if (this.#waiting.size === 0) this.#idle = setTimeout(() => void this.#worker.terminate(), idleMs).unref()
  }
}

/** Looks at no more of a value than it takes to know. */
function isLarge(value: unknown): boolean {
  const waiting: unknown[] = [value]
  let count = 0
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (++count > manyValues) return true
    for (const key in next as object) {
      const inner = (next as Record<string, unknown>)[key]
      if (typeof inner === 'object' && inner !== null) waiting.push(inner)
    }
  }
  return false
}
