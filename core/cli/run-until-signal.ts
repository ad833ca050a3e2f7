import { UsageError } from './flags.ts'

/** Something that runs until it is stopped. */
export interface Running {
  stop(): Promise<void>
  /** Rejects when it cannot go on. */
  failed: Promise<never>
}

const slowMs = 1_000

/** Starts something and lets it run until SIGTERM or SIGINT. @returns the exit status */
export async function runUntilSignal(start: () => Promise<Running>): Promise<number> {
  const signalled = new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })
  const slow = setTimeout(() => process.stderr.write('still starting ...\n'), slowMs)
  try {
    const running = await start()
    clearTimeout(slow)
    try {
      await Promise.race([signalled, running.failed])
    } finally {
      await running.stop()
    }
    return 0
  } catch (error) {
    process.stderr.write(`keelson: ${error instanceof UsageError ? error.message : describeError(error)}\n`)
    return error instanceof UsageError ? 2 : 1
  } finally {
    clearTimeout(slow)
  }
}

/** An error and its causes, a line each: what a terminal's reader can act on. */
export function describeError(error: unknown): string {
  const lines: string[] = []
  for (let at = error; at instanceof Error; at = at.cause) lines.push(at.message)
  return lines.length > 0 ? lines.join('\n  because ') : String(error)
}
