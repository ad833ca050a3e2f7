import { type Labels, labelOf } from '../framework/selectors.ts'

const regionLabel = 'topology.kubernetes.io/region'
const zoneLabel = 'topology.kubernetes.io/zone'

/** Nodes of different zones take turns, so that looking at a part of the list looks at all zones. Pure. */
export function interleaveZones<N extends { readonly labels: Labels }>(nodes: Iterable<N>): N[] {
  const zones = new Map<string, N[]>()
  for (const node of nodes) {
    const zone = `${labelOf(node.labels, regionLabel) ?? ''}\0${labelOf(node.labels, zoneLabel) ?? ''}`
    const members = zones.get(zone)
    if (members) members.push(node)
    else zones.set(zone, [node])
  }
  const lists = [...zones.values()]
  const longest = Math.max(0, ...lists.map((list) => list.length))
  const ordered: N[] = []
  for (let turn = 0; turn < longest; turn++) {
    for (const list of lists) if (turn < list.length) ordered.push(list[turn]!)
  }
  return ordered
}
