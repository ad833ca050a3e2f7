import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { encodeObject, reviveObject, spliceResourceVersion } from '#core/machinery/canonical.ts'
import { Dispatcher } from './dispatcher.ts'
import { CacheEntry, type Change, type ExtractFacts } from './entry.ts'
import { ResourceCache } from './resource-cache.ts'
import type { Subscriber, ViewSpec } from './watch-view.ts'

const extract: ExtractFacts = (bytes) => {
  const { metadata } = reviveObject(bytes)
  return { labels: metadata.labels ?? {}, fields: { colour: metadata.labels?.colour ?? '' } }
}

function entryOf(key: string, revision: number, colour = ''): CacheEntry {
  const [name = '', namespace] = key.split('/').reverse()
  const metadata = { name, namespace, labels: { colour } }
  const object: UnstructuredObject = { apiVersion: 'v1', kind: 'Thing', metadata }
  return new CacheEntry(key, spliceResourceVersion(encodeObject(object, object), revision), revision)
}

const newCache = () => new ResourceCache(0, new Dispatcher(), extract)
const colourIs = (colour: string) => (entry: CacheEntry) => entry.facts(extract).fields.colour === colour

/** Ways to watch, indexed by field and not. */
const specs: ViewSpec[] = [
  { id: 'all', keyPrefix: '' },
  { id: 'namespace a', keyPrefix: 'a/' },
  { id: 'red', keyPrefix: '', matches: colourIs('red') },
  { id: 'red by field', keyPrefix: '', matches: colourIs('red'), equals: { field: 'colour', value: 'red' } },
  { id: 'blue of b', keyPrefix: 'b/', matches: colourIs('blue'), equals: { field: 'colour', value: 'blue' } },
  { id: 'no colour', keyPrefix: '', matches: colourIs(''), equals: { field: 'colour', value: '' } },
]

interface Event {
  type: string
  object: UnstructuredObject
}

class Recorder implements Subscriber {
  readonly events: Event[] = []
  ended = 0

  deliver(chunk: Buffer): void {
    const lines = chunk.toString().split('\n').filter(Boolean)
    this.events.push(...lines.map((line) => JSON.parse(line) as Event))
  }

  end(): void {
    this.ended++
  }
}

/** Resolves when everything queued so far has been delivered. */
const delivered = () => new Promise((resolve) => setImmediate(resolve))

type State = Map<string, { revision: number; colour: string }>

const stateOf = (entries: readonly CacheEntry[]): State =>
  new Map(
    entries.map((entry) => [entry.key, { revision: entry.revision, colour: entry.field('colour', extract) as string }]),
  )

/** What a client that keeps a cache knows after these events; each must make sense to it. */
function replay(start: State, events: readonly Event[]): State {
  const state = new Map(start)
  let last = 0
  for (const { type, object } of events) {
    const { name = '', namespace, labels = {}, resourceVersion } = object.metadata
    const key = namespace ? `${namespace}/${name}` : name
    const revision = Number(resourceVersion)
    expect(revision).toBeGreaterThan(last)
    last = revision
    expect(state.has(key)).toBe(type !== 'ADDED')
    if (type === 'DELETED') state.delete(key)
    else state.set(key, { revision, colour: labels.colour! })
  }
  return state
}

const selected = (cache: ResourceCache, spec: ViewSpec) =>
  stateOf(cache.list(spec.keyPrefix, (entry) => spec.matches?.(entry, extract) ?? true).entries)

const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constantFrom('put', 'put', 'remove'),
        key: fc.constantFrom('a/x', 'a/y', 'b/x', 'b/y', 'x'),
        colour: fc.constantFrom('', 'red', 'blue'),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('watch'), spec: fc.constantFrom(...specs) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('publish') }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('settle') }) },
  ),
  { maxLength: 60 },
)

test('a list and the watch that follows it show every state, in order, without gap or repetition', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (plan) => {
      const cache = newCache()
      const watches: { spec: ViewSpec; start: State; since: number; recorder: Recorder }[] = []
      let revision = 0
      let batch: Change[] = []
      const publish = () => {
        cache.publish(batch)
        batch = []
      }
      for (const step of plan) {
        if ('key' in step) {
          const entry = entryOf(step.key, ++revision, step.colour)
          const change = step.kind === 'put' ? cache.put(entry) : cache.remove(entry)
          if (change) batch.push(change)
        } else if ('spec' in step) {
          // Clients come between batches: applying and publishing one is a single turn.
          publish()
          const recorder = new Recorder()
          cache.subscribe(step.spec, recorder)
          watches.push({ spec: step.spec, start: selected(cache, step.spec), since: cache.lastRevision, recorder })
        } else if (step.kind === 'publish') publish()
        else {
          publish()
          await delivered()
        }
      }
      publish()
      await delivered()
      for (const { spec, start, since, recorder } of watches) {
        expect(replay(start, recorder.events)).toEqual(selected(cache, spec))
        const view = cache.viewOf(spec)
        const resumed = cache.changesAfter(since)!.flatMap((change) => view.frame(change)?.toString() ?? [])
        expect(resumed.map((line) => JSON.parse(line))).toEqual(recorder.events)
      }
    }),
    { numRuns: 300 },
  )
})

