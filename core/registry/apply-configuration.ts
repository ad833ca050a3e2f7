import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { findStatusError, newApplyConflict, newApplyFault, newBadRequest } from '#core/errors/status-error.ts'
import { applyFaults } from '#core/machinery/apply/check.ts'
import { compare } from '#core/machinery/apply/compare.ts'
import { appliedText, fieldsOf } from '#core/machinery/apply/fields.ts'
import { merge } from '#core/machinery/apply/merge.ts'
import { prune } from '#core/machinery/apply/prune.ts'
import { isBare, type Node } from '#core/machinery/apply/structure.ts'
import { formatPath } from '#core/machinery/field-paths/element.ts'
import {
  difference,
  type FieldSet,
  intersection,
  isEmpty,
  isSubset,
  leaf,
  paths,
  union,
} from '#core/machinery/field-paths/field-set.ts'
import { canonicalText, isObject, type JsonObject } from '#core/schema/json.ts'
import { Comparisons, convertTo, isAlike, rootAt, upToDate, viewsOf } from './comparisons.ts'
import { nextTurn } from './large-objects.ts'
import { creatorOf } from './managed-fields.ts'
import {
  fieldsOfOwner,
  findOwner,
  formatOwners,
  inOrder,
  type Manager,
  type Owner,
  ownable,
  ownerOf,
  parseOwners,
  unownable,
} from './owners.ts'
import type { ServedVersion } from './registry.ts'

/** What a client wants applied, and as whom. */
export interface Application {
  /** Parsed JSON of the resource's kind and version; never changed. */
  configuration: UnstructuredObject
  manager: Manager & { operation: 'Apply' }
  /** Takes over what others own instead of conflicting. */
  force: boolean
}

const beforeFirstApply = 'before-first-apply'
const kubectl = 'kubectl'
export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'
const maxAnnotationBytes = 256 * 1024

/** An object without its managedFields, and those as text. */
export interface OwnedObject {
  object: UnstructuredObject
  owners: string
}

/**
 * What an applied configuration makes of an object.
 * @param live undefined when the object does not exist yet
 * @param inTurns others have their turn between one walk through the object and the next
 * @throws StatusError Conflict naming every field that others own, BadRequest or a fault for what cannot be applied
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
export async function applyConfiguration(
  served: ServedVersion,
  live: OwnedObject | undefined,
  { configuration, manager, force }: Application,
  nowMs: number,
  inTurns = false,
): Promise<OwnedObject> {
  checkConfiguration(served, configuration)
  if (inTurns) await nextTurn()
  const base = live?.object ?? bareObject(served)
  const wanted = ownHalf(configuration, served, manager.subresource)
  const owners = live ? ownersWhenApplying(live, served, manager, nowMs) : []
  const mine = findOwner(owners, manager, served.apiVersion)
  const others = owners.filter((owner) => owner !== mine)
  const { root } = served.schema
  const asked = ownable(wanted)
  if (isBare(asked.metadata)) delete asked.metadata
  const fields = appliedText(root, asked)
  if (inTurns) await nextTurn()
  const merged = merge(root, ownable(base), asked) as JsonObject
  const isOther = mine && (mine.fields !== fields || mine.apiVersion !== served.apiVersion)
  const pruned = isOther ? await withoutGivenUp(served, { base, wanted, merged, asked }, mine, fields, others) : merged
  const object = whole(base, wanted, pruned)
  if (inTurns) await nextTurn()
  const comparisons = new Comparisons(served, base, object, await viewsOf(served, others, [base, object]))
  if (!force) refuseConflicts(conflictsWith(others, comparisons), base, served, manager)
  const after = others.flatMap((owner) => comparisons.leftTo(owner) ?? [])
  if (fields !== '{}') after.push(applier(mine, fields, comparisons, manager, nowMs))
  if (manager.name === kubectl) renewLastApplied(object, configuration)
  return { object, owners: formatOwners(inOrder(after)) }
}

/** A configuration on its way into an object: the live one, the half that is applied, what both make, and what of it can be owned. */
interface Merge {
  base: UnstructuredObject
  wanted: UnstructuredObject
  merged: JsonObject
  asked: JsonObject
}

