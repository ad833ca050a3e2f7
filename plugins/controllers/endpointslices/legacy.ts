import type {
  EndpointAddress,
  EndpointPort,
  EndpointSubset,
  Endpoints,
} from '@keelson/apis/core/v1/zz_generated.types.ts'
import { type DeepReadonly, equalJson } from '@keelson/client'
import { isPodReady } from '@keelson/kit'
import {
  type AnyPod,
  type AnyService,
  addressesOf,
  familiesOf,
  hostnameFor,
  isHeadless,
  isReachable,
  isTerminating,
  portsOn,
  targetRefTo,
} from './endpoints.ts'
import { headlessLabel } from './plan.ts'

/** The same endpoints as one Endpoints object, for readers that do not know slices. Pure. */

export const endpointsManagedByLabel = 'endpoints.kubernetes.io/managed-by'
export const endpointsManagedBy = 'endpoint-controller'
const capacityAnnotation = 'endpoints.kubernetes.io/over-capacity'
const capacity = 1000

/** @returns the Endpoints as they should be, or undefined when `existing` is that already */
export function planEndpoints(
  service: AnyService,
  pods: readonly AnyPod[],
  existing: DeepReadonly<Endpoints> | undefined,
): Endpoints | undefined {
  const { subsets, isTruncated } = planSubsets(service, pods)
  const { [capacityAnnotation]: _, ...annotations } = existing?.metadata.annotations ?? {}
  const wanted = {
    ...(existing ?? { apiVersion: 'v1', kind: 'Endpoints' }),
    metadata: {
      ...(existing?.metadata ?? { name: service.metadata.name, namespace: service.metadata.namespace }),
      labels: labelsFor(service),
      annotations: isTruncated ? { ...annotations, [capacityAnnotation]: 'truncated' } : annotations,
    },
    subsets,
  } as Endpoints
  return existing && isSame(existing, wanted) ? undefined : wanted
}

const isSame = (a: DeepReadonly<Endpoints>, b: Endpoints) =>
  equalJson(a.subsets ?? [], b.subsets ?? []) &&
  equalJson(a.metadata.labels ?? {}, b.metadata.labels ?? {}) &&
  equalJson(a.metadata.annotations ?? {}, b.metadata.annotations ?? {})

function labelsFor(service: AnyService): Record<string, string> {
  const { [headlessLabel]: _, ...own } = service.metadata.labels ?? {}
  return { ...own, [endpointsManagedByLabel]: endpointsManagedBy, ...(isHeadless(service) && { [headlessLabel]: '' }) }
}

interface Subset {
  ports: EndpointPort[]
  ready: EndpointAddress[]
  notReady: EndpointAddress[]
}

function planSubsets(
  service: AnyService,
  pods: readonly AnyPod[],
): { subsets: EndpointSubset[]; isTruncated: boolean } {
  const publishAll = Boolean(service.spec?.publishNotReadyAddresses)
  const listed = pods.filter((pod) => isReachable(pod) && (publishAll || !isTerminating(pod)))
  const [family = 'IPv4'] = familiesOf(service)
  const isUp = (pod: AnyPod) => publishAll || isPodReady(pod)
  const byReadiness = listed.toSorted((a, b) => Number(isUp(b)) - Number(isUp(a)))
  const subsets = new Map<string, Subset>()
  for (const pod of byReadiness.slice(0, capacity)) {
    const [ip] = addressesOf(pod, family)
    if (!ip) continue
    const ports = portsOn(service, pod).map(asEndpointPort)
    const key = JSON.stringify(ports)
    const subset = subsets.get(key) ?? { ports, ready: [], notReady: [] }
    subsets.set(key, subset)
    ;(isUp(pod) ? subset.ready : subset.notReady).push(addressFor(service, pod, ip))
  }
  const inOrder = [...subsets].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, subset]) => subset)
  return { subsets: inOrder.map(asEndpointSubset), isTruncated: listed.length > capacity }
}

const asEndpointPort = ({
  name,
  port = 0,
  protocol,
  appProtocol,
}: ReturnType<typeof portsOn>[number]): EndpointPort => ({
  ...(name && { name }),
  port,
  protocol: protocol as EndpointPort['protocol'],
  ...(appProtocol && { appProtocol }),
})

function addressFor(service: AnyService, pod: AnyPod, ip: string): EndpointAddress {
  const hostname = hostnameFor(service, pod)
  const { nodeName } = pod.spec
  return { ip, ...(hostname && { hostname }), ...(nodeName && { nodeName }), targetRef: targetRefTo(pod) }
}

function asEndpointSubset({ ports, ready, notReady }: Subset): EndpointSubset {
  return {
    ...(ready.length > 0 && { addresses: ready.sort(byIp) }),
    ...(notReady.length > 0 && { notReadyAddresses: notReady.sort(byIp) }),
    ...(ports.length > 0 && { ports }),
  }
}

const byIp = (a: EndpointAddress, b: EndpointAddress) => (a.ip < b.ip ? -1 : 1)
