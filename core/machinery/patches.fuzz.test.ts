import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findStatusError } from '#core/errors/status-error.ts'
import { loadBuiltinDefinitions } from '#core/registry/builtin.ts'
import { SchemaCompiler } from '#core/schema/compile.ts'
import { applyJsonPatch } from './json-patch.ts'
import { applyMergePatch } from './merge-patch.ts'
import { applyStrategicMergePatch } from './strategic-merge.ts'

/** Patches of any shape on documents of any shape: they apply, or are refused as the client's fault, and reach nothing else. */

const keys = fc.constantFrom(
  'a',
  'b',
  'spec',
  'containers',
  'name',
  '',
  '-',
  '0',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  '~',
  '/',
  '$patch',
  '$retainKeys',
  '$setElementOrder/containers',
  '$deleteFromPrimitiveList/args',
)
const scalars = fc.constantFrom<unknown>(null, '', 'a', 'b', 0, 1, true, 'delete', 'replace', 'merge')
const { value: anything } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalars,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(keys, tie('value')), { maxLength: 4 }).map(asParsed),
  ),
}))

/** An object as JSON.parse makes it: `__proto__` is a key. */
function asParsed(pairs: [string, unknown][]): unknown {
  return JSON.parse(`{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join()}}`)
}

const pointers = fc
  .array(keys, { maxLength: 4 })
  .map((parts) => parts.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''))
const operations = fc.array(
  fc.oneof(
    fc.record(
      {
        op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', '__proto__'),
        path: pointers,
        from: pointers,
        value: anything,
      },
      { requiredKeys: ['op'] },
    ),
    anything,
  ),
  { maxLength: 6 },
)

/** @returns what the patch makes, as JSON; undefined when it is refused */
function outcome(act: () => unknown): string | undefined {
  const inherited = JSON.stringify(Object.getOwnPropertyNames(Object.prototype))
  try {
    return JSON.stringify(act()) ?? 'undefined'
  } catch (error) {
    const code = findStatusError(error)?.status.code
    if (code === undefined) throw error
    expect([400, 413, 422]).toContain(code)
    return undefined
  } finally {
    expect(JSON.stringify(Object.getOwnPropertyNames(Object.prototype))).toBe(inherited)
    expect(Object.getOwnPropertyNames({})).toEqual([])
  }
}

const copy = (value: unknown) => JSON.parse(JSON.stringify(value))

test('any JSON patch applies or is refused, the same each time', () => {
  fc.assert(
    fc.property(anything, operations, (document, patch) => {
      const before = JSON.stringify(patch)
      const first = outcome(() => applyJsonPatch(copy(document), patch))
      expect(outcome(() => applyJsonPatch(copy(document), patch))).toBe(first)
      expect(JSON.stringify(patch)).toBe(before)
    }),
    { numRuns: 500 },
  )
})

test('any merge patch applies, and twice is as good as once', () => {
  fc.assert(
    fc.property(anything, anything, (document, patch) => {
      const once = applyMergePatch(copy(document), copy(patch))
      expect(outcome(() => applyMergePatch(copy(once), copy(patch)))).toBe(JSON.stringify(once))
    }),
    { numRuns: 500 },
  )
})

test('any strategic merge patch applies or is refused, the same each time', async () => {
  const { types, resources } = await loadBuiltinDefinitions()
  const pods = resources.find(({ resource }) => resource === 'pods')!
  const schema = new SchemaCompiler(types, { builtin: true }).compile(pods.versions[0]!.schema)
  const containers = fc.array(fc.oneof(fc.record({ name: fc.constantFrom('a', 'b'), image: scalars }), anything), {
    maxLength: 3,
  })
  const pod = fc.oneof(
    anything,
    containers.map((list) => ({ spec: { containers: list } })),
  )
  fc.assert(
    fc.property(pod, fc.oneof(pod, anything), (document, patch) => {
      const first = outcome(() => applyStrategicMergePatch(copy(document), copy(patch), schema))
      expect(outcome(() => applyStrategicMergePatch(copy(document), copy(patch), schema))).toBe(first)
    }),
    { numRuns: 500 },
  )
})
