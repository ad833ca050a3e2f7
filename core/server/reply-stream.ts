import type { ReplyStream } from './exchange.ts'

/** What an HTTP/1.1 response and an HTTP/2 stream have in common for a writer. */
interface Sink {
  readonly writableLength: number
  readonly writableNeedDrain: boolean
  write(chunk: Buffer): boolean
  end(chunk?: Buffer): unknown
  once(event: 'close' | 'drain', listener: () => void): unknown
  off(event: 'close' | 'drain', listener: () => void): unknown
}

export interface ReplyHooks {
  /** Bytes taken from the writer. */
  onWrite(bytes: number): void
  /** Once. @param complete true when the writer ended it, false when it was destroyed or lost its client */
  onClose(complete: boolean): void
  /** Cuts the answer off so that the client notices. */
  cut(): void
  /** Answers to end when the server shuts down. */
  endless: Set<ReplyStream>
}

/** An answer written in pieces, over either protocol. */
export class SinkReplyStream implements ReplyStream {
  readonly #sink: Sink
  readonly #hooks: ReplyHooks
  #closed = false
  #listeners: (() => void)[] = []

  constructor(sink: Sink, hooks: ReplyHooks) {
    this.#sink = sink
    this.#hooks = hooks
    sink.once('close', () => this.#close(false))
  }

  write(chunk: Buffer): boolean {
    if (this.#closed) return true
    this.#hooks.onWrite(chunk.length)
    return this.#sink.write(chunk)
  }

  drained(): Promise<void> {
    const sink = this.#sink
    if (this.#closed || !sink.writableNeedDrain) return Promise.resolve()
    return new Promise((resolve) => {
      const settle = () => {
        sink.off('drain', settle)
        sink.off('close', settle)
        resolve()
      }
      sink.once('drain', settle)
      sink.once('close', settle)
    })
  }

  get bufferedBytes(): number {
    return this.#sink.writableLength
  }

  end(chunk?: Buffer): void {
    if (this.#closed) return
    if (chunk) this.#hooks.onWrite(chunk.length)
    this.#sink.end(chunk)
    this.#close(true)
  }

  destroy(): void {
    if (this.#closed) return
    this.#hooks.cut()
    this.#close(false)
  }

  get closed(): boolean {
    return this.#closed
  }

  onClose(listener: () => void): void {
    if (this.#closed) listener()
    else this.#listeners.push(listener)
  }

  endOnShutdown(): void {
    if (!this.#closed) this.#hooks.endless.add(this)
  }

  #close(complete: boolean): void {
    if (this.#closed) return
    this.#closed = true
    this.#hooks.endless.delete(this)
    this.#hooks.onClose(complete)
    for (const listener of this.#listeners) listener()
    this.#listeners = []
  }
}
