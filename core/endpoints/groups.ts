/** Bytes written at once: large enough that the call is cheap, small enough that others get their turn. */
export const groupBytes = 256 * 1024

/** Bytes that can be copied from: a Buffer, or what has none of its own. */
export type Part = Pick<Buffer, 'length'> & {
  copy(target: Buffer, targetStart: number, from: number, to: number): number
}

/**
 * Parts as groups of 256 KB; only the last is shorter. All are the same memory, because fresh pages cost more than what is
 * copied into them: a group is good until the next one is asked for.
 */
export function* groupsOf(parts: Iterable<Part>): Generator<Buffer> {
  const group = Buffer.allocUnsafeSlow(groupBytes)
  let used = 0
  for (const part of parts) {
    let from = 0
    while (part.length - from > groupBytes - used) {
      const room = groupBytes - used
      part.copy(group, used, from, from + room)
      from += room
      yield group
      used = 0
    }
    part.copy(group, used, from, part.length)
    used += part.length - from
  }
  yield group.subarray(0, used)
}
