import { addQuantities, compareQuantities, formatQuantity, parseQuantity } from '../../meta/v1/quantity.ts'
import type { Quantity } from '../../meta/v1/zz_generated.types.ts'
import { defaultPullPolicy } from './image-reference.ts'
import { amountOf } from './validate-resources.ts'
import type { Container, Pod, PodSpec, ResourceRequirements, Volume } from './zz_generated.types.ts'

type Resources = Record<string, Quantity>

/** Fills what depends on other fields in the spec of a pod and of a pod template. */
export function defaultPodSpec(spec: PodSpec): void {
  for (const container of everyContainer(spec)) container.imagePullPolicy ||= defaultPullPolicy(container.image)
  for (const volume of spec.volumes ?? []) defaultVolume(volume)
  syncServiceAccount(spec)
}

/** Fills what pods have beyond their templates: requests, and host ports on the host's network. */
export function defaultPod({ spec }: Pod): void {
  if (!spec) return
  defaultPodSpec(spec)
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])]
  for (const { resources } of containers) if (resources) defaultRequests(resources)
  defaultPodRequests(spec)
  if (spec.hostNetwork) for (const container of containers) defaultHostPorts(container)
}

/** The old name of serviceAccountName goes with it. */
export function syncServiceAccount(spec: PodSpec): void {
  const name = spec.serviceAccountName || spec.serviceAccount
  if (!name) return
  spec.serviceAccountName = name
  spec.serviceAccount = name
}

/** Every container of a pod, of whichever list. */
export function everyContainer(spec: PodSpec): Container[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])]
}

function defaultVolume(volume: Volume): void {
  if (Object.keys(volume).every((field) => field === 'name')) volume.emptyDir = {}
  if (volume.image) volume.image.pullPolicy ||= defaultPullPolicy(volume.image.reference)
}

function defaultRequests(resources: ResourceRequirements): void {
  if (resources.limits) resources.requests = { ...resources.limits, ...resources.requests }
}

function defaultHostPorts({ ports }: Container): void {
  for (const port of ports ?? []) port.hostPort ||= port.containerPort
}

const overcommittable = ['cpu', 'memory'] as const

/**
 * Requests of the pod as a whole, where it has limits: what its containers need, or else the limits.
 * @see https://kep.k8s.io/2837
 */
function defaultPodRequests(spec: PodSpec): void {
  const { resources } = spec
  if (!resources?.limits || Object.keys(resources.limits).length === 0) return
  const requests: Resources = { ...resources.requests }
  for (const name of overcommittable) {
    const needed = requests[name] === undefined ? neededByContainers(spec, name) : undefined
    if (needed !== undefined) requests[name] = needed
  }
  resources.requests = { ...resources.limits, ...requests }
}

/**
 * What containers request together: those that run side by side add up, and the greatest init container counts when it
 * needs more than all that run after it.
 */
function neededByContainers(spec: PodSpec, name: string): string | undefined {
  const zero = parseQuantity('0')
  let sidecars = zero
  let greatestInit = zero
  let found = false
  const requestOf = (container: Container) => {
    const amount = amountOf(container.resources?.requests?.[name])
    if (amount) found = true
    return amount ?? zero
  }
  for (const container of spec.initContainers ?? []) {
    const request = addQuantities(sidecars, requestOf(container))
    if (container.restartPolicy === 'Always') sidecars = request
    if (compareQuantities(request, greatestInit) > 0) greatestInit = request
  }
  const running = (spec.containers ?? []).reduce((sum, container) => addQuantities(sum, requestOf(container)), sidecars)
  const needed = compareQuantities(running, greatestInit) < 0 ? greatestInit : running
  return found ? formatQuantity(needed) : undefined
}
