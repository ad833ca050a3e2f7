import type { NodeInfo } from '../framework/node-info.ts'
import { labelOf } from '../framework/selectors.ts'

/** A number for each value of each topology key: how many pods in `zone=a`, how many in `zone=b`. */
export class TopologyCounts {
  readonly #counts = new Map<string, Map<string, number>>()

  /** Adds to the domain the node is in; a node without the label is in none. */
  add(topologyKey: string, node: NodeInfo, amount: number): void {
    const value = labelOf(node.labels, topologyKey)
    if (value === undefined) return
    const domains = this.#counts.get(topologyKey) ?? new Map<string, number>()
    domains.set(value, (domains.get(value) ?? 0) + amount)
    this.#counts.set(topologyKey, domains)
  }

  /** Of the domain the node is in; 0 when it is in none. */
  at(topologyKey: string, node: NodeInfo): number {
    const value = labelOf(node.labels, topologyKey)
    return value === undefined ? 0 : (this.#counts.get(topologyKey)?.get(value) ?? 0)
  }

  /** Over all topology keys: the sum of the node's domains. */
  total(node: NodeInfo): number {
    let sum = 0
    for (const key of this.#counts.keys()) sum += this.at(key, node)
    return sum
  }

  someAt(node: NodeInfo): boolean {
    for (const key of this.#counts.keys()) if (this.at(key, node) > 0) return true
    return false
  }

  get isEmpty(): boolean {
    return this.#counts.size === 0
  }

  /** True when every domain counts zero. */
  get isZero(): boolean {
    for (const domains of this.#counts.values()) {
      for (const count of domains.values()) if (count !== 0) return false
    }
    return true
  }

  clone(): TopologyCounts {
    const copy = new TopologyCounts()
    for (const [key, domains] of this.#counts) copy.#counts.set(key, new Map(domains))
    return copy
  }
}
