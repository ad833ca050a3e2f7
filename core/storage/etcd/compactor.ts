/**
 * Compacts etcd's history at an interval, so that each revision stays known for at least as long. Servers agree on who
 * does it through one key, as kube-apiserver does; they may even share it with one.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '#apis/plugin/v1/host.ts'
import { StorageError } from '../storage.ts'
import type { EtcdClient } from './etcd-client.ts'
import { decodeTxn, encodeCompaction, encodeTxn, rpc } from './messages.ts'

export const compactRevisionKey = 'compact_rev_key'

/** How often the key has been written, and the store's revision then. */
export interface CompactionTurn {
  version: number
  revision: number
}

/**
 * Compacts to the revision of the last turn if nobody else has taken one since.
 * @returns the turn to pass next time, an interval later
 * @throws StorageError
 */
export async function takeCompactionTurn(client: EtcdClient, last: CompactionTurn): Promise<CompactionTurn> {
  const txn = encodeTxn(
    [{ key: compactRevisionKey, version: last.version }],
    [{ put: compactRevisionKey, value: Buffer.from(String(last.revision)) }],
    [{ get: compactRevisionKey }],
  )
  const { succeeded, revision, found } = decodeTxn(await client.callOnce(rpc.txn, txn))
  if (!succeeded) return { version: found[0]?.version ?? 0, revision }
  if (last.revision > 0) await compact(client, last.revision)
  return { version: last.version + 1, revision }
}

/** Forgets history up to and including `revision`. @throws StorageError `FutureRevision` */
export async function compact(client: EtcdClient, revision: number): Promise<void> {
  try {
    await client.call(rpc.compact, encodeCompaction(revision))
  } catch (error) {
    // Somebody has been there before.
    if (!(error instanceof StorageError) || error.code !== 'Compacted') throw error
  }
}

/** Takes a turn each `intervalMs` until `signal` aborts. */
export async function compactRegularly(
  client: EtcdClient,
  intervalMs: number,
  signal: AbortSignal,
  log: Logger | undefined,
): Promise<void> {
  let turn: CompactionTurn = { version: 0, revision: 0 }
  while (!signal.aborted) {
    try {
      turn = await takeCompactionTurn(client, turn)
    } catch (error) {
      if (!signal.aborted) log?.warn('compaction failed', { error })
    }
    await sleep(intervalMs, undefined, { signal, ref: false }).catch(() => {})
  }
}
