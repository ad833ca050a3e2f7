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

/** A `test` that found something else. */
class FailedTest extends Inapplicable {}

/** Whether a patch was not applied because one of its tests failed. */
export function isFailedTest(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof FailedTest
}

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
      document.add(path(), cloneJson(value))
      break
    case 'remove':
      document.remove(path())
      break
    case 'replace':
      document.replace(path(), cloneJson(value))
      break
    case 'test':
      document.test(path(), value)
      break
    case 'move':
      document.move(from(), path())
      break
    case 'copy':
      document.copy(from(), path())
      break
    default:
      throw new Inapplicable(`Unexpected kind: ${op}`)
  }
}

/** The object or list that has, or is to have, the last part of a path. */
interface Place {
  holder: JsonObject | unknown[]
  key: string
}

class Document {
  root: unknown
  private copiedBytes = 0

  constructor(root: unknown) {
    this.root = root
  }

  add(path: readonly string[], value: unknown): void {
    const missing = `add operation does not apply: doc is missing path: ${JSON.stringify(pointer(path))}`
    put(this.locate(path, missing), value, `error in add for path: '${pointer(path)}'`)
  }

  remove(path: readonly string[]): void {
    const missing = `remove operation does not apply: doc is missing path: ${JSON.stringify(pointer(path))}`
    take(this.locate(path, missing), `error in remove for path: '${pointer(path)}'`)
  }

  replace(path: readonly string[], value: unknown): void {
    if (path.length === 0) {
      if (typeof value !== 'object') throw new Inapplicable('replace operation value must be object or array')
      this.root = value
      return
    }
    const missing = 'replace operation does not apply: doc is missing'
    const { holder, key } = this.locate(path, `${missing} path: ${pointer(path)}`)
    if (!Array.isArray(holder)) {
      setOwn(holder, key, value)
      return
    }
    const at = indexIn(key, holder.length)
    if (at === undefined) throw new Inapplicable(`${missing} key: ${pointer(path)}: missing value`)
    holder[at] = value
  }

  test(path: readonly string[], value: unknown): void {
    const missing = `test operation does not apply: is missing path: ${pointer(path)}`
    const found =
      path.length === 0 ? this.root : look(this.locate(path, missing), `error in test for path: '${pointer(path)}'`)
    if (!equalJson(found ?? null, value)) throw new FailedTest(`testing value ${pointer(path)} failed: test failed`)
  }

  move(from: readonly string[], path: readonly string[]): void {
    const missing = 'move operation does not apply: doc is missing'
    const source = this.locate(from, `${missing} from path: ${pointer(from)}`)
    const value = take(source, `error in move for path: '${source.key}'`)
    const target = this.locate(path, `${missing} destination path: ${pointer(path)}`)
    put(target, value, `error in move for path: '${pointer(path)}'`)
  }

  copy(from: readonly string[], path: readonly string[]): void {
    const missing = 'copy operation does not apply: doc is missing'
    const source = this.locate(from, `${missing} from path: ${pointer(from)}`)
    const value = look(source, `error in copy for from: '${pointer(from)}'`) ?? null
    const target = this.locate(path, `${missing} destination path: ${pointer(path)}`)
    this.copiedBytes += Buffer.byteLength(JSON.stringify(value))
    if (this.copiedBytes > maxCopiedBytes) {
      throw new Inapplicable(
        `Unable to complete the copy, the accumulated size increase of copy is ${this.copiedBytes}, exceeding the limit ${maxCopiedBytes}`,
      )
    }
    put(target, cloneJson(value), 'error while adding value during copy')
  }

  /** @param missing the message when there is no such place; the document itself is none */
  private locate(path: readonly string[], missing: string): Place {
    let holder = path.length > 0 ? this.root : undefined
    for (const part of path.slice(0, -1)) {
      if (Array.isArray(holder)) holder = holder[indexIn(part, holder.length) ?? -1]
      else holder = isObject(holder) ? own(holder, part) : undefined
    }
    if (typeof holder !== 'object' || holder === null) throw new Inapplicable(`${missing}: missing value`)
    return { holder: holder as Place['holder'], key: path.at(-1)! }
  }
}

function put({ holder, key }: Place, value: unknown, failure: string): void {
  if (!Array.isArray(holder)) setOwn(holder, key, value)
  else holder.splice(key === '-' ? holder.length : indexOf(key, holder.length + 1, failure), 0, value)
}

function take({ holder, key }: Place, failure: string): unknown {
  if (Array.isArray(holder)) return holder.splice(indexOf(key, holder.length, failure), 1)[0]
  if (!Object.hasOwn(holder, key)) {
    throw new Inapplicable(`${failure}: Unable to remove nonexistent key: ${key}: missing value`)
  }
  const value = holder[key]
  delete holder[key]
  return value
}

/** What is there; undefined where an object has no such field. */
function look({ holder, key }: Place, failure: string): unknown {
  return Array.isArray(holder) ? holder[indexOf(key, holder.length, failure)] : own(holder, key)
}

function indexOf(part: string, length: number, failure: string): number {
  const at = indexIn(part, length)
  if (at !== undefined) return at
  throw new Inapplicable(`${failure}: Unable to access invalid index: ${part}: invalid index referenced`)
}

/** An index below `length`; `-1` is the last. */
function indexIn(part: string, length: number): number | undefined {
  const index = /^[+-]?\d{1,15}$/.test(part) ? Number(part) : Number.NaN
  const at = index < 0 ? index + length : index
  return at >= 0 && at < length ? at : undefined
}
