import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Mounts memory at `directory`. Where mounting is not permitted the directory stays on disk: the pod matters more. */
export async function mountTmpfs(directory: string, sizeBytes: number): Promise<void> {
  const size = sizeBytes > 0 ? ['-o', `size=${Math.floor(sizeBytes)}`] : []
  await run('mount', ['-t', 'tmpfs', ...size, 'tmpfs', directory]).catch(() => undefined)
}

/** Unmounts all that is mounted below `directory`, the innermost first. */
export async function unmountBelow(directory: string): Promise<void> {
  const mounts = await readFile('/proc/self/mounts', 'utf8').catch(() => '')
  const points = mounts.split('\n').map((line) => (line.split(' ')[1] ?? '').replaceAll('\\040', ' '))
  for (const point of points.filter((one) => one.startsWith(`${directory}/`)).reverse()) await run('umount', [point])
}
