import { readdirSync, readFileSync } from 'node:fs'

/** What a process and all it has started use, as the kernel counts it. */

const ticksPerSecond = 100

/** The process and its descendants. */
export function processTree(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number),
  )
  return [pid, ...children.flatMap(processTree)]
}

/** Resident memory in megabytes. Pages that processes share (node's own code) count once for each of them. */
export function residentMegabytes(pids: readonly number[]): number {
  const kilobytes = (pid: number) =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  return pids.reduce((sum, pid) => sum + kilobytes(pid) / 1024, 0)
}

/** Seconds of processor time used so far, in user and kernel mode. */
export function cpuSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name of the command may hold anything; the numbers start behind its bracket, at the third field.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return sum + (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  }, 0)
}
