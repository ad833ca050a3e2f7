import { apiVersionOf, type UnstructuredObject } from '#apis/meta/v1/types.ts'
import { type Comparison, compare } from '#core/machinery/apply/compare.ts'
import { withAtomicWhole } from '#core/machinery/apply/fields.ts'
import type { Node } from '#core/machinery/apply/structure.ts'
import { difference, type FieldSet, isEmpty, union } from '#core/machinery/field-paths/field-set.ts'
import { fieldsOfOwner, type Owner, ownable, withFields } from './owners.ts'
import type { ServedVersion } from './registry.ts'

/** How a write changed an object, as seen in each version in which somebody owns parts of it. */
export class Comparisons {
  readonly served: ServedVersion
  readonly #before: UnstructuredObject
  readonly #after: UnstructuredObject
  readonly #views: Views
  readonly #known = new Map<string, Comparison | undefined>()

  /** @param views of both objects, in the versions of all owners that are asked about */
  constructor(served: ServedVersion, before: UnstructuredObject, after: UnstructuredObject, views: Views) {
    this.served = served
    this.#views = views
    this.#before = before
    this.#after = after
  }

  /** In the version of the write; undefined when nothing that can be owned differs. */
  get own(): Comparison | undefined {
    return this.#at(this.served.apiVersion)
  }

  /** What the write set of what the owner has, or might have: added and modified. */
  changedFor({ apiVersion }: Owner): FieldSet | undefined {
    const comparison = this.#at(apiVersion)
    return comparison && changedBy(comparison)
  }

  /** An owner without what the write took over and took away. @returns undefined when nothing is left to him */
  leftTo(owner: Owner): Owner | undefined {
    const comparison = this.#at(owner.apiVersion)
    if (comparison === undefined) return owner
    const before = fieldsOfOwner(owner)
    const fields = difference(difference(before, changedBy(comparison)), comparison.removed)
    if (fields === before) return owner
    return isEmpty(fields) ? undefined : withFields(owner, fields)
  }

  #at(apiVersion: string): Comparison | undefined {
    if (this.#known.has(apiVersion)) return this.#known.get(apiVersion)
    const view = (object: UnstructuredObject) => ownable(this.#views(object, apiVersion))
    const comparison = compare(rootAt(this.served, apiVersion), view(this.#before), view(this.#after))
    this.#known.set(apiVersion, comparison)
    return comparison
  }
}

export function changedBy({ added, modified }: Comparison): FieldSet {
  return union(added, modified)
}

/** Whether what is owned in that version has the same paths in the version of the request. */
export function isAlike(served: ServedVersion, apiVersion: string): boolean {
  return apiVersion === served.apiVersion || served.resource.isRenamed(served.apiVersion, apiVersion)
}

/** An object of the version of the request as it is in another. */
export type Views = (object: UnstructuredObject, apiVersion: string) => UnstructuredObject

const asTheyAre: Views = (object) => object

/** What objects look like in the versions in which somebody owns parts of them. @throws StatusError when they cannot be converted */
export function viewsOf(
  served: ServedVersion,
  owners: readonly Owner[],
  objects: readonly UnstructuredObject[],
): Views | Promise<Views> {
  const versions = new Set(owners.flatMap(({ apiVersion }) => (isAlike(served, apiVersion) ? [] : [apiVersion])))
  if (versions.size === 0) return asTheyAre
  const known = new Map<string, readonly UnstructuredObject[]>()
  const views: Views = (object, apiVersion) => known.get(apiVersion)?.[objects.indexOf(object)] ?? object
  const waiting: Promise<unknown>[] = []
  for (const version of versions) {
    const converted = convertTo(served, version, objects)
    if (converted instanceof Promise) waiting.push(converted.then((list) => known.set(version, list)))
    else known.set(version, converted)
  }
  return waiting.length === 0 ? views : Promise.all(waiting).then(() => views)
}

/** Copies of objects in another version. */
export function convertTo(
  { resource }: ServedVersion,
  apiVersion: string,
  objects: readonly UnstructuredObject[],
): readonly UnstructuredObject[] | Promise<readonly UnstructuredObject[]> {
  return resource.conversionTo(apiVersion).convert(structuredClone(objects))
}

/** The schema of a version; where the objects are stored by another group, for its versions that of the request. */
export function rootAt(served: ServedVersion, apiVersion: string): Node {
  return (apiVersion === served.apiVersion ? served : (versionAt(served, apiVersion) ?? served)).schema.root
}

function versionAt({ resource }: ServedVersion, apiVersion: string): ServedVersion | undefined {
  const { group, versions } = resource.definition
  const version = versions.find(({ name }) => apiVersionOf({ group, version: name }) === apiVersion)
  return version && resource.version(version.name)
}

/**
 * Owners as today's definition has it: without those in versions it serves no more, whose fields mean nothing now, and with
 * whole structures where a custom resource's new schema made them atomic.
 */
export function upToDate(owners: readonly Owner[], served: ServedVersion): readonly Owner[] {
  const standing = owners.every((owner) => isServed(served, owner))
    ? owners
    : owners.filter((one) => isServed(served, one))
  if (served.resource.definition.builtin) return standing
  const updated = standing.map((owner) => {
    const fields = fieldsOfOwner(owner)
    const whole = withAtomicWhole(rootAt(served, owner.apiVersion), fields)
    return whole === fields ? owner : withFields(owner, whole)
  })
  return updated.every((owner, at) => owner === standing[at]) ? standing : updated
}

function isServed(served: ServedVersion, { apiVersion }: Owner): boolean {
  if (apiVersion === served.apiVersion) return true
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  const { definition } = served.resource
  return group === definition.group ? versionAt(served, apiVersion) !== undefined : definition.builtin
}
