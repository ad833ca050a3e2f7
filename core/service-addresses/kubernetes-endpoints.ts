import type { Endpoints } from '#apis/core/v1/zz_generated.types.ts'
import type { EndpointSlice } from '#apis/discovery/v1/zz_generated.types.ts'
import { parseIp } from '#apis/meta/v1/ip.ts'

/** The name of the Service that stands for the API, and of all that belongs to it, in the namespace `default`. */
export const apiService = { namespace: 'default', name: 'kubernetes' }

/** Where one server of the cluster listens. */
export interface ServerAddress {
  ip: string
  port: number
}

const port = (number: number) => ({ name: 'https', port: number, protocol: 'TCP' as const })

/** Servers of a cluster listen on one port; where they do not, those on others are listed apart. */
export function endpointsOf(servers: readonly ServerAddress[]): Endpoints {
  const byPort = Map.groupBy(sorted(servers), (server) => server.port)
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { ...apiService, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    ...(byPort.size > 0 && {
      subsets: Array.from(byPort, ([number, those]) => ({
        addresses: those.map(({ ip }) => ({ ip })),
        ports: [port(number)],
      })),
    }),
  }
}

/** A slice has one family and one list of ports: those of the first server. */
export function endpointSliceOf(servers: readonly ServerAddress[]): EndpointSlice {
  const all = sorted(servers)
  const [first] = all
  const alike = all.filter(({ ip, port }) => port === first?.port && familyOf(ip) === familyOf(first.ip))
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...apiService, labels: { 'kubernetes.io/service-name': apiService.name } },
    addressType: first ? familyOf(first.ip) : 'IPv4',
    endpoints: alike.map(({ ip }) => ({ addresses: [ip], conditions: { ready: true } })),
    ports: first ? [port(first.port)] : [],
  }
}

const familyOf = (ip: string) => parseIp(ip)?.family ?? 'IPv4'

const textOf = ({ ip, port }: ServerAddress) => `${ip} ${port}`

function sorted(servers: readonly ServerAddress[]): ServerAddress[] {
  return servers.toSorted((a, b) => (textOf(a) < textOf(b) ? -1 : 1))
}
