import { expect, test } from 'vitest'
import { ProgressLine } from './progress.ts'

function output(isTTY: boolean) {
  let now = 0
  const written: string[] = []
  const line = new ProgressLine({ isTTY, write: (text: string) => written.push(text) > 0 } as never, () => now)
  const wait = (ms: number) => {
    now += ms
  }
  return { line, written, wait }
}

test('on a terminal one line changes, not too often, and makes room for what stays', () => {
  const { line, written, wait } = output(true)
  line.show('a', 0, 4)
  line.show('a', 1, 4)
  wait(100)
  line.show('a', 2, 4)
  line.say('done')
  line.say('really')
  expect(written).toEqual([
    '\r\u001b[Ka  [........................]  0 of 4',
    '\r\u001b[Ka  [############............]  2 of 4',
    '\r\u001b[Kdone\n',
    'really\n',
  ])
})

test('elsewhere a line tells now and then that it goes on', () => {
  const { line, written, wait } = output(false)
  line.show('a', 0, 4)
  wait(10_000)
  line.show('a', 1, 4)
  line.show('a', 2, 4)
  line.say('done')
  expect(written).toEqual(['a: 1 of 4\n', 'done\n'])
})
