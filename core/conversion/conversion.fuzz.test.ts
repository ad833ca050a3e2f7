import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { checkConverted, convertedObjects } from './conversion-review.ts'
import { ConversionFault, parseConversion } from './declarative/conversion-text.ts'
import { setAt, valueAt } from './declarative/object-path.ts'

/** What webhooks answer and what annotations say comes from strangers: it is refused with a reason, or it is of the right shape. */

const original: UnstructuredObject = {
  apiVersion: 'x.dev/v1',
  kind: 'Widget',
  metadata: { name: 'a', namespace: 'ns', uid: 'u', resourceVersion: '7', labels: { a: 'b' } },
}
const place = { object: 'invalid object', metadata: 'invalid metadata', at: ' at index 0' }
const json = fc.jsonValue() as fc.Arbitrary<unknown>
const often = (value: unknown) => fc.oneof({ weight: 5, arbitrary: fc.constant(value) }, json)

test('an answer gives objects or a reason', () => {
  const response = fc.record({
    uid: often('u'),
    convertedObjects: json,
    result: fc.oneof(json, fc.record({ status: often('Success'), message: json })),
  })
  const review = fc.record({
    kind: often('ConversionReview'),
    apiVersion: often('apiextensions.k8s.io/v1'),
    response: fc.oneof(response, json),
  })
  const property = fc.property(
    fc.oneof(review, json),
    fc.constantFrom('v1' as const, 'v1beta1' as const),
    (answer, version) => {
      const found = attempt(() => convertedObjects(answer, version, 'u'))
      if (!(found instanceof Error)) expect(Array.isArray(found)).toBe(true)
      else expect(found.message).not.toBe('')
    },
  )
  fc.assert(property)
})

test('an object that is taken is the one that was sent, whatever else the webhook says', () => {
  const metadata = fc.record(
    { name: often('a'), namespace: often('ns'), uid: often('u'), labels: json, annotations: json, generation: json },
    { requiredKeys: [] },
  )
  const converted = fc.record({
    apiVersion: often('x.dev/v2'),
    kind: often('Widget'),
    metadata: often(undefined),
    spec: json,
  })
  const property = fc.property(fc.oneof(converted, json), fc.oneof(metadata, json), (answer, meta) => {
    if (typeof answer === 'object' && answer !== null) Object.assign(answer, { metadata: meta })
    const taken = attempt(() => checkConverted(original, answer, 'x.dev/v2', place))
    if (taken instanceof Error) return
    const { labels: _labels, annotations: _annotations, ...kept } = taken.metadata
    expect([taken.apiVersion, taken.kind, kept]).toEqual([
      'x.dev/v2',
      'Widget',
      { name: 'a', namespace: 'ns', uid: 'u', resourceVersion: '7' },
    ])
  })
  fc.assert(property)
})

test('an annotation is read or refused', () => {
  const step = fc.record({ set: json, keep: json }, { requiredKeys: [] })
  const written = fc.dictionary(
    fc.constantFrom('v1 -> v2', 'v2->v1', 'v1 -> v9', '__proto__', 'constructor'),
    fc.oneof(step, json),
  )
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    written.map((one) => JSON.stringify(one)),
  )
  const property = fc.property(text, (one) => {
    const steps = attempt(() => parseConversion(one, ['v1', 'v2']))
    if (steps instanceof Error) expect(steps).toBeInstanceOf(ConversionFault)
    else for (const { from, to } of steps) expect([from, to].toSorted()).toEqual(['v1', 'v2'])
  })
  fc.assert(property)
})

test('a path touches own properties only', () => {
  const name = fc.constantFrom('a', 'b', '__proto__', 'constructor', 'toString')
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('.'))
  const property = fc.property(
    fc.array(fc.tuple(path, fc.oneof(json, fc.constant(undefined))), { maxLength: 5 }),
    (writes) => {
      const object = {}
      for (const [at, value] of writes) {
        setAt(object, at, value)
        expect(valueAt(object, at)).toEqual(value)
      }
      expect(Object.getPrototypeOf(object)).toBe(Object.prototype)
      expect(({} as Record<string, unknown>).a).toBeUndefined()
    },
  )
  fc.assert(property)
})

function attempt<T>(call: () => T): T | Error {
  try {
    return call()
  } catch (error) {
    return error as Error
  }
}
