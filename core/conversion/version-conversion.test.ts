import { expect, test } from 'vitest'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import {
  encodeObject,
  ownersText,
  reviveObject,
  reviveWhole,
  spliceResourceVersion,
} from '#core/machinery/canonical.ts'
import { CacheEntry } from '#core/storage/cacher/entry.ts'
import { VersionConversion, type VersionParts } from './version-conversion.ts'

const object = (version: string, name: string, fields: object = {}): UnstructuredObject => ({
  apiVersion: `x.dev/${version}`,
  kind: 'Widget',
  metadata: { name },
  ...fields,
})

const owners =
  '[{"manager":"me","operation":"Update","apiVersion":"x.dev/v1","fieldsType":"FieldsV1","fieldsV1":{"f:a":{}}}]'

function entry(of: UnstructuredObject, revision: number): CacheEntry {
  return new CacheEntry(
    `ns/${of.metadata.name}`,
    spliceResourceVersion(encodeObject(of, of, owners), revision),
    revision,
  )
}

/** Shows v2; the converter notes how many objects it is given, and may answer later. */
function open(parts: Partial<VersionParts> = {}, isLate = false) {
  const batches: number[] = []
  const conversion = new VersionConversion({
    kind: 'Widget',
    apiVersion: 'x.dev/v2',
    isCurrent: () => true,
    noteCurrent: () => {},
    showsAsStored: (one) => reviveObject(one.bytes).apiVersion === 'x.dev/v2',
    schemaOf: () => undefined,
    renamedFrom: () => [],
    converter: {
      keepsLabels: true,
      batchSize: 10,
      convert: (objects, apiVersion) => {
        batches.push(objects.length)
        const made = objects.map((one) => ({ ...one, apiVersion, converted: true }))
        return isLate ? Promise.resolve(made) : made
      },
    },
    ...parts,
  })
  return { conversion, batches }
}

const shownOf = ({ bytes }: CacheEntry) => reviveObject(bytes)

test('an object is converted once, with its revision and its owners', () => {
  const { conversion, batches } = open()
  const stored = entry(object('v1', 'a'), 7)
  const shown = conversion.show(stored) as CacheEntry
  expect(shownOf(shown)).toEqual({
    ...object('v2', 'a', { converted: true }),
    metadata: { resourceVersion: '7', name: 'a' },
  })
  expect(ownersText(shown.bytes)).toBe(owners)
  expect([shown.key, shown.revision]).toEqual(['ns/a', 7])
  expect(conversion.show(stored)).toBe(shown)
  expect(batches).toEqual([1])
})

test('what is stored in the version is shown as it is', () => {
  const { conversion, batches } = open()
  const stored = entry(object('v2', 'a'), 7)
  expect(conversion.show(stored)).toBe(stored)
  expect(conversion.showAll([stored])).toEqual([stored])
  expect(batches).toEqual([])
})

test('what differs in its name only is not converted', () => {
  const { conversion, batches } = open({ renamedFrom: () => ['x.dev/v0', 'x.dev/v1'] })
  const shown = conversion.show(entry(object('v1', 'a', { size: 1 }), 7)) as CacheEntry
  expect(reviveWhole(shown.bytes)).toMatchObject({
    ...object('v2', 'a', { size: 1 }),
    metadata: { resourceVersion: '7' },
  })
  expect(batches).toEqual([])
})

test.each([{ isLate: false }, { isLate: true }])(
  'many are converted in batches, in order (late: $isLate)',
  async ({ isLate }) => {
    const { conversion, batches } = open({}, isLate)
    const stored = Array.from({ length: 25 }, (_, at) => entry(object(at % 5 === 0 ? 'v2' : 'v1', `o${at}`), at + 1))
    const shown = await conversion.showAll(stored)
    expect(shown.map(({ key }) => key)).toEqual(stored.map(({ key }) => key))
    expect(shown.map((one) => shownOf(one).apiVersion)).toEqual(Array(25).fill('x.dev/v2'))
    expect(batches.toSorted((a, b) => a - b)).toEqual([10, 10])
  },
)

test('what others are converting is waited for, not converted again', async () => {
  const { conversion, batches } = open({}, true)
  const [a, b] = [entry(object('v1', 'a'), 1), entry(object('v1', 'b'), 2)]
  const all = await Promise.all([
    conversion.show(a),
    conversion.showAll([a, b]),
    conversion.showAll([b]),
    conversion.show(b),
  ])
  expect(batches).toEqual([1, 1])
  expect(all.flat().map((one) => shownOf(one).metadata.name)).toEqual(['a', 'a', 'b', 'b', 'b'])
})

test('a failure is everybody’s who waited, and is not remembered', async () => {
  let isWell = false
  const { conversion } = open({
    converter: {
      keepsLabels: true,
      batchSize: 10,
      convert: async (objects, apiVersion) => {
        if (!isWell) throw new Error('boom')
        return objects.map((one) => ({ ...one, apiVersion }))
      },
    },
  })
  const stored = entry(object('v1', 'a'), 1)
  const both = await Promise.allSettled([conversion.show(stored), conversion.showAll([stored])])
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  isWell = true
  expect(shownOf(await conversion.show(stored)).apiVersion).toBe('x.dev/v2')
})

test('what was stored under an older schema is brought up to its own version, then pruned for the one it is shown in', () => {
  const schemas: Record<string, Pick<NonNullable<ReturnType<VersionParts['schemaOf']>>, 'prune' | 'applyDefaults'>> = {
    'x.dev/v1': {
      prune: (value) => delete (value as Record<string, unknown>).old,
      applyDefaults: (value) => Object.assign(value as object, { given: 1 }),
    },
    'x.dev/v2': { prune: (value) => delete (value as Record<string, unknown>).v1only, applyDefaults: () => {} },
  }
  const { conversion } = open({
    isCurrent: ({ revision }) => revision >= 5,
    schemaOf: (version) => schemas[version],
  })
  const stored = object('v1', 'a', { old: 1, v1only: 2 })
  expect(shownOf(conversion.show(entry(stored, 4)) as CacheEntry)).toEqual({
    ...object('v2', 'a', { given: 1, converted: true }),
    metadata: { resourceVersion: '4', name: 'a' },
  })
  const later = shownOf(conversion.show(entry(stored, 5)) as CacheEntry)
  expect(later).toMatchObject({ old: 1, converted: true })
  expect(later).not.toHaveProperty('given')
})

test('what is up to date already is found so once, and shown as it is stored', () => {
  const known = new Set<CacheEntry>()
  let pruned = 0
  const { conversion, batches } = open({
    isCurrent: (one) => known.has(one),
    noteCurrent: (one) => known.add(one),
    showsAsStored: (one) => known.has(one) && reviveObject(one.bytes).apiVersion === 'x.dev/v2',
    schemaOf: () => ({
      prune: () => {
        pruned++
      },
      applyDefaults: () => {},
    }),
    renamedFrom: () => ['x.dev/v1'],
  })
  const [own, other] = [entry(object('v2', 'a'), 1), entry(object('v1', 'b'), 2)]
  for (let at = 0; at < 3; at++) {
    expect(conversion.show(own)).toBe(own)
    expect(shownOf(conversion.show(other) as CacheEntry).apiVersion).toBe('x.dev/v2')
  }
  expect(known).toEqual(new Set([own, other]))
  // Once each by its own schema, and what was converted by that of the version it is shown in.
  expect(pruned).toBe(3)
  expect(batches).toEqual([1])
})
