import { DatabaseSync } from 'node:sqlite'
import { dataFiles } from './data-directory.ts'
import { toStorageError } from './sqlite-failure.ts'

/**
 * Lets the revisions of a store that nobody has open go on behind a number. What comes before counts as compacted.
 * @throws StorageError
 */
export function raiseEmbeddedRevision(directory: string, revision: number): void {
  const files = dataFiles(directory)
  const database = new DatabaseSync(files.database)
  try {
    database.exec('PRAGMA synchronous = FULL')
    database.prepare('UPDATE meta SET compacted = max(compacted, ?)').run(revision)
  } catch (error) {
    throw toStorageError(error, 'raise the revision of', files.database)
  } finally {
    database.close()
  }
}
