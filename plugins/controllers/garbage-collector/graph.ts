import type { KubeObject, OwnerReference } from '@keelson/apis/meta/v1/types.ts'
import type { DeepReadonly, ServedResource } from '@keelson/client'

/**
 * Who owns whom, kept up to date by events. Every change costs as much as the object has owners and dependents, however
 * large the cluster is.
 */

export interface Node {
  uid: string
  resource: ServedResource
  namespace: string
  name: string
  owners: readonly DeepReadonly<OwnerReference>[]
  finalizers: readonly string[]
  isDeleting: boolean
}

export interface Graph {
  get(uid: string): Node | undefined
  all(): Iterable<Node>
  /** Puts in or replaces. @returns what was there before */
  set(node: Node): Node | undefined
  remove(uid: string): Node | undefined
  /** Those that name `uid` as an owner, whether or not it exists. */
  dependentsOf(uid: string): Node[]
  hasDependents(uid: string): boolean
}

export const foregroundFinalizer = 'foregroundDeletion'
export const orphanFinalizer = 'orphan'

export function nodeFrom(resource: ServedResource, { metadata }: DeepReadonly<KubeObject>): Node {
  return {
    uid: metadata.uid ?? '',
    resource,
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    owners: metadata.ownerReferences ?? [],
    finalizers: metadata.finalizers ?? [],
    isDeleting: metadata.deletionTimestamp !== undefined,
  }
}

/** True of a node that belongs to another or has something to wait for. */
export const isRelated = (node: Node): boolean =>
  node.owners.length > 0 || node.finalizers.length > 0 || node.isDeleting

/** True while the node waits for the deletion of those that block it. */
export const isDeletingForeground = (node: Node): boolean =>
  node.isDeleting && node.finalizers.includes(foregroundFinalizer)

export function createGraph(): Graph {
  const nodes = new Map<string, Node>()
  const dependents = new Map<string, Set<Node>>()

  function link(node: Node): void {
    for (const { uid } of node.owners) {
      const known = dependents.get(uid)
      if (known) known.add(node)
      else dependents.set(uid, new Set([node]))
    }
  }

  function unlink(node: Node): void {
    for (const { uid } of node.owners) {
      const known = dependents.get(uid)
      known?.delete(node)
      if (known?.size === 0) dependents.delete(uid)
    }
  }

  return {
    get: (uid) => nodes.get(uid),
    all: () => nodes.values(),
    set(node) {
      const old = nodes.get(node.uid)
      if (old) unlink(old)
      nodes.set(node.uid, node)
      link(node)
      return old
    },
    remove(uid) {
      const old = nodes.get(uid)
      if (!old) return undefined
      nodes.delete(uid)
      unlink(old)
      return old
    },
    dependentsOf: (uid) => [...(dependents.get(uid) ?? [])],
    hasDependents: (uid) => dependents.has(uid),
  }
}
