import type { Container, Pod } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { LinuxContainerResources } from '@keelson/apis/plugin/v1/cri.ts'
import type { DeepReadonly } from '@keelson/client'
import { quantityValue } from './quantity.ts'

/** What requests and limits mean to the kernel, and to the order in which pods go when memory runs out. All pure. */

type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort'
type AnyContainer = DeepReadonly<Container>

const counted = ['cpu', 'memory'] as const

/** @see https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/ */
export function qosClassOf(pod: DeepReadonly<Pod>): QosClass {
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]
  const amounts = (list: 'requests' | 'limits', container: AnyContainer) =>
    counted.map((name) => quantityValue(container.resources?.[list]?.[name]))
  const asksNothing = containers.every((one) =>
    [...amounts('requests', one), ...amounts('limits', one)].every((n) => n === 0),
  )
  if (asksNothing) return 'BestEffort'
  const isFixed = containers.every((one) => {
    const requests = amounts('requests', one)
    return amounts('limits', one).every((limit, at) => limit > 0 && (requests[at] === 0 || requests[at] === limit))
  })
  return isFixed ? 'Guaranteed' : 'Burstable'
}

const cpuPeriod = 100_000
const leastShares = 2
const mostShares = 262_144
const leastQuota = 1_000

export function linuxResources(
  pod: DeepReadonly<Pod>,
  container: AnyContainer,
  nodeMemory: number,
): LinuxContainerResources {
  const { requests = {}, limits = {} } = container.resources ?? {}
  const cpuLimit = quantityValue(limits.cpu)
  const memoryLimit = quantityValue(limits.memory)
  const cpuShares = Math.floor(quantityValue(requests.cpu ?? limits.cpu) * 1024)
  return {
    cpuShares: Math.min(mostShares, Math.max(leastShares, cpuShares)),
    ...(cpuLimit > 0 && { cpuPeriod, cpuQuota: Math.max(leastQuota, Math.floor(cpuLimit * cpuPeriod)) }),
    ...(memoryLimit > 0 && { memoryLimitInBytes: Math.floor(memoryLimit) }),
    oomScoreAdj: oomScore(pod, quantityValue(requests.memory ?? limits.memory), nodeMemory),
  }
}

/** The more of the node's memory a container asked for, the later it is killed; those that asked for nothing go first. */
function oomScore(pod: DeepReadonly<Pod>, memoryRequest: number, nodeMemory: number): number {
  const qos = qosClassOf(pod)
  if (qos === 'Guaranteed') return -997
  if (qos === 'BestEffort') return 1000
  return Math.min(999, Math.max(3, 1000 - Math.floor((1000 * memoryRequest) / nodeMemory)))
}

/** What a pod takes of its node: the sum of its containers, or the largest init container if that is more. */
export function podRequest(pod: DeepReadonly<Pod>, resource: string): number {
  const requestOf = (container: AnyContainer) => quantityValue(container.resources?.requests?.[resource])
  let sidecars = 0
  let largestInit = 0
  for (const init of pod.spec.initContainers ?? []) {
    if (init.restartPolicy === 'Always') sidecars += requestOf(init)
    else largestInit = Math.max(largestInit, sidecars + requestOf(init))
  }
  const main = pod.spec.containers.reduce((sum, container) => sum + requestOf(container), sidecars)
  return Math.max(main, largestInit) + quantityValue(pod.spec.overhead?.[resource])
}
