import { newBadRequest, newRequestEntityTooLarge, StatusError } from '#core/errors/status-error.ts'
import { cloneJson, equalJson, isObject, type JsonObject, own, setOwn } from '#core/schema/json.ts'

/**
 * JSON Patch, with what Kubernetes adds: negative indices count from the end, and limits on operations and copies.
 * @see https://www.rfc-editor.org/rfc/rfc6902
 */
export const maxOperations = 10_000
/** What the `copy` operations of one patch may add, as bytes of JSON. */
export const maxCopiedBytes = 3 * 1024 * 1024

/**
 * Changes `target` in place as far as it goes; when it throws, `target` is of no more use.
 * @param patch the parsed body
 * @throws StatusError BadRequest for what is no JSON Patch, RequestEntityTooLarge past the limits,
 * Invalid when an operation does not apply or a test fails
 */
export function applyJsonPatch(target: unknown, patch: unknown): unknown {
  const operations = readOperations(patch)
  const document = new Document(target)
  for (const operation of operations) {
    try {
      apply(document, operation)
    } catch (error) {
      throw error instanceof Inapplicable ? newInapplicable(error) : error
    }
  }
  return document.root
}

type Operation =
  | { op: 'add' | 'replace' | 'test'; path: string[]; value: unknown }
  | { op: 'remove'; path: string[] }
  | { op: 'move' | 'copy'; path: string[]; from: string[] }

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

function readOperations(patch: unknown): Operation[] {
  if (!Array.isArray(patch)) throw newBadRequest('a JSON patch must be a list of operations')
  if (patch.length > maxOperations) {
    throw newRequestEntityTooLarge(
      `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`,
    )
  }
  return patch.map(readOperation)
}

function readOperation(given: unknown, at: number): Operation {
  if (!isObject(given)) throw newBadRequest(`operation ${at} of the JSON patch is not an object`)
  const op = own(given, 'op')
  const path = readPointer(given, 'path', at)
  switch (op) {
    case 'add':
    case 'replace':
    case 'test':
      if (!Object.hasOwn(given, 'value')) throw newBadRequest(`operation ${at} of the JSON patch has no value`)
      return { op, path, value: given.value }
    case 'remove':
      return { op, path }
    case 'move':
    case 'copy':
      return { op, path, from: readPointer(given, 'from', at) }
    default:
      throw newBadRequest(`Unexpected kind: ${typeof op === 'string' ? op : 'unknown'}`)
  }
}

function readPointer(operation: JsonObject, field: 'path' | 'from', at: number): string[] {
  const text = own(operation, field)
  if (typeof text !== 'string') throw newBadRequest(`operation ${at} of the JSON patch has no ${field}`)
  if (text === '') return []
  if (!text.startsWith('/')) throw newBadRequest(`operation ${at} of the JSON patch: ${field} must begin with /`)
  return text
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

const pointer = (path: readonly string[]) =>
  path.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

function apply(document: Document, operation: Operation): void {
  const { op, path } = operation
  switch (op) {
    case 'add':
      document.add(path, cloneJson(operation.value), op)
      break
    case 'remove':
      document.remove(path, op)
      break
    case 'replace':
      document.replace(path, cloneJson(operation.value))
      break
    case 'test':
      document.test(path, operation.value)
      break
    case 'move':
      document.move(operation.from, path)
      break
    case 'copy':
      document.copy(operation.from, path)
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
    if (path.length === 0) {
      this.root = value
      return
    }
    const { holder, key } = this.locate(path, op)
    if (Array.isArray(holder)) holder.splice(key === '-' ? holder.length : indexOf(key, holder.length + 1), 0, value)
    else setOwn(holder, key, value)
  }

  remove(path: readonly string[], op: string): unknown {
    if (path.length === 0)
      throw new Inapplicable(`${op} operation does not apply: the whole document cannot be removed`)
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
      this.root = value
      return
    }
    const { holder, key } = this.locate(path, 'replace')
    if (Array.isArray(holder)) {
      holder[indexOf(key, holder.length)] = value
      return
    }
    if (!Object.hasOwn(holder, key)) {
      throw new Inapplicable(`replace operation does not apply: doc is missing key: ${pointer(path)}: missing value`)
    }
    setOwn(holder, key, value)
  }

  test(path: readonly string[], value: unknown): void {
    if (!equalJson(this.get(path, 'test'), value)) {
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
    const value = this.get(from, 'copy')
    this.copiedBytes += Buffer.byteLength(JSON.stringify(value))
    if (this.copiedBytes > maxCopiedBytes) {
      throw newRequestEntityTooLarge(
        `Unable to complete the copy, the accumulated size increase of copy is ${this.copiedBytes}, exceeding the limit ${maxCopiedBytes}`,
      )
    }
    this.add(path, cloneJson(value), 'copy')
  }

  private get(path: readonly string[], op: string): unknown {
    if (path.length === 0) return this.root
    const { holder, key } = this.locate(path, op)
    if (Array.isArray(holder)) return holder[indexOf(key, holder.length)]
    if (Object.hasOwn(holder, key)) return holder[key]
    throw new Inapplicable(
      `error in ${op} for path: '${pointer(path)}': unable to get nonexistent key: ${key}: missing value`,
    )
  }

  /** The object or list that has, or is to have, the last part of `path`. */
  private locate(path: readonly string[], op: string): { holder: JsonObject | unknown[]; key: string } {
    let holder = this.root
    for (const part of path.slice(0, -1)) {
      holder = Array.isArray(holder)
        ? holder[indexOf(part, holder.length)]
        : isObject(holder)
          ? own(holder, part)
          : undefined
    }
    if (typeof holder === 'object' && holder !== null)
      return { holder: holder as JsonObject | unknown[], key: path.at(-1)! }
    throw new Inapplicable(`${op} operation does not apply: doc is missing path: ${pointer(path)}: missing value`)
  }
}

/** An index below `length`; `-1` is the last. */
function indexOf(part: string, length: number): number {
  const index = /^-?(0|[1-9]\d{0,9})$/.test(part) ? Number(part) : Number.NaN
  const at = index < 0 ? index + length : index
  if (at >= 0 && at < length) return at
  throw new Inapplicable(`Unable to access invalid index: ${part}: invalid index referenced`)
}
