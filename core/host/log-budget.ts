import type { Logger } from '#apis/plugin/v1/host.ts'

/** Lines a component may log at once, and how many more each second gives it. */
export const burstLines = 500
export const linesPerSecond = 100
const maxTextLength = 4_096

/** Takes a line: what `Logger` calls, with the level as a value. */
export type WriteLine = (level: keyof Logger, message: string, keys: Record<string, unknown>) => void

/**
 * A logger that keeps a component from drowning the server in lines: past its budget they are dropped, and the next one
 * that is let through is preceded by how many were.
 * @param now milliseconds
 */
export function budgetedLogger(write: WriteLine, now: () => number = Date.now): Logger {
  let budget = burstLines
  let refilledAt = now()
  let dropped = 0
  const at =
    (level: keyof Logger) =>
    (message: string, keys: Record<string, unknown> = {}) => {
      const time = now()
      budget = Math.min(burstLines, budget + ((time - refilledAt) / 1000) * linesPerSecond)
      refilledAt = time
      if (budget < 1) {
        dropped++
        return
      }
      budget--
      if (dropped > 0) write('warn', 'log lines dropped', { dropped })
      dropped = 0
      write(level, shorten(String(message)), plain(keys))
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** An error with its stack and its causes. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `\ncaused by ${describeError(error.cause)}`
  return `${error.stack ?? error.message}${cause}`
}

const shorten = (text: string) => (text.length > maxTextLength ? `${text.slice(0, maxTextLength)} ...` : text)

/** Keys as they can cross to the host: errors by their text, nothing longer than a screen. */
function plain(keys: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(keys).map(([key, value]) => [key, plainValue(value)]))
}

function plainValue(value: unknown): unknown {
  if (value instanceof Error) return shorten(describeError(value))
  if (typeof value === 'string') return shorten(value)
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? String(value) : value
  const text = jsonText(value)
  return text.length > maxTextLength ? shorten(text) : JSON.parse(text)
}

function jsonText(value: object): string {
  try {
    return JSON.stringify(value) ?? '{}'
  } catch {
    return JSON.stringify(String(value))
  }
}
