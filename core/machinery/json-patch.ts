import { newBadRequest, newRequestEntityTooLarge, StatusError } from '#core/errors/status-error.ts'
import { cloneJson, equalJson, isObject, type JsonObject, own, setOwn } from '#core/schema/json.ts'

/**
 * JSON Patch as Kubernetes does it: negative indices count from the end, `replace` and `test` of what an object does not
 * have find nothing there rather than fail, and operations and copies have limits.
 * @see https://www.rfc-editor.org/rfc/rfc6902
 */
export const maxOperations = 10_000
/** What the `copy` operations of one patch may add, as bytes of JSON. */
export const maxCopiedBytes = 3 * 1024 * 1024

/**
 * Changes `target` in place as far as it goes; when it throws, `target` is of no more use.
 * @param patch the parsed body
 * @throws StatusError BadRequest for what is no JSON Patch, RequestEntityTooLarge for too many operations,
 * Invalid when an operation does not apply or a test fails
 */
export function applyJsonPatch(target: unknown, patch: unknown): unknown {
  const operations = checkOperations(patch)
  const document = new Document(target)
  try {
    for (const operation of operations) apply(document, operation)
  } catch (error) {
    throw error instanceof Inapplicable ? newInapplicable(error) : error
  }
  return document.root
}

/** What a strict reading finds in a patch beside its operations: fields no operation has. */
export function unknownPatchFields(patch: unknown): string[] {
  if (!Array.isArray(patch)) return []
  return patch.flatMap((operation, at) =>
    isObject(operation)
      ? Object.keys(operation)
          .filter((field) => !operationFields.includes(field))
          .map((field) => `[${at}].${field}`)
      : [],
  )
}

const operationFields = ['op', 'path', 'from', 'value']

/** An operation that the document at hand does not allow; the message says why. */
class Inapplicable extends Error {}

function newInapplicable(cause: Inapplicable): StatusError {
  return new StatusError(
    {
      reason: 'Invalid',
      code: 422,
      message: 'the server rejected our request due to an error in our request',
      details: { causes: [{ reason: 'UnexpectedServerResponse', message: cause.message }] },
    },
    { cause },
  )
}

/** @throws StatusError for what no document could be patched with */
function checkOperations(patch: unknown): JsonObject[] {
  if (!Array.isArray(patch)) {
    throw newBadRequest('error decoding patch: a JSON patch must be a list of operations')
  }
  for (const [at, operation] of patch.entries()) {
    if (operation !== null && !isObject(operation)) {
      throw newBadRequest(`error decoding patch: operation ${at} is not an object`)
    }
    for (const field of ['op', 'path', 'from']) {
      const value = own(operation ?? {}, field)
      if (value === undefined || value === null || typeof value === 'string') continue
      throw newBadRequest(`error decoding patch: ${field} of operation ${at} is not a string`)
    }
  }
  if (patch.length > maxOperations) {
    throw newRequestEntityTooLarge(
      `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`,
    )
  }
  return patch.map((operation) => operation ?? {})
}