/** Takes away what the manager applied the last time, does not apply any more, and nobody else owns. */
async function withoutGivenUp(
  served: ServedVersion,
  merge: Merge,
  mine: Owner,
  fields: string,
  others: readonly Owner[],
): Promise<JsonObject> {
  const { root } = served.schema
  const { merged, asked } = merge
  const now = JSON.parse(fields) as FieldSet
  const last = fieldsOfOwner(mine)
  if (!isAlike(served, mine.apiVersion) || !others.every(({ apiVersion }) => isAlike(served, apiVersion))) {
    return withAsked(root, await prunedAcross(served, merge, mine, now, others), asked)
  }
  if (isSubset(last, now)) return merged
  const owned = others.reduce((all, owner) => union(all, fieldsOfOwner(owner)), now)
  return withAsked(root, prune(root, merged, last, owned), asked)
}

/** An empty list that was asked for stays, though it lost its last item just now. */
function withAsked(root: Node, pruned: JsonObject, asked: JsonObject): JsonObject {
  return merge(root, pruned, asked) as JsonObject
}

/**
 * The same where owners know the object in versions with other structures: what was given up is taken away in the version
 * in which it was applied, and in that of each other owner what he owns is put back. What is applied now is put back before
 * anything is converted: without it an object may not be one that can be.
 */
async function prunedAcross(
  served: ServedVersion,
  { base, wanted, merged, asked }: Merge,
  mine: Owner,
  now: FieldSet,
  others: readonly Owner[],
): Promise<JsonObject> {
  const full = whole(base, wanted, merged)
  const still = await appliedStill(served, whole(base, wanted, asked), mine.apiVersion)
  if (!still) return merged
  const owned = new Map([[mine.apiVersion, still]])
  const own = (apiVersion: string, set: FieldSet) => owned.set(apiVersion, union(owned.get(apiVersion) ?? leaf, set))
  own(served.apiVersion, now)
  for (const owner of others) own(owner.apiVersion, fieldsOfOwner(owner))
  let pruned: UnstructuredObject | undefined
  for (const [apiVersion, kept] of owned) {
    const root = rootAt(served, apiVersion)
    const [before, after] = await convertTo(served, apiVersion, pruned ? [full, pruned] : [full])
    const gone = after ? compare(root, ownable(before!), ownable(after))?.removed : fieldsOfOwner(mine)
    pruned = whole(before!, before!, prune(root, ownable(before!), gone ?? leaf, kept))
  }
  const [back] = await convertTo(served, served.apiVersion, [pruned!])
  return ownable(back!)
}

/** What is applied now as the version has it in which it was applied before; undefined when a part of an object cannot be converted. */
async function appliedStill(
  served: ServedVersion,
  applied: UnstructuredObject,
  apiVersion: string,
): Promise<FieldSet | undefined> {
  try {
    const [converted] = await convertTo(served, apiVersion, [applied])
    return fieldsOf(rootAt(served, apiVersion), ownable(converted!))
  } catch (error) {
    if (findStatusError(error)) return undefined
    throw error
  }
}

/** The object that the merged part makes with what nobody owns; what the configuration says of that is for the update to judge. */
function whole(live: UnstructuredObject, wanted: UnstructuredObject, merged: JsonObject): UnstructuredObject {
  const { apiVersion, kind } = live
  const metadata = { ...unownable(live.metadata), ...unownable(wanted.metadata), ...(merged.metadata as object) }
  return { ...merged, apiVersion, kind, metadata }
}

function checkConfiguration(served: ServedVersion, configuration: UnstructuredObject): void {
  if ((configuration.metadata?.managedFields ?? null) !== null) {
    throw newBadRequest('metadata.managedFields must be nil')
  }
  const fault = applyFaults(served.schema.root, configuration)
  if (fault === undefined) return
  const { name = '', namespace = '' } = configuration.metadata ?? {}
  const kind = `${configuration.apiVersion}, Kind=${configuration.kind}`
  throw newApplyFault(`failed to create typed patch object (${namespace}/${name}; ${kind}): ${fault}`)
}

/** The part of a configuration that a write to the object, or to one of its subresources, can set. */
function ownHalf(configuration: UnstructuredObject, served: ServedVersion, subresource: string): UnstructuredObject {
  if (!served.definition.subresources.status) return configuration
  const { status, ...object } = configuration
  if (subresource !== 'status') return object as UnstructuredObject
  const { apiVersion, kind, metadata } = configuration
  const { name, namespace } = metadata
  const isBuiltin = served.resource.definition.builtin
  return {
    apiVersion,
    kind,
    metadata: isBuiltin ? metadata : { ...(name && { name }), ...(namespace && { namespace }) },
    ...(status !== undefined && { status }),
  }
}

