import { type ReplicaSet, type ReplicaSetStatus, replicasets } from '@keelson/apis/apps/v1/zz_generated.types.ts'
import { type Pod, pods } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { KubeObject, ResourceRef } from '@keelson/apis/meta/v1/types.ts'
import type { PluginHost } from '@keelson/apis/plugin/v1/host.ts'
import { type Client, type DeepReadonly, equalJson, isNamespaceTerminating, isNotFound } from '@keelson/client'
import {
  type Clock,
  claim,
  controller,
  controllerOf,
  createEventRecorder,
  createInformers,
  enqueueOwners,
  formatTime,
  indexByController,
  inSlowStartBatches,
  isPodActive,
  namespacedKey,
  orphansIn,
  ownedBy,
  podFromTemplate,
  type ReconcileResult,
  runReconciler,
  splitKey,
  systemClock,
  trackOwnWrites,
} from '@keelson/kit'
import { nextAvailabilityMs, planScale, planStatus, type ScaleFailure } from './plan.ts'

type AnyReplicaSet = DeepReadonly<ReplicaSet>
type AnyPod = DeepReadonly<Pod>

/** A kind that asks for a number of pods: a ReplicaSet, or one that is handled as if it were one. */
export interface ReplicaKind<T extends KubeObject & { status?: ReplicaSetStatus }> {
  ref: ResourceRef<T>
  /** The source of its events. */
  component: string
  /** The object as a ReplicaSet, with its own apiVersion and kind. */
  view(object: DeepReadonly<T>): AnyReplicaSet
  /** What the kind has of a ReplicaSet's status. */
  report(status: ReplicaSetStatus): T['status']
}

const replicaSetKind: ReplicaKind<ReplicaSet> = {
  ref: replicasets,
  component: 'replicaset-controller',
  view: (object) => object,
  report: (status) => status,
}

/** Keeps the number of pods that each ReplicaSet asks for. */
export const runReplicaSets = (client: Client, host: PluginHost, clock?: Clock): Promise<void> =>
  runReplicas(replicaSetKind, client, host, clock)

