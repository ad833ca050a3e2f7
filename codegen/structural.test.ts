import { expect, test } from 'vitest'
import type { JsonSchema } from '#core/registry/resource.ts'
import { structuralFaults } from './structural.ts'

const types = new Map<string, JsonSchema>([
  ['a.b.Item', { type: 'object', properties: { name: { type: 'string' }, size: { type: 'integer' } } }],
])
const cases: { name: string; schema: JsonSchema; faults: string[] }[] = [
  { name: 'a reference to a type', schema: { $ref: 'a.b.Item', default: { name: 'x' } }, faults: [] },
  { name: 'a reference to nothing', schema: { $ref: 'a.b.None' }, faults: ['T: no type is named a.b.None'] },
  { name: 'a schema without a type', schema: {}, faults: ['T: has no type'] },
  { name: 'an array without items', schema: { type: 'array' }, faults: ['T: has no items'] },
  { name: 'a key of no meaning', schema: { type: 'string', title: 'x' }, faults: ['T: title is not allowed'] },
  {
    name: 'a required field that is no property',
    schema: { type: 'object', required: ['a'] },
    faults: ['T: requires a, which is no property'],
  },
  {
    name: 'a list map key that items lack',
    schema: {
      type: 'array',
      items: { $ref: 'a.b.Item' },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['key'],
    },
    faults: ['T: the list map key key is no property of its items'],
  },
  {
    name: 'a default of the wrong type, deep inside',
    schema: { $ref: 'a.b.Item', default: { size: '1', colour: 'red' } },
    faults: ['T default.size: "1" is no integer', 'T default: has colour, which is no property'],
  },
  {
    name: 'a default outside the enum',
    schema: { type: 'string', enum: ['a'], default: 'b' },
    faults: ['T default: "b" is not in the enum'],
  },
]
test.each(cases)('structuralFaults judges $name', ({ schema, faults }) => {
  expect(structuralFaults('T', schema, types)).toEqual(faults)
})
