import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { statusOf } from '#core/errors/status-error.ts'
import { StorageError } from '#core/storage/storage.ts'

/**
 * What objects of a kind are given that nobody else may have, such as the address of a Service: taken before the object is
 * stored, and free again when it is not, or is removed. A kind without one pays one property read for each write.
 */
export interface Reservations {
  /**
   * Completes `object` in place with what it is to have, and takes that for it.
   * @param old as it is stored; absent for a create
   * @param dryRun nothing is taken
   * @throws StatusError when something cannot be had; nothing is taken then
   */
  reserve(object: UnstructuredObject, old: UnstructuredObject | undefined, dryRun: boolean): Promise<Reservation>
  /** Lets go of all that a removed object had. Never rejects. */
  release(object: UnstructuredObject): Promise<void>
}

export interface Reservation {
  /** The object is stored: lets go of what only its former state had. Never rejects. */
  commit(): Promise<void>
  /** It is not: lets go of what was taken for it. Never rejects. */
  rollback(): Promise<void>
}

/**
 * Judges and writes an object under a reservation.
 * @param judge throws when the completed object is not to be written
 */
export async function withReservation<T>(
  reservation: Reservation,
  judge: () => Promise<void> | void,
  write: () => Promise<T>,
): Promise<T> {
  let isHandedOver = false
  try {
    await judge()
    isHandedOver = true
    const result = await write()
    await reservation.commit()
    return result
  } catch (error) {
    if (!isHandedOver || !mayBeWritten(error)) await reservation.rollback()
    throw error
  }
}

const refusals = new Set(['Conflict', 'ConditionFailed', 'KeyExists', 'KeyNotFound', 'TooLarge'])

/** A store that does not answer may have written: what was taken then stays so until somebody looks again. */
export function mayBeWritten(error: unknown): boolean {
  if (error instanceof StorageError) return !refusals.has(error.code)
  return statusOf(error).code! >= 500
}
