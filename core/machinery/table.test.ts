import { expect, test } from 'vitest'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { PrinterColumn } from '#core/registry/resource.ts'
import { buildTable, creationDescription, layoutOfColumns, layoutOfPrinter, nameDescription } from './table.ts'

const now = Date.parse('2026-01-01T01:00:00Z')
const object: UnstructuredObject = {
  apiVersion: 'example.com/v1',
  kind: 'Thing',
  metadata: { name: 'one', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { n: 1.5, text: 'x', list: ['a', 'b'], on: true },
}

test('a kind without columns shows name and age', () => {
  const table = buildTable(layoutOfColumns([]), [object], {
    includeObject: 'Metadata',
    now,
    metadata: { resourceVersion: '7' },
  })
  expect(table).toEqual({
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: '7' },
    columnDefinitions: [
      { name: 'Name', type: 'string', format: 'name', description: nameDescription, priority: 0 },
      { name: 'Age', type: 'date', format: '', description: creationDescription, priority: 0 },
    ],
    rows: [
      {
        cells: ['one', '60m'],
        object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata },
      },
    ],
  })
})

test.each<[PrinterColumn['type'], string, unknown]>([
  ['string', '.spec.text', 'x'],
  ['string', '.spec.n', '1.5'],
  ['string', '.spec.list', '["a","b"]'],
  ['string', '.spec.list[*]', 'a'],
  ['string', '.spec.none', null],
  ['integer', '.spec.n', 1],
  ['integer', '.spec.text', null],
  ['number', '.spec.n', 1.5],
  ['boolean', '.spec.on', true],
  ['boolean', '.spec.text', null],
  ['date', '.metadata.creationTimestamp', '60m'],
  ['date', '.spec.text', '<invalid>'],
  ['date', '.spec.none', null],
])('a column of type %s at %s shows %j', (type, jsonPath, want) =>
  expect(layoutOfColumns([{ name: 'C', type, jsonPath }]).cells(object, now)).toEqual(['one', want]),
)

test('a column says what it is', () => {
  const { columns } = layoutOfColumns([
    { name: 'A', type: 'string', jsonPath: '.spec.a', priority: 1, format: 'byte' },
    { name: 'B', type: 'string', jsonPath: '.spec.b', description: 'The b.' },
  ])
  expect(columns.slice(1)).toEqual([
    {
      name: 'A',
      type: 'string',
      format: 'byte',
      priority: 1,
      description: 'Custom resource definition column (in JSONPath format): .spec.a',
    },
    { name: 'B', type: 'string', format: '', priority: 0, description: 'The b.' },
  ])
})

test("a kind's own printer makes the cells, and the object comes along as asked", () => {
  const layout = layoutOfPrinter({
    columns: [{ name: 'Name', type: 'string', format: 'name' }],
    row: (one, at) => [one.kind, at],
  })
  const row = (includeObject: 'None' | 'Object') => buildTable(layout, [object], { includeObject, now }).rows[0]
  expect(row('None')).toEqual({ cells: ['Thing', now], object: null })
  expect(row('Object')?.object).toBe(object)
  expect(layout.columns).toEqual([{ name: 'Name', type: 'string', format: 'name', description: '', priority: 0 }])
})
