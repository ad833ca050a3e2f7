import { newBadRequest } from '#core/errors/status-error.ts'

/** Where a paged list goes on: behind `after`, at the revision of its first page. */
export interface ContinueToken {
  /** -1: at whatever revision is current, because that of the first page is gone. */
  revision: number
  /** The last key of the page before. */
  after: string
}

const apiVersion = 'meta.k8s.io/v1'

export function encodeContinue({ revision, after }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: apiVersion, rv: revision, start: after })).toString('base64url')
}

/** @param keyPrefix what the list is limited to: a token of another list is refused @throws StatusError BadRequest */
export function decodeContinue(token: string, keyPrefix: string): ContinueToken {
  const parsed = parse(token)
  const { v, rv, start } = parsed
  if (
    v !== apiVersion ||
    typeof rv !== 'number' ||
    !Number.isSafeInteger(rv) ||
    rv < -1 ||
    rv === 0 ||
    typeof start !== 'string'
  ) {
    throw invalidToken('it is not a token of this server')
  }
  if (!start.startsWith(keyPrefix) || start.length > 512) {
    throw invalidToken('it belongs to another list')
  }
  return { revision: rv, after: start }
}

function parse(token: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'))
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch (cause) {
    throw invalidToken('it does not decode', cause)
  }
  throw invalidToken('it does not decode')
}

function invalidToken(fault: string, cause?: unknown) {
  return newBadRequest(`invalid continue token: continue key is not valid: ${fault}`, cause)
}
