import { setImmediate } from 'node:timers/promises'

/**
 * Of an object of a megabyte each walk takes milliseconds, and a write walks through it a dozen times: others have their
 * turn in between. What is of the usual size is written without a pause.
 */

const largeBytes = 128 * 1024

/** @param length of the object as JSON */
export const isLarge = (length: number) => length > largeBytes

/** Resolves when all who wait by now have had their turn. */
export const nextTurn = (): Promise<void> => setImmediate()
