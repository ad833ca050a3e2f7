import { setTimeout as sleep } from 'node:timers/promises'
import { nodesReady } from './events.ts'
import type { Figure } from './figure.ts'
import { cpuSeconds, processTree, residentMegabytes } from './process-tree.ts'
import { openSession, scratch, startKeelson } from './servers.ts'

const settleMs = 10_000
const observedSeconds = 10

/**
 * What a cluster costs that has nothing to do: its memory ten seconds after it was ready, and its CPU over the next ten. It
 * has been started before, as all but the first time: what compiled its code then is not loaded any more.
 */
export async function idleBench(): Promise<Figure[]> {
  await startAndStop()
  const controlPlane = await idle(['up', '--cri', 'sim', '--nodes', '0'])
  const withNode = await idle(['up', '--cri', 'sim', '--nodes', '1'])
  return [
    { what: 'idle control plane, resident', value: controlPlane.server, unit: 'MB', goal: { atMost: 200 } },
    { what: 'idle control plane, CPU', value: controlPlane.cpuPercent, unit: '%', goal: { atMost: 1 } },
    { what: 'idle with a node, all processes', value: withNode.server + withNode.agent, unit: 'MB' },
    { what: 'idle node agent, resident', value: withNode.agent, unit: 'MB' },
    { what: 'idle with a node, CPU', value: withNode.cpuPercent, unit: '%' },
  ]
}

/** `server` is the first process with the store, the controllers and the scheduler in it; `agent` what runs beside it. */
async function idle(command: readonly string[]): Promise<{ server: number; agent: number; cpuPercent: number }> {
  const { directory, remove } = scratch()
  try {
    await using keelson = await startKeelson(directory, command)
    await sleep(settleMs)
    const processes = processTree(keelson.pid)
    const server = residentMegabytes([keelson.pid])
    const agent = residentMegabytes(processes.filter((pid) => pid !== keelson.pid))
    const cpuBefore = cpuSeconds(processes)
    await sleep(observedSeconds * 1_000)
    return { server, agent, cpuPercent: ((cpuSeconds(processes) - cpuBefore) / observedSeconds) * 100 }
  } finally {
    remove()
  }
}

async function startAndStop(): Promise<void> {
  const { directory, remove } = scratch()
  await using keelson = await startKeelson(directory, ['up', '--cri', 'sim', '--nodes', '1'])
  const session = openSession(keelson)
  await nodesReady(session, 1)
  session.close()
  await keelson.stop()
  remove()
}
