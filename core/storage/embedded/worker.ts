/** The storage thread: answers one request after the other from the log database. */
import { parentPort, threadId } from 'node:worker_threads'
import { StorageError } from '../storage.ts'
import { LogDatabase } from './log-database.ts'
import { clearAfterReading, packValues } from './packing.ts'
import type { Batch, Calls, Failure, LogRows, Reply, Request } from './protocol.ts'

const port = parentPort!
let log: LogDatabase

const calls: Calls = {
  open(directory) {
    const opened = LogDatabase.open(directory, (rows) => reply({ rows }, [rows.numbers.buffer]))
    log = opened.log
    return opened.state
  },
  commit: (batch: Batch) => log.commit(batch),
  read: (revisions) => packValues(log.read(revisions)),
  changes: (prefix, after, through) => log.changes(prefix, after, through),
  replay: (prefix, after) => log.replay(prefix, after),
  compact: (revision) => log.compact(revision),
  sweep: (target) => log.sweep(target),
  snapshotBegin: (file) => log.snapshotBegin(file),
  snapshotCopy: (after, through) => log.snapshotCopy(after, through),
  snapshotEnd: () => log.snapshotEnd(),
  close: () => log[Symbol.dispose](),
}

port.on('message', ({ method, parameters }: Request) => {
  try {
    const result = (calls[method] as (...parameters: unknown[]) => unknown)(...parameters)
    reply({ result }, buffersOf(result))
    if (method === 'read') clearAfterReading((result as unknown[]).length)
  } catch (error) {
    reply({ failure: toFailure(error) })
  }
  if (method === 'close') port.close()
})

function reply(message: Reply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer)
}

/** The buffers a result is made of, to be handed over rather than copied. */
function buffersOf(result: unknown): ArrayBuffer[] {
  const values = Array.isArray(result) ? result : ((result as { values?: unknown[] } | undefined)?.values ?? [])
  const buffers = [...new Set(values.map((value: Uint8Array<ArrayBuffer>) => value.buffer))]
  return isLogRows(result) ? [...buffers, result.numbers.buffer] : buffers
}

function isLogRows(result: unknown): result is LogRows {
  return typeof result === 'object' && result !== null && 'numbers' in result
}

function toFailure(error: unknown): Failure {
  if (error instanceof StorageError) return { code: error.code, message: error.message }
  return { code: 'Unreachable', message: `storage thread ${threadId}: ${error instanceof Error ? error.stack : error}` }
}
