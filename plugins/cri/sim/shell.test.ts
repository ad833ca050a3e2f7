import type { ContainerConfig } from '@keelson/apis/plugin/v1/cri.ts'
import { expect, test } from 'vitest'
import { AddressPool } from './addresses.ts'
import { readScript } from './script.ts'
import { runCommand } from './shell.ts'

const config = { envs: [{ key: 'COLOUR', value: 'red' }] } as ContainerConfig

test.each([
  { cmd: ['echo', 'a', 'b'], want: { stdout: 'a b\n', exitCode: 0 } },
  { cmd: ['/bin/true'], want: { stdout: '', exitCode: 0 } },
  { cmd: ['false'], want: { exitCode: 1 } },
  { cmd: ['env'], want: { stdout: 'HOSTNAME=web\nCOLOUR=red\n' } },
  { cmd: ['cat', '/proc/self/environ'], want: { stdout: 'HOSTNAME=web\0COLOUR=red\0' } },
  { cmd: ['cat', '/etc/passwd'], want: { stderr: 'cat: /etc/passwd: No such file or directory\n', exitCode: 1 } },
  { cmd: ['sh', '-c', 'echo hi'], want: { stdout: 'hi\n' } },
  { cmd: ['constructor'], want: { exitCode: 127 } },
  { cmd: [], want: { exitCode: 127 } },
])('$cmd answers $want', ({ cmd, want }) => expect(runCommand(cmd, config, 'web')).toMatchObject(want))

test('addresses are all different, and come back when there are no others', () => {
  const pool = new AddressPool()
  expect([pool.take(), pool.take()]).toEqual(['10.88.0.1', '10.88.0.2'])
  pool.give('10.88.0.1')
  const rest = Array.from({ length: (1 << 19) - 4 }, () => pool.take())
  expect(rest.at(-1)).toBe('10.95.255.254')
  expect(new Set(rest).size).toBe(rest.length)
  expect(pool.take()).toBe('10.88.0.1')
  expect(() => pool.take()).toThrow('no address is left')
})

const scripts: { annotations: Record<string, string>; want: object }[] = [
  { annotations: {}, want: { startMs: 0, runMs: Number.POSITIVE_INFINITY, exitCode: 0 } },
  {
    annotations: { 'sim.keelson.dev/start-ms': '5', 'sim.keelson.dev/run-ms': '7', 'sim.keelson.dev/exit-code': '300' },
    want: { startMs: 5, runMs: 7, exitCode: 44 },
  },
  {
    annotations: { 'sim.keelson.dev/run-ms': 'soon', 'sim.keelson.dev/start-ms': '-1' },
    want: { startMs: 0, runMs: Number.POSITIVE_INFINITY },
  },
]

test.each(scripts)('$annotations is the script $want', ({ annotations, want }) =>
  expect(readScript(annotations)).toMatchObject(want),
)
