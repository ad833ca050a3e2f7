/** Translates what SQLite and the file system throw into the storage contract's vocabulary. */
import { StorageError } from '../storage.ts'

/** Primary result codes. @see https://www.sqlite.org/rescode.html */
const resultCode = {
  busy: 5,
  readonly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
} as const

export function isBusy(error: unknown): boolean {
  return primaryCode(error) === resultCode.busy
}

/** True when the disk had no room and the database is otherwise sound. */
export function isDiskFull(error: unknown): boolean {
  return primaryCode(error) === resultCode.full
}

/**
 * @param doing what was being done, as in `write to`
 * @param file the file it was done to
 */
export function toStorageError(error: unknown, doing: string, file: string): StorageError {
  if (error instanceof StorageError) return error
  const reason = error instanceof Error ? error.message : String(error)
  const message = `${doing} ${file}: ${reason}`
  switch (primaryCode(error)) {
    case resultCode.corrupt:
    case resultCode.notADatabase:
      return newCorrupt(file, reason, error)
    case resultCode.full:
    case resultCode.ioError:
    case resultCode.readonly:
    case resultCode.cannotOpen:
      return new StorageError('Full', message, { cause: error })
    default:
      return new StorageError('Unreachable', message, { cause: error })
  }
}

export function newCorrupt(file: string, reason: string, cause?: unknown): StorageError {
  const advice = 'the file is left as it is; move the data directory away and restore a snapshot into a new one'
  return new StorageError('Corrupt', `${file} is damaged: ${reason}; ${advice}`, { cause })
}

const systemErrors = new Map<string, number>([
  ['ENOSPC', resultCode.full],
  ['EDQUOT', resultCode.full],
  ['EIO', resultCode.ioError],
  ['EROFS', resultCode.readonly],
  ['EACCES', resultCode.cannotOpen],
])

function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined
  if ('errcode' in error && typeof error.errcode === 'number') return error.errcode & 0xff
  return 'code' in error && typeof error.code === 'string' ? systemErrors.get(error.code) : undefined
}
