import { newBadRequest } from '#core/errors/status-error.ts'
import { isObject } from '#core/schema/json.ts'
import type { ResourceRequest } from '../endpoint.ts'

/** The kind of a subresource's body: not that of the resource it belongs to. */
export interface BodyKind {
  kind: string
  /** Those a client may name; the first is meant when it names none. */
  apiVersions: readonly string[]
  /** Its name among the definitions: `io.k8s.api.core.v1.Binding`. */
  definition: string
}

/**
 * Holds a parsed body against its kind.
 * @returns the same value, every field of the right type; what the kind does not require may be absent
 * @throws StatusError BadRequest
 */
export function checkBody<T>(value: unknown, { registry }: ResourceRequest, of: BodyKind): T {
  const { kind, apiVersions, definition } = of
  const [version = ''] = apiVersions
  const refuse = (fault: string) =>
    newBadRequest(`${kind} in version "${version.split('/').at(-1)}" cannot be handled as a ${kind}: ${fault}`)
  if (!isObject(value)) throw refuse('the body is not a JSON object')
  const given = { kind: value.kind ?? kind, apiVersion: value.apiVersion ?? version }
  if (given.kind !== kind || !apiVersions.includes(String(given.apiVersion))) {
    throw refuse(`the body is a ${given.apiVersion} ${given.kind}`)
  }
  const schema = registry.builtinCompiler.compileDefinition(definition)
  schema.dropNulls(value)
  const mismatch = schema.typeErrors(value)
  if (mismatch) throw refuse(mismatch)
  return value as T
}
