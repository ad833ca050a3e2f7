/**
 * What the storage's main thread and its worker say to each other. Requests are answered in the order they were sent, and
 * an answer tells of the database exactly as all earlier answers left it: that is what makes a replay join the live events
 * without a gap.
 */
import type { StorageErrorCode } from '../storage.ts'

/** Rows of the log without their values. `numbers` holds `rowWidth` numbers for each key. */
export interface LogRows {
  keys: string[]
  numbers: Float64Array<ArrayBuffer>
}

/** Where each number of a row is, counted from the row's first. */
export const rowWidth = 5
export const rowColumn = {
  revision: 0,
  /** Revision of the put that created the key; of a tombstone, that of the key's last life. */
  created: 1,
  /** Revision of the live row this one supersedes; 0 for none. */
  replaced: 2,
  /** Milliseconds since the epoch; 0 for never. */
  expires: 3,
  /** Bytes of the value; -1 marks a tombstone. */
  length: 4,
} as const

/** Writes that become durable together. `values` is the values of all puts, one after the other. */
export interface Batch extends LogRows {
  values: Uint8Array<ArrayBuffer>
}

/** Log rows in revision order with the value of each: of a tombstone, the last value the key had. */
export interface ReplayPage extends LogRows {
  values: Uint8Array<ArrayBuffer>[]
  /** Every row up to this revision has been looked at. */
  through: number
}

export interface StoreState {
  /** The last revision taken. */
  revision: number
  /** History up to here may not be asked for. */
  compacted: number
  /** History up to here is off the disk. Trails `compacted`. */
  swept: number
}

/** What the worker can be asked. Each call is one message there and one back. */
export interface Calls {
  /** Sends `rows` messages with the whole log before it returns. */
  open(directory: string): StoreState
  /** @returns the last values of the keys the batch deletes, in the batch's order */
  commit(batch: Batch): Uint8Array<ArrayBuffer>[]
  /** @returns the values the rows at `revisions` put */
  read(revisions: Float64Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[]
  /** Rows with `after < revision <= through` whose key starts with `prefix`. */
  changes(prefix: string, after: number, through: number): LogRows
  /** As `changes`, up to the last row and with values; one page. */
  replay(prefix: string, after: number): ReplayPage
  compact(revision: number): void
  /** Takes one slice of history up to `target` off the disk. @returns how far the sweep has come */
  sweep(target: number): number
  snapshotBegin(file: string): void
  snapshotCopy(after: number, through: number): void
  snapshotEnd(): void
  close(): void
}

export type Method = keyof Calls

export interface Request {
  method: Method
  parameters: unknown[]
}

export interface Failure {
  code: StorageErrorCode
  message: string
}

export type Reply = { rows: LogRows } | { result: unknown } | { failure: Failure }
