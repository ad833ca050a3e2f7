/**
 * Amounts of resources as plain numbers, parsed once and then only added and compared: scheduling a pod looks at
 * thousands of them. CPU in thousandths of a core, everything else in units (bytes, devices). Pure.
 */
import { containerTotal, type Sums } from '@keelson/apis/core/v1/container-total.ts'
import type { Pod, ResourceRequirements } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { DeepReadonly } from '@keelson/client'

/** A quantity per resource. `other` holds extended resources and huge pages, by name. */
export interface ResourceVector {
  milliCpu: number
  memory: number
  ephemeralStorage: number
  other: Map<string, number>
}

/** What requests are written in: `{ cpu: '500m', memory: '1Gi' }`. */
export type ResourceList = Readonly<Record<string, string | number>>

const multipliers: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['n', 1e-9],
  ['u', 1e-6],
  ['m', 1e-3],
  ['k', 1e3],
  ['M', 1e6],
  ['G', 1e9],
  ['T', 1e12],
  ['P', 1e15],
  ['E', 1e18],
  ['Ki', 2 ** 10],
  ['Mi', 2 ** 20],
  ['Gi', 2 ** 30],
  ['Ti', 2 ** 40],
  ['Pi', 2 ** 50],
  ['Ei', 2 ** 60],
])

const quantityPattern = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([A-Za-z]{0,2}))$/

/** Parts of a thousand are rounded up so that a request is never counted as less than it is. */
function roundUp(value: number): number {
  const nearest = Math.round(value)
  return Math.abs(value - nearest) < 1e-6 ? nearest : Math.ceil(value)
}

/**
 * Reads a Kubernetes quantity: `100m`, `1.5Gi`, `12e6`.
 * @param scale what one unit counts as: 1000 for thousandths
 * @throws when it is none; the API server lets none through
 */
export function parseQuantity(text: string | number, scale = 1): number {
  if (typeof text === 'number') return roundUp(text * scale)
  const match = quantityPattern.exec(text)
  const multiplier = match?.[2] ? Number(`1${match[2]}`) : multipliers.get(match?.[3] ?? '')
  if (!match || multiplier === undefined) throw new Error(`not a quantity: ${JSON.stringify(text)}`)
  return roundUp(Number(match[1]) * multiplier * scale)
}

export function emptyVector(): ResourceVector {
  return { milliCpu: 0, memory: 0, ephemeralStorage: 0, other: new Map() }
}

/** A vector of its own; `pods` is no resource that can be requested and is left out. */
export function vectorOf(list: ResourceList | undefined): ResourceVector {
  const vector = emptyVector()
  for (const [name, quantity] of Object.entries(list ?? {})) {
    if (name === 'cpu') vector.milliCpu = parseQuantity(quantity, 1000)
    else if (name === 'memory') vector.memory = parseQuantity(quantity)
    else if (name === 'ephemeral-storage') vector.ephemeralStorage = parseQuantity(quantity)
    else if (name !== 'pods') vector.other.set(name, parseQuantity(quantity))
  }
  return vector
}

export function cloneVector(of: ResourceVector): ResourceVector {
  return { ...of, other: new Map(of.other) }
}

/** Adds `amount` to `to`, `sign` times: -1 takes it away. Changes `to`. */
export function addTo(to: ResourceVector, amount: ResourceVector, sign: 1 | -1 = 1): void {
  to.milliCpu += sign * amount.milliCpu
  to.memory += sign * amount.memory
  to.ephemeralStorage += sign * amount.ephemeralStorage
  for (const [name, value] of amount.other) to.other.set(name, (to.other.get(name) ?? 0) + sign * value)
}

/** Raises each amount of `to` to at least that of `floor`. Changes `to`. */
export function raiseTo(to: ResourceVector, floor: ResourceVector): void {
  to.milliCpu = Math.max(to.milliCpu, floor.milliCpu)
  to.memory = Math.max(to.memory, floor.memory)
  to.ephemeralStorage = Math.max(to.ephemeralStorage, floor.ephemeralStorage)
  for (const [name, value] of floor.other) to.other.set(name, Math.max(to.other.get(name) ?? 0, value))
}

/** What scoring assumes of a container that requests nothing, so that such pods spread too. */
const assumed = { cpu: '100m', memory: '200Mi' } as const

type Container = DeepReadonly<{ restartPolicy?: string; resources?: ResourceRequirements }>

const requestsOf = (container: Container, defaults?: ResourceList): ResourceVector =>
  vectorOf({ ...defaults, ...(container.resources?.requests as ResourceList | undefined) })

/**
 * What a pod needs of its node: requests of the pod as a whole take the place of what its containers need, and the
 * runtime's overhead comes on top.
 */
export function podRequests(spec: DeepReadonly<Pod>['spec']): ResourceVector {
  return sumRequests(spec, undefined)
}

/** As `podRequests`, with what scoring assumes where a container says nothing of CPU or memory. */
export function assumedRequests(spec: DeepReadonly<Pod>['spec']): ResourceVector {
  return sumRequests(spec, assumed)
}

const sums: Sums<ResourceVector> = { none: emptyVector, addTo, raiseTo }

function sumRequests(spec: DeepReadonly<Pod>['spec'], defaults: ResourceList | undefined): ResourceVector {
  const total = containerTotal<Container, ResourceVector>(spec ?? {}, (one) => requestsOf(one, defaults), sums)
  overrideWith(total, spec?.resources?.requests as ResourceList | undefined)
  addTo(total, vectorOf(spec?.overhead as ResourceList | undefined))
  return total
}

function overrideWith(total: ResourceVector, podLevel: ResourceList | undefined): void {
  if (!podLevel) return
  const whole = vectorOf(podLevel)
  if (podLevel.cpu !== undefined) total.milliCpu = whole.milliCpu
  if (podLevel.memory !== undefined) total.memory = whole.memory
  for (const [name, value] of whole.other) total.other.set(name, value)
}
