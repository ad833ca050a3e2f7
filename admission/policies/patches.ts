import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { findStatusError } from '#core/errors/status-error.ts'
import { applyFaults } from '#core/machinery/apply/check.ts'
import { merge } from '#core/machinery/apply/merge.ts'
import { isAtomic, type Node } from '#core/machinery/apply/structure.ts'
import { applyJsonPatch, isFailedTest } from '#core/machinery/json-patch.ts'
import type { CompiledSchema } from '#core/schema/compile.ts'
import { cloneJson, isObject, type JsonObject } from '#core/schema/json.ts'
import { jsonOf, typeNameFaults, ValueError } from './json-values.ts'

/** A patch that an expression made and that cannot be applied; the message says why. */
export class PatchError extends Error {}

/**
 * The object with what an apply configuration says merged into it, by the rules of server-side apply. Never changes `object`.
 * @param made what the expression evaluated to: an `Object{}`
 * @throws PatchError
 */
export function withConfiguration(
  object: Readonly<UnstructuredObject>,
  made: unknown,
  schema: CompiledSchema,
): UnstructuredObject {
  const configuration = { ...(asJson(made) as JsonObject), apiVersion: object.apiVersion, kind: object.kind }
  const { root } = schema
  const faults = applyFaults(root, configuration)
  if (faults !== undefined) {
    throw new PatchError(`error applying patch: failed to convert patch object to typed object: ${faults}`)
  }
  const atomics = atomicPaths(root, configuration, '')
  if (atomics.length > 0) {
    throw new PatchError(
      `error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomics.join(', ')}`,
    )
  }
  return merge(root, object, configuration) as UnstructuredObject
}

/** Where a configuration would replace what is owned as a whole. */
function atomicPaths(node: Node, value: unknown, path: string): string[] {
  if (!node || typeof value !== 'object' || value === null) return []
  const own = isAtomic(node) ? [path] : []
  if (Array.isArray(value)) {
    return [...own, ...value.flatMap((item, at) => atomicPaths(node.items, item, `${path}[${at}]`))]
  }
  return [
    ...own,
    ...Object.entries(value).flatMap(([name, item]) => atomicPaths(node.property(name), item, `${path}.${name}`)),
  ]
}

/**
 * The object with a JSON patch applied; as it is when one of the patch's tests fails. Never changes `object`.
 * @param made what the expression evaluated to: a list of `JSONPatch{}`
 * @throws PatchError
 */
export function withJsonPatch(object: Readonly<UnstructuredObject>, made: unknown): Readonly<UnstructuredObject> {
  if (!Array.isArray(made)) throw new PatchError('type mismatch: JSONPatchType.expression should evaluate to array')
  const operations = made.map(operationOf)
  try {
    const patched = applyJsonPatch(cloneJson(object), operations)
    if (isObject(patched)) return patched as UnstructuredObject
    throw new PatchError('JSON Patch: what it makes of the object is none')
  } catch (error) {
    if (isFailedTest(error)) return object
    const status = findStatusError(error)?.status
    if (!status) throw error
    throw new PatchError(`JSON Patch: ${status.details?.causes?.[0]?.message ?? status.message}`)
  }
}

function operationOf(made: unknown): JsonObject {
  if (!isObject(made))
    throw new PatchError('type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch')
  const { op, path, from, value } = made
  return {
    op: op ?? '',
    path: path ?? '',
    ...(from !== undefined && from !== '' && { from }),
    ...(value !== undefined && { value: asJson(value) }),
  }
}

function asJson(made: unknown): unknown {
  const faults = typeNameFaults(made)
  if (faults.length > 0) throw new PatchError(`type mismatch: ${faults.join('\n')}`)
  try {
    return jsonOf(made)
  } catch (error) {
    throw error instanceof ValueError ? new PatchError(error.message) : error
  }
}
