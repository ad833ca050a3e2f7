import type { Endpoint, EndpointPort, EndpointSlice } from '@keelson/apis/discovery/v1/zz_generated.types.ts'
import { type DeepReadonly, equalJson } from '@keelson/client'
import { ownerReferenceTo } from '@keelson/kit'
import {
  type AnyPod,
  type AnyService,
  addressesOf,
  endpointFor,
  type Family,
  familiesOf,
  isHeadless,
  isReachable,
  portsOn,
} from './endpoints.ts'

/** Decides how the endpoints of a Service lie in slices, changing as few of them as it can. Pure. */

type AnySlice = DeepReadonly<EndpointSlice>

export interface SlicePlan {
  create: EndpointSlice[]
  update: EndpointSlice[]
  remove: AnySlice[]
}

export interface SliceInput {
  service: AnyService
  /** Those its selector matches. */
  pods: readonly AnyPod[]
  /** The Service's slices that this controller manages. */
  existing: readonly AnySlice[]
  zoneOf: (node: string) => string | undefined
}

export const serviceLabel = 'kubernetes.io/service-name'
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by'
export const managedBy = 'endpointslice-controller.k8s.io'
export const headlessLabel = 'service.kubernetes.io/headless'
const slicesHold = 100

export function planSlices(input: SliceInput): SlicePlan {
  const groups = groupEndpoints(input)
  const plan: SlicePlan = { create: [], update: [], remove: [] }
  const unclaimed = new Set(input.existing)
  for (const [key, group] of groups) {
    const existing = input.existing.filter((slice) => groupKey(slice.addressType, slice.ports ?? []) === key)
    for (const slice of existing) unclaimed.delete(slice)
    add(plan, planGroup(input.service, group, existing))
  }
  plan.remove.push(...unclaimed)
  return plan
}

function add(to: SlicePlan, { create, update, remove }: SlicePlan): void {
  to.create.push(...create)
  to.update.push(...update)
  to.remove.push(...remove)
}

/** Endpoints of one family that have the same ports: what can share a slice. */
interface Group {
  addressType: Family
  ports: EndpointPort[]
  /** By the uid of the pod. */
  endpoints: Map<string, Endpoint>
}

function groupEndpoints({ service, pods, zoneOf }: SliceInput): Map<string, Group> {
  const groups = new Map<string, Group>()
  const groupOf = (addressType: Family, ports: EndpointPort[]) => {
    const key = groupKey(addressType, ports)
    const group = groups.get(key) ?? { addressType, ports, endpoints: new Map<string, Endpoint>() }
    groups.set(key, group)
    return group
  }
  for (const family of familiesOf(service)) {
    let isUsed = false
    for (const pod of pods.filter(isReachable)) {
      const addresses = addressesOf(pod, family)
      if (addresses.length === 0) continue
      isUsed = true
      const group = groupOf(family, portsOn(service, pod))
      group.endpoints.set(pod.metadata.uid ?? '', endpointFor(service, pod, addresses, zoneOf))
    }
    // A slice without endpoints says that there are none, which no slice at all would leave open.
    if (!isUsed) groupOf(family, [])
  }
  return groups
}

function groupKey(addressType: string, ports: readonly DeepReadonly<EndpointPort>[]): string {
  const texts = ports.map(({ name = '', port, protocol = 'TCP', appProtocol = '' }) =>
    JSON.stringify([name, port, protocol, appProtocol]),
  )
  return `${addressType} ${texts.sort().join(' ')}`
}

function planGroup(service: AnyService, group: Group, existing: readonly AnySlice[]): SlicePlan {
  const missing = new Map(group.endpoints)
  const kept = existing.map((slice) => ({ slice, endpoints: stillWanted(slice, group, missing) }))
  const waiting = [...missing.values()].sort((a, b) => compareText(a.targetRef?.name, b.targetRef?.name))
  fill(kept, waiting)
  const full = chunk(waiting, slicesHold).map((endpoints) => newSlice(service, group, endpoints))
  const isPlaceholder = group.endpoints.size === 0
  const used = kept.filter(({ endpoints }, at) => endpoints.length > 0 || (isPlaceholder && at === 0))
  const create = isPlaceholder && kept.length === 0 ? [newSlice(service, group, [])] : full
  const wanted = used.map(({ slice, endpoints }) => ({ slice, next: refreshed(service, slice, group, endpoints) }))
  return {
    create,
    update: wanted.filter(({ slice, next }) => !equalJson(withLists(slice), next)).map(({ next }) => next),
    remove: kept.filter((one) => !used.includes(one)).map(({ slice }) => slice),
  }
}

/** The server may leave out what is empty. */
const withLists = (slice: AnySlice): AnySlice => ({
  ...slice,
  endpoints: slice.endpoints ?? [],
  ports: slice.ports ?? [],
})

/** Endpoints stay in the slice they are in; each is taken out of `missing`. */
function stillWanted(slice: AnySlice, group: Group, missing: Map<string, Endpoint>): Endpoint[] {
  return (slice.endpoints ?? []).flatMap(({ targetRef }) => {
    const uid = targetRef?.uid ?? ''
    const endpoint = group.endpoints.get(uid)
    return endpoint && missing.delete(uid) ? [endpoint] : []
  })
}

/** Puts what waits into slices with room: first into those that change anyway, then into the fullest. */
function fill(kept: readonly { slice: AnySlice; endpoints: Endpoint[] }[], waiting: Endpoint[]): void {
  const isUnchanged = (one: (typeof kept)[number]) => equalJson(one.slice.endpoints ?? [], one.endpoints)
  const inOrder = kept.toSorted(
    (a, b) => Number(isUnchanged(a)) - Number(isUnchanged(b)) || b.endpoints.length - a.endpoints.length,
  )
  for (const { endpoints } of inOrder) endpoints.push(...waiting.splice(0, Math.max(0, slicesHold - endpoints.length)))
}

function newSlice(service: AnyService, { addressType, ports }: Group, endpoints: Endpoint[]): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${service.metadata.name}-`,
      namespace: service.metadata.namespace,
      labels: labelsFor(service),
      ownerReferences: [ownerReferenceTo(service)],
    },
    addressType,
    endpoints,
    ports,
  }
}

const refreshed = (service: AnyService, slice: AnySlice, { ports }: Group, endpoints: Endpoint[]): EndpointSlice =>
  ({
    ...slice,
    metadata: { ...slice.metadata, labels: labelsFor(service), ownerReferences: [ownerReferenceTo(service)] },
    endpoints,
    ports: groupKey('', slice.ports ?? []) === groupKey('', ports) ? (slice.ports ?? []) : ports,
  }) as EndpointSlice

/** The Service's own labels, so that they can be selected by, and those that say whose slice it is. */
function labelsFor(service: AnyService): Record<string, string> {
  const { [headlessLabel]: _, ...own } = service.metadata.labels ?? {}
  return {
    ...own,
    [serviceLabel]: service.metadata.name ?? '',
    [managedByLabel]: managedBy,
    ...(isHeadless(service) && { [headlessLabel]: '' }),
  }
}

const compareText = (a = '', b = '') => (a < b ? -1 : a > b ? 1 : 0)

function chunk<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size))
}
