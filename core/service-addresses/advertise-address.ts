import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import { parseIp } from '#apis/meta/v1/ip.ts'
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
  if (bound !== '0.0.0.0' && bound !== '::') return parseIp(bound) && isReachable(bound) ? bound : undefined
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? [])
  const usable = all.filter(({ internal, address }) => !internal && isReachable(address))
  return (usable.find((one) => one.family === family) ?? usable[0])?.address
}

/** Whether an address may stand for more than this machine. */
export function isReachable(address: string): boolean {
  return !/^(127\.|169\.254\.|0\.0\.0\.0$|22[4-9]\.|23\d\.|::$|::1$|fe[89ab][0-9a-f]:|ff)/i.test(address)
}
