import type { Rules } from '#apis/meta/v1/rules.ts'
import type { DeleteOptions, UnstructuredObject } from '#apis/meta/v1/types.ts'

/**
 * What a DELETE does to an object: `remove` takes it out of the store, `mark` stores it as being deleted, `wait` leaves it
 * as it is because it is already marked.
 * @see https://kubernetes.io/docs/concepts/architecture/garbage-collection/
 */
export type DeletionPlan = { action: 'remove' } | { action: 'wait' } | { action: 'mark'; object: UnstructuredObject }

const policyFinalizers = { Foreground: 'foregroundDeletion', Orphan: 'orphan', Background: '' } as const

/**
 * Decides a deletion. Changes nothing.
 * @param now milliseconds
 */
export function planDeletion(
  object: UnstructuredObject,
  options: DeleteOptions,
  rules: Rules,
  now: number,
): DeletionPlan {
  const finalizers = finalizersAfter(object, options)
  const grace = rules.gracePeriodSeconds?.(object, options.gracePeriodSeconds) ?? 0
  const held = finalizers.length > 0 || grace > 0 || rules.blocksRemoval?.(object) === true
  if (!held) return { action: 'remove' }
  const marked = structuredClone(object)
  if (finalizers.length > 0) marked.metadata.finalizers = finalizers
  else delete marked.metadata.finalizers
  const changedFinalizers = finalizers.join() !== (object.metadata.finalizers ?? []).join()
  if (!object.metadata.deletionTimestamp) {
    setDeletion(marked, grace, now)
    rules.prepareDelete?.(marked)
    return { action: 'mark', object: marked }
  }
  if (grace < (object.metadata.deletionGracePeriodSeconds ?? 0)) {
    setDeletion(marked, grace, now)
    return { action: 'mark', object: marked }
  }
  return changedFinalizers ? { action: 'mark', object: marked } : { action: 'wait' }
}

function setDeletion(object: UnstructuredObject, graceSeconds: number, now: number): void {
  object.metadata.deletionTimestamp = rfc3339(now + graceSeconds * 1000)
  object.metadata.deletionGracePeriodSeconds = graceSeconds
  if (object.metadata.generation) object.metadata.generation++
}

/** The finalizers the propagation policy asks for beside those that stand: at most one of orphan and foregroundDeletion. */
function finalizersAfter(object: UnstructuredObject, options: DeleteOptions): string[] {
  const standing = object.metadata.finalizers ?? []
  const policy = propagationOf(options)
  if (!policy) return standing
  const others = standing.filter((one) => one !== 'orphan' && one !== 'foregroundDeletion')
  const finalizer = policyFinalizers[policy]
  return finalizer ? [...others, finalizer] : others
}

function propagationOf(options: DeleteOptions): keyof typeof policyFinalizers | undefined {
  if (options.propagationPolicy) return options.propagationPolicy
  if (options.orphanDependents === undefined) return undefined
  return options.orphanDependents ? 'Orphan' : 'Background'
}

/** True when nothing holds an object that is being deleted any longer: the update that got it there removes it. */
export function isReadyToRemove(object: UnstructuredObject, rules: Rules): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = object.metadata
  return (
    deletionTimestamp !== undefined &&
    (finalizers?.length ?? 0) === 0 &&
    (deletionGracePeriodSeconds ?? 0) === 0 &&
    rules.blocksRemoval?.(object) !== true
  )
}

/** @param ms milliseconds since the epoch @returns RFC 3339 in whole seconds, as Kubernetes writes times */
export function rfc3339(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
