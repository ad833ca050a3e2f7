import { expect, test } from 'vitest'
import { budgetedLogger, burstLines, linesPerSecond } from './log-budget.ts'

function recorded() {
  const lines: { level: string; message: string; keys: Record<string, unknown> }[] = []
  const clock = { now: 0 }
  const log = budgetedLogger(
    (level, message, keys) => lines.push({ level, message, keys }),
    () => clock.now,
  )
  return { lines, clock, log }
}

test('lines within the budget pass, those beyond are counted', () => {
  const { lines, clock, log } = recorded()
  for (let line = 0; line < burstLines + 25; line++) log.info('line', { line })
  expect(lines).toHaveLength(burstLines)
  clock.now += 1_000
  log.error('after')
  expect(lines.slice(-2)).toEqual([
    { level: 'warn', message: 'log lines dropped', keys: { dropped: 25 } },
    { level: 'error', message: 'after', keys: {} },
  ])
})

test('time gives lines back, up to a burst', () => {
  const { lines, clock, log } = recorded()
  for (let line = 0; line < burstLines; line++) log.info('line')
  clock.now += 500
  for (let line = 0; line < burstLines; line++) log.info('later')
  expect(lines.filter((line) => line.message === 'later')).toHaveLength(linesPerSecond / 2)
  clock.now += 3_600_000
  for (let line = 0; line < 2 * burstLines; line++) log.info('much later')
  expect(lines.filter((line) => line.message === 'much later')).toHaveLength(burstLines)
})

const circular: Record<string, unknown> = {}
circular.self = circular

test.each([
  {
    name: 'errors by their text',
    value: new Error('a', { cause: new Error('b') }),
    want: /Error: a[\s\S]*caused by Error: b/,
  },
  { name: 'functions by theirs', value: () => 1, want: '() => 1' },
  { name: 'objects as they are', value: { a: [1, null] }, want: { a: [1, null] } },
  { name: 'circles by a word', value: circular, want: '[object Object]' },
  { name: 'long text cut', value: 'x'.repeat(10_000), want: /^x{4096} \.\.\.$/ },
  { name: 'long lists as text', value: Array(10_000).fill(1), want: /^\[1,1,.* \.\.\.$/ },
])('keys cross as $name', ({ value, want }) => {
  const { lines, log } = recorded()
  log.info('line', { value })
  if (want instanceof RegExp) expect(lines[0]!.keys.value).toMatch(want)
  else expect(lines[0]!.keys.value).toEqual(want)
})
