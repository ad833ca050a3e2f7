import { rfc3339 } from '#apis/meta/v1/time.ts'
import type { ManagedFieldsEntry, UnstructuredObject } from '#apis/meta/v1/types.ts'
import { createdText } from '#core/machinery/apply/fields.ts'
import { difference, isEmpty, union } from '#core/machinery/field-paths/field-set.ts'
import { isObject } from '#core/schema/json.ts'
import { Comparisons, changedBy, upToDate, type Views, viewsOf } from './comparisons.ts'
import {
  areAsSent,
  capped,
  fieldsOfOwner,
  findOwner,
  formatOwners,
  inOrder,
  type Manager,
  type Owner,
  ownable,
  ownerOf,
  parseOwners,
  readOwners,
  withFields,
} from './owners.ts'
import type { ServedVersion } from './registry.ts'

/**
 * Keeps `metadata.managedFields` with every write that is no apply: who sets a field owns it, and nobody else does then.
 * Owners come and go as the text that is stored; the objects are without them.
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */

/** Owners as a client sent them with an object. */
export type SentOwners = readonly ManagedFieldsEntry[] | undefined

/** Takes the managedFields that a client sent out of an object. */
export function takeOwners({ metadata }: UnstructuredObject): SentOwners {
  const sent = metadata.managedFields
  if (sent !== undefined) delete metadata.managedFields
  return sent ?? undefined
}

/** The owners of a new object: its creator, beside whom the client may have named others. */
export function trackCreate(
  object: UnstructuredObject,
  sent: SentOwners,
  served: ServedVersion,
  name: string,
  nowMs: number,
): string {
  const manager: Manager = { name, operation: 'Update', subresource: '' }
  const others = sent && readOwners(sent)
  if (!others || others.length === 0) {
    const creator = creatorOf(object, served, manager, nowMs)
    return formatOwners(creator ? [creator] : [])
  }
  const { apiVersion, kind } = object
  const before = { apiVersion, kind, metadata: {} }
  // What was nothing is nothing in any version: nobody is asked.
  const comparisons = new Comparisons(served, before, object, (one) => one)
  return formatOwners(afterUpdate(others, comparisons, manager, nowMs))
}

/** An owner of all that is in an object. @returns undefined when there is nothing to own */
export function creatorOf(
  object: UnstructuredObject,
  served: ServedVersion,
  manager: Manager,
  nowMs: number,
): Owner | undefined {
  const shown = ownable(object)
  if (served.definition.subresources.status && !served.resource.rules.statusOnCreate) delete shown.status
  const fields = createdText(served.schema.root, shown, served.resource.definition.builtin)
  return fields === '{}' ? undefined : ownerOf(manager, served.apiVersion, fields, nowMs)
}

/** An object on its way from one state to the next. */
export interface Transition {
  object: UnstructuredObject
  old: UnstructuredObject
  /** The owners before. */
  live: string
  sent: SentOwners
}

/**
 * The owners of an object after an update. An object of which nobody is known to own anything stays that way until somebody
 * applies.
 */
export function trackUpdate(
  { object, old, live, sent }: Transition,
  served: ServedVersion,
  manager: Manager,
  nowMs: number,
): string | Promise<string> {
  if (live === '' && !sent) return ''
  const standing = parseOwners(live)
  const owners = upToDate(ownersBefore(standing, sent, manager.subresource), served)
  if (owners.length === 0) return ''
  const finish = (views: Views) => {
    const after = afterUpdate(owners, new Comparisons(served, old, object, views), manager, nowMs)
    return after === standing ? live : formatOwners(after)
  }
  const views = viewsOf(served, owners, [old, object])
  // Who owns what is no reason to refuse a write.
  return views instanceof Promise ? views.then(finish, () => live) : finish(views)
}

/** Those a write starts from: the ones the client sent when they can be read, and otherwise the ones that are there. */
function ownersBefore(live: readonly Owner[], sent: SentOwners, subresource: string): readonly Owner[] {
  if (subresource !== '' || !sent || areAsSent(live, sent)) return live
  if (isReset(sent)) return []
  const read = readOwners(sent)
  return read && read.length > 0 ? read : live
}

/** How a client says that they shall all be gone: no entries, or one with nothing in it. */
function isReset(sent: readonly ManagedFieldsEntry[]): boolean {
  return sent.length === 0 || (sent.length === 1 && isObject(sent[0]) && Object.keys(sent[0]).length === 0)
}

/** @returns the same owners when the write changed nothing that can be owned */
function afterUpdate(
  before: readonly Owner[],
  comparisons: Comparisons,
  manager: Manager,
  nowMs: number,
): readonly Owner[] {
  const { own, served } = comparisons
  if (own === undefined) return before
  const mine = findOwner(before, manager, served.apiVersion)
  const after: Owner[] = []
  for (const owner of before) {
    const left = owner === mine ? undefined : comparisons.leftTo(owner)
    if (left) after.push(left)
  }
  const updated = updatedOwner(mine, comparisons, manager, nowMs)
  if (updated) after.push(updated)
  return inOrder(capped(after))
}

/** Who wrote owns what he set beside what he had and did not remove. He wrote now only if he set something. */
function updatedOwner(
  mine: Owner | undefined,
  { own, served }: Comparisons,
  manager: Manager,
  nowMs: number,
): Owner | undefined {
  const set = changedBy(own!)
  const before = mine && fieldsOfOwner(mine)
  const kept = before && difference(before, own!.removed)
  const fields = kept ? union(kept, set) : set
  if (isEmpty(fields)) return undefined
  // A value set anew is the most common write: it changes who wrote when, and no set.
  if (mine && fields === before) return isEmpty(set) ? mine : { ...mine, time: rfc3339(nowMs) }
  if (mine && isEmpty(set)) return withFields(mine, fields)
  return ownerOf(manager, served.apiVersion, fields, nowMs)
}
