import { expect, test } from 'vitest'
import { Budget, compile, EvaluationError, types } from './cel.ts'
import { kubernetesEnvironment } from './library/kubernetes.ts'

const { list, int, string, dyn } = types
const environment = kubernetesEnvironment.extend({
  variables: { ints: list(int), names: list(string), objects: list(dyn), text: string, unicode: string, any: dyn },
})
const bindings = {
  ints: Array.from({ length: 5000 }, (_, i) => (i * 7919) % 5003),
  names: Array.from({ length: 5000 }, (_, i) => `name${i}`),
  objects: Array.from({ length: 2000 }, (_, i) => ({ a: i, b: { c: [i] } })),
  text: 'ab'.repeat(150_000),
  unicode: `${'a'.repeat(100_000)}👑`,
  any: Array.from({ length: 2000 }, (_, i) => ({ a: [i] })),
}

/** Forty times twice as much as before. */
function doubled(first: string, use: (last: string) => string): string {
  const steps = Array.from({ length: 40 }, (_, i) => `cel.bind(x${i + 1}, x${i} + x${i}, `).join('')
  return `cel.bind(x0, ${first}, ${steps}${use('x40')}${')'.repeat(41)}`
}

const runaways: [name: string, expression: string][] = [
  ['nested comprehensions', 'ints.all(x, ints.all(y, ints.all(z, x + y + z >= 0)))'],
  ['maps of maps', 'objects.map(x, objects.map(y, [x, y])).size() > 0'],
  ['two variables', 'names.transformMap(i, x, names.transformMap(j, y, x + y)).size() > 0'],
  ['a search for all matches', "text.findAll('(a|b|ab)*c|b').size() > 0"],
  ['a pattern of many instructions', "text.matches('(a?){500}[ab]{500}[c-e]')"],
  ['format', "ints.all(x, '%s'.format([objects]).size() > 0)"],
  ['sort', 'names.all(x, names.sort().size() > 0)'],
  ['sortBy', 'names.all(x, names.sortBy(y, y).size() > 0)'],
  ['distinct', 'objects.distinct().size() > 0'],
  ['flatten', 'ints.all(x, [[objects, objects], [objects]].flatten().size() > 0)'],
  ['sets', 'sets.equivalent(objects, objects.map(x, x))'],
  ['equality', 'ints.all(x, objects == objects.map(y, y))'],
  ['equality of what has no type', 'ints.all(x, any == [any[0]] || any != objects)'],
  ['membership', "ints.all(x, !({'a': x} in objects))"],
  ['characters beyond 16 bits', "ints.all(x, unicode.charAt(x) != '')"],
  ['addresses', "ints.all(x, !isURL(text) || isURL('a'))"],
]

/** A clock on which a millisecond passes whenever it is read. */
function readClock(): { now: () => number; read: () => number } {
  let reads = 0
  return { now: () => reads++, read: () => reads }
}

test.each(runaways)('the deadline ends %s', (_name, expression) => {
  const clock = readClock()
  const program = compile(expression, environment)
  const budget = new Budget({ deadlineMs: 10, now: clock.now })
  expect(() => program.evaluate(bindings, budget)).toThrow(new EvaluationError('operation interrupted', true))
  expect(clock.read()).toBeLessThan(16)
})

const tooLarge: [name: string, expression: string][] = [
  ['a list', doubled('ints', (last) => `size(${last}) > 0`)],
  ['a list without a type', doubled('dyn(ints)', (last) => `size(${last}) > 0`)],
  ['a string', doubled('text', (last) => `${last} == text`)],
  ['a string without a type', doubled('dyn(text)', (last) => `${last} == text`)],
  ['a joined string', "names.join(text) == ''"],
  ['a range', 'lists.range(100000000).size() > 0'],
  ['a flattened list', '[[ints, ints].map(x, ints.map(y, ints))].flatten(3).size() > 0'],
  ['a string with much between', "text.replace('', text).size() > 0"],
  ['a string with much replaced', "text.replace('a', text).size() > 0"],
]
test.each(tooLarge)('%s that is too long is not made', (_name, expression) => {
  expect(() => compile(expression, environment).evaluate(bindings, new Budget())).toThrow('is too long')
})

test('an evaluation that is in time is not ended', () => {
  const budget = new Budget({ deadlineMs: 10, now: () => 9 })
  expect(compile('ints.all(x, x >= 0) && text.size() == 300000', environment).evaluate(bindings, budget)).toBe(true)
})
