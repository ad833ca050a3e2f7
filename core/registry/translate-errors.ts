import type { GroupResource } from '#apis/meta/v1/types.ts'
import {
  newAlreadyExists,
  newConflict,
  newExpired,
  newInternalError,
  newModified,
  newNotFound,
  newRequestEntityTooLarge,
  newServiceUnavailable,
  newTimeout,
  type StatusError,
} from '#core/errors/status-error.ts'
import { StorageError } from '#core/storage/storage.ts'

/** Says in the API's words what the store said in its own. Errors that are not the store's come back unchanged. */
export function translateStorageError(error: unknown, of: GroupResource, name: string): unknown {
  return error instanceof StorageError ? translate(error, of, name) : error
}

function translate(error: StorageError, of: GroupResource, name: string): StatusError {
  switch (error.code) {
    case 'KeyExists':
      return newAlreadyExists(of, name, error)
    case 'KeyNotFound':
      return newNotFound(of, name, error)
    case 'Conflict':
      return newModified(of, name)
    case 'ConditionFailed':
      return newConflict(of, name, error.message, error)
    case 'Compacted':
      return newExpired(`The resourceVersion for the provided list is too old: ${error.message}`)
    case 'FutureRevision':
      return newServiceUnavailable(`the requested resourceVersion is not reached yet: ${error.message}`, error)
    case 'Full':
      return newServiceUnavailable(`the store does not take writes: ${error.message}`, error)
    case 'Unreachable':
    case 'Closed':
      return newServiceUnavailable(`the store is not available: ${error.message}`, error)
    case 'Timeout':
      return newTimeout(`the store did not answer in time, so a write may have been done or not: ${error.message}`)
    case 'TooLarge':
      return newRequestEntityTooLarge(error.message)
    case 'Corrupt':
      return newInternalError(error.message, error)
  }
}

export function isStorageConflict(error: unknown): boolean {
  return error instanceof StorageError && error.code === 'Conflict'
}
