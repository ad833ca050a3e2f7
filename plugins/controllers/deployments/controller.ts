import { type Deployment, deployments, type ReplicaSet, replicasets } from '@keelson/apis/apps/v1/zz_generated.types.ts'
import type { PluginHost } from '@keelson/apis/plugin/v1/host.ts'
import { type Client, equalJson, isAlreadyExists, isNamespaceTerminating, isNotFound } from '@keelson/client'
import {
  type Clock,
  claim,
  controller,
  createEventRecorder,
  createInformers,
  enqueueOwners,
  indexByController,
  isEmptySelector,
  namespacedKey,
  orphansIn,
  ownedBy,
  type ReconcileResult,
  runReconciler,
  splitKey,
  systemClock,
} from '@keelson/kit'
import { type DeploymentPlan, planDeployment } from './plan.ts'
import { type AnyDeployment, type AnyReplicaSet, isSameRevision } from './revisions.ts'
import { sizeOf } from './rollout.ts'
import { msUntilDeadline, type Observed, type Progress, planStatus } from './status.ts'

/** What came of creating the new ReplicaSet. */
type Outcome = Pick<Observed, 'newest' | 'progress' | 'collisionCount'> & { error?: unknown }

/** Rolls Deployments out through ReplicaSets. */
export async function runDeployments(client: Client, host: PluginHost, clock: Clock = systemClock): Promise<void> {
  const { log, signal } = host
  const informers = createInformers(client, { log, signal, clock })
  const deploymentInformer = informers.for(deployments)
  const replicaSetInformer = informers.for(replicasets)
  const recorder = createEventRecorder(client, 'deployment-controller', { log, clock })
  indexByController(replicaSetInformer)

  async function reconcile(key: string): Promise<ReconcileResult> {
    const { namespace, name } = splitKey(key)
    const deployment = deploymentInformer.get(namespace, name)
    if (!deployment) return undefined
    if (isEmptySelector(deployment.spec.selector)) return refuseToSelectAll(deployment)
    const plan = planDeployment(deployment, await claimReplicaSets(deployment))
    const { error, ...observed } = await carryOut(deployment, plan)
    const result = await writeStatus(observed)
    if (error !== undefined) throw error
    return result
  }

  async function refuseToSelectAll(deployment: AnyDeployment): Promise<undefined> {
    const message = 'This deployment is selecting all pods. A non-empty selector is required.'
    recorder.event(deployment, 'Warning', 'SelectingAll', message)
  }

  function claimReplicaSets(deployment: AnyDeployment): Promise<AnyReplicaSet[]> {
    const { namespace = '', name = '', uid = '' } = deployment.metadata
    const readOwner = () => client.resource(deployments).in(namespace).get(name)
    const { selector } = deployment.spec
    const claimer = { owner: deployment, selector, client: client.resource(replicasets), readOwner }
    const candidates = [...ownedBy(replicaSetInformer, uid), ...orphansIn(replicaSetInformer, namespace)]
    return claim<ReplicaSet>(claimer, candidates)
  }

  async function carryOut(deployment: AnyDeployment, plan: DeploymentPlan): Promise<Observed & { error?: unknown }> {
    const { newest, old } = plan
    const current = plan.annotate ? await annotate(deployment, plan.annotate) : deployment
    await Promise.all(plan.updates.map(({ from, to }) => updateReplicaSet(deployment, from, to)))
    await Promise.all(plan.remove.map(removeReplicaSet))
    const now = clock.now()
    if (plan.create) return { deployment: current, old, now, ...(await createReplicaSet(deployment, plan.create)) }
    return { deployment: current, newest, old, progress: newest && foundAtFirst(deployment, newest), now }
  }

  /** @returns the Deployment with its new resourceVersion, for the status that is written next */
  function annotate({ metadata }: AnyDeployment, annotations: Record<string, string>): Promise<Deployment> {
    const { namespace = '', name = '', uid } = metadata
    const body = { metadata: { uid, annotations } }
    return client.resource(deployments).in(namespace).patch(name, { type: 'merge', body })
  }

  async function updateReplicaSet(deployment: AnyDeployment, from: AnyReplicaSet, to: AnyReplicaSet): Promise<void> {
    await client.resource(replicasets).update(to)
    if (sizeOf(from) !== sizeOf(to)) reportScaling(deployment, to, sizeOf(from))
  }

  function reportScaling(deployment: AnyDeployment, replicaSet: AnyReplicaSet, before: number): void {
    const direction = sizeOf(replicaSet) > before ? 'up' : 'down'
    const message = `Scaled ${direction} replica set ${replicaSet.metadata.name} from ${before} to ${sizeOf(replicaSet)}`
    recorder.event(deployment, 'Normal', 'ScalingReplicaSet', message)
  }

  async function removeReplicaSet({ metadata }: AnyReplicaSet): Promise<void> {
    const { namespace = '', name = '', uid, resourceVersion } = metadata
    const preconditions = { uid, resourceVersion }
    await client.resource(replicasets).in(namespace).delete(name, { preconditions }).catch(unless(isNotFound))
  }

  async function createReplicaSet(deployment: AnyDeployment, wanted: ReplicaSet): Promise<Outcome> {
    try {
      const newest = await client.resource(replicasets).create(wanted)
      if (sizeOf(newest) > 0) reportScaling(deployment, newest, 0)
      return { newest, progress: { reason: 'NewReplicaSetCreated', name: newest.metadata.name ?? '' } }
    } catch (error) {
      if (isAlreadyExists(error)) return resolveCollision(deployment, wanted)
      if (isNamespaceTerminating(error)) return {}
      const message = `Failed to create new replica set "${wanted.metadata.name}": ${(error as Error).message}`
      recorder.event(deployment, 'Warning', 'ReplicaSetCreateError', message)
      return { progress: { reason: 'ReplicaSetCreateError', message }, error }
    }
  }

  /** The name is taken: by our own ReplicaSet that the cache does not show yet, or by another one; then the hash changes. */
  async function resolveCollision(deployment: AnyDeployment, wanted: ReplicaSet): Promise<Outcome> {
    const { namespace = '', name = '' } = wanted.metadata
    const existing = await client.resource(replicasets).in(namespace).get(name)
    if (isSameRevision(deployment, existing)) {
      return { newest: existing, progress: { reason: 'FoundNewReplicaSet', name } }
    }
    return { collisionCount: (deployment.status?.collisionCount ?? 0) + 1 }
  }

  async function writeStatus(observed: Observed): Promise<ReconcileResult> {
    const { deployment } = observed
    const status = planStatus(observed)
    if (!equalJson(status, deployment.status)) {
      await client
        .resource(deployments)
        .updateStatus({ ...deployment, status })
        .catch(unless(isNotFound))
    }
    const requeueAfterMs = msUntilDeadline(deployment, status, clock.now())
    return requeueAfterMs === undefined ? undefined : { requeueAfterMs }
  }

  const queue = runReconciler({ name: 'deployments', log, reconcile, concurrency: 10, signal, clock })
  await informers.synced()
  deploymentInformer.on({
    added: (object) => queue.add(namespacedKey(object)),
    updated: (object) => queue.add(namespacedKey(object)),
  })
  replicaSetInformer.on(enqueueOwners(deploymentInformer, deployments, (owner) => owner.spec.selector, queue))
  host.ready()
  await queue.stopped
}

/** A rollout that goes back to an earlier template finds its ReplicaSet there already. */
function foundAtFirst({ status }: AnyDeployment, { metadata }: AnyReplicaSet): Progress | undefined {
  const isKnown = status?.conditions?.some((condition) => condition.type === 'Progressing')
  return isKnown ? undefined : { reason: 'FoundNewReplicaSet', name: metadata.name ?? '' }
}

function unless(isFine: (error: unknown) => boolean) {
  return (error: unknown) => {
    if (!isFine(error)) throw error
  }
}

export default controller(runDeployments)
