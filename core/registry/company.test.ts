import { expect, test } from 'vitest'
import { ManualClock } from '#core/testing/manual-clock.ts'
import { Company } from './company.ts'

function gathering() {
  const clock = new ManualClock()
  const company = new Company(10, clock)
  const gone: string[] = []
  const join = (name: string) => {
    const round = company.join()
    if (!round) gone.push(name)
    return round?.then(() => gone.push(name))
  }
  return { clock, gone, join }
}

test('who comes alone goes on at once, who has company waits for it, but no longer than was said', async () => {
  const { clock, gone, join } = gathering()
  join('alone')
  clock.advance(10)
  join('alone again')
  clock.advance(9)
  const first = join('first')
  clock.advance(9)
  const second = join('second')
  expect(gone).toEqual(['alone', 'alone again'])
  clock.advance(1)
  await Promise.all([first, second])
  expect(gone).toEqual(['alone', 'alone again', 'first', 'second'])
  clock.advance(10)
  join('late')
  expect(gone.at(-1)).toBe('late')
})

test('a full company leaves at once, and the next one gathers anew', async () => {
  const { clock, gone, join } = gathering()
  join('alone')
  const full = Array.from({ length: 32 }, (_, n) => join(`${n}`))
  const next = join('next')
  await Promise.all(full)
  expect(gone).toHaveLength(33)
  clock.advance(9)
  await Promise.resolve()
  expect(gone).toHaveLength(33)
  clock.advance(1)
  await next
  expect(gone.at(-1)).toBe('next')
})
