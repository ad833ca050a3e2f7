import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import { reachableIpErrors } from '#apis/meta/v1/ip.ts'
import type { IpFamily } from './ip-range.ts'

/** What `networkInterfaces` of node:os gives. */
export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>

/**
 * The address under which the rest of the cluster reaches this server: the one it was told, or the one it is bound to, or,
 * bound to all, the first of the machine.
 * @param family preferred when there is a choice
 * @returns undefined when there is none that another machine could use: a loopback address is none
 */
export function advertiseAddress(
  { told, bound }: { told: string | undefined; bound: string },
  family: IpFamily,
  interfaces: Interfaces = networkInterfaces(),
): string | undefined {
  if (told !== undefined) return told
  if (bound !== '0.0.0.0' && bound !== '::') return isReachable(bound) ? bound : undefined
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? [])
  const usable = all.filter(({ internal, address }) => !internal && isReachable(address))
  return (usable.find((one) => one.family === family) ?? usable[0])?.address
}

/** Whether an address may stand in Endpoints: by others, no other machine gets here. */
const isReachable = (address: string) => reachableIpErrors('', address).length === 0
