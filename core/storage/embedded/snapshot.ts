/** Founds a store from a snapshot that `EmbeddedStorage.snapshot` wrote. */
import { chmodSync, copyFileSync, existsSync, renameSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { StorageError } from '../storage.ts'
import { createDataDirectory, dataFiles, holdsStore, syncPath } from './data-directory.ts'
import { applicationId, formatVersion } from './log-database.ts'
import { newCorrupt, toStorageError } from './sqlite-failure.ts'

export interface RestoreOptions {
  /** The snapshot; it is only read. */
  file: string
  /** The data directory to found; it must not hold a store. */
  directory: string
  /**
   * Revisions to skip, so that none given out after the snapshot was taken comes again with another meaning: clients that
   * have seen those are told their revision is compacted, and list anew. More than were written since; default 1,000,000,000.
   */
  bumpRevision?: number
}

/** @throws StorageError `Corrupt` when the snapshot is damaged or none, `Unreachable` when the directory holds a store */
export function restoreEmbeddedStorage({ file, directory, bumpRevision = 1_000_000_000 }: RestoreOptions): void {
  const files = dataFiles(directory)
  if (existsSync(files.directory) && holdsStore(files)) {
    throw new StorageError('Unreachable', `restore ${file}: data directory ${files.directory} holds a store already`)
  }
  const partial = `${files.database}.partial`
  try {
    createDataDirectory(files.directory)
    copyFileSync(file, partial)
    chmodSync(partial, 0o600)
    prepare(partial, file, bumpRevision)
    syncPath(partial)
    renameSync(partial, files.database)
    syncPath(files.directory)
  } catch (error) {
    rmSync(partial, { force: true })
    throw toStorageError(error, 'restore', file)
  }
}

function prepare(copy: string, file: string, bumpRevision: number): void {
  const database = new DatabaseSync(copy)
  try {
    const number = (sql: string) => Number(Object.values(database.prepare(sql).get() ?? {})[0])
    if (number('PRAGMA application_id') !== applicationId) throw newCorrupt(file, 'it is not a Keelson store')
    if (number('PRAGMA user_version') !== formatVersion) throw newCorrupt(file, 'its format is of another version')
    const { integrity_check: verdict } = database.prepare('PRAGMA integrity_check').get() ?? {}
    if (verdict !== 'ok') throw newCorrupt(file, String(verdict))
    if (bumpRevision === 0) return
    const revision = number('SELECT max((SELECT coalesce(max(revision), 0) FROM log), (SELECT compacted FROM meta))')
    database.prepare('UPDATE meta SET compacted = ?').run(revision + bumpRevision)
  } finally {
    database.close()
  }
}
