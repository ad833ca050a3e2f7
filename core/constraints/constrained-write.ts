import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { Resource } from '#core/registry/registry.ts'
import type { Also, Condition, Storage } from '#core/storage/storage.ts'
import type { ResourceConstraints } from './resource-constraints.ts'

/** One write, as the constraints of its resource see it: two states of an object as they are stored. */
export interface ConstrainedWrite {
  /** Within the resource: `namespace/name` or `name`. */
  key: string
  /** Absent when the object is created. */
  before?: Buffer
  /** Absent when it is removed. */
  after?: Buffer
  /** The object is marked as being deleted, and will be removed. */
  isDeletion?: boolean
}

/** The same, parsed. */
export interface Change {
  key: string
  before: UnstructuredObject | undefined
  after: UnstructuredObject | undefined
}

/** What constraints need to know of the world. */
export interface Surroundings {
  storage: Storage
  /** Resolves once the cache has all that anybody was told is written; absent when that is always so. */
  synced: (() => Promise<void>) | undefined
  resource(of: { group: string; resource?: string; kind?: string }): Resource | undefined
  /** Who may hold objects of a resource by naming them. */
  holdersOf(resource: Resource): Iterable<ResourceConstraints>
  constraintsOf(of: { group: string; resource: string }): ResourceConstraints | undefined
}

/** What a write is to depend on and to change, while it is planned. */
export interface Plan extends Also {
  conditions: Condition[]
  changes: { key: string; value?: Buffer }[]
}

/** Of the values that constraints are about one object may have so many of a sort: as many old and new ones fit into one write. */
export const maxConstrainedValues = 60

/** A resource is another one whenever its definition changes; its objects stay where they are. */
export function isSame(a: Resource | undefined, b: Resource): boolean {
  return a?.cache === b.cache
}
