import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Reads of so many values leave enough behind to be worth clearing away at once. */
const manyValues = 256

/**
 * The values as views of one buffer. Each one by itself would be a small piece of the thread's malloc arena, handed over and
 * freed long after: an arena keeps what it has grown to, 64 MB for 100,000 objects.
 */
export function packValues(values: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer>[] {
  if (values.length < manyValues) return [...values]
  const packed = new Uint8Array(values.reduce((size, value) => size + value.length, 0))
  let at = 0
  return values.map((value) => {
    packed.set(value, at)
    at += value.length
    return packed.subarray(at - value.length, at)
  })
}

let collect: ((options: { type: 'minor' }) => void) | undefined

/** Frees the values a large read was packed from, before the next one grows the arena. */
export function clearAfterReading(count: number): void {
  if (count < manyValues) return
  if (!collect) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as typeof collect
  }
  collect!({ type: 'minor' })
}
