import { expect, test } from 'vitest'
import { healthReport } from './health.ts'

const good = { name: 'ping', failure: () => undefined }
const bad = { name: 'store', failure: () => 'disk full' }

test.each([
  { name: 'ok when all is well', checks: [good], query: '', want: { healthy: true, text: 'ok' } },
  {
    name: 'a line for each check when asked',
    checks: [good],
    query: 'verbose',
    want: { healthy: true, text: '[+]ping ok\nreadyz check passed\n' },
  },
  {
    name: 'the failure without being asked',
    checks: [good, bad],
    query: '',
    want: { healthy: false, text: '[+]ping ok\n[-]store failed: disk full\nreadyz check failed\n' },
  },
  {
    name: 'well when what fails is excluded',
    checks: [good, bad],
    query: 'exclude=store',
    want: { healthy: true, text: 'ok' },
  },
])('a health report says $name', ({ checks, query, want }) => {
  expect(healthReport('readyz', checks, new URLSearchParams(query))).toEqual(want)
})
