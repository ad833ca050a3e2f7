import type { KubeObject, OwnerReference } from '@keelson/apis/meta/v1/types.ts'
import type { PluginHost } from '@keelson/apis/plugin/v1/host.ts'
import { type Client, type DeepReadonly, ignoreAbsence, type ServedResource } from '@keelson/client'
import { type Clock, controller, createInformers, pause, runReconciler, systemClock } from '@keelson/kit'
import {
  createGraph,
  foregroundFinalizer,
  isDeletingForeground,
  isRelated,
  type Node,
  nodeFrom,
  orphanFinalizer,
} from './graph.ts'
import { type Action, type OwnerState, ownersWithout, planCollection, planDeletion, unblocked } from './plan.ts'
import { followResources, idOf } from './resources.ts'

type Owner = DeepReadonly<OwnerReference>

/** An owner that is not in the graph has mostly just been created, and its event is on the way. */
const unseenOwnerMs = 500
const longestSyncMs = 30_000
/** What takes longer to list has no others wait for it. */
const longestListMs = 1_000
const relations = { relationsOnly: true }

/** Deletes what its owners left behind, and carries out foreground deletion and orphaning. */
export async function runGarbageCollector(client: Client, host: PluginHost, clock: Clock = systemClock): Promise<void> {
  const { log, signal } = host
  const informers = createInformers(client, { log, signal, clock })
  const graph = createGraph()
  /** Owners that were looked for and did not exist. A uid never comes back. */
  const knownGone = new Set<string>()
  /** The resources whose objects are followed. */
  const followed = new Set<string>()
  /** Before all is listed, most owners would seem to be gone: asking for each would be a storm. */
  let hasSynced = false

  /** Works on one uid: as an object that may have to go, or go on going. */
  async function reconcile(uid: string): Promise<undefined> {
    const node = graph.get(uid)
    if (!node) return
    const dependents = graph.dependentsOf(uid)
    const deletion = planDeletion(node, dependents)
    if (deletion) return carryOut(node, deletion)
    if (node.owners.length === 0) return
    const states = await Promise.all(node.owners.map((owner) => stateOf(owner, node)))
    return carryOut(node, planCollection(node, states, dependents))
  }

  async function stateOf(owner: Owner, dependent: Node): Promise<OwnerState> {
    const known = graph.get(owner.uid)
    if (known && isWhere(known, owner, dependent)) return isDeletingForeground(known) ? 'waiting' : 'solid'
    if (isUnrelated(owner, dependent)) return 'solid'
    if (knownGone.has(owner.uid)) return 'gone'
    return askFor(owner, dependent)
  }

  /** True of an owner that is there and of which the graph knows nothing, because nothing is to know. */
  function isUnrelated({ apiVersion, kind, name, uid }: Owner, { namespace }: Node): boolean {
    const resource = resources.byKind(apiVersion, kind)
    if (!resource || !followed.has(idOf(resource))) return false
    const place = resource.namespaced ? namespace : ''
    return informers.for(resource, relations).get(place, name)?.metadata.uid === uid
  }

  /** A reference says nothing of the namespace: it is the dependent's, or none. */
  const isWhere = (known: Node, owner: Owner, { namespace }: Node) =>
    known.name === owner.name && (!known.resource.namespaced || known.namespace === namespace)

  /** The cache may lag behind: only the server's answer makes an owner gone. */
  async function askFor(owner: Owner, dependent: Node): Promise<OwnerState> {
    const resource = await resourceOf(owner)
    // An owner in some namespace cannot be found from an object in none: to delete it would be a guess.
    if (resource.namespaced && !dependent.namespace) return 'solid'
    const all = client.metadata(resource)
    const place = resource.namespaced ? all.in(dependent.namespace) : all
    const live = await place.get(owner.name, { signal }).catch(ignoreAbsence)
    if (live?.metadata.uid !== owner.uid) return noteGone(owner.uid)
    return isDeletingForeground(nodeFrom(resource, live)) ? 'waiting' : 'solid'
  }

  function noteGone(uid: string): OwnerState {
    if (knownGone.size >= 10_000) knownGone.clear()
    knownGone.add(uid)
    return 'gone'
  }

  async function resourceOf({ apiVersion, kind }: Owner): Promise<ServedResource> {
    const known = resources.byKind(apiVersion, kind)
    if (known) return known
    await resources.refresh()
    const found = resources.byKind(apiVersion, kind)
    if (!found) throw new Error(`unable to get REST mapping for ${apiVersion}/${kind}`)
    return found
  }

  async function carryOut(node: Node, action: Action): Promise<undefined> {
    switch (action.do) {
      case 'nothing':
        return
      case 'collect':
        for (const { uid } of action.dependents) queue.add(uid)
        return
      case 'orphanDependents':
        await Promise.all(action.dependents.map((one) => setOwners(one, (owners) => ownersWithout(owners, [node.uid]))))
        return removeFinalizer(node, orphanFinalizer)
      case 'finishForeground':
        return removeFinalizer(node, foregroundFinalizer)
      case 'dropOwners':
        return setOwners(node, (owners) => ownersWithout(owners, action.uids))
      case 'delete':
        if (action.unblock) await setOwners(node, unblocked)
        return remove(node, action.policy)
    }
  }

  const objectsLike = ({ resource, namespace }: Node) =>
    resource.namespaced ? client.metadata(resource).in(namespace) : client.metadata(resource)

  /** The object as the server has it now; undefined when it is gone or another one took its name. */
  async function readLive(node: Node): Promise<KubeObject | undefined> {
    const live = await objectsLike(node).get(node.name, { signal }).catch(ignoreAbsence)
    return live?.metadata.uid === node.uid ? live : undefined
  }

  /** Deletes the object as it is now: owners it was given meanwhile change its resourceVersion, and are looked at first. */
  async function remove(node: Node, propagationPolicy: 'Background' | 'Foreground' | 'Orphan'): Promise<undefined> {
    const live = await readLive(node)
    if (!live) return
    if (!hasSameOwners(node, live)) throw new Error(`the owners of ${node.resource.resource} ${node.name} have changed`)
    const { uid, resourceVersion } = live.metadata
    const preconditions = { uid, resourceVersion }
    await objectsLike(node).delete(node.name, { propagationPolicy, preconditions, signal }).catch(ignoreAbsence)
    log.debug('object collected', { resource: node.resource.resource, namespace: node.namespace, name: node.name })
  }

  async function setOwners(node: Node, change: (owners: readonly Owner[]) => readonly Owner[]): Promise<undefined> {
    const live = await readLive(node)
    if (!live) return
    await patchMetadata(node, live, { ownerReferences: change(live.metadata.ownerReferences ?? []) })
  }

  async function removeFinalizer(node: Node, name: string): Promise<undefined> {
    const live = await readLive(node)
    if (!live?.metadata.finalizers?.includes(name)) return
    await patchMetadata(node, live, { finalizers: live.metadata.finalizers.filter((one) => one !== name) })
  }

  async function patchMetadata(node: Node, { metadata }: KubeObject, change: object): Promise<void> {
    const body = { metadata: { uid: metadata.uid, resourceVersion: metadata.resourceVersion, ...change } }
    await objectsLike(node).patch(node.name, { type: 'merge', body }, { signal }).catch(ignoreAbsence)
  }

  function stored(resource: ServedResource, object: DeepReadonly<KubeObject>): void {
    const node = nodeFrom(resource, object)
    // Most objects own nothing, belong to nothing and wait for nothing: the informer's cache is all there is of them.
    const old = isRelated(node) ? graph.set(node) : graph.remove(node.uid)
    if (!hasSynced) return
    examine(node)
    if (old) wakeOwners(old, node)
  }

  /** Queues a node that may have something to do. */
  function examine(node: Node): void {
    if (node.isDeleting && hasWork(node)) queue.add(node.uid)
    if (node.owners.some((owner) => !graph.get(owner.uid) && !isUnrelated(owner, node)))
      queue.addAfter(node.uid, unseenOwnerMs)
    else if (node.owners.some((owner) => isWaitingFor(owner))) queue.add(node.uid)
  }

  const hasWork = ({ finalizers }: Node) =>
    finalizers.includes(orphanFinalizer) || finalizers.includes(foregroundFinalizer)

  function isWaitingFor(owner: Owner): boolean {
    const known = graph.get(owner.uid)
    return known !== undefined && isDeletingForeground(known)
  }

  /** An owner that waits for its dependents hears when one lets go of it. */
  function wakeOwners(old: Node, now?: Node): void {
    for (const owner of old.owners) {
      const isStillBlocked = now?.owners.some((one) => one.uid === owner.uid && one.blockOwnerDeletion)
      if (!isStillBlocked && isWaitingFor(owner)) queue.add(owner.uid)
    }
  }

  function removed({ metadata }: DeepReadonly<KubeObject>): void {
    const uid = metadata.uid ?? ''
    const old = graph.remove(uid)
    if (!hasSynced) return
    for (const dependent of graph.dependentsOf(uid)) queue.add(dependent.uid)
    if (old) wakeOwners(old)
  }

  const queue = runReconciler({ name: 'garbage-collector', log, reconcile, concurrency: 20, signal, clock })
  function follow(resource: ServedResource): Promise<void> {
    followed.add(idOf(resource))
    const informer = informers.for(resource, relations)
    informer.on({
      added: (object) => stored(resource, object),
      updated: (object) => stored(resource, object),
      deleted: removed,
    })
    return informer.synced
  }

  const arrived = new Map<string, ServedResource>()
  /** Definitions come in crowds: a few of their resources are listed at a time, so that the server has time for others. */
  const arrivals = runReconciler({
    name: 'arrivals',
    log,
    async reconcile(id) {
      const resource = arrived.get(id)
      if (!resource) return
      arrived.delete(id)
      // Its informer says itself why it cannot be listed, or that it was dropped.
      const listed = follow(resource).catch(() => {})
      await Promise.race([listed, pause(clock, longestListMs, signal)])
    },
    concurrency: 4,
    signal,
    clock,
  })
  const listener = {
    appeared(resource: ServedResource) {
      if (!hasSynced) return void follow(resource)
      arrived.set(idOf(resource), resource)
      arrivals.add(idOf(resource))
    },
    /** Objects of a resource that is served no more went with it. */
    disappeared(resource: ServedResource) {
      arrived.delete(idOf(resource))
      if (!followed.delete(idOf(resource))) return
      const gone = informers.for(resource, relations).list()
      informers.drop(resource, relations)
      for (const object of gone) removed(object)
    },
  }
  const resources = await followResources(client, informers, listener, { log, signal })
  // A resource that cannot be listed must not keep the others from being collected.
  await Promise.race([informers.synced(), pause(clock, longestSyncMs, signal)])
  hasSynced = true
  for (const node of graph.all()) examine(node)
  host.ready()
  await queue.stopped
}

function hasSameOwners(node: Node, { metadata }: KubeObject): boolean {
  const uids = (owners: readonly { uid: string }[]) =>
    owners
      .map(({ uid }) => uid)
      .sort()
      .join(' ')
  return uids(node.owners) === uids(metadata.ownerReferences ?? [])
}

export default controller(runGarbageCollector)
