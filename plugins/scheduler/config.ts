import type { PluginChoice } from './builtin/registry.ts'

/** What config.schema.json allows, read into the shapes the scheduler works with. */
export interface SchedulerConfig {
  schedulerName: string
  /** 0: chosen by the size of the cluster. */
  percentageOfNodesToScore: number
  plugins: PluginChoice
}

/** @param config valid against config.schema.json; defaults need not be filled in */
export function readConfig(config: Readonly<Record<string, unknown>>): SchedulerConfig {
  const {
    schedulerName = 'default-scheduler',
    percentageOfNodesToScore = 0,
    disabledPlugins = [],
    weights = {},
  } = config
  return {
    schedulerName: String(schedulerName),
    percentageOfNodesToScore: Number(percentageOfNodesToScore),
    plugins: {
      disabled: new Set(disabledPlugins as string[]),
      weights: new Map(Object.entries(weights as Record<string, number>)),
    },
  }
}
