import { expect, test } from 'vitest'
import { logOptions } from './log-options.ts'

const none = { options: { follow: false, timestamps: false }, limitBytes: Number.POSITIVE_INFINITY, isPrevious: false }

test.each([
  { query: '', want: none },
  { query: 'follow=true&timestamps=1', want: { ...none, options: { follow: true, timestamps: true } } },
  { query: 'tailLines=0', want: { ...none, options: { ...none.options, tailLines: 0 } } },
  { query: 'sinceSeconds=10', want: { ...none, options: { ...none.options, sinceMs: 90_000 } } },
  { query: 'sinceTime=1970-01-01T00:01:00Z', want: { ...none, options: { ...none.options, sinceMs: 60_000 } } },
  { query: 'limitBytes=5&previous=true', want: { ...none, limitBytes: 5, isPrevious: true } },
])('?$query is understood', ({ query, want }) => expect(logOptions(new URLSearchParams(query), 100_000)).toEqual(want))

test.each(['tailLines=-1', 'limitBytes=x', 'sinceSeconds=1e9', 'sinceTime=yesterday'])('?%s is refused', (query) => {
  expect(() => logOptions(new URLSearchParams(query))).toThrow(/^invalid /)
})
