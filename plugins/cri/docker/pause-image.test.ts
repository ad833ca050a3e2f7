import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { arch, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pauseProgram, tarOf } from './pause-image.ts'

const machine = ({ x64: 'amd64', arm64: 'arm64' } as const)[arch() as 'x64' | 'arm64']

test.skipIf(process.platform !== 'linux' || !machine).each(['SIGTERM', 'SIGINT'] as const)(
  'the program waits until %s and then ends well',
  async (signal) => {
    const folder = await mkdtemp(join(tmpdir(), 'keelson-pause-'))
    try {
      const file = join(folder, 'pause')
      await writeFile(file, pauseProgram(machine))
      await chmod(file, 0o755)
      const child = spawn(file)
      const ended = once(child, 'exit')
      await untilAsleep(child.pid)
      child.kill('SIGCHLD')
      child.kill(signal)
      expect(await ended).toEqual([0, null])
    } finally {
      await rm(folder, { recursive: true })
    }
  },
)

/** Before it has blocked its signals, they would end it the hard way; it sleeps only to wait for them. */
async function untilAsleep(pid: number | undefined): Promise<void> {
  for (;;) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    if (/^Name:\s*pause$/m.test(status) && /^State:\s*S/m.test(status)) return
  }
}

test.each([
  { name: 'amd64', machineId: 62 },
  { name: 'arm64', machineId: 183 },
] as const)('the $name program is an executable of one loaded segment', ({ name, machineId }) => {
  const program = pauseProgram(name)
  expect(program.subarray(0, 4).toString('latin1')).toBe('\x7fELF')
  expect(program.readUInt16LE(18)).toBe(machineId)
  expect(program.readBigUInt64LE(24) - program.readBigUInt64LE(80)).toBe(120n)
  expect(Number(program.readBigUInt64LE(96))).toBe(program.length)
})

test('a tar holds the file under its name, padded to blocks', () => {
  const archive = tarOf('pause', Buffer.from('abc'))
  expect(archive.length % 512).toBe(0)
  expect(archive.toString('latin1', 0, 5)).toBe('pause')
  expect(Number.parseInt(archive.toString('latin1', 124, 135), 8)).toBe(3)
  const unsigned = Buffer.from(archive.subarray(0, 512)).fill(' ', 148, 156)
  expect(Number.parseInt(archive.toString('latin1', 148, 154), 8)).toBe(unsigned.reduce((sum, byte) => sum + byte, 0))
})
