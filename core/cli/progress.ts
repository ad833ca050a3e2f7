const showEveryMs = 100
/** Where there is no terminal, a line now and then tells a log that something goes on. */
const lineEveryMs = 10_000
const barWidth = 24

/** Tells how far a long task has come: on a terminal in one line that changes, elsewhere in few lines. */
export class ProgressLine {
  readonly #out: Pick<NodeJS.WriteStream, 'write' | 'isTTY'>
  readonly #now: () => number
  #shownAt: number
  #isOpen = false

  constructor(out: Pick<NodeJS.WriteStream, 'write' | 'isTTY'> = process.stderr, now = () => performance.now()) {
    this.#out = out
    this.#now = now
    this.#shownAt = out.isTTY ? Number.NEGATIVE_INFINITY : now()
  }

  /** @param total at least `done` */
  show(name: string, done: number, total: number): void {
    const now = this.#now()
    if (now - this.#shownAt < (this.#out.isTTY ? showEveryMs : lineEveryMs)) return
    this.#shownAt = now
    const counts = `${done} of ${total}`
    if (this.#out.isTTY) this.#out.write(`\r\u001b[K${name}  ${bar(done, total)}  ${counts}`)
    else this.#out.write(`${name}: ${counts}\n`)
    this.#isOpen = this.#out.isTTY
  }

  /** Says something that stays. */
  say(text: string): void {
    this.#out.write(`${this.#isOpen ? '\r\u001b[K' : ''}${text}\n`)
    this.#isOpen = false
  }
}

function bar(done: number, total: number): string {
  const filled = Math.round((barWidth * done) / Math.max(1, total))
  return `[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}]`
}
