/** A node and what runs on it, kept up to date pod by pod so that no scheduling cycle has to add anything up. */
import type { Node, Taint } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { DeepReadonly } from '@keelson/client'
import type { HostPort, PodInfo } from './pod-info.ts'
import {
  addTo,
  cloneVector,
  emptyVector,
  parseQuantity,
  type ResourceList,
  type ResourceVector,
  vectorOf,
} from './resources.ts'
import { type Labels, noLabels } from './selectors.ts'

export class NodeInfo {
  readonly name: string
  node: DeepReadonly<Node>
  labels: Labels
  taints: readonly DeepReadonly<Taint>[]
  isUnschedulable: boolean
  allocatable: ResourceVector
  allocatablePods: number
  /** Image name to size in bytes. */
  images: ReadonlyMap<string, number>

  readonly requested: ResourceVector
  /** Sum of the pods' `assumed`; only scores use it. */
  readonly assumed: ResourceVector
  /** By uid. */
  readonly pods: Map<string, PodInfo>
  /** Those of `pods` that want, or would rather not have, certain pods near them: their wishes count in scores. */
  readonly drawingPods: Set<PodInfo>
  readonly podsWithAntiAffinity: Set<PodInfo>
  /** `protocol/port` to the addresses in use, with how many pods use each. */
  readonly #ports: Map<string, Map<string, number>>

  constructor(node: DeepReadonly<Node>) {
    this.name = node.metadata.name ?? ''
    this.requested = emptyVector()
    this.assumed = emptyVector()
    this.pods = new Map()
    this.drawingPods = new Set()
    this.podsWithAntiAffinity = new Set()
    this.#ports = new Map()
    this.node = node
    this.labels = noLabels
    this.taints = []
    this.isUnschedulable = false
    this.allocatable = emptyVector()
    this.allocatablePods = 0
    this.images = new Map()
    this.setNode(node)
  }

  /** Takes over a newer state of the same node; its pods stay. */
  setNode(node: DeepReadonly<Node>): void {
    const allocatable = node.status?.allocatable as ResourceList | undefined
    this.node = node
    this.labels = node.metadata.labels ?? noLabels
    this.taints = node.spec?.taints ?? []
    this.isUnschedulable = node.spec?.unschedulable ?? false
    this.allocatable = vectorOf(allocatable)
    this.allocatablePods = parseQuantity(allocatable?.pods ?? 0)
    this.images = new Map(
      (node.status?.images ?? []).flatMap((image) =>
        (image.names ?? []).map((name): [string, number] => [name, image.sizeBytes ?? 0]),
      ),
    )
  }

  addPod(pod: PodInfo): void {
    this.pods.set(pod.uid, pod)
    addTo(this.requested, pod.requests)
    addTo(this.assumed, pod.assumed)
    for (const port of pod.ports) this.#countPort(port, 1)
    if (isDrawing(pod)) this.drawingPods.add(pod)
    if (pod.antiAffinity.length) this.podsWithAntiAffinity.add(pod)
  }

  /** Does nothing when the pod is not here. */
  removePod(uid: string): void {
    const pod = this.pods.get(uid)
    if (!pod) return
    this.pods.delete(uid)
    addTo(this.requested, pod.requests, -1)
    addTo(this.assumed, pod.assumed, -1)
    for (const port of pod.ports) this.#countPort(port, -1)
    this.drawingPods.delete(pod)
    this.podsWithAntiAffinity.delete(pod)
  }

  /** True when the port is taken on this address, or on all of them, or wanted on all of them and taken on one. */
  hasPort({ ip, protocol, port }: HostPort): boolean {
    const addresses = this.#ports.get(`${protocol}/${port}`)
    if (!addresses) return false
    return ip === '0.0.0.0' || addresses.has(ip) || addresses.has('0.0.0.0')
  }

  /** A copy to try things out on. */
  clone(): NodeInfo {
    const copy = new NodeInfo(this.node)
    for (const pod of this.pods.values()) copy.addPod(pod)
    return copy
  }

  /** What is left of each resource. */
  free(): ResourceVector {
    const free = cloneVector(this.allocatable)
    addTo(free, this.requested, -1)
    return free
  }

  #countPort({ ip, protocol, port }: HostPort, change: 1 | -1): void {
    const key = `${protocol}/${port}`
    const addresses = this.#ports.get(key) ?? new Map<string, number>()
    const count = (addresses.get(ip) ?? 0) + change
    if (count > 0) addresses.set(ip, count)
    else addresses.delete(ip)
    if (addresses.size) this.#ports.set(key, addresses)
    else this.#ports.delete(key)
  }
}

/** Anti-affinity that is required draws nobody: it is in `podsWithAntiAffinity`. */
function isDrawing(pod: PodInfo): boolean {
  return pod.affinity.length + pod.preferredAffinity.length + pod.preferredAntiAffinity.length > 0
}
