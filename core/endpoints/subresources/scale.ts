import type { LabelSelector, UnstructuredObject } from '#apis/meta/v1/types.ts'
import { newBadRequest, newInternalError, newInvalid } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { formatLabelSelector, requirementsOf } from '#core/machinery/label-selector.ts'
import { asPatchFault } from '#core/registry/decode.ts'
import type { ServedVersion } from '#core/registry/registry.ts'
import type { ShownAs } from '#core/registry/resource-store.ts'
import { compileSchema } from '#core/schema/compile.ts'
import { isObject, own } from '#core/schema/json.ts'
import type { CacheEntry } from '#core/storage/cacher/entry.ts'
import { applyConfigurationOf } from '../apply.ts'
import { readBody, type StrictReading } from '../body.ts'
import { type ResourceRequest, requireNamespace, writeContext } from '../endpoint.ts'
import { isApply } from '../field-manager.ts'
import { type ApplyPatch, readPatch } from '../patch.ts'
import { replyOwn } from '../reply.ts'
import { type BodyKind, checkBody } from './typed-body.ts'

/** autoscaling/v1 Scale: the replicas of anything that has some. @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/scale/ */
interface Scale extends UnstructuredObject {
  spec: { replicas?: number }
  status: { replicas: number; selector?: string }
}

/** GET, PUT and PATCH of `scale`: reads and writes the replicas of the object through the paths its definition names. */
export async function scale(request: ResourceRequest): Promise<void> {
  requireNamespace(request)
  const { info, store, served } = request
  if (info.verb === 'get') {
    const { bytes } = await served.show(store.get(served.resource, info))
    const shown = scaleOf(reviveObject(bytes), served)
    if (lacksReplicas(shown, served)) throw newInternalError(`${replicasOf(served)} does not exist`)
    return replyOwn(request, 200, shown)
  }
  if (isApply(request.exchange, info.verb))
    return replyScale(
      request,
      await applyConfigurationOf(request, (scale) => appliedTo(scale, request), asScale(served)),
    )
  const context = { ...writeContext(request), isPatched: info.verb === 'patch', shownAs: asScale(served) }
  const apply = context.isPatched ? await readScalePatch(request, context) : await readScale(request)
  const change = (current: CacheEntry) => {
    const object = reviveObject(current.bytes)
    const scale = apply(scaleOf(object, served))
    try {
      checkScale(scale, request)
    } catch (error) {
      throw context.isPatched ? asPatchFault(scale, error) : error
    }
    if (context.isPatched && lacksReplicas(scale, served)) {
      throw newBadRequest(`${replicasOf(served)} cannot be empty`)
    }
    return scaled(object, scale, served)
  }
  const bytes = await store.update(served, info, 'scale', change, context)
  await replyScale(request, bytes)
}

/** Built-in kinds have replicas, custom ones may have been made without. */
const lacksReplicas = ({ spec }: Scale, { resource }: ServedVersion) =>
  !resource.definition.builtin && spec?.replicas === undefined

const replicasOf = ({ definition }: ServedVersion) =>
  `the spec replicas field ${JSON.stringify(definition.subresources.scale!.specReplicasPath)}`

/** Admission judges the Scale, and may change its replicas. */
function asScale(served: ServedVersion): ShownAs {
  return {
    show: (object) => scaleOf(object, served),
    put: (object, { spec }) =>
      setPath(object, served.definition.subresources.scale!.specReplicasPath, (spec as Scale['spec'])?.replicas ?? 0),
  }
}

/** A Scale to apply, as a configuration of the object that it scales. */
function appliedTo(scale: UnstructuredObject, request: ResourceRequest): UnstructuredObject {
  const { served, info } = request
  checkScale(scale, request)
  const { metadata } = scale
  const { apiVersion, resource } = served
  const object: UnstructuredObject = {
    apiVersion,
    kind: resource.definition.kind,
    metadata: { ...metadata, name: info.name },
  }
  if (scale.spec?.replicas === undefined) return object
  return scaled(object, scale, served)
}

function replyScale(request: ResourceRequest, bytes: Buffer): void | Promise<void> {
  const shown = scaleOf(reviveObject(bytes), request.served)
  return replyOwn(request, 200, shown)
}

async function readScale({ exchange }: ResourceRequest): Promise<ApplyPatch> {
  const body = await readBody(exchange)
  return () => structuredClone(body)
}

/** A Scale has no list to merge, so a strategic merge patch of it is a merge patch. */
const scaleSchema = compileSchema({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true }, {})

function readScalePatch(request: ResourceRequest, reading: StrictReading): Promise<ApplyPatch> {
  return readPatch(request, () => scaleSchema, reading)
}

function scaleOf(object: Readonly<UnstructuredObject>, { definition }: ServedVersion): Scale {
  const paths = definition.subresources.scale!
  const read = (path: string) => valueAt(object, path)
  const selector = paths.labelSelectorPath === undefined ? undefined : read(paths.labelSelectorPath)
  const replicas = read(paths.specReplicasPath)
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: typeof replicas === 'number' ? { replicas } : {},
    status: {
      replicas: Number(read(paths.statusReplicasPath) ?? 0),
      ...(selector !== undefined && { selector: selectorText(selector) }),
    },
  }
}

/** @param path `.spec.replicas`: names, whatever else is in them */
function valueAt(object: Readonly<UnstructuredObject>, path: string): unknown {
  const step = (value: unknown, name: string) => (isObject(value) ? own(value, name) : undefined)
  return path.slice(1).split('.').reduce<unknown>(step, object)
}

function selectorText(selector: unknown): string {
  return typeof selector === 'string' ? selector : formatLabelSelector(requirementsOf(selector as LabelSelector) ?? [])
}

/** @throws StatusError BadRequest for anything but the Scale of that object */
function checkScale(value: unknown, request: ResourceRequest): asserts value is Scale {
  const { metadata } = checkBody<Partial<Scale>>(value, request, scaleKind)
  const { name } = request.info
  if (metadata?.name && metadata.name !== name) {
    throw newBadRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`)
  }
}

const scaleKind: BodyKind = {
  kind: 'Scale',
  apiVersions: ['autoscaling/v1'],
  definition: 'io.k8s.api.autoscaling.v1.Scale',
}

/** The object with the replicas of `scale`, conditional on its resourceVersion when it names one. */
function scaled(object: UnstructuredObject, scale: Scale, served: ServedVersion): UnstructuredObject {
  const replicas = scale.spec?.replicas ?? 0
  if (!Number.isSafeInteger(replicas) || replicas < 0) {
    throw newInvalid({ group: 'autoscaling', kind: 'Scale' }, object.metadata.name ?? '', [
      {
        reason: 'FieldValueInvalid',
        field: 'spec.replicas',
        message: `Invalid value: ${JSON.stringify(replicas)}: must be greater than or equal to 0`,
      },
    ])
  }
  setPath(object, served.definition.subresources.scale!.specReplicasPath, replicas)
  if (scale.metadata?.resourceVersion) object.metadata.resourceVersion = scale.metadata.resourceVersion
  return object
}

function setPath(object: UnstructuredObject, path: string, value: number): void {
  const names = path.split('.').slice(1)
  let at: Record<string, unknown> = object
  for (const name of names.slice(0, -1)) {
    if (!Object.hasOwn(at, name) || typeof at[name] !== 'object' || at[name] === null) {
      Object.defineProperty(at, name, { value: {}, enumerable: true, configurable: true, writable: true })
    }
    at = at[name] as Record<string, unknown>
  }
  Object.defineProperty(at, names.at(-1)!, { value, enumerable: true, configurable: true, writable: true })
}
