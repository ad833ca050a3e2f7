import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'

/** What the figures were measured on. Others at work on the machine show in its load. */
export interface Machine {
  cores: number
  processor: string
  memoryGigabytes: number
  load: number
  node: string
  platform: string
}

export function thisMachine(): Machine {
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? 'unknown processor',
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    load: loadavg()[0]!,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
  }
}

export function formatMachine({ cores, processor, memoryGigabytes, load, node, platform }: Machine): string {
  return `${cores} cores (${processor}), ${memoryGigabytes} GB, ${platform}, node ${node}, load ${load.toFixed(1)} at the start`
}
