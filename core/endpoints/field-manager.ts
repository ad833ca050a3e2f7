import { type FieldError, forbidden, invalid, required, tooLong } from '#apis/meta/v1/field-error.ts'
import type { Exchange } from '#core/server/exchange.ts'

/** In whose name a request sets fields. @see https://kubernetes.io/docs/reference/using-api/server-side-apply/#managers */

export const applyType = 'application/apply-patch+yaml'
const applyHeader = /^\s*application\/apply-patch\+yaml\s*(;|$)/i

/** Whether a PATCH is an apply. */
export function isApply(exchange: Pick<Exchange, 'header'>, verb: string): boolean {
  return verb === 'patch' && applyHeader.test(exchange.header('content-type') ?? '')
}

const maxBytes = 128
/** What Go calls not printable: every space but the plain one, and what is no character at all. */
const unprintable = /(?! )[\p{C}\p{Z}]/u
const allUnprintable = /(?! )[\p{C}\p{Z}]/gu

/** What is wrong with what a request says about its manager. */
export function managerFaults(exchange: Pick<Exchange, 'header' | 'query'>, verb: string): FieldError[] {
  const { query } = exchange
  const name = query.get('fieldManager') ?? ''
  const faults = name === '' ? [] : nameFaults(name)
  if (verb !== 'patch') return faults
  if (isApply(exchange, verb)) return name === '' ? [required('fieldManager', 'is required for apply patch')] : faults
  if (query.get('force') === null) return faults
  return [forbidden('force', 'may not be specified for non-apply patch'), ...faults]
}

function nameFaults(name: string): FieldError[] {
  const faults: FieldError[] = []
  if (Buffer.byteLength(name) > maxBytes) faults.push(tooLong('fieldManager', maxBytes))
  const found = unprintable.exec(name)
  if (found) {
    const code = found[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')
    const position = Buffer.byteLength(name.slice(0, found.index))
    faults.push(invalid('fieldManager', name, `invalid character U+${code} (at position ${position})`))
  }
  return faults
}

/** What the client says, or else what its User-Agent begins with; empty when neither says. */
export function managerName(exchange: Pick<Exchange, 'header' | 'query'>): string {
  return exchange.query.get('fieldManager') || nameOfAgent(exchange.header('user-agent'))
}

/** The name before the version: `kubectl/v1.36.0 (linux/amd64)` -> `kubectl`. */
function nameOfAgent(agent = ''): string {
  const slash = agent.indexOf('/')
  const name = slash < 0 ? agent : agent.slice(0, slash)
  if (name.length <= maxBytes && /^[ -~]*$/.test(name)) return name
  return Buffer.from(name.replace(allUnprintable, ''))
    .subarray(0, maxBytes)
    .toString()
    .replace(/\ufffd+$/, '')
}
