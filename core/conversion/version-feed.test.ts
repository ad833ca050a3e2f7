import { expect, test } from 'vitest'
import { Dispatcher } from '#core/storage/cacher/dispatcher.ts'
import { CacheEntry, Change } from '#core/storage/cacher/entry.ts'
import { ResourceCache } from '#core/storage/cacher/resource-cache.ts'
import { VersionFeed } from './version-feed.ts'

const noFacts = () => ({ labels: {}, fields: {} })

/** A cache, a feed of it, and a converter whose answers wait to be let go. */
function open() {
  const cache = new ResourceCache(0, new Dispatcher(), noFacts)
  const waiting: { keys: string[]; answer(error?: Error): void }[] = []
  const conversion = {
    showAll: (entries: readonly CacheEntry[]) => {
      if (entries.every(({ key }) => key.startsWith('stored'))) return entries
      const { promise, resolve, reject } = Promise.withResolvers<readonly CacheEntry[]>()
      const shown = entries.map((one) => new CacheEntry(one.key, Buffer.from(`"${one.key} shown"`), one.revision))
      const answer = (error?: Error) => (error ? reject(error) : resolve(shown))
      waiting.push({ keys: entries.map(({ key }) => key), answer })
      return promise
    },
  }
  const feed = new VersionFeed(cache, conversion, () => noFacts)
  let revision = 0
  const write = (...keys: string[]) => {
    const changes = keys.map((key) => cache.put(new CacheEntry(key, Buffer.from(`"${key}"`), ++revision)))
    cache.publish(changes)
    return changes
  }
  return { cache, feed, waiting, write }
}

function watch(feed: VersionFeed) {
  const heard: string[] = []
  const leave = feed.subscribe(
    { id: 'all', keyPrefix: '' },
    {
      deliver: (chunk) => heard.push(...chunk.toString().trim().split('\n')),
      end: () => heard.push('end'),
    },
  )
  return { heard, leave }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))
const added = (text: string) => `{"type":"ADDED","object":"${text}"}`

test('what need not be converted comes at once, framed once for all versions', async () => {
  const { feed, write, waiting } = open()
  const { heard } = watch(feed)
  const [change] = write('stored-a')
  await turn()
  expect(heard).toEqual([added('stored-a')])
  expect(waiting).toEqual([])
  expect(change!.frame.toString().trim()).toBe(heard[0])
})

test('changes come in order, and what comes meanwhile is converted together', async () => {
  const { feed, write, waiting } = open()
  const { heard } = watch(feed)
  write('a')
  write('stored-b')
  write('c', 'd')
  feed.deliverInOrder(Buffer.from('bookmark\n'), { deliver: (chunk) => heard.push(chunk.toString().trim()) })
  write('stored-e')
  await turn()
  expect(heard).toEqual([])
  waiting[0]!.answer()
  await turn()
  expect(waiting.map(({ keys }) => keys)).toEqual([['a'], ['stored-b', 'c', 'd', 'stored-e']])
  waiting[1]!.answer()
  await turn()
  expect(heard).toEqual([
    added('a shown'),
    added('stored-b shown'),
    added('c shown'),
    added('d shown'),
    'bookmark',
    added('stored-e shown'),
  ])
  write('stored-f')
  await turn()
  expect(heard.at(-1)).toBe(added('stored-f'))
})

test('who comes later hears of nothing that came before, however late it is converted', async () => {
  const { feed, write, waiting } = open()
  const first = watch(feed)
  write('a')
  const second = watch(feed)
  write('b')
  waiting[0]!.answer()
  await turn()
  waiting[1]!.answer()
  await turn()
  expect(first.heard).toEqual([added('a shown'), added('b shown')])
  expect(second.heard).toEqual([added('b shown')])
})

test('a failure is told, and ends every watch', async () => {
  const { feed, write, waiting } = open()
  const { heard } = watch(feed)
  write('a')
  write('b')
  waiting[0]!.answer(new Error('boom'))
  await turn()
  expect(heard).toHaveLength(2)
  expect(JSON.parse(heard[0]!)).toMatchObject({
    type: 'ERROR',
    object: { kind: 'Status', code: 500, message: 'Internal error occurred: boom' },
  })
  expect(heard[1]).toBe('end')
  expect(waiting).toHaveLength(1)
})

test('a feed that nobody watches hears of nothing', async () => {
  const { cache, feed, write, waiting } = open()
  const { leave } = watch(feed)
  expect(cache.watchers).toBe(1)
  leave()
  write('a')
  expect(waiting).toEqual([])
  expect(cache.watchers).toBe(0)
})

test('too much that waits ends the watches instead of filling the memory', async () => {
  const { feed, write } = open()
  const { heard } = watch(feed)
  write('first')
  write(...Array.from({ length: 8_193 }, (_, at) => `k${at}`))
  await turn()
  expect(JSON.parse(heard[0]!)).toMatchObject({ type: 'ERROR', object: { code: 410 } })
  expect(heard[1]).toBe('end')
})

test('the state before is shown where somebody looks at it', async () => {
  const { feed, waiting } = open()
  const entry = (key: string, revision: number) => new CacheEntry(key, Buffer.from('""'), revision)
  const showing = feed.show([new Change('MODIFIED', entry('b', 2), entry('a', 1))], true)
  expect(waiting[0]!.keys).toEqual(['b', 'a'])
  waiting[0]!.answer()
  const [change] = await showing
  expect([change!.entry.bytes.toString(), change!.previous!.bytes.toString()]).toEqual(['"b shown"', '"a shown"'])
})
