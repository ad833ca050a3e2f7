import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** An image for pods that really run, made on the spot from this machine's busybox: tests reach no registry. */

const run = promisify(execFile)
const candidates = ['/bin/busybox', '/usr/bin/busybox']
const repository = 'keelson-system/busybox'
const blockBytes = 512

/** The path of a busybox that needs no libraries, or undefined. */
export async function findStaticBusybox(): Promise<string | undefined> {
  for (const path of candidates) {
    const bytes = await readFile(path).catch(() => undefined)
    // The loader's path stands near the start of what needs one.
    if (bytes && !/\/ld-(linux|musl)/.test(bytes.toString('latin1', 0, 4096))) return path
  }
  return undefined
}

/** @returns the image's name; it stays on the engine, and is made once */
export async function image(): Promise<string> {
  const busybox = await findStaticBusybox()
  if (!busybox) throw new Error('there is no static busybox')
  const { stdout } = await run(busybox, ['--list'])
  const tar = fileSystem(await readFile(busybox), stdout.trim().split('\n'))
  const name = `${repository}:${createHash('sha256').update(tar).digest('hex').slice(0, 12)}`
  const isThere = await run('docker', ['image', 'inspect', name]).then(
    () => true,
    () => false,
  )
  if (!isThere) await importImage(name, tar)
  return name
}

async function importImage(name: string, tar: Buffer): Promise<void> {
  const args = ['import', '--change', 'ENV PATH=/bin', '--change', 'CMD ["/bin/sh"]', '-', name]
  const child = spawn('docker', args, { stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin.on('error', () => {})
  child.stdin.end(tar)
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`docker import ended with ${code}`)
}

function fileSystem(busybox: Buffer, applets: readonly string[]): Buffer {
  const entries = [
    ...['bin/', 'etc/', 'root/'].map((name) => entry({ name, mode: 0o755, type: '5' })),
    entry({ name: 'tmp/', mode: 0o1777, type: '5' }),
    entry({ name: 'etc/passwd', mode: 0o644, type: '0', content: Buffer.from('root:x:0:0:root:/root:/bin/sh\n') }),
    entry({ name: 'bin/busybox', mode: 0o755, type: '0', content: busybox }),
    ...applets
      .filter((applet) => applet !== 'busybox')
      .map((applet) => entry({ name: `bin/${applet}`, mode: 0o777, type: '2', target: 'busybox' })),
  ]
  return Buffer.concat([...entries, Buffer.alloc(2 * blockBytes)])
}

interface TarEntry {
  name: string
  mode: number
  /** `0` a file, `2` a symbolic link, `5` a folder. */
  type: '0' | '2' | '5'
  content?: Buffer
  target?: string
}

/** One entry of a tar archive (POSIX ustar): its header and its content, padded to whole blocks. */
function entry({ name, mode, type, content = Buffer.alloc(0), target = '' }: TarEntry): Buffer {
  const header = Buffer.alloc(blockBytes)
  const octal = (value: number, at: number, width: number) =>
    header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at)
  header.write(name, 0)
  octal(mode, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(content.length, 124, 12)
  octal(0, 136, 12)
  header.write('        ', 148)
  header.write(type, 156)
  header.write(target, 157)
  header.write('ustar\0' + '00', 257)
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  )
  const padding = Buffer.alloc((blockBytes - (content.length % blockBytes)) % blockBytes)
  return Buffer.concat([header, content, padding])
}
