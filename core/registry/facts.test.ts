import { expect, test } from 'vitest'
import { encodeObject } from '#core/machinery/canonical.ts'
import { factsExtractor } from './facts.ts'

const bytes = (fields: object) => {
  const object = { apiVersion: 'x.dev/v1', kind: 'Thing', metadata: { name: 'one' }, ...fields }
  return encodeObject(object, object)
}

test('selectable fields are found by their names, whatever characters are in them', () => {
  const extract = factsExtractor(['spec.a\\', 'spec.*', 'spec.b[0]', 'spec.toString', 'spec.inner.deep'], {})
  const spec = { 'a\\': 'x', '*': 1, 'b[0]': true, inner: 'no object' }
  expect(extract(bytes({ spec }), 'one').fields).toEqual({
    'metadata.name': 'one',
    'metadata.namespace': '',
    'spec.a\\': 'x',
    'spec.*': '1',
    'spec.b[0]': 'true',
    'spec.toString': '',
    'spec.inner.deep': '',
  })
})
