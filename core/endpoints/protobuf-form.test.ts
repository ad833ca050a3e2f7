import { expect, test, vi } from 'vitest'
import type { ServedVersion } from '#core/registry/registry.ts'
import { CacheEntry } from '#core/storage/cacher/entry.ts'
import { parseProtobuf } from './protobuf-codec.ts'
import { protobufFormOf, protobufListParts, releaseEncoded } from './protobuf-form.ts'

const object = (name: string, text: string) => ({
  kind: 'ConfigMap',
  apiVersion: 'v1',
  metadata: { resourceVersion: '7', name },
  data: { text },
})
const entryOf = (value: object) => new CacheEntry('n/a', Buffer.from(JSON.stringify(value)), 7)

const served = {
  apiVersion: 'v1',
  resource: { definition: { kind: 'ConfigMap', builtin: true } },
} as unknown as ServedVersion

const whole = { format: 'protobuf', metaVersion: 'v1' } as const
const partial = { ...whole, as: 'PartialObjectMetadata' } as const

test('an object is encoded once for all who ask, and anew after a release', () => {
  const entry = entryOf(object('a', 'b'))
  const reading = vi.spyOn(entry, 'bytes', 'get')
  for (let at = 0; at < 3; at++) {
    expect(parseProtobuf(protobufFormOf(served, whole).body(entry))).toEqual(object('a', 'b'))
  }
  expect(reading).toHaveBeenCalledTimes(1)
  releaseEncoded()
  protobufFormOf(served, whole).body(entry)
  expect(reading).toHaveBeenCalledTimes(2)
})

test.each([
  { metaVersion: 'v1', apiVersion: 'meta.k8s.io/v1' },
  { metaVersion: 'v1beta1', apiVersion: 'meta.k8s.io/v1beta1' },
] as const)('metadata of $apiVersion has a form of its own', ({ metaVersion, apiVersion }) => {
  const entry = entryOf(object('a', 'b'))
  protobufFormOf(served, whole).body(entry)
  expect(parseProtobuf(protobufFormOf(served, { ...partial, metaVersion }).body(entry))).toEqual({
    apiVersion,
    kind: 'PartialObjectMetadata',
    metadata: { resourceVersion: '7', name: 'a' },
  })
})

test.each([
  { name: 'nothing', lengths: [] },
  { name: 'a few objects', lengths: [1, 300, 70_000] },
  // Beyond what is kept encoded.
  { name: 'large objects', lengths: Array.from({ length: 40 }, (_, at) => 1_000_000 + at) },
])('a list of $name has the length it begins with', async ({ lengths }) => {
  const form = protobufFormOf(served, whole)
  const objects = lengths.map((length, at) => object(`o${at}`, String(at % 10).repeat(length)))
  const head = { kind: 'ConfigMapList', apiVersion: 'v1', metadata: { resourceVersion: '9', continue: 'next' } }
  const parts = await protobufListParts(head, objects.map(entryOf), form)
  const chunks: Buffer[] = []
  for (const part of parts) {
    chunks.push(Buffer.from(part))
    // Another answer is written between any two parts.
    form.passingMessage(entryOf(object('other', 'x'.repeat(1000))))
    form.body(entryOf(object('other', 'y')))
  }
  const items = objects.map(({ kind, apiVersion, ...rest }) => rest)
  expect(parseProtobuf(Buffer.concat(chunks))).toEqual({ ...head, ...(items.length > 0 && { items }) })
  releaseEncoded()
})
