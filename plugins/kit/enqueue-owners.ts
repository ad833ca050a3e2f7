import type { KubeObject, LabelSelector, OwnerReference, ResourceRef } from '@keelson/apis/meta/v1/types.ts'
import type { DeepReadonly } from '@keelson/client'
import { namespacedKey } from './keys.ts'
import { controllerOf } from './owners.ts'
import { matchesLabels } from './selectors.ts'
import type { Informer, InformerHandler, WorkQueue } from './types.ts'

type Plain = DeepReadonly<KubeObject>

/**
 * A handler for the dependents of a kind: puts the owner of what changed into `queue`. A dependent that nobody manages
 * puts in all owners of its namespace that select it, so that one of them adopts it.
 */
export function enqueueOwners<D extends KubeObject, O extends KubeObject>(
  owners: Informer<O>,
  ref: ResourceRef<O>,
  selectorOf: (owner: DeepReadonly<O>) => DeepReadonly<LabelSelector> | undefined,
  queue: WorkQueue,
): InformerHandler<D> {
  const isOfKind = ({ apiVersion, kind }: DeepReadonly<OwnerReference>) =>
    kind === ref.kind && groupOf(apiVersion) === ref.group

  function enqueueManager({ metadata }: Plain, manager: DeepReadonly<OwnerReference>): void {
    if (isOfKind(manager)) queue.add(namespacedKey({ metadata: { namespace: metadata.namespace, name: manager.name } }))
  }

  function enqueueCandidates({ metadata }: Plain): void {
    for (const owner of owners.list(metadata.namespace ?? '')) {
      if (matchesLabels(selectorOf(owner), metadata.labels)) queue.add(namespacedKey(owner as Plain))
    }
  }

  function changed(object: Plain): void {
    const manager = controllerOf(object)
    if (manager) enqueueManager(object, manager)
    else enqueueCandidates(object)
  }

  return {
    added: (object) => changed(object as Plain),
    updated(object, old) {
      const before = controllerOf(old as Plain)
      if (before && before.uid !== controllerOf(object as Plain)?.uid) enqueueManager(old as Plain, before)
      changed(object as Plain)
    },
    deleted(object) {
      const manager = controllerOf(object as Plain)
      if (manager) enqueueManager(object as Plain, manager)
    },
  }
}

const groupOf = (apiVersion: string) => (apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '')
