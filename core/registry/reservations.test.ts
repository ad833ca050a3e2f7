import { expect, test } from 'vitest'
import { newConflict, newForbidden, newTimeout } from '#core/errors/status-error.ts'
import { StorageError } from '#core/storage/storage.ts'
import { withReservation } from './reservations.ts'

const of = { group: '', resource: 'services' }

interface Case {
  name: string
  judge?: () => void
  write?: () => Promise<string>
  want: string[]
}

const fails = (error: Error) => async () => {
  throw error
}

const cases: Case[] = [
  { name: 'is kept when the object is stored', want: ['write', 'commit'] },
  {
    name: 'is given back when the object is refused',
    judge: () => {
      throw newForbidden(of, 'web', 'no')
    },
    want: ['rollback'],
  },
  {
    name: 'is given back when somebody was faster',
    write: fails(new StorageError('Conflict', 'c')),
    want: ['write', 'rollback'],
  },
  {
    name: 'is given back when the name is taken',
    write: fails(newConflict(of, 'web', 'no')),
    want: ['write', 'rollback'],
  },
  {
    name: 'stays when the store has not said what became of it',
    write: fails(new StorageError('Timeout', 't')),
    want: ['write'],
  },
  { name: 'stays when nobody knows what became of it', write: fails(newTimeout('late')), want: ['write'] },
]

test.each(cases)('what is reserved $name', async ({ judge = () => {}, write = async () => 'stored', want }) => {
  const seen: string[] = []
  const reservation = {
    commit: async () => void seen.push('commit'),
    rollback: async () => void seen.push('rollback'),
  }
  const written = withReservation(reservation, judge, () => {
    seen.push('write')
    return write()
  })
  await written.catch(() => {})
  expect(seen).toEqual(want)
})
