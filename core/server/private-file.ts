import { randomBytes } from 'node:crypto'
import { open, readFile, rename, unlink } from 'node:fs/promises'

/** Writes a file that only its owner may read, whole or not at all, power loss included. @throws when its folder is not there */
export async function writePrivateFile(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`
  const handle = await open(temporary, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.datasync()
    await handle.close()
    await rename(temporary, file)
  } catch (cause) {
    await handle.close().catch(() => undefined)
    await unlink(temporary).catch(() => undefined)
    throw new Error(`write ${file}`, { cause })
  }
}

/** @returns undefined when there is no such file */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Error(`read ${file}`, { cause })
  }
}
