/**
 * The store on disk: an append-only log in SQLite, used from one thread.
 *
 * `log` has one small row for each write, `value` the bytes each put wrote. They are two tables so that opening a store
 * reads the former only; both grow at their end, so a commit touches few pages. There is no index by key: who is current
 * lives in the main thread's memory. Each row names the row it supersedes (`replaced`), which is all that compaction and
 * reads of the past need. Both tables carry checksums, because SQLite has none for pages that reached the database file.
 */
import { closeSync, existsSync, openSync, writeSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import { StorageError } from '../storage.ts'
import {
  acknowledgedLine,
  createDataDirectory,
  createPrivateFile,
  type DataFiles,
  dataFiles,
  holdsStore,
  newInUse,
  readAcknowledged,
  recordOwner,
  syncPath,
} from './data-directory.ts'
import type { Batch, LogRows, ReplayPage, StoreState } from './protocol.ts'
import { rowColumn, rowWidth } from './protocol.ts'
import { isBusy, isDiskFull, newCorrupt, toStorageError } from './sqlite-failure.ts'

/** `KEEL`, so that another program's database is not taken for ours. */
export const applicationId = 0x4b45454c
export const formatVersion = 1

/** Pages of 16 KB the write-ahead log holds before they move to the database file; a bigger log means longer pauses. */
const checkpointPages = 1024
/** Rows handed over in one message while the store opens. */
const scanRows = 10_000
/** Log rows one slice of a sweep looks at: a few milliseconds, between which writers get their turn. */
const sweepRows = 256
const replayBytes = 1 << 20

const newStore: StoreState = { revision: 0, compacted: 0, swept: 0 }

const tables = (schema: string) => `
  CREATE TABLE ${schema}.log (
    revision INTEGER PRIMARY KEY, key TEXT NOT NULL, created INTEGER NOT NULL, replaced INTEGER NOT NULL,
    expires INTEGER NOT NULL, length INTEGER NOT NULL, checksum INTEGER NOT NULL) STRICT;
  CREATE TABLE ${schema}.value (revision INTEGER PRIMARY KEY, checksum INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;
  CREATE TABLE ${schema}.meta (compacted INTEGER NOT NULL, swept INTEGER NOT NULL) STRICT;`

const logColumns = 'revision, key, created, replaced, expires, length'
const inPrefix = 'substr(key, 1, length(?)) = ?'

type LogRow = [
  revision: number,
  key: string,
  created: number,
  replaced: number,
  expires: number,
  length: number,
  checksum: number,
]

export class LogDatabase implements Disposable {
  readonly #files: DataFiles
  #database: DatabaseSync
  #statements: Statements
  readonly #acknowledgedFile: number
  #revision: number
  /** Set when a failed commit may have left rows behind that nobody was told of. */
  #isSuspect = false

  /**
   * Opens the store in `directory`, or founds one.
   * @param onRows receives the whole log, in revision order, before this returns
   * @throws StorageError `Corrupt`; `Unreachable` when another process has it open
   */
  static open(directory: string, onRows: (rows: LogRows) => void): { log: LogDatabase; state: StoreState } {
    const files = dataFiles(directory)
    try {
      createDataDirectory(files.directory)
      const state = holdsStore(files) ? scan(files, onRows) : newStore
      return { log: new LogDatabase(files, state), state }
    } catch (error) {
      if (isBusy(error)) throw newInUse(files, error)
      throw toStorageError(error, 'open', files.database)
    }
  }

  private constructor(files: DataFiles, state: StoreState) {
    this.#files = files
    this.#revision = state.revision
    this.#database = openForWriting(files)
    this.#statements = new Statements(this.#database)
    if (this.#lastRevision() !== state.revision) {
      this.#database.close()
      throw newInUse(files, new Error('the store changed while it was opened'))
    }
    recordOwner(files)
    this.#acknowledgedFile = openSync(files.acknowledged, existsSync(files.acknowledged) ? 'r+' : 'w+', 0o600)
    this.#recordAcknowledged()
    syncPath(files.directory)
  }

  /** Makes a batch durable, all of it or nothing. @returns the last values of the keys it deletes */
  commit(batch: Batch): Uint8Array<ArrayBuffer>[] {
    try {
      if (this.#isSuspect) this.#reopen()
      const lastValues = this.#transaction(() => this.#append(batch))
      this.#revision = batch.numbers.at(-rowWidth + rowColumn.revision)!
      this.#recordAcknowledged()
      return lastValues
    } catch (error) {
      this.#isSuspect ||= !isDiskFull(error)
      throw toStorageError(error, 'write to', this.#files.database)
    }
  }

  #append(batch: Batch): Uint8Array<ArrayBuffer>[] {
    const { insertLog, insertValue, selectValue } = this.#statements
    const lastValues: Uint8Array<ArrayBuffer>[] = []
    let offset = 0
    for (const [index, key] of batch.keys.entries()) {
      const [revision, created, replaced, expires, length] = rowNumbers(batch, index)
      const checksum = rowChecksum(revision, key, created, replaced, expires, length)
      insertLog.run(revision, key, created, replaced, expires, length, checksum)
      if (length < 0) {
        // Not checked against its checksum: a damaged object must stay deletable.
        lastValues.push((selectValue.get(replaced) as ValueRow | undefined)?.[1] ?? new Uint8Array())
        continue
      }
      const bytes = batch.values.subarray(offset, (offset += length))
      insertValue.run(revision, crc32(bytes, revision), bytes)
    }
    return lastValues
  }

  /** @throws StorageError `Corrupt` when a value is not what was written */
  read(revisions: Float64Array): Uint8Array<ArrayBuffer>[] {
    return Array.from(revisions, (revision) => this.#value(revision))
  }

  #value(revision: number): Uint8Array<ArrayBuffer> {
    try {
      const row = this.#statements.selectValue.get(revision) as ValueRow | undefined
      if (row !== undefined && row[0] === crc32(row[1], revision)) return row[1]
      const what = row === undefined ? 'is missing' : 'is not what was written'
      throw newCorrupt(this.#files.database, `the value of revision ${revision} ${what}`)
    } catch (error) {
      throw toStorageError(error, 'read', this.#files.database)
    }
  }

  changes(prefix: string, after: number, through: number): LogRows {
    return packRows(this.#statements.selectChanges.all(after, through, prefix, prefix) as unknown as LogRow[])
  }

  replay(prefix: string, after: number): ReplayPage {
    const rows: LogRow[] = []
    const values: Uint8Array<ArrayBuffer>[] = []
    let bytes = 0
    const changes = this.#statements.selectChanges.iterate(after, this.#revision, prefix, prefix)
    for (const row of changes as Iterable<unknown> as Iterable<LogRow>) {
      const [revision, , , replaced, , length] = row
      const value = this.#value(length < 0 ? replaced : revision)
      rows.push(row)
      values.push(value)
      if ((bytes += value.length) >= replayBytes) return { ...packRows(rows), values, through: revision }
    }
    return { ...packRows(rows), values, through: this.#revision }
  }

  /** Declares history up to `revision` forgotten; `sweep` then takes it off the disk. */
  compact(revision: number): void {
    this.#write(() => this.#statements.setCompacted.run(revision))
  }

  /**
   * Takes what the next slice of log rows supersedes off the disk, and their tombstones.
   * @returns the revision up to which the disk is swept; `target` when done
   */
  sweep(target: number): number {
    const { selectSlice, deleteLog, deleteValue, setSwept, selectMeta } = this.#statements
    return this.#write(() => {
      const [, swept] = selectMeta.get() as unknown as MetaRow
      const slice = selectSlice.all(swept, target, sweepRows) as unknown as SliceRow[]
      for (const [revision, replaced, length] of slice) {
        if (replaced > 0) {
          deleteLog.run(replaced)
          deleteValue.run(replaced)
        }
        if (length < 0) deleteLog.run(revision)
      }
      const reached = slice.length < sweepRows ? target : slice.at(-1)![0]
      setSwept.run(reached)
      return reached
    })
  }

  /** Creates an empty database at `file`, which must not exist, for `snapshotCopy` to fill. */
  snapshotBegin(file: string): void {
    if (existsSync(file)) throw new StorageError('Unreachable', `write snapshot ${file}: the file exists`)
    const { compacted, swept } = this.#meta()
    this.#snapshotStep(file, () => {
      createPrivateFile(file)
      this.#database.prepare('ATTACH ? AS snapshot').run(file)
      try {
        this.#database.exec(`
          PRAGMA snapshot.page_size = 16384; PRAGMA snapshot.journal_mode = OFF; PRAGMA snapshot.synchronous = OFF;
          PRAGMA snapshot.application_id = ${applicationId}; PRAGMA snapshot.user_version = ${formatVersion};
          ${tables('snapshot')}`)
        this.#database.prepare('INSERT INTO snapshot.meta VALUES (?, ?)').run(compacted, swept)
      } catch (error) {
        this.#database.exec('DETACH snapshot')
        throw error
      }
    })
  }

  snapshotCopy(after: number, through: number): void {
    this.#snapshotStep('snapshot', () => {
      for (const table of ['log', 'value']) {
        const copy = `INSERT INTO snapshot.${table} SELECT * FROM main.${table} WHERE revision > ? AND revision <= ?`
        this.#database.prepare(copy).run(after, through)
      }
    })
  }

  snapshotEnd(): void {
    this.#snapshotStep('snapshot', () => this.#database.exec('DETACH snapshot'))
  }

  #snapshotStep(file: string, step: () => void): void {
    try {
      step()
    } catch (error) {
      throw toStorageError(error, 'write snapshot', file)
    }
  }

  /** Moves the write-ahead log into the database file. */
  [Symbol.dispose](): void {
    this.#database.close()
    closeSync(this.#acknowledgedFile)
  }

  #write<T>(work: () => T): T {
    try {
      if (this.#isSuspect) this.#reopen()
      return this.#transaction(work)
    } catch (error) {
      this.#isSuspect ||= !isDiskFull(error)
      throw toStorageError(error, 'write to', this.#files.database)
    }
  }

  #transaction<T>(work: () => T): T {
    const { begin, commit, rollback } = this.#statements
    begin.run()
    try {
      const result = work()
      commit.run()
      return result
    } catch (error) {
      if (this.#database.isTransaction) rollback.run()
      throw error
    }
  }

  /** After a failed write to disk nobody knows what reached it: read it again and drop what nobody was told of. */
  #reopen(): void {
    if (this.#database.isOpen) this.#database.close()
    this.#database = openForWriting(this.#files)
    this.#statements = new Statements(this.#database)
    checkTail(this.#files, this.#lastRevision())
    this.#transaction(() => {
      this.#database.prepare('DELETE FROM log WHERE revision > ?').run(this.#revision)
      this.#database.prepare('DELETE FROM value WHERE revision > ?').run(this.#revision)
    })
    this.#isSuspect = false
  }

  #recordAcknowledged(): void {
    try {
      writeSync(this.#acknowledgedFile, acknowledgedLine(this.#revision), 0, 'latin1')
    } catch {
      // The second witness stays behind, which weakens a check at the next start and loses nothing.
    }
  }

  #meta(): StoreState {
    const [compacted, swept] = this.#statements.selectMeta.get() as unknown as MetaRow
    return { compacted, swept, revision: this.#revision }
  }

  #lastRevision(): number {
    const [last] = this.#statements.selectLast.get() as unknown as [number]
    return Math.max(last, this.#meta().compacted)
  }
}

type ValueRow = [checksum: number, bytes: Uint8Array<ArrayBuffer>]
type MetaRow = [compacted: number, swept: number]
type SliceRow = [revision: number, replaced: number, length: number]

class Statements {
  readonly begin: StatementSync
  readonly commit: StatementSync
  readonly rollback: StatementSync
  readonly insertLog: StatementSync
  readonly insertValue: StatementSync
  readonly selectValue: StatementSync
  readonly selectChanges: StatementSync
  readonly selectSlice: StatementSync
  readonly selectLast: StatementSync
  readonly selectMeta: StatementSync
  readonly deleteLog: StatementSync
  readonly deleteValue: StatementSync
  readonly setCompacted: StatementSync
  readonly setSwept: StatementSync

  constructor(database: DatabaseSync) {
    const prepare = (sql: string) => prepareRows(database, sql)
    this.begin = prepare('BEGIN IMMEDIATE')
    this.commit = prepare('COMMIT')
    this.rollback = prepare('ROLLBACK')
    this.insertLog = prepare('INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?)')
    this.insertValue = prepare('INSERT INTO value VALUES (?, ?, ?)')
    this.selectValue = prepare('SELECT checksum, bytes FROM value WHERE revision = ?')
    this.selectChanges = prepare(
      `SELECT ${logColumns} FROM log WHERE revision > ? AND revision <= ? AND ${inPrefix} ORDER BY revision`,
    )
    this.selectSlice = prepare(
      'SELECT revision, replaced, length FROM log WHERE revision > ? AND revision <= ? ORDER BY revision LIMIT ?',
    )
    this.selectLast = prepare('SELECT coalesce(max(revision), 0) FROM log')
    this.selectMeta = prepare('SELECT compacted, swept FROM meta')
    this.deleteLog = prepare('DELETE FROM log WHERE revision = ?')
    this.deleteValue = prepare('DELETE FROM value WHERE revision = ?')
    this.setCompacted = prepare('UPDATE meta SET compacted = ?')
    this.setSwept = prepare('UPDATE meta SET swept = ?1, compacted = max(compacted, ?1)')
  }
}

function prepareRows(database: DatabaseSync, sql: string): StatementSync {
  const statement = database.prepare(sql)
  statement.setReturnArrays(true)
  return statement
}

/** Exclusive locking keeps other processes out and the index of the write-ahead log in memory. */
function openForWriting(files: DataFiles): DatabaseSync {
  createPrivateFile(files.database)
  const database = new DatabaseSync(files.database)
  try {
    database.exec('PRAGMA page_size = 16384; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL')
    database.exec(
      `PRAGMA synchronous = FULL; PRAGMA cache_size = -8192; PRAGMA wal_autocheckpoint = ${checkpointPages}`,
    )
    if (isBlank(database)) found(database)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** True when nothing was ever stored: a new file, or one whose founding a crash cut off. */
function isBlank(database: DatabaseSync): boolean {
  const [count] = prepareRows(database, 'SELECT count(*) FROM sqlite_schema').get() as unknown as [number]
  return count === 0
}

function found(database: DatabaseSync): void {
  database.exec(`
    BEGIN IMMEDIATE;
    PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${formatVersion};
    ${tables('main')} INSERT INTO meta VALUES (0, 0);
    COMMIT`)
}

/**
 * Reads the whole log through a connection that cannot write, so that a store found damaged stays exactly as it is: a
 * writing one would move the sound part of the write-ahead log into the database file and delete the rest.
 */
function scan(files: DataFiles, onRows: (rows: LogRows) => void): StoreState {
  const database = new DatabaseSync(files.database, { readOnly: true })
  try {
    if (isBlank(database) && readAcknowledged(files) === 0) return newStore
    checkFormat(database, files)
    const [compacted, swept] = prepareRows(database, 'SELECT compacted, swept FROM meta').get() as unknown as MetaRow
    const revision = Math.max(scanLog(database, files, onRows), compacted)
    checkTail(files, revision)
    return { compacted, swept, revision }
  } finally {
    database.close()
  }
}

function checkFormat(database: DatabaseSync, files: DataFiles): void {
  const pragma = (name: string) => (prepareRows(database, `PRAGMA ${name}`).get() as unknown as [number])[0]
  if (pragma('application_id') !== applicationId) throw newCorrupt(files.database, 'it is not a Keelson store')
  const version = pragma('user_version')
  if (version === formatVersion) return
  throw newCorrupt(files.database, `its format is ${version}, this version reads ${formatVersion}`)
}

/** @returns the last revision in the log; 0 when it is empty */
function scanLog(database: DatabaseSync, files: DataFiles, onRows: (rows: LogRows) => void): number {
  const rows = prepareRows(database, `SELECT ${logColumns}, checksum FROM log ORDER BY revision`).iterate()
  let last = 0
  let chunk: LogRow[] = []
  for (const row of rows as Iterable<unknown> as Iterable<LogRow>) {
    const [revision, key, created, replaced, expires, length, checksum] = row
    if (checksum !== rowChecksum(revision, key, created, replaced, expires, length)) {
      throw newCorrupt(files.database, `the log row of revision ${revision} is not what was written`)
    }
    last = revision
    if (chunk.push(row) < scanRows) continue
    onRows(packRows(chunk))
    chunk = []
  }
  onRows(packRows(chunk))
  return last
}

/** @throws StorageError `Corrupt` when the log ends before a revision somebody was told is durable */
function checkTail(files: DataFiles, revision: number): void {
  const acknowledged = readAcknowledged(files)
  if (revision >= acknowledged) return
  throw new StorageError(
    'Corrupt',
    `${files.writeAheadLog} is truncated or damaged: the store ends at revision ${revision}, but revision ${acknowledged} was acknowledged; ` +
      `nothing was changed; put the file back or restore a snapshot, or, to accept the loss, remove ${files.acknowledged}`,
  )
}

function packRows(rows: readonly LogRow[]): LogRows {
  const numbers = new Float64Array(rows.length * rowWidth)
  const keys = rows.map(([revision, key, created, replaced, expires, length], index) => {
    numbers.set([revision, created, replaced, expires, length], index * rowWidth)
    return key
  })
  return { keys, numbers }
}

function rowNumbers(rows: LogRows, index: number): [number, number, number, number, number] {
  const { numbers } = rows
  const at = index * rowWidth
  return [numbers[at]!, numbers[at + 1]!, numbers[at + 2]!, numbers[at + 3]!, numbers[at + 4]!]
}

function rowChecksum(
  revision: number,
  key: string,
  created: number,
  replaced: number,
  expires: number,
  length: number,
): number {
  return crc32(`${revision} ${created} ${replaced} ${expires} ${length} ${key}`)
}
