import type { PodStatus } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { Client } from '@keelson/client'
import { systemClock } from '@keelson/kit'
import { expect, test } from 'vitest'
import type { PodObject } from './model.ts'
import { StatusWriter } from './status-writer.ts'

const condition = (lastTransitionTime: string) => ({ type: 'Ready', status: 'False' as const, lastTransitionTime })
const pod = { metadata: { name: 'a', namespace: 'b', uid: 'c' }, spec: { containers: [] } } as unknown as PodObject

/** A client whose patches end when told. */
function slowClient() {
  const patches: { body: unknown; end: () => void }[] = []
  const patch = (_name: string, { body }: { body: unknown }) =>
    new Promise<void>((end) => {
      patches.push({ body, end })
    })
  const client = { resource: () => ({ in: () => ({ patch }) }) } as unknown as Client
  return { client, patches }
}

test('a status made while another is written keeps its times, and needs no write of its own', async () => {
  const { client, patches } = slowClient()
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const signal = new AbortController().signal
  const writer = new StatusWriter({ client, clock: systemClock, log, limit: (run) => run(), signal })
  const first: PodStatus = { phase: 'Succeeded', conditions: [condition('2026-01-01T00:00:00Z')] }
  writer.publish(pod, first)
  const seen = writer.overlay(pod)
  expect(seen.status?.conditions).toEqual(first.conditions)
  writer.publish(pod, { ...seen.status } as PodStatus)
  patches[0]!.end()
  await writer.flush()
  expect(patches).toHaveLength(1)
})
