import { expect, test } from 'vitest'
import { foundAt, isSelectable, type Place, placeText } from './place.ts'

const at = (...names: string[]): Place =>
  names.map((name) => (name === '[]' ? 'items' : name === '{}' ? 'values' : { property: name }))

test.each([
  { place: at('spec', 'host'), text: 'spec.host', selectable: true },
  { place: at('spec', 'ports', '[]', 'name'), text: 'spec.ports[*].name', selectable: true },
  { place: at('spec', 'zones', '{}'), text: 'spec.zones[*]', selectable: true },
  { place: at('spec', 'a.b'), text: 'spec["a.b"]', selectable: false },
])('$text says where a value is', ({ place, text, selectable }) => {
  expect(placeText(place)).toBe(text)
  expect(isSelectable(place)).toBe(selectable)
})

test.each([
  { name: 'a field', object: { a: { b: 1 } }, place: at('a', 'b'), want: [['a.b', 1]] },
  {
    name: 'items',
    object: { a: [{ b: 1 }, {}, { b: 2 }] },
    place: at('a', '[]', 'b'),
    want: [
      ['a[0].b', 1],
      ['a[2].b', 2],
    ],
  },
  {
    name: 'values of a map',
    object: { a: { x: 1, y: 2 } },
    place: at('a', '{}'),
    want: [
      ['a[x]', 1],
      ['a[y]', 2],
    ],
  },
  { name: 'no null', object: { a: null }, place: at('a'), want: [] },
  { name: 'no list where a map is expected', object: { a: [1] }, place: at('a', '{}'), want: [] },
  { name: 'no map where a list is expected', object: { a: { 0: 1 } }, place: at('a', '[]'), want: [] },
  { name: 'nothing that is inherited', object: {}, place: at('constructor', 'name'), want: [] },
])('foundAt finds $name', ({ object, place, want }) => {
  expect(foundAt(object, place).map(({ path, value }) => [path, value])).toEqual(want)
})
