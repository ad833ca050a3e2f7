import { Worker } from 'node:worker_threads'
import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { StoredObject } from '../registry.ts'
import { type Judgement, noteJudgement } from './judged-specs.ts'
import type { JudgeReply, JudgeRequest } from './judging.worker.ts'

/** The thread ends when it was not asked for so long. */
const idleMs = 10_000

/**
 * Has large definitions judged by a thread of its own, started for the first of them, so that requests go on to be answered
 * meanwhile: a schema of 1 MB takes a tenth of a second.
 */
export class LargeDefinitions {
  #thread: JudgingThread | undefined

  /**
   * What is wrong with the definition's spec, and what else is asked of its schemas, is known once this resolves, for as
   * long as nobody changes it.
   */
  async prejudge(object: UnstructuredObject, old?: StoredObject): Promise<void> {
    this.#thread ??= new JudgingThread(() => {
      this.#thread = undefined
    })
    const judgement = await this.#thread.judge(JSON.stringify(object), old && new Uint8Array(old.bytes))
    // Otherwise it is judged where it is validated.
    if (judgement) noteJudgement(judgement, definitionIn(object), old && definitionIn(old.object))
  }
}

const definitionIn = (object: UnstructuredObject) => object as unknown as CustomResourceDefinition

class JudgingThread {
  readonly #worker: Worker
  readonly #waiting = new Map<number, (judgement: Judgement | undefined) => void>()
  #idle: NodeJS.Timeout | undefined
  #lastId = 0

  /** @param onEnd called once, when nobody can be answered any more */
  constructor(onEnd: () => void) {
    this.#worker = new Worker(new URL('./judging.worker.ts', import.meta.url), { name: 'judging', execArgv: [] })
    this.#worker.unref()
    this.#worker.on('message', ({ id, judgement }: JudgeReply) => this.#settle(id, judgement))
    // Told by the exit that follows.
    this.#worker.on('error', () => {})
    this.#worker.on('exit', () => {
      onEnd()
      for (const id of [...this.#waiting.keys()]) this.#settle(id, undefined)
      clearTimeout(this.#idle)
    })
  }

  /** @param old is the thread's from now on @returns undefined when the thread could not tell */
  judge(definition: string, old: Uint8Array<ArrayBuffer> | undefined): Promise<Judgement | undefined> {
    const id = ++this.#lastId
    clearTimeout(this.#idle)
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve)
      this.#worker.postMessage({ id, definition, old } satisfies JudgeRequest, old ? [old.buffer] : [])
    })
  }

  #settle(id: number, judgement: Judgement | undefined): void {
    this.#waiting.get(id)?.(judgement)
    this.#waiting.delete(id)
    if (this.#waiting.size === 0) this.#idle = setTimeout(() => void this.#worker.terminate(), idleMs).unref()
  }
}
