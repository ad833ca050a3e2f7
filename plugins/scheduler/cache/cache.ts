/**
 * The cluster as the scheduler believes it to be: nodes, the pods on them, and pods it has just decided to put there.
 * Kept up to date change by change; reading it costs nothing.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Node } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { DeepReadonly } from '@keelson/client'
import type { DisruptionBudget } from '../framework/disruption-budgets.ts'
import { NodeInfo } from '../framework/node-info.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { type Labels, noLabels } from '../framework/selectors.ts'
import type { Cluster, ClusterEvent } from '../framework/types.ts'
import { interleaveZones } from './node-order.ts'

interface Placed {
  pod: PodInfo
  node: string
}

/** Each change returns the event that waiting pods should hear of, or undefined when it is none of their business. */
export class SchedulerCache implements Cluster {
  readonly nodesWithDrawingPods = new Set<NodeInfo>()
  readonly nodesWithAntiAffinity = new Set<NodeInfo>()
  readonly namespaceLabels = (namespace: string): Labels => this.#namespaces.get(namespace) ?? noLabels

  readonly #budgets = new Map<string, DisruptionBudget>()
  readonly #nodes = new Map<string, NodeInfo>()
  readonly #placed = new Map<string, Placed>()
  /** Pods of nodes that are not known (yet, or any more), by node. */
  readonly #homeless = new Map<string, Map<string, PodInfo>>()
  readonly #images = new Map<string, number>()
  readonly #namespaces = new Map<string, Labels>()
  #ordered: NodeInfo[] | undefined

  get nodes(): readonly NodeInfo[] {
    this.#ordered ??= interleaveZones(this.#nodes.values())
    return this.#ordered
  }

  node(name: string): NodeInfo | undefined {
    return this.#nodes.get(name)
  }

  imageSpread(image: string): number {
    return this.#images.get(image) ?? 0
  }

  get budgets(): readonly DisruptionBudget[] {
    return [...this.#budgets.values()]
  }

  setBudget(uid: string, budget: DisruptionBudget): void {
    this.#budgets.set(uid, budget)
  }

  removeBudget(uid: string): void {
    this.#budgets.delete(uid)
  }

  setNamespace(name: string, labels: Labels): ClusterEvent | undefined {
    const known = this.#namespaces.get(name)
    this.#namespaces.set(name, labels)
    return isDeepStrictEqual(known, labels) ? undefined : { type: 'namespace updated', name }
  }

  removeNamespace(name: string): void {
    this.#namespaces.delete(name)
  }

  setNode(object: DeepReadonly<Node>): ClusterEvent | undefined {
    const known = this.#nodes.get(object.metadata.name ?? '')
    return known ? this.#updateNode(known, object) : this.#addNode(object)
  }

  removeNode(name: string): void {
    const node = this.#nodes.get(name)
    if (!node) return
    this.#nodes.delete(name)
    this.#ordered = undefined
    this.#countImages(node, -1)
    this.nodesWithDrawingPods.delete(node)
    this.nodesWithAntiAffinity.delete(node)
    if (node.pods.size) this.#homeless.set(name, new Map(node.pods))
  }

  /** Puts the pod on the node; a decision of ours that the server confirms is no news. */
  place(pod: PodInfo, node: string): ClusterEvent | undefined {
    const known = this.#placed.get(pod.uid)
    if (known) this.#detach(known)
    this.#placed.set(pod.uid, { pod, node })
    this.#attach(pod, node)
    const isNews = known?.node !== node || !isDeepStrictEqual(known.pod.labels, pod.labels)
    return isNews ? { type: 'pod placed', pod, node: this.node(node) } : undefined
  }

  /** Takes the pod off its node. */
  remove(uid: string): ClusterEvent | undefined {
    const known = this.#placed.get(uid)
    if (!known) return undefined
    this.#placed.delete(uid)
    this.#detach(known)
    return { type: 'pod gone', pod: known.pod, node: this.node(known.node) }
  }

  #addNode(object: DeepReadonly<Node>): ClusterEvent {
    const node = new NodeInfo(object)
    this.#nodes.set(node.name, node)
    this.#ordered = undefined
    this.#countImages(node, 1)
    const waiting = this.#homeless.get(node.name)
    this.#homeless.delete(node.name)
    for (const pod of waiting?.values() ?? []) node.addPod(pod)
    this.#indexAffinity(node)
    return { type: 'node added', node }
  }

  #updateNode(node: NodeInfo, object: DeepReadonly<Node>): ClusterEvent | undefined {
    const old = node.node
    this.#countImages(node, -1)
    node.setNode(object)
    this.#countImages(node, 1)
    if (!isDeepStrictEqual(old.metadata.labels, object.metadata.labels)) this.#ordered = undefined
    return isSameToSchedulers(old, object) ? undefined : { type: 'node updated', node }
  }

  #countImages(node: NodeInfo, change: 1 | -1): void {
    for (const image of node.images.keys()) {
      const count = this.imageSpread(image) + change
      if (count > 0) this.#images.set(image, count)
      else this.#images.delete(image)
    }
  }

  #attach(pod: PodInfo, name: string): void {
    const node = this.#nodes.get(name)
    if (node) {
      node.addPod(pod)
      this.#indexAffinity(node)
    } else {
      const waiting = this.#homeless.get(name) ?? new Map<string, PodInfo>()
      this.#homeless.set(name, waiting.set(pod.uid, pod))
    }
  }

  #detach({ pod, node: name }: Placed): void {
    const node = this.#nodes.get(name)
    if (node) {
      node.removePod(pod.uid)
      this.#indexAffinity(node)
      return
    }
    const waiting = this.#homeless.get(name)
    waiting?.delete(pod.uid)
    if (!waiting?.size) this.#homeless.delete(name)
  }

  #indexAffinity(node: NodeInfo): void {
    if (node.drawingPods.size) this.nodesWithDrawingPods.add(node)
    else this.nodesWithDrawingPods.delete(node)
    if (node.podsWithAntiAffinity.size) this.nodesWithAntiAffinity.add(node)
    else this.nodesWithAntiAffinity.delete(node)
  }
}

function isSameToSchedulers(a: DeepReadonly<Node>, b: DeepReadonly<Node>): boolean {
  return (
    isDeepStrictEqual(a.spec, b.spec) &&
    isDeepStrictEqual(a.metadata.labels, b.metadata.labels) &&
    isDeepStrictEqual(a.status?.allocatable, b.status?.allocatable)
  )
}
