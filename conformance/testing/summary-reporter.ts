import type { Reporter, TestCase, TestModule, TestRunEndReason } from 'vitest/node'

/** Ends a run with every suite that was skipped, its reason, and the line `N passed, N failed`. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[], reason: TestRunEndReason): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const skipped = reasonsOf(tests)
    for (const [why, count] of skipped) process.stdout.write(`skipped ${count}: ${why}\n`)
    const passed = tests.filter((test) => test.result().state === 'passed').length
    const failed = tests.filter((test) => test.result().state === 'failed').length
    const broken = modules.filter((module) => module.errors().length > 0).length + errors.length
    if (reason === 'interrupted') process.stdout.write('interrupted\n')
    process.stdout.write(`${passed} passed, ${failed + broken} failed\n`)
  }
}

/** How many tests each reason skipped. */
function reasonsOf(tests: readonly TestCase[]): Map<string, number> {
  const reasons = new Map<string, number>()
  for (const test of tests) {
    const result = test.result()
    if (result.state !== 'skipped') continue
    const why =
      result.note || `${test.module.relativeModuleId}: ${test.parent.type === 'suite' ? test.parent.name : test.name}`
    reasons.set(why, (reasons.get(why) ?? 0) + 1)
  }
  return reasons
}
