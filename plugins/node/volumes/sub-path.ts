import { lstat, mkdir, realpath } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { ContainerConfigError } from '../pod/environment.ts'

/**
 * The real place of `subPath` in the volume at `root`; a directory is made when there is nothing. Links are followed only
 * while they stay in the volume. A container that swaps a directory for a link between this check and its mount can defeat
 * it: subPath on volumes that untrusted containers write to needs a runtime that mounts by file descriptor.
 * @throws ContainerConfigError when it leads out of the volume
 */
export async function resolveSubPath(root: string, subPath: string): Promise<string> {
  if (subPath.startsWith('/') || subPath.split('/').includes('..')) {
    throw new ContainerConfigError(`subPath ${JSON.stringify(subPath)} must stay in its volume`)
  }
  const target = join(root, subPath)
  const realRoot = await realpath(root)
  const present = await deepestPresent(target)
  assertInside(await realpath(present), realRoot, subPath)
  if (present !== target) await mkdir(target, { recursive: true, mode: 0o755 })
  const real = await realpath(target)
  assertInside(real, realRoot, subPath)
  return real
}

async function deepestPresent(path: string): Promise<string> {
  const isThere = await lstat(path).then(
    () => true,
    () => false,
  )
  return isThere ? path : deepestPresent(dirname(path))
}

function assertInside(real: string, root: string, subPath: string): void {
  if (real !== root && !real.startsWith(root + sep)) {
    throw new ContainerConfigError(`subPath ${JSON.stringify(subPath)} leads out of its volume`)
  }
}
