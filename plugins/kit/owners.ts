import type { KubeObject, OwnerReference } from '@keelson/apis/meta/v1/types.ts'
import type { DeepReadonly } from '@keelson/client'
import type { Informer } from './types.ts'

type Owned = DeepReadonly<KubeObject>

/** The owner that manages the object; there is at most one. */
export function controllerOf(object: Owned): DeepReadonly<OwnerReference> | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller)
}

/** By uid: an owner of the same name that was created again is another one. */
export const isControlledBy = (object: Owned, owner: Owned): boolean =>
  controllerOf(object)?.uid === owner.metadata.uid && owner.metadata.uid !== undefined

/** What an object that `owner` manages carries in its ownerReferences. */
export function ownerReferenceTo(owner: Owned): OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name ?? '',
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  }
}

const controllerIndex = 'controller'

/** Lets `ownedBy` and `orphansIn` find objects without looking at all of them. */
export function indexByController<T extends KubeObject>(informer: Informer<T>): void {
  informer.addIndex(controllerIndex, (object) => {
    const { metadata } = object as Owned
    return [controllerOf(object as Owned)?.uid ?? `orphans/${metadata.namespace ?? ''}`]
  })
}

/** Objects whose managing owner has this uid. Needs `indexByController`. */
export const ownedBy = <T extends KubeObject>(informer: Informer<T>, uid: string): DeepReadonly<T>[] =>
  informer.byIndex(controllerIndex, uid)

/** Objects of a namespace that nobody manages. Needs `indexByController`. */
export const orphansIn = <T extends KubeObject>(informer: Informer<T>, namespace: string): DeepReadonly<T>[] =>
  informer.byIndex(controllerIndex, `orphans/${namespace}`)