/** Keeps the number of pods that each object of the kind asks for. */
export async function runReplicas<T extends KubeObject & { status?: ReplicaSetStatus }>(
  { ref, component, view, report }: ReplicaKind<T>,
  client: Client,
  host: PluginHost,
  clock: Clock = systemClock,
): Promise<void> {
  const { log, signal } = host
  const informers = createInformers(client, { log, signal, clock })
  const replicaSetInformer = informers.for(ref)
  const podInformer = informers.for(pods)
  const recorder = createEventRecorder(client, component, { log, clock })
  const writes = trackOwnWrites(podInformer, clock)
  indexByController(replicaSetInformer)
  indexByController(podInformer)

  async function reconcile(key: string): Promise<ReconcileResult> {
    const { namespace, name } = splitKey(key)
    const stored = replicaSetInformer.get(namespace, name)
    if (!stored) return undefined
    const replicaSet = view(stored)
    const claimed = await claimPods(replicaSet)
    const failure = replicaSet.metadata.deletionTimestamp ? undefined : await scale(replicaSet, claimed)
    const current = writes.view(uidOf(replicaSet), claimed)
    await writeStatus(stored, current, failure)
    if (failure) throw failure.cause
    const requeueAfterMs = nextAvailabilityMs(current, replicaSet.spec.minReadySeconds ?? 0, clock.now())
    return requeueAfterMs === undefined ? undefined : { requeueAfterMs }
  }

  function claimPods(replicaSet: AnyReplicaSet): Promise<AnyPod[]> {
    const { namespace = '', name = '' } = replicaSet.metadata
    const owned = writes.view(uidOf(replicaSet), ownedBy(podInformer, uidOf(replicaSet)))
    const readOwner = () => client.resource(ref).in(namespace).get(name)
    const claimer = { owner: replicaSet, selector: replicaSet.spec.selector, client: client.resource(pods), readOwner }
    return claim<Pod>(claimer, [...owned, ...orphansIn(podInformer, namespace)])
  }

  async function scale(
    replicaSet: AnyReplicaSet,
    claimed: AnyPod[],
  ): Promise<(ScaleFailure & { cause: unknown }) | undefined> {
    const plan = planScale(replicaSet.spec.replicas ?? 1, claimed, podsOnNode(replicaSet), clock.now())
    const created = await inSlowStartBatches(plan.create, () => createPod(replicaSet))
    if (created.error !== undefined) return failureOf('FailedCreate', created.error)
    const outcomes = await Promise.allSettled(plan.remove.map((pod) => deletePod(replicaSet, pod)))
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    return failed && failureOf('FailedDelete', failed.reason)
  }

  async function createPod(replicaSet: AnyReplicaSet): Promise<void> {
    const { template, selector } = replicaSet.spec
    const pod = podFromTemplate(
      template ?? { metadata: { labels: { ...selector.matchLabels } }, spec: { containers: [] } },
      replicaSet,
    )
    try {
      const made = await client.resource(pods).create(pod)
      writes.created(uidOf(replicaSet), made)
      recorder.event(replicaSet, 'Normal', 'SuccessfulCreate', `Created pod: ${made.metadata.name}`)
    } catch (error) {
      // The namespace and everything in it is about to go: nothing to report and nothing to retry.
      if (isNamespaceTerminating(error)) return
      recorder.event(replicaSet, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`)
      throw error
    }
  }

  async function deletePod(replicaSet: AnyReplicaSet, pod: AnyPod): Promise<void> {
    const { namespace = '', name = '', uid } = pod.metadata
    try {
      await client.resource(pods).in(namespace).delete(name, { preconditions: { uid } })
      writes.deleted(uidOf(replicaSet), pod)
      recorder.event(replicaSet, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`)
    } catch (error) {
      if (isNotFound(error)) return writes.deleted(uidOf(replicaSet), pod)
      recorder.event(replicaSet, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`)
      throw error
    }
  }

  /** Counts pods of all revisions of the same workload, so that scaling down spreads what remains. Counts when first asked. */
  function podsOnNode(replicaSet: AnyReplicaSet): (node: string) => number {
    let counts: Map<string, number> | undefined
    return (node) => {
      counts ??= countByNode(replicaSet)
      return counts.get(node) ?? 0
    }
  }

  function countByNode(replicaSet: AnyReplicaSet): Map<string, number> {
    const manager = controllerOf(replicaSet)
    const siblings = manager ? ownedBy(replicaSetInformer, manager.uid).map(view) : [replicaSet]
    const counts = new Map<string, number>()
    for (const pod of siblings.flatMap((one) => ownedBy(podInformer, uidOf(one))).filter(isPodActive)) {
      const node = pod.spec.nodeName ?? ''
      counts.set(node, (counts.get(node) ?? 0) + 1)
    }
    return counts
  }

  async function writeStatus(stored: DeepReadonly<T>, current: AnyPod[], failure?: ScaleFailure): Promise<void> {
    const now = clock.now()
    const reported = failure && { reason: failure.reason, message: failure.message }
    const status = report(planStatus(view(stored), current, reported, formatTime(now), now))
    if (equalJson(status, stored.status)) return
    try {
      await client.resource(ref).updateStatus({ ...stored, status })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  const queue = runReconciler({ name: ref.resource, log, reconcile, concurrency: 10, signal, clock })
  await informers.synced()
  replicaSetInformer.on({
    added: (object) => queue.add(namespacedKey(object)),
    updated: (object) => queue.add(namespacedKey(object)),
    deleted: (object) => writes.forget(object.metadata.uid ?? ''),
  })
  podInformer.on(enqueueOwners(replicaSetInformer, ref, (owner) => view(owner).spec.selector, queue))
  host.ready()
  await queue.stopped
}

const uidOf = (object: AnyReplicaSet) => object.metadata.uid ?? ''
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
const failureOf = (reason: ScaleFailure['reason'], cause: unknown) => ({ reason, message: messageOf(cause), cause })

export default controller(runReplicaSets)
