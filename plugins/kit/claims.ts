import type { KubeObject, LabelSelector, OwnerReference } from '@keelson/apis/meta/v1/types.ts'
import { type DeepReadonly, isConflict, isInvalid, isNotFound, type ResourceClient } from '@keelson/client'
import { controllerOf, ownerReferenceTo } from './owners.ts'
import { matchesLabels } from './selectors.ts'

type Object = DeepReadonly<KubeObject>

export interface ClaimPlan<T> {
  /** Managed by the owner already, and matching. */
  keep: T[]
  /** Match and are managed by nobody: to be given an owner. */
  adopt: T[]
  /** No longer match: to be let go. */
  release: T[]
}

/** Decides which of `candidates` belong to `owner` by its selector. An owner that is being deleted adopts nothing. */
export function planClaims<T extends Object>(
  owner: Object,
  selector: DeepReadonly<LabelSelector> | undefined,
  candidates: readonly T[],
): ClaimPlan<T> {
  const plan: ClaimPlan<T> = { keep: [], adopt: [], release: [] }
  const isLeaving = owner.metadata.deletionTimestamp !== undefined
  for (const object of candidates) {
    const manager = controllerOf(object)
    const matches = matchesLabels(selector, object.metadata.labels)
    if (manager && manager.uid !== owner.metadata.uid) continue
    if (manager) (matches || isLeaving ? plan.keep : plan.release).push(object)
    else if (matches && !isLeaving && !object.metadata.deletionTimestamp) plan.adopt.push(object)
  }
  return plan
}

export interface Claimer<T extends KubeObject> {
  owner: Object
  selector: DeepReadonly<LabelSelector> | undefined
  /** Reads and changes the candidates. */
  client: Pick<ResourceClient<T>, 'in'>
  /** Reads the owner from the server: a cached one may be gone or replaced. */
  readOwner: () => Promise<Object>
}

/** Adopts and releases so that the owner manages exactly what its selector matches; returns what it manages then. */
export async function claim<T extends KubeObject>(
  { owner, selector, client, readOwner }: Claimer<T>,
  candidates: readonly DeepReadonly<T>[],
): Promise<DeepReadonly<T>[]> {
  const plan = planClaims(owner, selector, candidates as readonly (DeepReadonly<T> & Object)[])
  const objects = client.in(owner.metadata.namespace ?? '')
  if (plan.adopt.length > 0) await assertStillThere(owner, readOwner)
  const adopted = await Promise.all(plan.adopt.map((object) => adopt<T>(objects, object, owner)))
  await Promise.all(plan.release.map((object) => release(objects, object, owner)))
  return [...plan.keep, ...adopted.filter((object) => object !== undefined)] as DeepReadonly<T>[]
}

async function assertStillThere(owner: Object, readOwner: () => Promise<Object>): Promise<void> {
  const live = await readOwner()
  const { name, uid } = owner.metadata
  if (live.metadata.uid !== uid)
    throw new Error(`original ${owner.kind} ${name} is gone: got uid ${live.metadata.uid}, wanted ${uid}`)
  if (live.metadata.deletionTimestamp)
    throw new Error(`${owner.kind} ${name} has just been deleted at ${live.metadata.deletionTimestamp}`)
}

async function adopt<T extends KubeObject>(objects: ResourceClient<T>, object: Object, owner: Object) {
  const owners = [...(object.metadata.ownerReferences ?? []), ownerReferenceTo(owner)]
  return setOwners(objects, object, owners)
}

async function release<T extends KubeObject>(objects: ResourceClient<T>, object: Object, owner: Object): Promise<void> {
  const owners = (object.metadata.ownerReferences ?? []).filter((one) => one.uid !== owner.metadata.uid)
  await setOwners(objects, object, owners as OwnerReference[])
}

/** The uid and resourceVersion make sure that it is this object, as it was seen. @returns undefined when it is gone or changed */
async function setOwners<T extends KubeObject>(
  objects: ResourceClient<T>,
  object: Object,
  ownerReferences: readonly DeepReadonly<OwnerReference>[],
): Promise<T | undefined> {
  const { name = '', uid, resourceVersion } = object.metadata
  try {
    return await objects.patch(name, { type: 'merge', body: { metadata: { uid, resourceVersion, ownerReferences } } })
  } catch (error) {
    if (isNotFound(error) || isConflict(error) || isInvalid(error)) return undefined
    throw error
  }
}
