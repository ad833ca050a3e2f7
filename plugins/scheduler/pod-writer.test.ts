import { expect, test } from 'vitest'
import { changedCondition } from './pod-writer.ts'
import { makePod } from './testing/objects.ts'

const now = Date.parse('2026-01-02T00:00:00Z')
const before = '2026-01-01T00:00:00Z'

function change(known: { status: 'True' | 'False'; reason: string; message: string } | undefined) {
  const conditions = known && [{ type: 'PodScheduled', lastTransitionTime: before, ...known }]
  const pod = { ...makePod(), ...(conditions && { status: { conditions } }) }
  return changedCondition(pod, 'PodScheduled', 'False', 'Unschedulable', 'no room', now)
}

test('a condition that is there already is not written again', () => {
  expect(change({ status: 'False', reason: 'Unschedulable', message: 'no room' })).toBeUndefined()
})

test('the transition time stays while the status does', () => {
  expect(change({ status: 'False', reason: 'Unschedulable', message: 'old' })?.lastTransitionTime).toBe(before)
  expect(change({ status: 'True', reason: '', message: '' })?.lastTransitionTime).toBe('2026-01-02T00:00:00Z')
  expect(change(undefined)).toMatchObject({
    status: 'False',
    message: 'no room',
    lastTransitionTime: '2026-01-02T00:00:00Z',
  })
})
