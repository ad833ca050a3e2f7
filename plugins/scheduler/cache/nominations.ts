import type { PodInfo } from '../framework/pod-info.ts'

/** Which pods are to come to which node once the pods evicted for them are gone. */
export class Nominations {
  readonly #byNode = new Map<string, Map<string, PodInfo>>()
  readonly #nodeOf = new Map<string, string>()

  set(pod: PodInfo, node: string): void {
    this.delete(pod.uid)
    const pods = this.#byNode.get(node) ?? new Map<string, PodInfo>()
    this.#byNode.set(node, pods.set(pod.uid, pod))
    this.#nodeOf.set(pod.uid, node)
  }

  delete(uid: string): void {
    const node = this.#nodeOf.get(uid)
    if (node === undefined) return
    this.#nodeOf.delete(uid)
    const pods = this.#byNode.get(node)
    pods?.delete(uid)
    if (!pods?.size) this.#byNode.delete(node)
  }

  nodeOf(uid: string): string | undefined {
    return this.#nodeOf.get(uid)
  }

  /** Those on the node that `pod` may not push aside: other pods of its own or a higher priority. */
  ahead(pod: PodInfo, node: string): PodInfo[] {
    const pods = this.#byNode.get(node)
    if (!pods) return []
    return [...pods.values()].filter((other) => other.uid !== pod.uid && other.priority >= pod.priority)
  }
}
