import { hostPorts } from './container-config.ts'
import type { PodObject } from './model.ts'
import { isTerminalPhase } from './model.ts'
import { quantityValue } from './quantity.ts'
import { podRequest } from './resources.ts'

/** Why this node cannot run a pod; undefined when it can. A scheduler knows better, but pods may come without one. Pure. */
export function refusalOf(
  pod: PodObject,
  others: readonly PodObject[],
  allocatable: Readonly<Record<string, string>>,
): { reason: string; message: string } | undefined {
  const active = others.filter((other) => !isTerminalPhase(other))
  return lacking(pod, active, allocatable) ?? conflictingPorts(pod, active)
}

const resources = [
  { name: 'cpu', reason: 'OutOfcpu' },
  { name: 'memory', reason: 'OutOfmemory' },
] as const

function lacking(pod: PodObject, active: readonly PodObject[], allocatable: Readonly<Record<string, string>>) {
  const places = quantityValue(allocatable.pods ?? '110')
  if (active.length >= places) return refuse('OutOfpods', 'pods', 1, active.length, places)
  for (const { name, reason } of resources) {
    const capacity = quantityValue(allocatable[name])
    const wanted = podRequest(pod, name)
    const used = active.reduce((sum, other) => sum + podRequest(other, name), 0)
    if (wanted > 0 && used + wanted > capacity * (1 + 1e-9)) return refuse(reason, name, wanted, used, capacity)
  }
  return undefined
}

function refuse(reason: string, resource: string, requested: number, used: number, capacity: number) {
  const unit = resource === 'cpu' ? 1000 : 1
  const [wanted, taken, all] = [requested, used, capacity].map((amount) => Math.round(amount * unit))
  const numbers = `requested: ${wanted}, used: ${taken}, capacity: ${all}`
  return { reason, message: `Pod was rejected: Node didn't have enough resource: ${resource}, ${numbers}` }
}

function conflictingPorts(pod: PodObject, active: readonly PodObject[]) {
  const portsOf = (of: PodObject) => (of.spec.hostNetwork ? hostNetworkPorts(of) : hostPorts(of))
  const taken = active.flatMap(portsOf)
  const clash = portsOf(pod).some((port) =>
    taken.some(
      (other) =>
        other.hostPort === port.hostPort &&
        other.protocol === port.protocol &&
        (anyAddress(other.hostIp) || anyAddress(port.hostIp) || other.hostIp === port.hostIp),
    ),
  )
  const message =
    "Pod was rejected: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"
  return clash ? { reason: 'NodePorts', message } : undefined
}

const anyAddress = (ip: string | undefined) => !ip || ip === '0.0.0.0' || ip === '::'

function hostNetworkPorts({ spec }: PodObject): ReturnType<typeof hostPorts> {
  const ports = spec.containers.flatMap((container) => container.ports ?? [])
  return ports.map(({ protocol = 'TCP', containerPort, hostIP }) => {
    return { protocol, containerPort, hostPort: containerPort, ...(hostIP && { hostIp: hostIP }) }
  })
}
