import { PassThrough, type Readable, Writable } from 'node:stream'

/**
 * Takes apart docker's multiplexed output: frames of an 8-byte head (stream 1 or 2, three zeros, length) and their bytes.
 * A slow reader of either side holds the source back.
 */
export class Demultiplexer extends Writable {
  #head = Buffer.alloc(0)
  #left = 0
  #target: PassThrough | undefined
  readonly #stdout: PassThrough
  readonly #stderr: PassThrough

  constructor(stdout: PassThrough, stderr: PassThrough) {
    super()
    this.#stdout = stdout
    this.#stderr = stderr
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    let rest = chunk
    const full = new Set<PassThrough>()
    while (rest.length > 0) {
      if (this.#left === 0) {
        rest = this.#readHead(rest)
        continue
      }
      const part = rest.subarray(0, this.#left)
      rest = rest.subarray(part.length)
      this.#left -= part.length
      const target = this.#target as PassThrough
      if (!target.destroyed && !target.write(part)) full.add(target)
    }
    whenDrained([...full], done)
  }

  #readHead(chunk: Buffer): Buffer {
    const missing = 8 - this.#head.length
    this.#head = Buffer.concat([this.#head, chunk.subarray(0, missing)])
    if (this.#head.length === 8) {
      this.#target = this.#head[0] === 2 ? this.#stderr : this.#stdout
      this.#left = this.#head.readUInt32BE(4)
      this.#head = Buffer.alloc(0)
    }
    return chunk.subarray(missing)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#stdout.end()
    if (this.#stderr !== this.#stdout) this.#stderr.end()
    done()
  }
}

function whenDrained(targets: readonly PassThrough[], done: () => void): void {
  let waiting = targets.length
  if (waiting === 0) done()
  for (const target of targets) {
    const settle = () => {
      target.off('drain', settle).off('close', settle)
      if (--waiting === 0) done()
    }
    target.on('drain', settle).on('close', settle)
  }
}

/** Both outputs of a multiplexed stream, interleaved as they came. */
export function merged(source: Readable): Readable {
  const output = new PassThrough()
  demultiplex(source, output, output)
  output.once('close', () => source.destroy())
  return output
}

/** The two outputs of a multiplexed stream. */
export function separated(source: Readable): { stdout: Readable; stderr: Readable } {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  demultiplex(source, stdout, stderr)
  return { stdout, stderr }
}

/** A source that breaks off breaks off its outputs, whether or not anybody reads both. */
function demultiplex(source: Readable, stdout: PassThrough, stderr: PassThrough): void {
  for (const output of [stdout, stderr]) output.on('error', () => undefined)
  const breakOff = (error?: Error) => {
    stdout.destroy(error)
    stderr.destroy(error)
  }
  source.once('error', breakOff)
  source.once('close', () => source.readableEnded || breakOff())
  source.pipe(new Demultiplexer(stdout, stderr))
}
