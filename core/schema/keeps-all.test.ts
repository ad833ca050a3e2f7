import { expect, test } from 'vitest'
import type { JsonSchema } from '#core/registry/resource.ts'
import { keepsAll } from './keeps-all.ts'

const kind = (spec: JsonSchema): JsonSchema => ({ type: 'object', properties: { spec } })
const object = (properties: Record<string, JsonSchema>): JsonSchema => ({ type: 'object', properties })
const text: JsonSchema = { type: 'string' }
const open: JsonSchema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

const cases: { name: string; target: JsonSchema; source: JsonSchema; want: boolean }[] = [
  {
    name: 'the same fields',
    target: object({ a: text }),
    source: object({ a: { ...text, maxLength: 1 } }),
    want: true,
  },
  { name: 'more fields', target: object({ a: text, b: text }), source: object({ a: text }), want: true },
  { name: 'fewer fields', target: object({ a: text }), source: object({ a: text, b: text }), want: false },
  {
    name: 'fewer fields of an item',
    target: { type: 'array', items: object({}) },
    source: { type: 'array', items: object({ a: text }) },
    want: false,
  },
  { name: 'an open object for any', target: open, source: object({ a: open }), want: true },
  { name: 'a closed object for an open one', target: object({ a: text }), source: open, want: false },
  {
    name: 'an open object whose fields are closed',
    target: { ...open, ...object({ a: object({}) }) },
    source: object({ a: object({ b: text }) }),
    want: false,
  },
  {
    name: 'a map for fields',
    target: { type: 'object', additionalProperties: text },
    source: object({ a: text }),
    want: true,
  },
  {
    name: 'fields for a map',
    target: object({ a: text }),
    source: { type: 'object', additionalProperties: text },
    want: false,
  },
  {
    name: 'a map of less for a map',
    target: { type: 'object', additionalProperties: object({}) },
    source: { type: 'object', additionalProperties: object({ a: text }) },
    want: false,
  },
  {
    name: 'an object for an embedded resource',
    target: object({}),
    source: { ...object({}), 'x-kubernetes-embedded-resource': true },
    want: false,
  },
]

test.each(cases)('$name', ({ target, source, want }) => {
  expect(keepsAll(kind(target), kind(source))).toBe(want)
})
