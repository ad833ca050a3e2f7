/** The main thread's end of the line to the storage worker. */
import { Worker } from 'node:worker_threads'
import { StorageError } from '../storage.ts'
import type { Calls, LogRows, Method, Reply, Request } from './protocol.ts'

type Parameters<M extends Method> = Calls[M] extends (...parameters: infer P) => unknown ? P : never
type Result<M extends Method> = ReturnType<Calls[M]>

/** How a call ended: exactly one of the two functions is called. */
interface Outcome<T> {
  done(result: T): void
  failed(error: StorageError): void
}

export class StorageThread {
  readonly #worker: Worker
  readonly #waiting: Outcome<unknown>[] = []
  readonly #exited: Promise<void>
  #lost: StorageError | undefined

  /**
   * @param onRows receives the log while the store opens
   * @param onLost called once when the thread dies by itself; every call under way and every later one fails with the same error
   */
  constructor(onRows: (rows: LogRows) => void, onLost: (error: StorageError) => void) {
    // Values live outside the heap of the thread; what is inside is small and short-lived.
    const resourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 }
    const url = new URL('./worker.ts', import.meta.url)
    this.#worker = new Worker(url, { name: 'storage', execArgv: [], resourceLimits })
    this.#worker.on('message', (reply: Reply) => ('rows' in reply ? onRows(reply.rows) : this.#settle(reply)))
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#exited = promise
    let cause: Error | undefined
    this.#worker.on('error', (error: Error) => (cause = error))
    this.#worker.on('exit', () => {
      const wasAsked = this.#lost !== undefined
      this.#lose(new StorageError('Unreachable', 'the storage thread ended unexpectedly', { cause }))
      if (!wasAsked) onLost(this.#lost!)
      resolve()
    })
  }

  /** The outcome is told from the thread's message itself, so that its order among other outcomes is the thread's order. */
  call<M extends Method>(method: M, parameters: Parameters<M>, outcome: Outcome<Result<M>>, transfer?: ArrayBuffer[]) {
    if (this.#lost) return outcome.failed(this.#lost)
    this.#waiting.push(outcome as Outcome<unknown>)
    this.#worker.postMessage({ method, parameters } satisfies Request, transfer)
  }

  ask<M extends Method>(method: M, ...parameters: Parameters<M>): Promise<Result<M>> {
    return new Promise((done, failed) => this.call(method, parameters, { done, failed }))
  }

  /** Closes the database and ends the thread. */
  async close(): Promise<void> {
    if (this.#lost === undefined) {
      const closed = this.ask('close')
      this.#lost = new StorageError('Closed', 'the store is closed')
      await closed
    }
    await this.#exited
  }

  /** Ends the thread without ceremony, after an opening that failed. */
  async abandon(): Promise<void> {
    this.#lost ??= new StorageError('Closed', 'the store is closed')
    await this.#worker.terminate()
  }

  #settle(reply: { result: unknown } | { failure: { code: StorageError['code']; message: string } }): void {
    const outcome = this.#waiting.shift()!
    if ('result' in reply) outcome.done(reply.result)
    else outcome.failed(new StorageError(reply.failure.code, reply.failure.message))
  }

  #lose(error: StorageError): void {
    this.#lost ??= error
    for (const outcome of this.#waiting.splice(0)) outcome.failed(this.#lost)
  }
}
