import { expect, test } from 'vitest'
import { antiAffinityTo, makeCluster, makeNode, makePodInfo } from '../testing/objects.ts'
import { interleaveZones } from './node-order.ts'

test('a placed pod counts on its node until it is gone', () => {
  const cache = makeCluster([{ name: 'a' }])
  const pod = makePodInfo({ requests: { cpu: '1' } })
  expect(cache.place(pod, 'a')).toMatchObject({ type: 'pod placed' })
  expect(cache.node('a')?.requested.milliCpu).toBe(1000)
  expect(cache.remove(pod.uid)).toMatchObject({ type: 'pod gone', pod })
  expect(cache.node('a')?.requested.milliCpu).toBe(0)
  expect(cache.remove(pod.uid)).toBeUndefined()
})

test('the confirmation of a decision is no news and counts once', () => {
  const cache = makeCluster([{ name: 'a' }])
  const pod = makePodInfo({ requests: { cpu: '1' } })
  cache.place(pod, 'a')
  expect(cache.place({ ...pod }, 'a')).toBeUndefined()
  expect(cache.node('a')?.requested.milliCpu).toBe(1000)
})

test('a pod that went elsewhere than decided moves', () => {
  const cache = makeCluster([{ name: 'a' }, { name: 'b' }])
  const pod = makePodInfo({ requests: { cpu: '1' } })
  cache.place(pod, 'a')
  cache.place(pod, 'b')
  expect(['a', 'b'].map((name) => cache.node(name)?.pods.size)).toEqual([0, 1])
})

test('pods wait for a node that is not known yet, and outlive it', () => {
  const cache = makeCluster([], [{ node: 'late', requests: { cpu: '1' } }])
  cache.setNode(makeNode({ name: 'late' }))
  expect(cache.node('late')?.requested.milliCpu).toBe(1000)
  cache.removeNode('late')
  expect(cache.nodes).toEqual([])
  cache.setNode(makeNode({ name: 'late' }))
  expect(cache.node('late')?.pods.size).toBe(1)
})

test('a heartbeat of a node is no news, a new taint is', () => {
  const cache = makeCluster([{ name: 'a' }])
  const node = makeNode({ name: 'a' })
  expect(cache.setNode({ ...node, status: { ...node.status, conditions: [] } })).toBeUndefined()
  expect(cache.setNode(makeNode({ name: 'a', taints: [{ key: 'k', effect: 'NoSchedule' }] }))).toMatchObject({
    type: 'node updated',
  })
})

test('nodes with anti-affine pods are known by heart', () => {
  const cache = makeCluster([{ name: 'a' }, { name: 'b' }])
  const pod = makePodInfo({ spec: antiAffinityTo({ app: 'web' }) })
  cache.place(pod, 'a')
  expect([...cache.nodesWithAntiAffinity].map(({ name }) => name)).toEqual(['a'])
  cache.remove(pod.uid)
  expect(cache.nodesWithAntiAffinity.size + cache.nodesWithDrawingPods.size).toBe(0)
})

test('images are counted over nodes', () => {
  const cache = makeCluster([
    { name: 'a', images: { x: 1 } },
    { name: 'b', images: { x: 1, y: 1 } },
  ])
  expect(['x', 'y', 'z'].map((image) => cache.imageSpread(image))).toEqual([2, 1, 0])
  cache.removeNode('b')
  expect(['x', 'y'].map((image) => cache.imageSpread(image))).toEqual([1, 0])
})

test('nodes of different zones take turns', () => {
  const zone = (zone: string, name: string) => ({ name, labels: { 'topology.kubernetes.io/zone': zone } })
  const nodes = [zone('a', 'a1'), zone('a', 'a2'), zone('a', 'a3'), zone('b', 'b1'), zone('c', 'c1'), zone('c', 'c2')]
  expect(interleaveZones(nodes).map(({ name }) => name)).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3'])
})
