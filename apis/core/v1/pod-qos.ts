import { compareQuantities } from '../../meta/v1/quantity.ts'
import type { Quantity } from '../../meta/v1/zz_generated.types.ts'
import { amountOf } from './validate-resources.ts'
import type { PodSpec, ResourceRequirements } from './zz_generated.types.ts'

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort'

const counted = ['cpu', 'memory'] as const

/**
 * How well a pod is protected when its node runs out of memory: Guaranteed when every container has limits equal to its
 * requests for CPU and memory, BestEffort when none asks for either.
 * @see https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
 */
export function qosClassOf(spec: PodSpec): QosClass {
  const all = asks(spec.resources) ? [spec.resources] : containerResources(spec)
  if (!all.some(asks)) return 'BestEffort'
  return all.every(isGuaranteed) ? 'Guaranteed' : 'Burstable'
}

const containerResources = (spec: PodSpec) =>
  [...(spec.initContainers ?? []), ...(spec.containers ?? [])].map((container) => container.resources)

function asks(resources: ResourceRequirements | undefined): boolean {
  return counted.some((name) => isPositive(resources?.requests?.[name]) || isPositive(resources?.limits?.[name]))
}

function isGuaranteed(resources: ResourceRequirements | undefined): boolean {
  return counted.every((name) => {
    const limit = amountOf(resources?.limits?.[name])
    const request = amountOf(resources?.requests?.[name]) ?? limit
    return limit !== undefined && limit.nano > 0n && compareQuantities(limit, request!) === 0
  })
}

function isPositive(quantity: Quantity | undefined): boolean {
  return (amountOf(quantity)?.nano ?? 0n) > 0n
}
