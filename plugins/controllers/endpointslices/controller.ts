import {
  type Endpoints,
  endpoints,
  nodes,
  type Pod,
  pods,
  type Service,
  services,
} from '@keelson/apis/core/v1/zz_generated.types.ts'
import { type EndpointSlice, endpointslices } from '@keelson/apis/discovery/v1/zz_generated.types.ts'
import type { KubeObject } from '@keelson/apis/meta/v1/types.ts'
import type { PluginHost } from '@keelson/apis/plugin/v1/host.ts'
import { type Client, type DeepReadonly, ignoreAbsence, isAlreadyExists, isNamespaceTerminating } from '@keelson/client'
import {
  type Clock,
  controller,
  createEventRecorder,
  createInformers,
  matchesSet,
  namespacedKey,
  runReconciler,
  splitKey,
  systemClock,
  trackOwnWrites,
} from '@keelson/kit'
import { type AnyPod, type AnyService, endpointTraits, hasSelector } from './endpoints.ts'
import { endpointsManagedBy, endpointsManagedByLabel, planEndpoints } from './legacy.ts'
import { managedBy, managedByLabel, planSlices, serviceLabel } from './plan.ts'

const zoneLabel = 'topology.kubernetes.io/zone'

/** Lists the pods behind each Service with a selector, as EndpointSlices and as Endpoints. */
export async function runEndpointSlices(client: Client, host: PluginHost, clock: Clock = systemClock): Promise<void> {
  const { log, signal } = host
  const informers = createInformers(client, { log, signal, clock })
  const serviceInformer = informers.for(services)
  const podInformer = informers.for(pods)
  const sliceInformer = informers.for(endpointslices, { labelSelector: `${managedByLabel}=${managedBy}` })
  const endpointsInformer = informers.for(endpoints)
  const nodeInformer = informers.for(nodes, { metadataOnly: true })
  const recorder = createEventRecorder(client, 'endpoint-slice-controller', { log, clock })
  const writes = trackOwnWrites(sliceInformer, clock)
  // One pair of the selector leads from a pod to the few Services that may select it, and back.
  serviceInformer.addIndex('pair', (service) => (hasSelector(service) ? [leadingPair(service)] : []))
  podInformer.addIndex('pair', ({ metadata }) => pairsOf(metadata))
  sliceInformer.addIndex('service', ({ metadata }) => [`${metadata.namespace}/${metadata.labels?.[serviceLabel]}`])

  async function reconcile(key: string): Promise<undefined> {
    const { namespace, name } = splitKey(key)
    const service = serviceInformer.get(namespace, name)
    if (!service) return removeEndpoints(namespace, name)
    if (!hasSelector(service) || service.metadata.deletionTimestamp) return
    const selected = podInformer
      .byIndex('pair', leadingPair(service))
      .filter((pod) => matchesSet(service.spec?.selector ?? {}, pod.metadata.labels))
    try {
      await Promise.all([writeSlices(service, selected), writeEndpoints(service, selected)])
    } catch (error) {
      if (isNamespaceTerminating(error)) return
      recorder.event(service, 'Warning', 'FailedToUpdateEndpointSlices', `Error updating Endpoint Slices: ${error}`)
      throw error
    }
  }

  async function writeSlices(service: AnyService, selected: AnyPod[]): Promise<void> {
    const { namespace = '', uid = '' } = service.metadata
    const existing = writes.view(uid, sliceInformer.byIndex('service', namespacedKey(service)))
    const plan = planSlices({ service, pods: selected, existing, zoneOf })
    const slices = client.resource(endpointslices).in(namespace)
    await Promise.all([
      ...plan.create.map(async (slice) => writes.created(uid, await slices.create(slice))),
      ...plan.update.map((slice) => slices.update(slice)),
      ...plan.remove.map((slice) => removeSlice(uid, slice)),
    ])
  }

  async function removeSlice(owner: string, slice: DeepReadonly<EndpointSlice>): Promise<void> {
    const { namespace = '', name = '', uid } = slice.metadata
    await client.resource(endpointslices).in(namespace).delete(name, { preconditions: { uid } }).catch(ignoreAbsence)
    writes.deleted(owner, slice)
  }

  const zoneOf = (node: string) => nodeInformer.get('', node)?.metadata.labels?.[zoneLabel]

  async function writeEndpoints(service: AnyService, selected: AnyPod[]): Promise<void> {
    const { namespace = '', name = '' } = service.metadata
    const existing = endpointsInformer.get(namespace, name)
    const wanted = planEndpoints(service, selected, existing)
    if (!wanted) return
    if (existing) await client.resource(endpoints).update(wanted)
    else await client.resource(endpoints).create(wanted).catch(ignorePresence)
  }

  /** Slices name the Service as their owner and go with it; Endpoints are found by name alone. */
  async function removeEndpoints(namespace: string, name: string): Promise<undefined> {
    if (!endpointsInformer.get(namespace, name)) return
    await client.resource(endpoints).in(namespace).delete(name).catch(ignoreAbsence)
  }

  function servicesOf({ metadata }: AnyPod): DeepReadonly<Service>[] {
    return pairsOf(metadata)
      .flatMap((pair) => serviceInformer.byIndex('pair', pair))
      .filter((service) => matchesSet(service.spec?.selector ?? {}, metadata.labels))
  }

  const enqueueServicesOf = (...versions: DeepReadonly<Pod>[]) => {
    for (const service of versions.flatMap(servicesOf)) queue.add(namespacedKey(service))
  }

  const queue = runReconciler({ name: 'endpointslices', log, reconcile, concurrency: 10, signal, clock })
  const enqueue = (object: DeepReadonly<KubeObject>) => queue.add(namespacedKey(object))
  const enqueueServiceOf = ({ metadata }: DeepReadonly<EndpointSlice>) =>
    queue.add(`${metadata.namespace}/${metadata.labels?.[serviceLabel]}`)
  await informers.synced()
  serviceInformer.on({
    added: enqueue,
    updated: enqueue,
    deleted(service) {
      writes.forget(service.metadata.uid ?? '')
      enqueue(service)
    },
  })
  podInformer.on({
    added: (pod) => enqueueServicesOf(pod),
    updated: (pod, old) => endpointTraits(pod) !== endpointTraits(old) && enqueueServicesOf(old, pod),
    deleted: (pod) => enqueueServicesOf(pod),
  })
  sliceInformer.on({ updated: enqueueServiceOf, deleted: enqueueServiceOf })
  endpointsInformer.on({
    added: (object) => isOurs(object) && enqueue(object),
    updated: (object) => isOurs(object) && enqueue(object),
    deleted: (object) => isOurs(object) && enqueue(object),
  })
  host.ready()
  await queue.stopped
}

/** The first pair of the selector: every pod it selects has it. */
function leadingPair({ metadata, spec }: AnyService): string {
  const [[key, value] = ['', '']] = Object.entries(spec?.selector ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return `${metadata.namespace} ${key}=${value}`
}

const pairsOf = ({ namespace, labels = {} }: AnyPod['metadata']): string[] =>
  Object.entries(labels).map(([key, value]) => `${namespace} ${key}=${value}`)

/** Endpoints that somebody else made may have no Service yet, or never. */
const isOurs = ({ metadata }: DeepReadonly<Endpoints>) =>
  metadata.labels?.[endpointsManagedByLabel] === endpointsManagedBy

/** The cache has not shown it yet; its event brings the Service back here. */
function ignorePresence(error: unknown): void {
  if (!isAlreadyExists(error)) throw error
}

export default controller(runEndpointSlices)
