import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Figure } from './figure.ts'
import { median } from './rounds.ts'
import { scratch, startKeelson } from './servers.ts'

const warmStarts = 5

/** From starting the process on an empty data directory to the first good /readyz, without and with compiled code at hand. */
export async function startBench(): Promise<Figure[]> {
  const cache = scratch()
  try {
    const compileCache = join(cache.directory, 'compiled')
    const cold = await startOnce(compileCache)
    const warm: number[] = []
    for (let at = 0; at < warmStarts; at++) warm.push(await startOnce(compileCache))
    const bare = await bareStart()
    const value = median(warm, (ms) => ms)
    return [
      { what: 'start to ready, first ever', value: cold, unit: 'ms', yardstick: { what: 'node itself', value: bare } },
      {
        what: 'start to ready',
        value,
        unit: 'ms',
        yardstick: { what: 'node itself', value: bare },
        goal: { atMost: 1_000 },
      },
    ]
  } finally {
    cache.remove()
  }
}

async function startOnce(compileCache: string): Promise<number> {
  const { directory, remove } = scratch()
  try {
    await using keelson = await startKeelson(directory, ['server'], compileCache)
    return keelson.readyMs
  } finally {
    remove()
  }
}

/** What a process of node that does nothing takes to start and end. */
async function bareStart(): Promise<number> {
  const times: number[] = []
  for (let at = 0; at < warmStarts; at++) {
    const started = performance.now()
    await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit')
    times.push(performance.now() - started)
  }
  return median(times, (ms) => ms)
}
