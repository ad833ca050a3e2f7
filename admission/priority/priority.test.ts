import { expect, test } from 'vitest'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { FakeReader, requestOf } from '../testing/request.ts'
import { priority } from './priority.ts'

const pod = (spec?: object): UnstructuredObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  ...(spec && { spec }),
})
const classes = { group: 'scheduling.k8s.io', resource: 'priorityclasses', kind: 'PriorityClass', namespace: '' }
const classOf = (name: string, value: number, rest: object = {}) => ({ metadata: { name }, value, ...rest })

function admitted(spec: object, reader = new FakeReader()): unknown {
  const object = pod(spec)
  priority(reader).admit!(requestOf({ object }))
  return object.spec
}

const high = () => new FakeReader().add('priorityclasses', classOf('high', 1000, { preemptionPolicy: 'Never' }))

test.each([
  {
    name: 'none without a class',
    spec: {},
    reader: undefined,
    want: { priority: 0, preemptionPolicy: 'PreemptLowerPriority' },
  },
  {
    name: 'that of its class',
    spec: { priorityClassName: 'high' },
    reader: high(),
    want: { priorityClassName: 'high', priority: 1000, preemptionPolicy: 'Never' },
  },
  {
    name: 'its own when that is right',
    spec: { priorityClassName: 'high', priority: 1000, preemptionPolicy: 'Never' },
    reader: high(),
    want: { priorityClassName: 'high', priority: 1000, preemptionPolicy: 'Never' },
  },
  {
    name: 'the lowest of the global defaults',
    spec: {},
    reader: new FakeReader()
      .add('priorityclasses', classOf('b', 20, { globalDefault: true }))
      .add('priorityclasses', classOf('a', 10, { globalDefault: true })),
    want: { priorityClassName: 'a', priority: 10, preemptionPolicy: 'PreemptLowerPriority' },
  },
])('a pod gets $name', ({ spec, reader, want }) => expect(admitted(spec, reader)).toEqual(want))

test.each([
  {
    name: 'a class that is not there',
    spec: { priorityClassName: 'gone' },
    why: 'no PriorityClass with name gone was found',
  },
  {
    name: 'another priority than its class has',
    spec: { priorityClassName: 'high', priority: 5 },
    why: 'the integer value of priority (5) must not be provided in pod spec; priority admission controller computed 1000',
  },
  {
    name: 'another policy than its class has',
    spec: { priorityClassName: 'high', preemptionPolicy: 'PreemptLowerPriority' },
    why: 'the string value of PreemptionPolicy (PreemptLowerPriority) must not be provided in pod spec; priority admission controller computed Never',
  },
])('a pod with $name is refused', ({ spec, why }) => expect(() => admitted(spec, high())).toThrow(why))

test('what is no new pod is left alone', () => {
  const update = pod({})
  priority(new FakeReader()).admit!(requestOf({ object: update, operation: 'UPDATE' }))
  const empty = pod()
  priority(new FakeReader()).admit!(requestOf({ object: empty }))
  expect([update.spec, empty.spec]).toEqual([{}, undefined])
})

test('there is one global default', () => {
  const reader = new FakeReader().add('priorityclasses', classOf('first', 1, { globalDefault: true }))
  const write = (name: string, globalDefault: boolean, operation: 'CREATE' | 'UPDATE' = 'CREATE') => {
    const object = classOf(name, 2, { globalDefault }) as unknown as UnstructuredObject
    return () => priority(reader).validate!(requestOf({ ...classes, operation, object }))
  }
  expect(write('second', true)).toThrow('PriorityClass first is already marked as default. Only one default can exist')
  expect(write('second', false)).not.toThrow()
  expect(write('first', true, 'UPDATE')).not.toThrow()
})
