import { expect, test } from 'vitest'
import { isApply, managerFaults, managerName } from './field-manager.ts'

const exchange = (query: string, headers: Record<string, string> = {}) => ({
  query: new URLSearchParams(query),
  header: (name: string) => headers[name],
})

const names: { name: string; query?: string; agent?: string; want: string }[] = [
  { name: 'what the client says', query: 'fieldManager=ci', agent: 'kubectl/1', want: 'ci' },
  { name: 'what the User-Agent begins with', agent: 'kubectl/v1.36.0 (linux/amd64) kubernetes/abc', want: 'kubectl' },
  { name: 'all of a User-Agent without a version', agent: 'robot', want: 'robot' },
  { name: 'nothing when nobody says', want: '' },
  { name: 'only what can be printed', agent: 'ro\u0000bo\u200bt\u00a0/1', want: 'robot' },
  { name: 'no more than 128 bytes, and no part of a character', agent: `${'x'.repeat(127)}é/1`, want: 'x'.repeat(127) },
]
test.each(names)('the manager is $name', ({ query = '', agent, want }) => {
  expect(managerName(exchange(query, agent === undefined ? {} : { 'user-agent': agent }))).toBe(want)
})

const apply = { 'content-type': 'application/apply-patch+yaml; charset=utf-8' }
const faults: { name: string; query: string; verb: string; headers?: Record<string, string>; want: string[] }[] = [
  { name: 'a name', query: 'fieldManager=a b', verb: 'create', want: [] },
  {
    name: 'an apply without a name',
    query: '',
    verb: 'patch',
    headers: apply,
    want: ['Required value: is required for apply patch'],
  },
  { name: 'force with an apply', query: 'fieldManager=a&force=true', verb: 'patch', headers: apply, want: [] },
  {
    name: 'force with another patch',
    query: 'force=false',
    verb: 'patch',
    want: ['Forbidden: may not be specified for non-apply patch'],
  },
  {
    name: 'a long name',
    query: `fieldManager=${'x'.repeat(129)}`,
    verb: 'update',
    want: ['Too long: may not be more than 128 bytes'],
  },
  {
    name: 'a name with a tab',
    query: 'fieldManager=a%09',
    verb: 'update',
    want: ['Invalid value: "a\\t": invalid character U+0009 (at position 1)'],
  },
]
test.each(faults)('of a request with $name is told what is wrong', ({ query, verb, headers, want }) => {
  expect(managerFaults(exchange(query, headers), verb).map(({ message }) => message)).toEqual(want)
})

test('only a patch can be an apply', () => {
  expect(isApply(exchange('', apply), 'patch')).toBe(true)
  expect(isApply(exchange('', apply), 'update')).toBe(false)
  expect(isApply(exchange('', { 'content-type': 'application/merge-patch+json' }), 'patch')).toBe(false)
})
