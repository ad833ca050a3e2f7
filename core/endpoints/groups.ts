/** Bytes written at once: large enough that the call is cheap, small enough that others get their turn. */
export const groupBytes = 256 * 1024

/**
 * Parts as groups of 256 KB; only the last is shorter. All are the same memory, because fresh pages cost more than what is
 * copied into them: a group is good until the next one is asked for.
 */
export function* groupsOf(parts: Iterable<Buffer>): Generator<Buffer> {
  const group = Buffer.allocUnsafeSlow(groupBytes)
  let used = 0
  for (let part of parts) {
    while (part.length > groupBytes - used) {
      const room = groupBytes - used
      group.set(part.subarray(0, room), used)
      part = part.subarray(room)
      yield group
      used = 0
    }
    group.set(part, used)
    used += part.length
  }
  yield group.subarray(0, used)
}
