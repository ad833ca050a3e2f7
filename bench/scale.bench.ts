import { setTimeout as sleep } from 'node:timers/promises'
import type { Figure } from './figure.ts'
import { fill } from './fill.ts'
import { processTree, residentMegabytes } from './process-tree.ts'
import { scratch, startKeelson } from './servers.ts'

const objects = 100_000
/** Long enough for what the work has left behind to be collected. */
const settleMs = 20_000

/** 100,000 objects of 2 KB: what they cost in memory, written and loaded, and how long a restart with them takes. */
export async function scaleBench(): Promise<Figure[]> {
  const { directory, remove } = scratch()
  try {
    const written = await withServer(directory, (keelson) => fill(keelson, objects))
    const loaded = await withServer(directory)
    const goal = { atMost: 500 }
    const count = objects.toLocaleString('en')
    return [
      { what: `${count} x 2 KB written, resident`, value: written.megabytes, unit: 'MB', goal },
      { what: `${count} x 2 KB loaded, resident`, value: loaded.megabytes, unit: 'MB', goal },
      { what: `restart to ready with ${count} x 2 KB`, value: loaded.readyMs / 1000, unit: 's', goal: { atMost: 5 } },
    ]
  } finally {
    remove()
  }
}

async function withServer(
  directory: string,
  work?: (keelson: Awaited<ReturnType<typeof startKeelson>>) => Promise<void>,
): Promise<{ megabytes: number; readyMs: number }> {
  await using keelson = await startKeelson(directory, ['server'])
  await work?.(keelson)
  await sleep(settleMs)
  return { megabytes: residentMegabytes(processTree(keelson.pid)), readyMs: keelson.readyMs }
}
