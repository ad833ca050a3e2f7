import { addQuantities, compareQuantities, type Quantity } from '../../meta/v1/quantity.ts'
import { type Amounts, readAmounts, type WrittenAmounts, zero } from './amounts.ts'
import { containerTotal, type Sums } from './container-total.ts'
import { isHugePages } from './resource-names.ts'
import type { Container, ContainerStatus, Pod, PodSpec } from './zz_generated.types.ts'

/**
 * What a pod needs as a whole: what the pod itself says takes the place of what its containers need, and the overhead of its
 * runtime comes on top.
 */
export function podRequests({ spec, status }: Pod): Amounts {
  if (!spec) return new Map()
  const standing = statusesByName(status?.containerStatuses, status?.initContainerStatuses)
  const total = addUp(spec, (container) => requestsOf(container, standing.get(container.name)))
  setPodLevel(total, spec.resources?.requests)
  for (const [name, amount] of readAmounts(spec.overhead))
    total.set(name, addQuantities(total.get(name) ?? zero, amount))
  return total
}

/** The most that a pod may use, of what it has limits for. Overhead counts only there. */
export function podLimits({ spec }: Pod): Amounts {
  if (!spec) return new Map()
  const total = addUp(spec, ({ resources }) => readAmounts(resources?.limits))
  setPodLevel(total, spec.resources?.limits)
  for (const [name, amount] of readAmounts(spec.overhead)) {
    const limit = total.get(name)
    if (limit) total.set(name, addQuantities(limit, amount))
  }
  return total
}

function addUp(spec: PodSpec, of: (container: Container) => Amounts): Map<string, Quantity> {
  return containerTotal(spec, (container) => new Map(of(container)), sums)
}

/** While a container is resized it counts as what it has, what it was promised or what it shall have, whichever is more. */
function requestsOf({ resources }: Container, status: ContainerStatus | undefined): Amounts {
  const wanted = readAmounts(resources?.requests)
  if (!status?.resources?.requests && !status?.allocatedResources) return wanted
  const most = new Map(wanted)
  raiseTo(most, readAmounts(status.resources?.requests))
  raiseTo(most, readAmounts(status.allocatedResources))
  return most
}

function statusesByName(...lists: (readonly ContainerStatus[] | undefined)[]): Map<string, ContainerStatus> {
  return new Map(lists.flatMap((list) => list ?? []).map((status) => [status.name, status]))
}

function setPodLevel(total: Map<string, Quantity>, written: WrittenAmounts | undefined): void {
  for (const [name, amount] of readAmounts(written)) {
    if (name === 'cpu' || name === 'memory' || isHugePages(name)) total.set(name, amount)
  }
}

function addTo(total: Map<string, Quantity>, amounts: Amounts): void {
  for (const [name, amount] of amounts) total.set(name, addQuantities(total.get(name) ?? zero, amount))
}

function raiseTo(total: Map<string, Quantity>, least: Amounts): void {
  for (const [name, amount] of least) {
    const known = total.get(name)
    if (!known || compareQuantities(known, amount) < 0) total.set(name, amount)
  }
}

const sums: Sums<Map<string, Quantity>> = { none: () => new Map(), addTo, raiseTo }
