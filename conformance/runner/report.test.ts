import { expect, test } from 'vitest'
import { formatJunit, formatResult, formatTotals } from './report.ts'
import type { CaseResult } from './run.ts'

const passed: CaseResult = { name: 'crud: it works', outcome: 'ok', ms: 12 }
const failed: CaseResult = { name: 'crud: "it" <fails>', outcome: 'fail', ms: 3, reason: 'one &\n  two\u0000' }
const skipped: CaseResult = { name: 'pods: one runs', outcome: 'skip', ms: 0, reason: 'the cluster has no node' }

test.each([
  [passed, 'ok    crud: it works (12 ms)'],
  [failed, 'FAIL  crud: "it" <fails> (3 ms): one & | two\u0000'],
  [skipped, 'skip  pods: one runs: the cluster has no node'],
])('a result is one line', (result, line) => expect(formatResult(result, false)).toBe(line))

test('colours are added on request only', () => {
  expect(formatResult(passed, true)).toContain('\u001b[32m')
  expect(formatResult(passed, false)).not.toContain('\u001b')
})

test('the totals end with passed and failed', () => {
  expect(formatTotals([passed, failed, skipped])).toBe('1 skipped\n1 passed, 1 failed')
  expect(formatTotals([passed])).toBe('1 passed, 0 failed')
})

test('the JUnit report is well-formed whatever a reason contains', () => {
  const report = formatJunit([passed, failed, skipped])
  expect(report).toContain('<testsuite name="conformance" tests="3" failures="1" skipped="1" time="0.015">')
  expect(report).toContain(
    'name="crud: &quot;it&quot; &lt;fails&gt;" time="0.003"><failure message="one &amp;\n  two"/>',
  )
  expect(report).not.toContain('\u0000')
})
