import { expect, test } from 'vitest'
import { groupBytes, groupsOf } from './groups.ts'

const filled = (length: number, byte: number) => Buffer.alloc(length, byte)

test.each([
  { name: 'nothing', parts: [], lengths: [0] },
  { name: 'little', parts: [filled(3, 1), filled(4, 2)], lengths: [7] },
  { name: 'exactly a group', parts: [filled(groupBytes - 1, 1), filled(1, 2)], lengths: [groupBytes] },
  { name: 'a part across a border', parts: [filled(groupBytes - 1, 1), filled(3, 2)], lengths: [groupBytes, 2] },
  {
    name: 'a part larger than groups',
    parts: [filled(10, 1), filled(2 * groupBytes, 2), filled(5, 3)],
    lengths: [groupBytes, groupBytes, 15],
  },
])('groupsOf cuts $name', ({ parts, lengths }) => {
  // Copied at once: each group is good only until the next.
  const groups = [...groupsOf(parts).map((group) => Buffer.from(group))]
  expect(groups.map((group) => group.length)).toEqual(lengths)
  expect(Buffer.concat(groups).equals(Buffer.concat(parts))).toBe(true)
})
