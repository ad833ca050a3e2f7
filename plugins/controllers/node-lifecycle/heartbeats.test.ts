import type { Node } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { createFakeClock } from '@keelson/kit/testing/fake-clock.ts'
import { expect, test } from 'vitest'
import { createHeartbeats } from './heartbeats.ts'

const lease = (renewTime: string) => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'n1', uid: 'l' },
  spec: { renewTime },
})
const node = (lastHeartbeatTime: string, uid = 'n'): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n1', uid },
  status: { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime }] },
})

test('only what is new counts as a sign of life', async () => {
  const clock = createFakeClock()
  const heartbeats = createHeartbeats(clock)
  const after = async (show: () => boolean) => {
    await clock.advance(10_000)
    return [show(), heartbeats.silentMs('n1')]
  }
  expect(await after(() => heartbeats.sawNode(node('1')))).toEqual([true, 0])
  expect(await after(() => heartbeats.sawNode(node('1')))).toEqual([false, 10_000])
  expect(await after(() => heartbeats.sawLease(lease('1')))).toEqual([true, 0])
  expect(await after(() => heartbeats.sawLease(lease('1')))).toEqual([false, 10_000])
  expect(await after(() => heartbeats.sawLease(lease('2')))).toEqual([true, 0])
  expect(await after(() => heartbeats.sawNode(node('2')))).toEqual([true, 0])
  expect(await after(() => heartbeats.sawNode(node('2', 'new')))).toEqual([true, 0])
  heartbeats.forget('n1')
  await clock.advance(10_000)
  expect(heartbeats.silentMs('n1')).toBe(0)
})