test.each([
  { name: 'starts to match', from: 'blue', to: 'red', want: 'ADDED' },
  { name: 'still matches', from: 'red', to: 'red', want: 'MODIFIED' },
  { name: 'no longer matches', from: 'red', to: 'blue', want: 'DELETED' },
  { name: 'never matches', from: 'blue', to: 'green', want: undefined },
])('an object that $name is seen as $want', async ({ from, to, want }) => {
  const cache = newCache()
  cache.put(entryOf('a', 1, from))
  const recorder = new Recorder()
  cache.subscribe(specs[3]!, recorder)
  cache.publish([cache.put(entryOf('a', 2, to))])
  await delivered()
  expect(recorder.events.map((event) => event.type)).toEqual(want ? [want] : [])
})

test('watches that ask alike share each chunk', async () => {
  const cache = newCache()
  const chunks: Buffer[] = []
  for (let at = 0; at < 3; at++) cache.subscribe({ ...specs[2]! }, { deliver: (chunk) => chunks.push(chunk) })
  cache.publish([cache.put(entryOf('a', 1, 'red')), cache.put(entryOf('b', 2, 'red'))])
  await delivered()
  expect(chunks).toHaveLength(3)
  expect(new Set(chunks).size).toBe(1)
})

test('who has left hears nothing, and a view that nobody watches is forgotten', async () => {
  const cache = newCache()
  const recorder = new Recorder()
  const leave = cache.subscribe(specs[3]!, recorder)
  const view = cache.viewOf(specs[3]!)
  leave()
  cache.publish([cache.put(entryOf('a', 1, 'red'))])
  await delivered()
  expect(recorder.events).toEqual([])
  expect(cache.viewOf(specs[3]!)).not.toBe(view)
})

test('history goes back so far and no further', () => {
  const cache = newCache()
  for (let revision = 1; revision <= 10_000; revision++) cache.put(entryOf(`k-${revision % 10}`, revision))
  const oldest = Array.from({ length: 10_000 }, (_, at) => at).find((since) => cache.changesAfter(since) !== undefined)!
  expect(oldest).toBeGreaterThan(0)
  expect(oldest).toBeLessThan(6_000)
  for (const since of [oldest, oldest + 1, 9_990]) {
    expect(cache.changesAfter(since)!.map((change) => change.revision)).toEqual(
      Array.from({ length: 10_000 - since }, (_, at) => since + 1 + at),
    )
  }
  expect(cache.changesAfter(10_000)).toEqual([])
})

test('watches are ended behind what is on its way to them', async () => {
  const cache = newCache()
  const recorder = new Recorder()
  cache.subscribe(specs[0]!, recorder)
  cache.publish([cache.put(entryOf('a', 1))])
  cache.endWatches()
  expect(recorder.ended).toBe(0)
  await delivered()
  expect([recorder.events.length, recorder.ended]).toEqual([1, 1])
})

test('pages of any size hold the whole list once', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(
        fc.constantFrom(...'abcdefgh'.split('').flatMap((name) => [`n/${name}`, `n-m/${name}`, `na/${name}`])),
      ),
      fc.constantFrom('', 'n/', 'n-m/'),
      fc.integer({ min: 1, max: 5 }),
      (keys, prefix, limit) => {
        const cache = newCache()
        for (const [at, key] of keys.entries()) cache.put(entryOf(key, at + 1))
        const found: string[] = []
        for (let after = ''; ; ) {
          const { entries, more } = cache.list(prefix, undefined, limit, after)
          found.push(...entries.map((entry) => entry.key))
          if (!more) break
          after = entries.at(-1)!.key
          expect(cache.countAfter(prefix, after)).toBe(
            keys.filter((key) => key.startsWith(prefix) && key > after).length,
          )
        }
        expect(found).toEqual(keys.filter((key) => key.startsWith(prefix)).sort())
      },
    ),
  )
})
