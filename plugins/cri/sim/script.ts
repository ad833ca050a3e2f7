/**
 * What a pod's annotations say about how its containers behave. They reach the runtime as the sandbox's annotations.
 * All are optional: a container starts at once and runs until it is stopped.
 */
export const scriptAnnotations = {
  /** Milliseconds a container takes to start. */
  startMs: 'sim.keelson.dev/start-ms',
  /** Milliseconds a container runs before it ends by itself. */
  runMs: 'sim.keelson.dev/run-ms',
  /** What it ends with by itself; default 0. */
  exitCode: 'sim.keelson.dev/exit-code',
  /** An image whose pull fails for this pod. One that another pod has pulled is there already. */
  failImage: 'sim.keelson.dev/fail-image',
} as const

export interface Script {
  startMs: number
  /** Infinity: for ever. */
  runMs: number
  exitCode: number
}

const longestMs = 2 ** 31 - 1

/** A number that cannot be read counts as absent. */
function numberAt(annotations: Readonly<Record<string, string>>, key: string, otherwise: number): number {
  const value = Number.parseInt(annotations[key] ?? '', 10)
  return value >= 0 && value <= longestMs ? value : otherwise
}

export function readScript(annotations: Readonly<Record<string, string>>): Script {
  return {
    startMs: numberAt(annotations, scriptAnnotations.startMs, 0),
    runMs: numberAt(annotations, scriptAnnotations.runMs, Number.POSITIVE_INFINITY),
    exitCode: numberAt(annotations, scriptAnnotations.exitCode, 0) & 0xff,
  }
}
