import type { Service } from '#apis/core/v1/zz_generated.types.ts'
import type { EndpointSlice } from '#apis/discovery/v1/zz_generated.types.ts'

/** The service an APIService names. */
export interface ServiceRef {
  namespace: string
  name: string
  port: number
}

export interface Address {
  host: string
  port: number
}

/** Where a service can be reached, or why it cannot, in the words of an `Available` condition. */
export type ServiceTarget = { addresses: readonly [Address, ...Address[]] } | { reason: string; message: string }

/**
 * Finds the ready endpoints behind a service, without anyone who forwards its cluster address. Pure.
 * @param slices those of this service
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/#enable-kubernetes-apiserver-flags for `--enable-aggregator-routing`, which does the same
 */
export function findTarget(
  ref: ServiceRef,
  service: Service | undefined,
  slices: readonly EndpointSlice[],
): ServiceTarget {
  const shown = `service/${ref.name} in ${JSON.stringify(ref.namespace)}`
  if (!service) return { reason: 'ServiceNotFound', message: `${shown} is not present` }
  const { externalName, ports = [], type = 'ClusterIP' } = service.spec ?? {}
  if (type === 'ExternalName') return { addresses: [{ host: externalName ?? '', port: ref.port }] }
  const port = ports.find((one) => one.port === ref.port)
  if (!port) return { reason: 'ServicePortError', message: `${shown} is not listening on port ${ref.port}` }
  if (slices.length === 0) return { reason: 'EndpointsNotFound', message: `cannot find endpointslices for ${shown}` }
  const portName = port.name ?? ''
  const [first, ...others] = slices.flatMap((slice) => readyAddresses(slice, portName))
  if (first) return { addresses: [first, ...others] }
  const missing = `have no addresses with port name ${JSON.stringify(portName)}`
  return { reason: 'MissingEndpoints', message: `endpointslices for ${shown} ${missing}` }
}

function readyAddresses({ endpoints, ports }: EndpointSlice, portName: string): Address[] {
  const port = ports?.find((one) => (one.name ?? '') === portName)?.port
  if (port === undefined) return []
  return (endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false)
    .flatMap(({ addresses }) => addresses.map((host) => ({ host, port })))
}
