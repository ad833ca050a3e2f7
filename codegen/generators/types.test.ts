import { expect, test } from 'vitest'
import type { JsonSchema } from '#core/registry/resource.ts'
import { generateTypes } from './types.ts'

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1'

function typeScriptOf(schema: JsonSchema): string {
  const types = new Map([
    ['io.k8s.api.demo.v1.T', schema],
    [
      'io.k8s.api.demo.v1.Spec',
      { type: 'object', required: ['a'], properties: { a: { type: 'string' } } } as JsonSchema,
    ],
  ])
  const text = generateTypes({ types, manifests: [] }).get('demo/v1/zz_generated.types.ts')!
  return text.slice(text.indexOf('export interface T ')).split('\n\n')[0]!.trimEnd()
}

const cases: { name: string; property: JsonSchema; want: string }[] = [
  { name: 'a string', property: { type: 'string' }, want: 'string' },
  { name: 'an integer', property: { type: 'integer', format: 'int32' }, want: 'number' },
  { name: 'an enum', property: { type: 'string', enum: ['A', 'B'] }, want: "'A' | 'B'" },
  {
    name: 'a list of an enum',
    property: { type: 'array', items: { type: 'string', enum: ['A', 'B'] } },
    want: "('A' | 'B')[]",
  },
  {
    name: 'a map',
    property: { type: 'object', additionalProperties: { type: 'integer' } },
    want: 'Record<string, number>',
  },
  { name: 'a free object', property: { type: 'object' }, want: 'Record<string, unknown>' },
  { name: 'anything', property: { 'x-kubernetes-preserve-unknown-fields': true }, want: 'unknown' },
  { name: 'int-or-string', property: { 'x-kubernetes-int-or-string': true }, want: 'number | string' },
  { name: 'a reference', property: { $ref: `${meta}.Time` }, want: 'Time' },
]
test.each(cases)('$name becomes $want', ({ property, want }) => {
  expect(typeScriptOf({ type: 'object', properties: { a: property } })).toBe(`export interface T {\n  a?: ${want}\n}`)
})

test('required fields are required, odd names quoted, descriptions kept', () => {
  const properties: Record<string, JsonSchema> = {
    $ref: { type: 'string', description: 'See */ there.' },
    b: { type: 'string' },
  }
  expect(typeScriptOf({ type: 'object', required: ['b'], properties })).toBe(
    "export interface T {\n  /** See *\\/ there. */\n  '$ref'?: string\n  b: string\n}",
  )
})

test('a kind extends KubeObject, and a spec that has required fields is required', () => {
  const properties = {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { $ref: `${meta}.ObjectMeta` },
    spec: { $ref: 'io.k8s.api.demo.v1.Spec' },
  } satisfies Record<string, JsonSchema>
  expect(typeScriptOf({ type: 'object', properties })).toBe('export interface T extends KubeObject {\n  spec: Spec\n}')
})

test('types import one another by relative paths', () => {
  const types = new Map<string, JsonSchema>([
    ['io.k8s.api.apps.v1.A', { type: 'object', properties: { b: { $ref: 'io.k8s.api.core.v1.B' } } }],
    ['io.k8s.api.core.v1.B', { type: 'object', properties: { s: { $ref: `${meta}.LabelSelector` } } }],
  ])
  const modules = generateTypes({ types, manifests: [] })
  expect(modules.get('apps/v1/zz_generated.types.ts')).toContain(
    "import type { B } from '../../core/v1/zz_generated.types.ts'\n",
  )
  expect(modules.get('core/v1/zz_generated.types.ts')).toContain(
    "import type { LabelSelector } from '../../meta/v1/types.ts'\n",
  )
})
