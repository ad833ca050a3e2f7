import { expect, test } from 'vitest'
import { CompileError, compile } from './cel.ts'
import { kubernetesEnvironment, strictEnvironment } from './library/kubernetes.ts'

const issues = (text: string, environment = strictEnvironment) => {
  try {
    compile(text, environment)
    return []
  } catch (error) {
    if (!(error instanceof CompileError)) throw error
    return error.issues.map(({ column, message }) => `${column}: ${message}`)
  }
}

test.each([
  ["duration('1')", ['10: invalid duration argument']],
  ["duration('1d')", ['10: invalid duration argument']],
  ["duration('1us') < duration('1nns')", ['28: invalid duration argument']],
  ["timestamp('1000-00-00T00:00:00Z')", ['11: invalid timestamp argument']],
  ["timestamp('1000-01-01T00:00:00ZZ')", ['11: invalid timestamp argument']],
  ['timestamp(-62135596801)', ['11: invalid timestamp argument']],
  ["'a'.matches('(')", ['13: invalid matches argument']],
  ["[1, 2].exists(x, 'a'.matches('('))", ['30: invalid matches argument']],
  ["[1, 'a', 2.0]", ["5: expected type 'int' but found 'string'"]],
  ["[[1], ['a']]", ["7: expected type 'list(int)' but found 'list(string)'"]],
  ["{'a': 1, 'b': 'c'}", ["15: expected type 'int' but found 'string'"]],
  ["{'a': 1, 2: 3}", ["10: expected type 'string' but found 'int'"]],
])('%s', (text, want) => {
  expect(issues(text)).toEqual(want)
  expect(issues(text, kubernetesEnvironment)).toEqual([])
})

test.each([
  "duration('1h') > duration('1m') && timestamp(0) < timestamp('2020-01-01T00:00:00Z')",
  "'%d %s'.format([1, 'a']) == '1 a'",
  "'%s'.format([[1, 'a']]) != ''",
  '[1, 2] == [3] && [[], [1]].size() == 2',
  "{'a': [1], 'b': []}.size() == 2",
  '[?optional.of(1), 2].size() == 2',
  "'a'.matches('a' + '(')",
])('%s is as it should be', (text) => expect(issues(text)).toEqual([]))
