import type { NodeInfo } from '../framework/node-info.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { ResourceVector } from '../framework/resources.ts'
import type { FilterPlugin, Rejection, RequeuePlugin, ScorePlugin } from '../framework/types.ts'
import { maxScore } from '../framework/types.ts'

/** What is missing on a node for a pod, in the order Kubernetes names it; empty when it fits. */
export function missingResources(requests: ResourceVector, node: NodeInfo): string[] {
  const { allocatable, requested } = node
  const missing: string[] = []
  if (node.pods.size + 1 > node.allocatablePods) missing.push('Too many pods')
  const check = (name: string, wanted: number, free: number) => {
    if (wanted > 0 && wanted > free) missing.push(`Insufficient ${name}`)
  }
  check('cpu', requests.milliCpu, allocatable.milliCpu - requested.milliCpu)
  check('memory', requests.memory, allocatable.memory - requested.memory)
  check('ephemeral-storage', requests.ephemeralStorage, allocatable.ephemeralStorage - requested.ephemeralStorage)
  for (const [name, wanted] of requests.other) {
    check(name, wanted, (allocatable.other.get(name) ?? 0) - (requested.other.get(name) ?? 0))
  }
  return missing
}

/** Whether eviction could make room: not when the empty node would be too small. */
function couldEverFit(requests: ResourceVector, { allocatable }: NodeInfo): boolean {
  if (requests.milliCpu > allocatable.milliCpu || requests.memory > allocatable.memory) return false
  if (requests.ephemeralStorage > allocatable.ephemeralStorage) return false
  for (const [name, wanted] of requests.other) if (wanted > (allocatable.other.get(name) ?? 0)) return false
  return true
}

const fits = (pod: PodInfo, node: NodeInfo) => missingResources(pod.requests, node).length === 0

/** 0..maxScore: the share of one resource that would be left. */
function leftOver(wanted: number, allocatable: number): number {
  return wanted > allocatable ? 0 : Math.floor(((allocatable - wanted) * maxScore) / allocatable)
}

/** Never more on a node than it has; prefers the emptiest ("least allocated"), by CPU and memory. */
export const nodeResourcesFit: FilterPlugin & ScorePlugin & RequeuePlugin = {
  name: 'node-resources-fit',

  filter(_state, { requests }, node): Rejection | undefined {
    const reasons = missingResources(requests, node)
    return reasons.length ? { resolvable: couldEverFit(requests, node), reasons } : undefined
  },

  score(_state, { assumed }, { allocatable, assumed: taken }) {
    const scores: number[] = []
    if (allocatable.milliCpu) scores.push(leftOver(taken.milliCpu + assumed.milliCpu, allocatable.milliCpu))
    if (allocatable.memory) scores.push(leftOver(taken.memory + assumed.memory, allocatable.memory))
    return scores.length ? Math.floor(scores.reduce((sum, score) => sum + score, 0) / scores.length) : 0
  },

  couldHelp(pod, event) {
    switch (event.type) {
      case 'node added':
      case 'node updated':
        return fits(pod, event.node)
      case 'pod gone':
        return event.node === undefined || fits(pod, event.node)
      default:
        return false
    }
  },
}
