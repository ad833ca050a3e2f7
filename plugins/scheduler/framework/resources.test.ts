import type { PodSpec } from '@keelson/apis/core/v1/zz_generated.types.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addTo, assumedRequests, emptyVector, parseQuantity, podRequests, vectorOf } from './resources.ts'

test.each([
  ['1', 1, 1],
  ['100m', 1000, 100],
  ['1.5', 1000, 1500],
  ['.5', 1000, 500],
  ['1u', 1000, 1],
  ['1Ki', 1, 1024],
  ['1.5Gi', 1, 1.5 * 2 ** 30],
  ['12e6', 1, 12e6],
  ['2E', 1, 2e18],
  ['3k', 1, 3000],
  ['0.1', 1000, 100],
  ['100.5', 1, 101],
] as const)('parseQuantity reads %s', (text, scale, want) => expect(parseQuantity(text, scale)).toBe(want))

test.each(['', 'm', '1x', '1 Gi', '--1', '1e', 'constructor'])('parseQuantity refuses %j', (text) => {
  expect(() => parseQuantity(text)).toThrow('not a quantity')
})

const container = (cpu: string | undefined, memory?: string, restartPolicy?: 'Always') => ({
  name: 'c',
  ...(restartPolicy && { restartPolicy }),
  resources: { requests: { ...(cpu && { cpu }), ...(memory && { memory }) } },
})

const cases: { name: string; spec: PodSpec; cpu: number; memory: number }[] = [
  {
    name: 'sums containers',
    spec: { containers: [container('100m', '1Mi'), container('200m')] },
    cpu: 300,
    memory: 2 ** 20,
  },
  {
    name: 'takes a hungrier init container',
    spec: { containers: [container('100m', '10Mi')], initContainers: [container('500m', '1Mi'), container('400m')] },
    cpu: 500,
    memory: 10 * 2 ** 20,
  },
  {
    name: 'adds sidecars to the containers',
    spec: { containers: [container('100m')], initContainers: [container('50m', undefined, 'Always')] },
    cpu: 150,
    memory: 0,
  },
  {
    name: 'adds to an init container only the sidecars before it',
    spec: {
      containers: [container('10m')],
      initContainers: [
        container('100m', undefined, 'Always'),
        container('300m'),
        container('200m', undefined, 'Always'),
      ],
    },
    cpu: 400,
    memory: 0,
  },
  {
    name: 'adds the overhead',
    spec: { containers: [container('1')], overhead: { cpu: '250m', memory: '1Ki' } },
    cpu: 1250,
    memory: 1024,
  },
  {
    name: 'prefers requests of the pod as a whole',
    spec: { containers: [container('1', '1Mi')], resources: { requests: { cpu: '3' } } },
    cpu: 3000,
    memory: 2 ** 20,
  },
]

test.each(cases)('podRequests $name', ({ spec, cpu, memory }) => {
  expect(podRequests(spec)).toMatchObject({ milliCpu: cpu, memory })
})

test('scores assume something of containers that request nothing', () => {
  expect(assumedRequests({ containers: [container(undefined)] })).toMatchObject({
    milliCpu: 100,
    memory: 200 * 2 ** 20,
  })
})

test('extended resources are counted by name, even those named like object members', () => {
  const total = emptyVector()
  addTo(total, vectorOf({ 'example.com/gpu': '2', constructor: '1', pods: '7' }))
  addTo(total, vectorOf({ 'example.com/gpu': '1' }))
  expect([...total.other]).toEqual([
    ['example.com/gpu', 3],
    ['constructor', 1],
  ])
})

test('what is added and taken away again leaves no trace', () => {
  const amounts = fc.record({ cpu: fc.nat(1e6), memory: fc.nat(2 ** 40), 'example.com/gpu': fc.nat(8) })
  const lists = fc.array(amounts.map((list) => vectorOf(list as Record<string, number>)))
  fc.assert(
    fc.property(lists, (vectors) => {
      const total = emptyVector()
      for (const vector of vectors) addTo(total, vector)
      for (const vector of vectors) addTo(total, vector, -1)
      expect(total).toMatchObject({ milliCpu: 0, memory: 0, ephemeralStorage: 0 })
      expect([...total.other.values()].every((value) => value === 0)).toBe(true)
    }),
  )
})
