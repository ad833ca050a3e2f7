import { expect, test } from 'vitest'
import { statusOf } from '#core/errors/status-error.ts'
import { StorageError, type StorageErrorCode } from '#core/storage/storage.ts'
import { isStorageConflict, translateStorageError } from './translate-errors.ts'

const of = { group: 'apps', resource: 'deployments' }

test.each<{ code: StorageErrorCode; reason: string; status: number; message: RegExp }>([
  { code: 'KeyExists', reason: 'AlreadyExists', status: 409, message: /^deployments\.apps "web" already exists$/ },
  { code: 'KeyNotFound', reason: 'NotFound', status: 404, message: /^deployments\.apps "web" not found$/ },
  { code: 'Conflict', reason: 'Conflict', status: 409, message: /the object has been modified/ },
  { code: 'Compacted', reason: 'Expired', status: 410, message: /too old/ },
  { code: 'FutureRevision', reason: 'ServiceUnavailable', status: 503, message: /not reached/ },
  { code: 'Full', reason: 'ServiceUnavailable', status: 503, message: /does not take writes: why/ },
  { code: 'Unreachable', reason: 'ServiceUnavailable', status: 503, message: /not available: why/ },
  { code: 'Closed', reason: 'ServiceUnavailable', status: 503, message: /not available: why/ },
  { code: 'Timeout', reason: 'Timeout', status: 504, message: /may have been done or not: why/ },
  { code: 'TooLarge', reason: 'RequestEntityTooLarge', status: 413, message: /why/ },
  { code: 'Corrupt', reason: 'InternalError', status: 500, message: /why/ },
])('$code of the store is $reason of the API', ({ code, reason, status, message }) => {
  const error = new StorageError(code, 'why')
  const translated = statusOf(translateStorageError(error, of, 'web'))
  expect(translated).toMatchObject({ reason, code: status })
  expect(translated.message).toMatch(message)
  expect(isStorageConflict(error)).toBe(code === 'Conflict')
})

test('other errors stay what they are', () => {
  const error = new Error('other')
  expect(translateStorageError(error, of, 'web')).toBe(error)
  expect(isStorageConflict(error)).toBe(false)
})
