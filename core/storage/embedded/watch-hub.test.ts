import { expect, test } from 'vitest'
import { Recorder } from '../storage.suite.ts'
import { StorageError, type StoreEvent } from '../storage.ts'
import { WatchHub } from './watch-hub.ts'

const put = (key: string, revision: number): StoreEvent => {
  return { type: 'put', key, value: Buffer.from('x'), revision, createRevision: revision }
}

const cases = [
  { name: 'everything', prefix: '', after: 0, want: [1, 2, 3] },
  { name: 'a folder', prefix: '/registry/core/pods/', after: 0, want: [1, 2] },
  { name: 'a folder in it', prefix: '/registry/core/pods/one/', after: 0, want: [1] },
  { name: 'the start of a name', prefix: '/registry/core/po', after: 0, want: [1, 2] },
  { name: 'a single key', prefix: '/registry/core/pods/one/a', after: 0, want: [1] },
  { name: 'what comes later', prefix: '/registry/', after: 2, want: [3] },
  { name: 'nothing there', prefix: '/registry/apps/', after: 0, want: [] },
]

test.each(cases)('a watch of $name is handed its events, then the progress', ({ prefix, after, want }) => {
  const hub = new WatchHub(undefined)
  const recorder = new Recorder()
  hub.add({ prefix, after, sink: recorder })
  hub.publish(
    [put('/registry/core/pods/one/a', 1), put('/registry/core/pods/two/b', 2), put('/registry/core/secrets/s', 3)],
    3,
  )
  expect(recorder.events.map(({ revision }) => revision)).toEqual(want)
  expect(recorder.progress).toEqual([3])
})

test('a sink that throws keeps nothing from the others', () => {
  const hub = new WatchHub(undefined)
  const fail = () => {
    throw new Error('a fault of the sink')
  }
  hub.add({ prefix: '/', after: 0, sink: { onEvents: fail, onProgress: fail, onEnd: fail } })
  const recorder = new Recorder()
  hub.add({ prefix: '/', after: 0, sink: recorder })
  hub.publish([put('/a', 1)], 1)
  hub.end(new StorageError('Closed', 'the store is closed'))
  expect(recorder.events).toHaveLength(1)
  expect(recorder.ended?.code).toBe('Closed')
})

test('a watch removed by an earlier sink of the same batch is told nothing', () => {
  const hub = new WatchHub(undefined)
  const second = { prefix: '/', after: 0, sink: new Recorder() }
  hub.add({ prefix: '/', after: 0, sink: { onEvents: () => hub.remove(second), onEnd: () => {} } })
  hub.add(second)
  hub.publish([put('/a', 1)], 1)
  expect(second.sink.events).toEqual([])
})
