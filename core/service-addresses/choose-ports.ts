import type { Spec } from './complete-families.ts'

/**
 * Takes a port, and answers which: `wanted`, or any when that is 0.
 * @param field of the spec that asks for it: `spec.ports[0].nodePort`
 */
export type TakePort = (wanted: number, field: string) => Promise<number>

/** Gives a service the ports on the nodes that it is to have and has not got, one after another. */
export async function choosePorts(spec: Spec, old: Spec | undefined, take: TakePort): Promise<void> {
  if (hasNodePorts(spec)) await (old ? chooseFurther(spec, old, take) : chooseFirst(spec, take))
  if (needsHealthCheck(spec) && !(old && needsHealthCheck(old))) {
    spec.healthCheckNodePort = await take(spec.healthCheckNodePort ?? 0, 'spec.healthCheckNodePort')
  }
}

/** The ports on the nodes that a service has. */
export function portsOf(spec: Spec): Set<number> {
  const ports = hasNodePorts(spec) ? (spec.ports ?? []).map(({ nodePort }) => nodePort) : []
  if (needsHealthCheck(spec)) ports.push(spec.healthCheckNodePort)
  return new Set(ports.filter((port): port is number => Boolean(port)))
}

const hasNodePorts = ({ type }: Spec) => type === 'NodePort' || type === 'LoadBalancer'

const needsHealthCheck = ({ type, externalTrafficPolicy }: Spec) =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local'

const isServed = (spec: Spec, nodePort: number | undefined) =>
  Boolean(nodePort) || spec.type === 'NodePort' || spec.allocateLoadBalancerNodePorts !== false

const fieldOf = (at: number) => `spec.ports[${at}].nodePort`

/** A number serves several protocols of the same port: 53 of TCP and of UDP. */
async function chooseFirst(spec: Spec, take: TakePort): Promise<void> {
  const ports = spec.ports ?? []
  const chosen = new Map<number, number>()
  for (const [at, one] of ports.entries()) {
    if (!isServed(spec, one.nodePort)) continue
    const known = chosen.get(one.port)
    if (known === undefined) {
      const wanted = one.nodePort || ports.find(({ port, nodePort }) => port === one.port && nodePort)?.nodePort
      one.nodePort = await take(wanted ?? 0, fieldOf(at))
      chosen.set(one.port, one.nodePort)
    } else if (!one.nodePort) one.nodePort = known
    else if (one.nodePort !== known) await take(one.nodePort, fieldOf(at))
  }
}

async function chooseFurther(spec: Spec, old: Spec, take: TakePort): Promise<void> {
  const held = portsOf({ ...old, externalTrafficPolicy: 'Cluster' })
  for (const [at, one] of (spec.ports ?? []).entries()) {
    if (!isServed(spec, one.nodePort)) continue
    if (one.nodePort && held.has(one.nodePort)) continue
    one.nodePort = await take(one.nodePort ?? 0, fieldOf(at))
    held.add(one.nodePort)
  }
}
