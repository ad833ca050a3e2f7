import { firstOf, formatIp, parseCidr, reachableIpErrors } from '#apis/meta/v1/ip.ts'
import type { ServiceFlags } from '#core/service-addresses/start.ts'
import { UsageError } from './usage-error.ts'

/** The flags that say which addresses and ports services have. */
export const serviceFlagOptions = {
  'service-cluster-ip-range': { type: 'string' },
  'service-node-port-range': { type: 'string' },
  'advertise-address': { type: 'string' },
} as const

export type ServiceFlagValues = Partial<Record<keyof typeof serviceFlagOptions, string>>

export const serviceFlagsHelp = `  --service-cluster-ip-range CIDRS    where services get their addresses from: a range, or one of IPv4
                         and one of IPv6 with a comma between, the usual one first (default 10.96.0.0/16)
  --service-node-port-range N-N       ports that services may have on every node (default 30000-32767)
  --advertise-address A  where the cluster reaches this server: the endpoint of the service "kubernetes"
                         (default: the address it is bound to, or that of the machine; none on a loopback address)
`

/** Prefixes that ranges may have, from the largest range to the smallest. */
const prefixes = { IPv4: [8, 29], IPv6: [64, 125] } as const

/** @throws UsageError */
export function serviceFlags(values: ServiceFlagValues): ServiceFlags {
  const address = values['advertise-address']
  if (address !== undefined && reachableIpErrors('', address).length > 0) {
    throw new UsageError(`--advertise-address must be an IP address for other machines, not ${JSON.stringify(address)}`)
  }
  return {
    serviceClusterIpRanges: clusterIpRanges(values['service-cluster-ip-range'] ?? '10.96.0.0/16'),
    serviceNodePortRange: portRange(values['service-node-port-range'] ?? '30000-32767'),
    advertiseAddress: address,
  }
}

function clusterIpRanges(text: string): string[] {
  const flag = '--service-cluster-ip-range'
  const blocks = text.split(',').map((cidr) => {
    const block = parseCidr(cidr.trim())
    if (!block)
      throw new UsageError(`${flag} must be one range or two, such as 10.96.0.0/16, not ${JSON.stringify(text)}`)
    const [largest, smallest] = prefixes[block.family]
    if (block.prefixLength < largest || block.prefixLength > smallest) {
      throw new UsageError(`${flag}: a range of ${block.family} must be from /${largest} to /${smallest}, not ${cidr}`)
    }
    return block
  })
  const families = new Set(blocks.map(({ family }) => family))
  if (families.size < blocks.length) throw new UsageError(`${flag} may have one range of IPv4 and one of IPv6`)
  return blocks.map((block) => `${formatIp(firstOf(block))}/${block.prefixLength}`)
}

function portRange(text: string): ServiceFlags['serviceNodePortRange'] {
  const [first = 0, last = 0] = /^(\d{1,5})-(\d{1,5})$/.exec(text)?.slice(1).map(Number) ?? []
  if (first < 1 || last > 65_535 || last < first) {
    throw new UsageError(
      `--service-node-port-range must be two ports, such as 30000-32767, not ${JSON.stringify(text)}`,
    )
  }
  return { first, last }
}
