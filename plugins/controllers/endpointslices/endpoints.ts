import type { Pod, Service, ServicePort } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { Endpoint, EndpointPort } from '@keelson/apis/discovery/v1/zz_generated.types.ts'
import type { DeepReadonly } from '@keelson/client'
import { isPodReady, isPodTerminal } from '@keelson/kit'

/** How a pod appears behind a Service. Pure. */

export type AnyService = DeepReadonly<Service>
export type AnyPod = DeepReadonly<Pod>
export type Family = 'IPv4' | 'IPv6'

/** True when the Service's endpoints are made from pods, here. */
export const hasSelector = ({ spec }: AnyService): boolean =>
  spec?.type !== 'ExternalName' && Object.keys(spec?.selector ?? {}).length > 0

export const isHeadless = ({ spec }: AnyService): boolean => spec?.clusterIP === 'None'

/** The address families a Service has endpoints of, its own first. */
export function familiesOf({ spec }: AnyService): Family[] {
  const families = (spec?.ipFamilies ?? []).filter((one) => one === 'IPv4' || one === 'IPv6')
  if (families.length > 0) return families
  return [familyOf(spec?.clusterIP ?? '')]
}

const familyOf = (ip: string): Family => (ip.includes(':') ? 'IPv6' : 'IPv4')

export function addressesOf({ status }: AnyPod, family: Family): string[] {
  const ips = status?.podIPs?.map(({ ip }) => ip) ?? [status?.podIP]
  return ips.filter((ip): ip is string => Boolean(ip) && familyOf(ip!) === family)
}

/** Can be an endpoint: has an address, and has not ended. */
export const isReachable = (pod: AnyPod): boolean => Boolean(pod.status?.podIP) && !isPodTerminal(pod)

export const isTerminating = ({ metadata }: AnyPod): boolean => metadata.deletionTimestamp !== undefined

/** @param zoneOf the zone of a node, when it is known */
export function endpointFor(
  service: AnyService,
  pod: AnyPod,
  addresses: string[],
  zoneOf: (node: string) => string | undefined,
): Endpoint {
  const serving = isPodReady(pod)
  const terminating = isTerminating(pod)
  const publishAll = Boolean(service.spec?.publishNotReadyAddresses)
  const { nodeName } = pod.spec
  const zone = nodeName ? zoneOf(nodeName) : undefined
  const hostname = hostnameFor(service, pod)
  return {
    addresses,
    conditions: { ready: publishAll || (serving && !terminating), serving, terminating },
    ...(hostname && { hostname }),
    ...(nodeName && { nodeName }),
    ...(zone && { zone }),
    targetRef: targetRefTo(pod),
  }
}

/** A pod has a name of its own below a Service that is its subdomain. */
export function hostnameFor({ metadata }: AnyService, pod: AnyPod): string | undefined {
  const { hostname, subdomain } = pod.spec
  const isBelow = subdomain === metadata.name && pod.metadata.namespace === metadata.namespace
  return hostname && isBelow ? hostname : undefined
}

export const targetRefTo = ({ metadata: { namespace, name, uid } }: AnyPod) => ({ kind: 'Pod', namespace, name, uid })

/** The Service's ports on this pod; a named target port that the pod does not have is left out. */
export function portsOn({ spec }: AnyService, pod: AnyPod): EndpointPort[] {
  return (spec?.ports ?? []).flatMap((one) => {
    const port = targetPortOn(one, pod)
    if (port === undefined) return []
    const { name = '', protocol = 'TCP', appProtocol } = one
    return [{ name, port, protocol, ...(appProtocol && { appProtocol }) }]
  })
}

function targetPortOn(
  { port, targetPort, protocol = 'TCP' }: DeepReadonly<ServicePort>,
  pod: AnyPod,
): number | undefined {
  if (typeof targetPort !== 'string') return targetPort || port
  const sidecars = (pod.spec.initContainers ?? []).filter((container) => container.restartPolicy === 'Always')
  const ports = [...pod.spec.containers, ...sidecars].flatMap((container) => container.ports ?? [])
  return ports.find((one) => one.name === targetPort && (one.protocol ?? 'TCP') === protocol)?.containerPort
}

/** What of a pod its endpoints depend on: while it stays the same, nothing needs to be looked at. */
export function endpointTraits(pod: AnyPod): string {
  const { metadata, spec, status } = pod
  return JSON.stringify([
    metadata.labels,
    isTerminating(pod),
    isPodReady(pod),
    status?.phase,
    status?.podIP,
    status?.podIPs,
    spec.nodeName,
    spec.hostname,
  ])
}
