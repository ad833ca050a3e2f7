/** The built-in plugins: their order, which is also the order of the filters (cheap and decisive first), and weights. */
import type { EnabledPlugin } from '../framework/framework.ts'
import type { Plugin, PluginContext } from '../framework/types.ts'
import { defaultBinder } from './default-binder.ts'
import { defaultPreemption } from './default-preemption.ts'
import { imageLocality } from './image-locality.ts'
import { interPodAffinity } from './inter-pod-affinity.ts'
import { nodeAffinity } from './node-affinity.ts'
import { nodeName } from './node-name.ts'
import { nodePorts } from './node-ports.ts'
import { nodeResourcesBalancedAllocation } from './node-resources-balanced-allocation.ts'
import { nodeResourcesFit } from './node-resources-fit.ts'
import { nodeUnschedulable } from './node-unschedulable.ts'
import { podTopologySpread } from './pod-topology-spread.ts'
import { prioritySort } from './priority-sort.ts'
import { schedulingGates } from './scheduling-gates.ts'
import { taintToleration } from './taint-toleration.ts'

interface Registered {
  build(context: PluginContext): Plugin
  weight: number
}

const always = (plugin: Plugin, weight = 1): Registered => ({ build: () => plugin, weight })

const registry: readonly Registered[] = [
  always(schedulingGates),
  always(prioritySort),
  always(nodeUnschedulable),
  always(nodeName),
  always(taintToleration, 3),
  always(nodeAffinity, 2),
  always(nodePorts),
  always(nodeResourcesFit),
  always(podTopologySpread, 2),
  always(interPodAffinity, 2),
  always(nodeResourcesBalancedAllocation),
  always(imageLocality),
  { build: defaultPreemption, weight: 1 },
  { build: defaultBinder, weight: 1 },
]

export interface PluginChoice {
  /** Names to leave out. */
  disabled: ReadonlySet<string>
  /** By name, in place of the built-in weights. */
  weights: ReadonlyMap<string, number>
}

export const allBuiltins: PluginChoice = { disabled: new Set(), weights: new Map() }

/** @throws when the choice names a plugin there is none of */
export function buildPlugins(context: PluginContext, { disabled, weights }: PluginChoice): EnabledPlugin[] {
  const built = registry.map(({ build, weight }) => ({ plugin: build(context), weight }))
  const names = new Set(built.map(({ plugin }) => plugin.name))
  for (const name of [...disabled, ...weights.keys()]) {
    if (!names.has(name)) throw new Error(`no scheduler plugin is named ${JSON.stringify(name)}`)
  }
  return built
    .filter(({ plugin }) => !disabled.has(plugin.name))
    .map(({ plugin, weight }) => ({ plugin, weight: weights.get(plugin.name) ?? weight }))
}
