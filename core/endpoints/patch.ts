import { newBadRequest, newUnsupportedMediaType } from '#core/errors/status-error.ts'
import { reviveObject, reviveWhole } from '#core/machinery/canonical.ts'
import { applyJsonPatch, unknownPatchFields } from '#core/machinery/json-patch.ts'
import { applyMergePatch } from '#core/machinery/merge-patch.ts'
import { applyStrategicMergePatch } from '#core/machinery/strategic-merge.ts'
import type { BodyFaults } from '#core/registry/decode.ts'
import type { ServedVersion } from '#core/registry/registry.ts'
import type { CompiledSchema } from '#core/schema/compile.ts'
import { apply } from './apply.ts'
import { mediaType, parseJson, type StrictReading } from './body.ts'
import { maxBodyBytes, type ResourceRequest, requireNamespace, writeContext } from './endpoint.ts'
import { applyType, isApply } from './field-manager.ts'
import { replyObject } from './reply.ts'

const jsonPatchType = 'application/json-patch+json'

/** Changes `target` (parsed JSON) as a patch says; may change it in place. */
export type ApplyPatch = (target: unknown) => unknown

/**
 * PATCH: changes parts of an object, again and again until no one else was faster.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply
 */
export async function patch(request: ResourceRequest): Promise<void> {
  requireNamespace(request)
  if (isApply(request.exchange, request.info.verb)) return apply(request)
  const { info, served, store, exchange } = request
  const context = { ...writeContext(request), isPatched: true }
  const change = await readPatch(request, () => served.schema, context)
  // Only a JSON patch can ask for what is in managedFields: to the others they are whole, and kept when not mentioned.
  const revive = mediaType(exchange.header('content-type')) === jsonPatchType ? reviveWhole : reviveObject
  const bytes = await store.update(served, info, info.subresource, (current) => change(revive(current.bytes)), context)
  await replyObject(request, 200, bytes)
}

/** Reads the patch in the request's body. @param schemaOf gives that of what it applies to @param reading told what is odd about the patch */
export async function readPatch(
  { exchange, served }: ResourceRequest,
  schemaOf: () => CompiledSchema,
  reading: StrictReading,
): Promise<ApplyPatch> {
  const type = mediaType(exchange.header('content-type'))
  const supported = patchTypes(served)
  if (!supported.includes(type)) throw newUnsupportedMediaType(type, supported)
  const body = parseJson(await exchange.body(maxBodyBytes), reading)
  switch (type) {
    case jsonPatchType:
      if (reading.fieldValidation !== 'Ignore') reading.bodyFaults = jsonPatchFaults(body, reading)
      return (target) => applyJsonPatch(target, body)
    case 'application/merge-patch+json':
      return (target) => applyMergePatch(target, objectBody(body))
    default: {
      const schema = schemaOf()
      return (target) => applyStrategicMergePatch(target, objectBody(body), schema)
    }
  }
}

function jsonPatchFaults(patch: unknown, { bodyFaults }: StrictReading): BodyFaults | undefined {
  const unknown = unknownPatchFields(patch).map((path) => `json patch unknown field "${path}"`)
  const twice = bodyFaults?.duplicates?.map((path) => `json patch duplicate field "${path}"`) ?? []
  return unknown.length + twice.length > 0 ? { patch: [...unknown, ...twice] } : undefined
}

function patchTypes({ resource }: ServedVersion): string[] {
  const forAll = [jsonPatchType, 'application/merge-patch+json']
  return [...forAll, ...(resource.definition.builtin ? ['application/strategic-merge-patch+json'] : []), applyType]
}

function objectBody(body: unknown): Record<string, unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw newBadRequest('the patch must be a JSON object')
  }
  return body as Record<string, unknown>
}
