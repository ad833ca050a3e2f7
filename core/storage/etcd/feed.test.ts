import { expect, test } from 'vitest'
import { answersProgressInOrder } from './feed.ts'

test.each([
  { version: '3.4.23', isSafe: false },
  { version: '3.4.31', isSafe: true },
  { version: '3.5.0', isSafe: false },
  { version: '3.5.12', isSafe: false },
  { version: '3.5.13', isSafe: true },
  { version: '3.5.16-rc.1', isSafe: true },
  { version: '3.6.0', isSafe: true },
  { version: '4.0.0', isSafe: true },
  { version: '2.3.8', isSafe: false },
  { version: '', isSafe: false },
])('the answer of etcd $version to a progress request can be trusted: $isSafe', ({ version, isSafe }) => {
  expect(answersProgressInOrder(version)).toBe(isSafe)
})
