import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

const isRoot = process.getuid?.() === 0
const canLimit = spawnSync('prlimit', ['--version']).status === 0
const program = new URL('./disk-failure.program.ts', import.meta.url).pathname

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'keelson-disk-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function expectSuccess(command: string, parameters: string[]): void {
  const { status, stderr } = spawnSync(command, parameters, { encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
}

test('a full disk refuses writes, loses none, and is written to again once there is room', (context) => {
  context.skip(!isRoot, 'needs root to mount a small disk')
  const mount = newDirectory()
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=40m', 'keelson-test', mount])
  onTestFinished(() => void execFileSync('umount', [mount]))
  const ballast = join(mount, 'ballast')
  writeFileSync(ballast, Buffer.alloc(24 << 20))
  expectSuccess(process.execPath, [program, join(mount, 'data'), 'rm', ballast])
})

test('a disk that fails in the middle of a write costs no acknowledged write', (context) => {
  context.skip(!canLimit, 'needs prlimit to make writes fail')
  const directory = newDirectory()
  const makeRoom = ['prlimit', '--pid', 'PID', '--fsize=unlimited']
  expectSuccess('prlimit', ['--fsize=6000000:', process.execPath, program, directory, ...makeRoom])
})
