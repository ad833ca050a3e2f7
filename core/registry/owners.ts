import { rfc3339 } from '#apis/meta/v1/time.ts'
import type { ManagedFieldsEntry, UnstructuredObject } from '#apis/meta/v1/types.ts'
import {
  equalSets,
  type FieldSet,
  isEmpty,
  ordered,
  parseFieldSet,
  union,
} from '#core/machinery/field-paths/field-set.ts'
import type { JsonObject } from '#core/schema/json.ts'

/**
 * The entries of `metadata.managedFields`: who owns which fields of an object. They are kept as text, a set of fields is
 * read only when it is needed, and once for all objects that have the same.
 */

/** Who writes. Who applies through one manager name owns apart from who updates through it, and so does each subresource. */
export interface Manager {
  /** Empty when the client did not say. */
  name: string
  operation: 'Apply' | 'Update'
  subresource: string
}

export interface Owner {
  readonly manager: string
  readonly operation: Manager['operation']
  readonly apiVersion: string
  readonly time?: string
  readonly subresource?: string
  /** FieldsV1. */
  readonly fields: string
}

/** Metadata that is nobody's: the server's own, and what names the object. */
const unowned = new Set([
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'clusterName',
  'generation',
  'managedFields',
  'resourceVersion',
])

/** The part of an object that can be owned. */
export function ownable(object: Partial<UnstructuredObject>): JsonObject {
  const { apiVersion: _version, kind: _kind, metadata, ...rest } = object
  return { metadata: pick(metadata, (name) => !unowned.has(name)), ...rest }
}

/** The part of metadata that cannot. */
export function unownable(metadata: object | undefined): JsonObject {
  return pick(metadata, (name) => unowned.has(name) && name !== 'managedFields')
}

function pick(metadata: object | undefined, isWanted: (name: string) => boolean): JsonObject {
  const picked: JsonObject = {}
  for (const name in metadata) if (isWanted(name)) picked[name] = (metadata as JsonObject)[name]
  return picked
}

/** How many characters of sets are kept read. */
const maxCachedCharacters = 4 * 1024 * 1024
const sets = new Map<string, FieldSet>()
let cachedCharacters = 0

/** The set that an owner's text says. */
export function fieldsOfOwner({ fields }: Owner): FieldSet {
  const known = sets.get(fields)
  if (known) return known
  const set = JSON.parse(fields) as FieldSet
  sets.set(fields, set)
  cachedCharacters += fields.length
  for (const oldest of sets.keys()) {
    if (cachedCharacters <= maxCachedCharacters) break
    sets.delete(oldest)
    cachedCharacters -= oldest.length
  }
  return set
}

const between = '}},{"manager":"'
const fieldsHead = ',"fieldsV1":'

/** Owners as text: the value of managedFields; empty for none. */
export function formatOwners(owners: readonly Owner[]): string {
  return owners.length === 0 ? '' : `[${owners.map(formatOwner).join()}]`
}

function formatOwner({ fields, manager, operation, apiVersion, time, subresource }: Owner): string {
  const head = { manager, operation, apiVersion, time, subresource, fieldsType: 'FieldsV1' }
  return `${JSON.stringify(head).slice(0, -1)}${fieldsHead}${fields}}`
}

/** @param text what `formatOwners` wrote: no text within it can hold the marks it is divided at */
export function parseOwners(text: string): readonly Owner[] {
  if (text === '') return []
  const entries = text.slice('[{"manager":"'.length, -'}}]'.length).split(between)
  return entries.map((entry) => {
    const at = entry.indexOf(fieldsHead)
    const { fieldsType: _, ...head } = JSON.parse(`{"manager":"${entry.slice(0, at)}}`)
    return { ...head, fields: `${entry.slice(at + fieldsHead.length)}}` }
  })
}

/**
 * Owners as a client sent them.
 * @returns undefined when one of them cannot be read: then none is believed
 */
export function readOwners(entries: readonly ManagedFieldsEntry[]): readonly Owner[] | undefined {
  const owners: Owner[] = []
  try {
    for (const owner of entries.map(readOwner)) {
      const known = owners.findIndex((one) => isSameOwner(one, owner))
      if (known < 0) owners.push(owner)
      else owners[known] = owner
    }
  } catch {
    return undefined
  }
  return owners.filter((owner) => !isEmpty(fieldsOfOwner(owner)))
}

