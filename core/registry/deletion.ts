import type { Rules } from '#apis/meta/v1/rules.ts'
import { rfc3339 } from '#apis/meta/v1/time.ts'
import type { DeleteOptions, UnstructuredObject } from '#apis/meta/v1/types.ts'

/**
 * What a DELETE does to an object: `remove` takes it out of the store, `mark` stores it as being deleted, `wait` leaves it
 * as it is because it is already marked.
 * @see https://kubernetes.io/docs/concepts/architecture/garbage-collection/
 */
export type DeletionPlan = { action: 'remove' } | { action: 'wait' } | { action: 'mark'; object: UnstructuredObject }

const policyFinalizers = { Foreground: 'foregroundDeletion', Orphan: 'orphan', Background: '' } as const

/**
 * Decides a deletion. Changes nothing. The grace period of an object that is being deleted can only be shortened, and
 * only by a client that says so.
 * @param now milliseconds
 */
export function planDeletion(
  object: UnstructuredObject,
  options: DeleteOptions,
  rules: Rules,
  now: number,
): DeletionPlan {
  const finalizers = finalizersAfter(object, options, rules)
  const standing = standingGrace(object)
  const grace = graceAfter(object, options, rules, standing)
  if (finalizers.length === 0 && grace === 0 && rules.blocksRemoval?.(object) !== true) return { action: 'remove' }
  const marked = structuredClone(object)
  if (finalizers.length > 0) marked.metadata.finalizers = finalizers
  else delete marked.metadata.finalizers
  if (standing === undefined) begin(marked, grace, now, rules)
  else if (grace < standing) shorten(marked, standing, grace)
  else if (finalizers.join() === (object.metadata.finalizers ?? []).join()) return { action: 'wait' }
  return { action: 'mark', object: marked }
}

/** Seconds of the deletion under way; undefined when none is. */
function standingGrace({ metadata }: UnstructuredObject): number | undefined {
  return metadata.deletionTimestamp === undefined ? undefined : (metadata.deletionGracePeriodSeconds ?? 0)
}

function graceAfter(
  object: UnstructuredObject,
  { gracePeriodSeconds }: DeleteOptions,
  rules: Rules,
  standing: number | undefined,
): number {
  // Clients may send null for absent.
  const asked = gracePeriodSeconds ?? undefined
  if (standing !== undefined && asked === undefined) return standing
  const grace = rules.gracePeriodSeconds?.(object, asked) ?? 0
  return Math.min(grace, standing ?? grace)
}

function begin(object: UnstructuredObject, graceSeconds: number, now: number, rules: Rules): void {
  const { metadata } = object
  metadata.deletionTimestamp = rfc3339(now + graceSeconds * 1000)
  metadata.deletionGracePeriodSeconds = graceSeconds
  if (metadata.generation) metadata.generation++
  rules.prepareDelete?.(object)
}

/** The new period counts from when the deletion began. */
function shorten({ metadata }: UnstructuredObject, standing: number, graceSeconds: number): void {
  metadata.deletionTimestamp = rfc3339(Date.parse(metadata.deletionTimestamp!) - (standing - graceSeconds) * 1000)
  metadata.deletionGracePeriodSeconds = graceSeconds
}

/** The finalizers the propagation policy asks for beside those that stand: at most one of orphan and foregroundDeletion. */
function finalizersAfter(object: UnstructuredObject, options: DeleteOptions, rules: Rules): string[] {
  const standing = object.metadata.finalizers ?? []
  const policy = propagationOf(options) ?? propagationByDefault(standing, rules)
  if (!policy) return standing
  const others = standing.filter((one) => one !== 'orphan' && one !== 'foregroundDeletion')
  const finalizer = policyFinalizers[policy]
  return finalizer ? [...others, finalizer] : others
}

function propagationOf(options: DeleteOptions): keyof typeof policyFinalizers | undefined {
  if (options.propagationPolicy) return options.propagationPolicy
  if (options.orphanDependents === undefined || options.orphanDependents === null) return undefined
  return options.orphanDependents ? 'Orphan' : 'Background'
}

/** What an object has been told before counts more than what is usual for its kind. */
function propagationByDefault(finalizers: readonly string[], rules: Rules): 'Orphan' | undefined {
  if (finalizers.includes('orphan') || finalizers.includes('foregroundDeletion')) return undefined
  return rules.orphansByDefault ? 'Orphan' : undefined
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
