/** Durations as Kubernetes has them. */
import { defineMethod, type Library } from '../environment.ts'
import { duration, int } from '../types.ts'
import { type Duration, toInt } from '../values.ts'

/** The whole of it in milliseconds, where the specification counts those beyond whole seconds. */
export const durations: Library = [
  defineMethod('getMilliseconds', [duration], int, ({ nanoseconds }: Duration) => toInt(nanoseconds / 1_000_000n)),
]
