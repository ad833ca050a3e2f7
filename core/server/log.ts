import type { Logger } from '#apis/plugin/v1/host.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface LogOptions {
  /** Where lines go; standard error by default. */
  out?: { write(line: string): unknown; isTTY?: boolean }
  /** `text` for people, `json` for machines; by default text on a terminal and JSON elsewhere. */
  format?: 'text' | 'json'
  /** Less than this is not written; `info` by default. */
  level?: LogLevel
  /** By default on a terminal, unless NO_COLOR is set. @see https://no-color.org */
  color?: boolean
  /** Milliseconds since the epoch. */
  clock?: () => number
}

type Keys = Record<string, unknown>
type Write = (level: LogLevel, message: string, keys: Keys | undefined) => void

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/** A constant message plus keys, one line each. */
export function newLogger(options: LogOptions = {}): Logger {
  const { out = process.stderr, level = 'info', clock = Date.now } = options
  const format = options.format ?? (out.isTTY ? 'text' : 'json')
  const color = options.color ?? (!!out.isTTY && !process.env.NO_COLOR)
  const render = format === 'json' ? jsonLine : (...args: LineArgs) => textLine(...args, color)
  const least = levels.indexOf(level)
  return loggerOver((at, message, keys) => {
    if (levels.indexOf(at) >= least) out.write(`${render(new Date(clock()), at, message, keys)}\n`)
  })
}

/** The same log with `keys` on every line. */
export function withKeys(log: Logger, keys: Keys): Logger {
  return loggerOver((level, message, more) => log[level](message, { ...keys, ...more }))
}

function loggerOver(write: Write): Logger {
  return {
    debug: (message, keys) => write('debug', message, keys),
    info: (message, keys) => write('info', message, keys),
    warn: (message, keys) => write('warn', message, keys),
    error: (message, keys) => write('error', message, keys),
  }
}

type LineArgs = [at: Date, level: LogLevel, message: string, keys: Keys | undefined]

function jsonLine(...[at, level, message, keys]: LineArgs): string {
  const line = new Map<string, unknown>([
    ['ts', at.toISOString()],
    ['level', level],
    ['msg', message],
  ])
  for (const [key, value] of Object.entries(keys ?? {})) {
    if (value !== undefined) line.set(line.has(key) ? `${key}_` : key, plain(value))
  }
  return JSON.stringify(Object.fromEntries(line))
}

const paint = { debug: '\u001b[2m', info: '\u001b[32m', warn: '\u001b[33m', error: '\u001b[31m' } as const
const dim = '\u001b[2m'
const reset = '\u001b[0m'

function textLine(...[at, level, message, keys, color]: [...LineArgs, color: boolean]): string {
  const [on, faint, off] = color ? [paint[level], dim, reset] : ['', '', '']
  const time = at.toISOString().slice(11, 23)
  let line = `${faint}${time}${off} ${on}${level.toUpperCase().padEnd(5)}${off} ${textValue(message, true)}`
  for (const [key, value] of Object.entries(keys ?? {})) {
    if (value !== undefined) line += ` ${faint}${textValue(key)}=${off}${textValue(plain(value))}`
  }
  return line
}

/** Quoted where a bare value would be misread, or could forge a line or move the cursor. */
function textValue(value: unknown, allowsSpaces = false): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const isBare = text !== '' && !/[\s"=\u0000-\u001f\u007f-\u009f]/.test(allowsSpaces ? text.replaceAll(' ', '') : text)
  return isBare ? text : JSON.stringify(text).replace(/[\u007f-\u009f]/g, escapeControl)
}

const escapeControl = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** What JSON can carry: errors become their message and causes, the rest its text when nothing else will do. */
function plain(value: unknown): unknown {
  if (value instanceof Error) return errorText(value)
  try {
    return JSON.parse(JSON.stringify(value) ?? 'null')
  } catch {
    return String(value)
  }
}

function errorText(error: Error, depth = 0): string {
  const { message, cause } = error
  // Causes may go round in circles.
  if (cause === undefined || depth > 8) return message
  return `${message}: ${cause instanceof Error ? errorText(cause, depth + 1) : String(plain(cause))}`
}
