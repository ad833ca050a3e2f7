import { expect, test } from 'vitest'
import type { JsonSchema } from '#core/registry/resource.ts'
import { compileSchema } from './compile.ts'

const quantity = 'io.k8s.apimachinery.pkg.api.resource.Quantity'
const time = 'io.k8s.apimachinery.pkg.apis.meta.v1.Time'
const microTime = 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime'
const types: Record<string, JsonSchema> = {
  [quantity]: { 'x-kubernetes-int-or-string': true },
  [time]: { type: 'string', format: 'date-time' },
  [microTime]: { type: 'string', format: 'date-time' },
}
const schema = compileSchema(
  {
    type: 'object',
    properties: {
      q: { $ref: quantity },
      limits: { type: 'object', additionalProperties: { $ref: quantity } },
      list: { type: 'array', items: { type: 'object', properties: { t: { $ref: time } } } },
      times: { type: 'array', items: { $ref: time } },
      t: { $ref: time },
      m: { $ref: microTime },
      text: { type: 'string' },
    },
  },
  types,
  { builtin: true },
)

test.each<[object, object]>([
  [{ q: '1000m' }, { q: '1' }],
  [{ q: 0.5 }, { q: '500m' }],
  [{ q: 'much' }, { q: 'much' }],
  [
    { q: null, limits: null },
    { q: null, limits: null },
  ],
  [{ limits: { cpu: 1, memory: '1024Ki' } }, { limits: { cpu: '1', memory: '1Mi' } }],
  [{ t: '2026-01-01T01:00:00.9+01:00' }, { t: '2026-01-01T00:00:00Z' }],
  [{ t: 'now' }, { t: 'now' }],
  [{ m: '2026-01-01T00:00:00.1234567Z' }, { m: '2026-01-01T00:00:00.123456Z' }],
  [{ m: '2026-01-01T00:00:00Z' }, { m: '2026-01-01T00:00:00.000000Z' }],
  [
    { list: [{ t: '2026-01-01t00:00:00z' }], times: ['2026-01-01T00:00:00+00:00'] },
    { list: [{ t: '2026-01-01T00:00:00Z' }], times: ['2026-01-01T00:00:00Z'] },
  ],
  [
    { list: [null], times: [null, '2026-01-01T00:00:00Z'] },
    { list: [{}], times: ['', '2026-01-01T00:00:00Z'] },
  ],
  [
    { text: '1000m', unknown: '1000m' },
    { text: '1000m', unknown: '1000m' },
  ],
])('%j becomes %j', (value, want) => {
  schema.normalize(value)
  expect(value).toEqual(want)
})
