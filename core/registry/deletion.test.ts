import { expect, test } from 'vitest'
import type { Rules } from '#apis/meta/v1/rules.ts'
import type { DeleteOptions, ObjectMeta, UnstructuredObject } from '#apis/meta/v1/types.ts'
import { isReadyToRemove, planDeletion } from './deletion.ts'

const now = Date.parse('2030-01-01T00:00:00Z')
const graceful: Rules = { gracePeriodSeconds: (_object, requested) => requested ?? 30 }
const began = { deletionTimestamp: '2030-01-01T00:00:40Z', deletionGracePeriodSeconds: 60 }

const objectWith = (metadata: ObjectMeta): UnstructuredObject => ({ apiVersion: 'v1', kind: 'Pod', metadata })

interface Case {
  name: string
  metadata?: ObjectMeta
  options?: DeleteOptions
  rules?: Rules
  /** Of the plan's object, when it is to be marked. */
  want: 'remove' | 'wait' | ObjectMeta
}

test.each<Case>([
  { name: 'an object nothing holds is removed', want: 'remove' },
  {
    name: 'a finalizer holds it',
    metadata: { finalizers: ['a/b'], generation: 1 },
    want: {
      finalizers: ['a/b'],
      generation: 2,
      deletionTimestamp: '2030-01-01T00:00:00Z',
      deletionGracePeriodSeconds: 0,
    },
  },
  {
    name: 'a grace period holds it',
    rules: graceful,
    want: { deletionTimestamp: '2030-01-01T00:00:30Z', deletionGracePeriodSeconds: 30 },
  },
  {
    name: 'the client chooses the grace period',
    rules: graceful,
    options: { gracePeriodSeconds: 5 },
    want: { deletionTimestamp: '2030-01-01T00:00:05Z', deletionGracePeriodSeconds: 5 },
  },
  { name: 'no grace removes at once', rules: graceful, options: { gracePeriodSeconds: 0 }, want: 'remove' },
  {
    name: 'no grace still waits for finalizers',
    rules: graceful,
    options: { gracePeriodSeconds: 0 },
    metadata: { finalizers: ['a/b'] },
    want: { finalizers: ['a/b'], deletionTimestamp: '2030-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 },
  },
  { name: 'a second deletion without a period waits', rules: graceful, metadata: began, want: 'wait' },
  {
    name: 'a second deletion cannot lengthen it',
    rules: graceful,
    metadata: began,
    options: { gracePeriodSeconds: 90 },
    want: 'wait',
  },
  {
    name: 'a second deletion shortens it, counted from the first',
    rules: graceful,
    metadata: { ...began, generation: 4 },
    options: { gracePeriodSeconds: 10 },
    want: { deletionTimestamp: '2029-12-31T23:59:50Z', deletionGracePeriodSeconds: 10, generation: 4 },
  },
  {
    name: 'a second deletion without grace removes',
    rules: graceful,
    metadata: began,
    options: { gracePeriodSeconds: 0 },
    want: 'remove',
  },
  {
    name: 'a second deletion of what a finalizer holds waits',
    metadata: { finalizers: ['a/b'], deletionTimestamp: '2029-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 },
    want: 'wait',
  },
  {
    name: 'null options are none',
    rules: graceful,
    options: { gracePeriodSeconds: null, orphanDependents: null } as unknown as DeleteOptions,
    want: { deletionTimestamp: '2030-01-01T00:00:30Z', deletionGracePeriodSeconds: 30 },
  },
  {
    name: 'Orphan adds its finalizer',
    options: { propagationPolicy: 'Orphan' },
    want: { finalizers: ['orphan'], deletionTimestamp: '2030-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 },
  },
  {
    name: 'Foreground takes the place of orphan',
    metadata: { finalizers: ['orphan', 'a/b'] },
    options: { propagationPolicy: 'Foreground' },
    want: {
      finalizers: ['a/b', 'foregroundDeletion'],
      deletionTimestamp: '2030-01-01T00:00:00Z',
      deletionGracePeriodSeconds: 0,
    },
  },
  {
    name: 'Background lets go of what a policy added',
    metadata: { finalizers: ['orphan'] },
    options: { propagationPolicy: 'Background' },
    want: 'remove',
  },
  {
    name: 'orphanDependents is the older word for Orphan',
    options: { orphanDependents: true },
    want: { finalizers: ['orphan'], deletionTimestamp: '2030-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 },
  },
  {
    name: 'a rule may hold it',
    rules: { blocksRemoval: () => true },
    want: { deletionTimestamp: '2030-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 },
  },
])('$name', ({ metadata = {}, options = {}, rules = {}, want }) => {
  const object = objectWith(metadata)
  const before = structuredClone(object)
  const plan = planDeletion(object, options, rules, now)
  expect(plan).toEqual(typeof want === 'string' ? { action: want } : { action: 'mark', object: objectWith(want) })
  expect(object).toEqual(before)
})

test.each([
  { name: 'not being deleted', metadata: {}, want: false },
  {
    name: 'deleted, without grace or finalizers',
    metadata: { deletionTimestamp: 't', deletionGracePeriodSeconds: 0 },
    want: true,
  },
  { name: 'within its grace period', metadata: { deletionTimestamp: 't', deletionGracePeriodSeconds: 9 }, want: false },
  { name: 'held by a finalizer', metadata: { deletionTimestamp: 't', finalizers: ['a/b'] }, want: false },
])('an object $name is ready to be removed: $want', ({ metadata, want }) => {
  expect(isReadyToRemove(objectWith(metadata), {})).toBe(want)
})
