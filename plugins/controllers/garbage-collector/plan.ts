import type { OwnerReference } from '@keelson/apis/meta/v1/types.ts'
import type { DeepReadonly } from '@keelson/client'
import { foregroundFinalizer, isDeletingForeground, type Node, orphanFinalizer } from './graph.ts'

/** Decides what becomes of an object by its owners and its dependents. Reads nothing, writes nothing. */

export type OwnerState =
  /** Exists, and is not waiting for its dependents. */
  | 'solid'
  /** Does not exist, or is another object of the same name. */
  | 'gone'
  /** Is being deleted in the foreground: it waits for its dependents. */
  | 'waiting'

export type Action =
  | { do: 'nothing' }
  /** Take the node out of its dependents' owners, then remove its `orphan` finalizer. */
  | { do: 'orphanDependents'; dependents: Node[] }
  /** Nothing blocks it any more: remove its `foregroundDeletion` finalizer. */
  | { do: 'finishForeground' }
  /** Look at these: they keep the node from going. */
  | { do: 'collect'; dependents: Node[] }
  /** Drop references to owners that are gone, because another still holds the node. */
  | { do: 'dropOwners'; uids: string[] }
  | { do: 'delete'; policy: 'Background' | 'Foreground' | 'Orphan'; unblock: boolean }

const nothing: Action = { do: 'nothing' }

/** What a node that is being deleted asks of the collector; undefined when it is not. */
export function planDeletion(node: Node, dependents: readonly Node[]): Action | undefined {
  if (!node.isDeleting) return undefined
  if (node.finalizers.includes(orphanFinalizer)) return { do: 'orphanDependents', dependents: [...dependents] }
  if (!isDeletingForeground(node)) return nothing
  const blocking = dependents.filter((one) => isBlocking(one, node.uid))
  if (blocking.length === 0) return { do: 'finishForeground' }
  return { do: 'collect', dependents: dependents.filter((one) => !isDeletingForeground(one)) }
}

const isBlocking = (dependent: Node, uid: string) =>
  dependent.owners.some((owner) => owner.uid === uid && owner.blockOwnerDeletion)

/** What becomes of a node whose owners are in these states, in the order of its references. */
export function planCollection(node: Node, states: readonly OwnerState[], dependents: readonly Node[]): Action {
  if (node.isDeleting || node.owners.length === 0) return nothing
  const inState = (...wanted: OwnerState[]) => node.owners.filter((_, at) => wanted.includes(states[at]!))
  if (inState('solid').length > 0) {
    const uids = inState('gone', 'waiting').map((owner) => owner.uid)
    return uids.length > 0 ? { do: 'dropOwners', uids } : nothing
  }
  if (inState('waiting').length > 0 && dependents.length > 0) {
    // A dependent that is itself waiting may own this node: without unblocking, each would wait for the other.
    return { do: 'delete', policy: 'Foreground', unblock: dependents.some(isDeletingForeground) }
  }
  return { do: 'delete', policy: policyOf(node), unblock: false }
}

/** A deletion that was asked for before keeps its kind. */
function policyOf({ finalizers }: Node) {
  if (finalizers.includes(orphanFinalizer)) return 'Orphan'
  return finalizers.includes(foregroundFinalizer) ? 'Foreground' : 'Background'
}

type Owners = readonly DeepReadonly<OwnerReference>[]

export const ownersWithout = (owners: Owners, uids: readonly string[]): Owners =>
  owners.filter((owner) => !uids.includes(owner.uid))

export const unblocked = (owners: Owners): Owners => owners.map((owner) => ({ ...owner, blockOwnerDeletion: false }))