function bareObject(served: ServedVersion): UnstructuredObject {
  return { apiVersion: served.apiVersion, kind: served.resource.definition.kind, metadata: {} }
}

/** Where nobody is known to own anything, all that is there belongs to who was there before. */
function ownersWhenApplying(
  live: OwnedObject,
  served: ServedVersion,
  manager: Manager,
  nowMs: number,
): readonly Owner[] {
  const owners = upToDate(parseOwners(live.owners), served)
  if (owners.length > 0) return owners
  const before: Manager = { name: beforeFirstApply, operation: 'Update', subresource: manager.subresource }
  const owner = creatorOf(live.object, served, before, nowMs)
  return owner ? [owner] : []
}

/** The time stays when nothing became different, so that applying the same again writes nothing. */
function applier(
  mine: Owner | undefined,
  fields: string,
  { own, served }: Comparisons,
  manager: Manager,
  nowMs: number,
): Owner {
  const isAsBefore = mine && !own && mine.apiVersion === served.apiVersion && mine.fields === fields
  return isAsBefore ? mine : ownerOf(manager, served.apiVersion, fields, nowMs)
}

interface FieldConflict {
  owner: Owner
  fields: FieldSet
}

function conflictsWith(others: readonly Owner[], comparisons: Comparisons): FieldConflict[] {
  return inOrder(others).flatMap((owner) => {
    const changed = comparisons.changedFor(owner)
    const fields = changed ? intersection(fieldsOfOwner(owner), changed) : leaf
    return isEmpty(fields) ? [] : [{ owner, fields }]
  })
}

/** @throws StatusError Conflict */
function refuseConflicts(
  conflicts: readonly FieldConflict[],
  live: UnstructuredObject,
  served: ServedVersion,
  manager: Manager,
): void {
  if (conflicts.length === 0) return
  // Who applied on the client until now owns what he applied then, whoever seems to.
  const allowed = manager.name === kubectl ? lastAppliedFields(live, served) : leaf
  const listed = conflicts.flatMap(({ owner, fields }) =>
    Array.from(paths(difference(fields, allowed)), (path) => ({ manager: describe(owner), field: formatPath(path) })),
  )
  if (listed.length > 0) throw newApplyConflict(listed)
}

/** `"kubectl" with subresource "status" using apps/v1` */
function describe({ manager = '', operation, apiVersion, subresource }: Owner): string {
  const through = subresource ? ` with subresource ${JSON.stringify(subresource)}` : ''
  return JSON.stringify(manager) + through + (operation === 'Update' ? ` using ${apiVersion}` : '')
}

function lastAppliedText({ metadata }: UnstructuredObject): string {
  const text: unknown = metadata.annotations?.[lastAppliedAnnotation]
  return typeof text === 'string' ? text : ''
}

/** What a client applied by itself and is still as it was then. */
function lastAppliedFields(live: UnstructuredObject, served: ServedVersion): FieldSet {
  const last = parseObject(lastAppliedText(live))
  if (!last || last.apiVersion !== served.apiVersion) return leaf
  const { root } = served.schema
  if (applyFaults(root, last) !== undefined) return leaf
  const comparison = compare(root, last, live)
  const fields = fieldsOf(root, last)
  if (!comparison) return fields
  const { added, modified, removed } = comparison
  return [added, modified, removed].reduce(difference, fields)
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Keeps the annotation true that client-side apply left, for those who go back to it. */
function renewLastApplied(object: UnstructuredObject, configuration: UnstructuredObject): void {
  if (lastAppliedText(object) === '') return
  const { annotations, ...metadata } = configuration.metadata
  const { [lastAppliedAnnotation]: _, ...kept } = annotations ?? {}
  const text = `${canonicalText({ ...configuration, metadata: { ...metadata, ...(annotations && { annotations: kept }) } })}\n`
  const { [lastAppliedAnnotation]: _old, ...others } = object.metadata.annotations!
  const isTooLarge = Buffer.byteLength(text) > maxAnnotationBytes
  object.metadata = {
    ...object.metadata,
    annotations: isTooLarge ? others : { ...others, [lastAppliedAnnotation]: text },
  }
}
