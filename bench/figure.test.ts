import { expect, test } from 'vitest'
import { type Figure, formatFigures, type Row, reaches } from './figure.ts'

const base: Figure = { what: 'GET', value: 80, unit: '/s' }

test.each([
  {
    name: 'a share that is reached',
    figure: { ...base, yardstick: { what: 'bare', value: 100 }, goal: { atLeastRatio: 0.7 } },
    want: true,
  },
  {
    name: 'a share that is missed',
    figure: { ...base, yardstick: { what: 'bare', value: 200 }, goal: { atLeastRatio: 0.7 } },
    want: false,
  },
  { name: 'an upper bound', figure: { ...base, goal: { atMost: 80 } }, want: true },
  { name: 'a lower bound', figure: { ...base, goal: { atLeast: 81 } }, want: false },
  { name: 'nothing to reach', figure: base, want: undefined },
  { name: 'what was not measured', figure: { what: 'GET', skipped: 'no docker' }, want: undefined },
])('reaches judges $name', ({ figure, want }) => {
  expect(reaches(figure as Row)).toBe(want)
})

test('figures line up under their headings', () => {
  const text = formatFigures([
    { ...base, value: 12345, goal: { atLeast: 1 } },
    { ...base, what: 'LIST of many' },
  ])
  const [head, first, second] = text.split('\n')
  expect(first).toContain('12,345')
  expect(first).toContain('reached')
  expect(second!.indexOf('80')).toBeGreaterThan(head!.indexOf('figure'))
})

test('a skipped figure says why', () => {
  expect(formatFigures([{ what: 'pod', skipped: 'no docker here' }])).toContain('skipped: no docker here')
})
