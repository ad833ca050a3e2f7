import { randomBytes } from 'node:crypto'
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * A directory whose files change all at once: they live in a hidden, dated directory, `..data` points at it, and what
 * containers see are links through `..data`. Replacing that one link is the update.
 */

export interface VolumeFile {
  content: Buffer
  mode: number
  /** Owner, when it must not be root. */
  uid?: number
}

/** Files by path relative to the directory. */
export type VolumeFiles = ReadonlyMap<string, VolumeFile>

const dataLink = '..data'

/** A path of plain names below the directory: no `..`, nothing absolute, nothing that is ours. */
export function isSafePath(path: string): boolean {
  const names = path.split('/')
  return path.length > 0 && path.length < 4096 && names.every(isSafeName) && !names[0]?.startsWith('..')
}

const isSafeName = (name: string) =>
  name !== '' && name !== '.' && name !== '..' && !name.includes('\0') && name.length < 256

/** @returns true when something changed. @throws before anything is written when a path leads out of `directory` */
export async function writeAtomically(directory: string, files: VolumeFiles, group?: number): Promise<boolean> {
  const unsafe = [...files.keys()].find((path) => !isSafePath(path))
  if (unsafe !== undefined) throw new Error(`${JSON.stringify(unsafe)} is no path inside a volume`)
  await mkdir(directory, { recursive: true })
  const old = await readlink(join(directory, dataLink)).catch(() => undefined)
  if (old && (await holds(join(directory, old), files))) return false
  const next = `..${new Date().toISOString().replaceAll(/[-:T]/g, '_').slice(0, 19)}.${randomBytes(5).toString('hex')}`
  await writeFiles(join(directory, next), files, group)
  await symlink(next, join(directory, `${dataLink}_tmp`))
  await rename(join(directory, `${dataLink}_tmp`), join(directory, dataLink))
  await linkNames(directory, files)
  if (old) await rm(join(directory, old), { recursive: true, force: true })
  return true
}

async function holds(directory: string, files: VolumeFiles): Promise<boolean> {
  const present = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])
  if (present.filter((entry) => entry.isFile()).length !== files.size) return false
  const same = [...files].map(async ([path, { content, mode }]) => {
    const [bytes, stat] = await Promise.all([readFile(join(directory, path)), lstat(join(directory, path))])
    return bytes.equals(content) && (stat.mode & 0o777) === mode
  })
  return Promise.all(same).then(
    (all) => all.every(Boolean),
    () => false,
  )
}

async function writeFiles(directory: string, files: VolumeFiles, group: number | undefined): Promise<void> {
  await mkdir(directory, { mode: 0o755 })
  await chmod(directory, 0o755)
  for (const [path, { content, mode, uid }] of files) {
    const target = join(directory, path)
    await mkdir(dirname(target), { recursive: true, mode: 0o755 })
    await writeFile(target, content, { flag: 'wx', mode })
    // Through the umask the mode may have lost bits; and a group that owns the volume may read it.
    await chmod(target, group === undefined ? mode : mode | 0o040)
    if (group !== undefined || uid !== undefined) await chown(target, uid ?? 0, group ?? 0)
  }
}

/** Links each name at the top to its place behind `..data`, and drops links whose files are gone. */
async function linkNames(directory: string, files: VolumeFiles): Promise<void> {
  const wanted = new Set([...files.keys()].map((path) => path.split('/')[0] ?? ''))
  const present = await readdir(directory)
  for (const name of wanted) if (!present.includes(name)) await symlink(join(dataLink, name), join(directory, name))
  const gone = present.filter((name) => !name.startsWith('..') && !wanted.has(name))
  for (const name of gone) await unlink(join(directory, name))
}
