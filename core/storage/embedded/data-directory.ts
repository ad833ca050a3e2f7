/**
 * The files of a data directory, and the ones beside the database:
 * `acknowledged` the last revision a caller was told is durable, so that a lost tail of the log is noticed;
 * `owner`        the pid of the process that has the store open. The lock itself is SQLite's, which dies with the process.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { StorageError } from '../storage.ts'

export interface DataFiles {
  directory: string
  database: string
  writeAheadLog: string
  acknowledged: string
  owner: string
}

export function dataFiles(directory: string): DataFiles {
  const root = resolve(directory)
  const database = join(root, 'keelson.db')
  return {
    directory: root,
    database,
    writeAheadLog: `${database}-wal`,
    acknowledged: join(root, 'acknowledged'),
    owner: join(root, 'owner'),
  }
}

/** Creates the directory, readable by its owner only, and makes its name durable. Leaves an existing one as it is. */
export function createDataDirectory(directory: string): void {
  const first = mkdirSync(directory, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let path = resolve(directory); ; path = dirname(path)) {
    syncPath(dirname(path))
    if (path === resolve(first)) return
  }
}

/** Makes sure that a file exists; one it creates is for its owner only, as objects may hold secrets. */
export function createPrivateFile(path: string): void {
  closeSync(openSync(path, 'a', 0o600))
}

/** Makes the entries of a directory, or the content of a file, durable. */
export function syncPath(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/**
 * True when the directory holds a store, false when it is new.
 * @throws StorageError `Corrupt` when there are only remains of one: starting afresh would bury what was acknowledged
 */
export function holdsStore(files: DataFiles): boolean {
  const size = statSync(files.database, { throwIfNoEntry: false })?.size ?? 0
  if (size > 0) return true
  const remains = [files.acknowledged, files.writeAheadLog].filter(
    (path) => existsSync(path) && statSync(path).size > 0,
  )
  if (remains.length === 0) return false
  const what = existsSync(files.database) ? 'is empty' : 'is missing'
  throw new StorageError(
    'Corrupt',
    `${files.database} ${what}, but ${remains.join(' and ')} shows that a store was here: restore a snapshot, or move ${files.directory} away to start with an empty store`,
  )
}

const digits = 16

/** @returns the last revision known to be acknowledged; 0 when none is recorded */
export function readAcknowledged(files: DataFiles): number {
  if (!existsSync(files.acknowledged)) return 0
  const text = readFileSync(files.acknowledged, 'latin1').trim()
  // A power cut may leave the file empty or torn. It is a second witness, not the record: a silent one proves nothing.
  return /^\d{16}$/.test(text) ? Number(text) : 0
}

/** The line `acknowledged` holds: always the same length, so that it is overwritten in place even when the disk is full. */
export function acknowledgedLine(revision: number): string {
  return `${String(revision).padStart(digits, '0')}\n`
}

export function recordOwner(files: DataFiles): void {
  try {
    writeFileSync(files.owner, `${process.pid}\n`)
  } catch {
    // Only an error message misses it. A store on a full disk must still open for reading.
  }
}

export function newInUse(files: DataFiles, cause: unknown): StorageError {
  const pid = existsSync(files.owner) ? readFileSync(files.owner, 'latin1').trim() : ''
  const holder = /^\d+$/.test(pid) ? `process ${pid}` : 'another process'
  return new StorageError('Unreachable', `data directory ${files.directory} is in use by ${holder}`, { cause })
}