function readOwner(entry: ManagedFieldsEntry): Owner {
  const { manager = '', operation, apiVersion, time, subresource, fieldsType, fieldsV1 = {} } = entry
  if (operation !== 'Apply' && operation !== 'Update') throw new Error('operation must be `Apply` or `Update`')
  if (!apiVersion) throw new Error('apiVersion must not be empty')
  if (fieldsType !== 'FieldsV1') throw new Error(`invalid fieldsType ${JSON.stringify(fieldsType)}`)
  const fields = textOf(parseFieldSet(fieldsV1))
  return { manager, operation, apiVersion, ...(time && { time }), ...(subresource && { subresource }), fields }
}

/** Whether a client sent owners back as they were. */
export function areAsSent(owners: readonly Owner[], sent: readonly ManagedFieldsEntry[]): boolean {
  return owners.length === sent.length && owners.every((owner, at) => isAsSent(owner, sent[at]!))
}

function isAsSent(owner: Owner, sent: ManagedFieldsEntry): boolean {
  return (
    heads.every((field) => (owner[field] ?? '') === (sent[field] ?? '')) &&
    sent.fieldsType === 'FieldsV1' &&
    typeof sent.fieldsV1 === 'object' &&
    equalSets(fieldsOfOwner(owner), sent.fieldsV1 as FieldSet)
  )
}

const heads = ['operation', 'time', 'manager', 'apiVersion', 'subresource'] as const

/** Who applies is one owner whatever the version; who updates through another version is another. */
function isSameOwner(a: Owner, b: Owner): boolean {
  return (
    a.manager === b.manager &&
    a.operation === b.operation &&
    (a.subresource ?? '') === (b.subresource ?? '') &&
    (a.operation === 'Apply' || a.apiVersion === b.apiVersion)
  )
}

const textOf = (fields: FieldSet) => JSON.stringify(ordered(fields))

/** @param fields FieldsV1, or the set @param nowMs when the owner wrote */
export function ownerOf(manager: Manager, apiVersion: string, fields: string | FieldSet, nowMs: number): Owner {
  const { name, operation, subresource } = manager
  return {
    manager: name || 'unknown',
    operation,
    apiVersion,
    time: rfc3339(nowMs),
    ...(subresource && { subresource }),
    fields: typeof fields === 'string' ? fields : textOf(fields),
  }
}

export function findOwner(owners: readonly Owner[], manager: Manager, apiVersion: string): Owner | undefined {
  const { name, operation, subresource } = manager
  const wanted: Owner = { manager: name || 'unknown', operation, apiVersion, subresource, fields: '{}' }
  return owners.find((owner) => isSameOwner(owner, wanted))
}

export function withFields(owner: Owner, fields: FieldSet): Owner {
  return { ...owner, fields: textOf(fields) }
}

/** As Kubernetes shows them: appliers first, then by time and name. */
export function inOrder(owners: readonly Owner[]): readonly Owner[] {
  return owners.length < 2 ? owners : owners.toSorted(compareOwners)
}

function compareOwners(a: Owner, b: Owner): number {
  for (const field of heads) {
    const [first, second] = [a[field] ?? '', b[field] ?? '']
    if (first !== second) return first < second ? -1 : 1
  }
  return 0
}

/** How many updaters an object remembers one by one. */
const maxUpdaters = 10
const ancientChanges = 'ancient-changes'

/** The owners with the oldest updaters beyond the maximum made one, for each version. */
export function capped(owners: readonly Owner[]): readonly Owner[] {
  let surplus = owners.filter(({ operation }) => operation === 'Update').length - maxUpdaters
  if (surplus <= 0) return owners
  const left = new Set(owners)
  const oldest = inOrder(owners).filter(({ operation }) => operation === 'Update')
  const buckets = new Map<string, Owner>()
  for (const owner of oldest) {
    if (surplus <= 0) break
    const bucket = buckets.get(owner.apiVersion)
    left.delete(owner)
    if (bucket) {
      left.delete(bucket)
      surplus--
    }
    const merged = bucket ? mergeInto(bucket, owner) : owner
    buckets.set(owner.apiVersion, merged)
    left.add(merged)
  }
  return [...left]
}

/** The younger of the two says when. */
function mergeInto(bucket: Owner, owner: Owner): Owner {
  const { time, apiVersion } = owner
  const fields = textOf(union(fieldsOfOwner(bucket), fieldsOfOwner(owner)))
  return { manager: ancientChanges, operation: 'Update', apiVersion, ...(time && { time }), fields }
}
