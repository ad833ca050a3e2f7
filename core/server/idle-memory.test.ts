import { expect, test } from 'vitest'
import { BusyTimes } from './idle-memory.ts'

const quiet = { activeMs: 2, totalMs: 3_000 }
const busy = { activeMs: 900, totalMs: 3_000 }

test.each([
  { name: 'the start is over', spans: [busy, quiet], want: [false, true] },
  { name: 'a long quiet time, once', spans: [quiet, quiet, quiet], want: [true, false, false] },
  { name: 'work enough, when it is over', spans: [quiet, busy, busy, quiet], want: [true, false, false, true] },
  { name: 'too little work to matter', spans: [quiet, busy, quiet], want: [true, false, false] },
  { name: 'work that does not pause', spans: [quiet, busy, busy, busy], want: [true, false, false, false] },
])('BusyTimes sees $name', ({ spans, want }) => {
  const times = new BusyTimes()
  expect(spans.map((span) => times.endsWith(span))).toEqual(want)
})