function readPointer(operation: JsonObject, field: 'path' | 'from', op: string): string[] {
  const text = own(operation, field)
  if (typeof text !== 'string') throw new Inapplicable(`${op} operation failed to decode ${field}: missing value`)
  if (text === '') return []
  if (!text.startsWith('/')) {
    throw new Inapplicable(
      `${op} operation does not apply: doc is missing path: ${JSON.stringify(text)}: missing value`,
    )
  }
  return text
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

const pointer = (path: readonly string[]) =>
  path.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

function textOf(operation: JsonObject, field: string): string {
  const value = own(operation, field)
  return typeof value === 'string' ? value : ''
}

function apply(document: Document, operation: JsonObject): void {
  const op = textOf(operation, 'op') || 'unknown'
  // A value that is not given is null.
  const value = own(operation, 'value') ?? null
  const path = () => readPointer(operation, 'path', op)
  const from = () => readPointer(operation, 'from', op)
  switch (op) {
    case 'add':
      return document.add(path(), cloneJson(value), op)
    case 'remove':
      return void document.remove(path(), op)
    case 'replace':
      return document.replace(path(), cloneJson(value))
    case 'test':
      return document.test(path(), value)
    case 'move':
      return document.move(from(), path())
    case 'copy':
      return document.copy(from(), path())
    default:
      throw new Inapplicable(`Unexpected kind: ${op}`)
  }
}

const isInside = (path: readonly string[], outer: readonly string[]) =>
  path.length > outer.length && outer.every((part, at) => part === path[at])

class Document {
  root: unknown
  private copiedBytes = 0

  constructor(root: unknown) {
    this.root = root
  }

  add(path: readonly string[], value: unknown, op: string): void {
    const { holder, key } = this.locate(path, op)
    if (Array.isArray(holder)) holder.splice(key === '-' ? holder.length : indexOf(key, holder.length + 1), 0, value)
    else setOwn(holder, key, value)
  }

  remove(path: readonly string[], op: string): unknown {
    const { holder, key } = this.locate(path, op)
    if (Array.isArray(holder)) return holder.splice(indexOf(key, holder.length), 1)[0]
    if (!Object.hasOwn(holder, key)) {
      throw new Inapplicable(
        `error in remove for path: '${pointer(path)}': Unable to remove nonexistent key: ${key}: missing value`,
      )
    }
    const value = holder[key]
    delete holder[key]
    return value
  }

  replace(path: readonly string[], value: unknown): void {
    if (path.length === 0) {
      if (typeof value !== 'object') throw new Inapplicable('replace operation value must be object or array')
      this.root = value
      return
    }
    const { holder, key } = this.locate(path, 'replace')
    if (Array.isArray(holder)) {
      holder[indexOf(key, holder.length)] = value
      return
    }
    setOwn(holder, key, value)
  }

  test(path: readonly string[], value: unknown): void {
    if (!equalJson(this.get(path, 'test') ?? null, value)) {
      throw new Inapplicable(`testing value ${pointer(path)} failed: test failed`)
    }
  }

  move(from: readonly string[], path: readonly string[]): void {
    if (isInside(path, from)) {
      throw new Inapplicable(`move operation does not apply: ${pointer(from)} is moved into itself`)
    }
    this.add(path, this.remove(from, 'move'), 'move')
  }

  copy(from: readonly string[], path: readonly string[]): void {
    const value = this.get(from, 'copy') ?? null
    this.copiedBytes += Buffer.byteLength(JSON.stringify(value))
    if (this.copiedBytes > maxCopiedBytes) {
      throw new Inapplicable(
        `Unable to complete the copy, the accumulated size increase of copy is ${this.copiedBytes}, exceeding the limit ${maxCopiedBytes}`,
      )
    }
    this.add(path, cloneJson(value), 'copy')
  }

  private get(path: readonly string[], op: string): unknown {
    if (path.length === 0) return this.root
    const { holder, key } = this.locate(path, op)
    if (Array.isArray(holder)) return holder[indexOf(key, holder.length)]
    return own(holder, key)
  }

  /** The object or list that has, or is to have, the last part of `path`. */
  private locate(path: readonly string[], op: string): { holder: JsonObject | unknown[]; key: string } {
    let holder = path.length > 0 ? this.root : undefined
    for (const part of path.slice(0, -1)) {
      holder = Array.isArray(holder)
        ? holder[indexOf(part, holder.length)]
        : isObject(holder)
          ? own(holder, part)
          : undefined
    }
    if (typeof holder === 'object' && holder !== null)
      return { holder: holder as JsonObject | unknown[], key: path.at(-1)! }
    throw new Inapplicable(
      `${op} operation does not apply: doc is missing path: ${JSON.stringify(pointer(path))}: missing value`,
    )
  }
}

/** An index below `length`; `-1` is the last. */
function indexOf(part: string, length: number): number {
  const index = /^[+-]?\d{1,15}$/.test(part) ? Number(part) : Number.NaN
  const at = index < 0 ? index + length : index
  if (at >= 0 && at < length) return at
  throw new Inapplicable(`Unable to access invalid index: ${part}: invalid index referenced`)
}
