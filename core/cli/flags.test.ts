import { expect, test } from 'vitest'
import { parseServerFlags, parseUpFlags, UsageError } from './flags.ts'

test('flags without arguments are the defaults', () => {
  expect(parseUpFlags([])).toMatchObject({
    port: 6443,
    bindAddress: '127.0.0.1',
    nodes: 1,
    cri: undefined,
    logLevel: 'info',
  })
})

test('flags are read', () => {
  const flags = parseUpFlags(['--data-dir', '/d', '--port=0', '--cri', 'sim', '--nodes', '1000'])
  expect(flags).toMatchObject({ dataDir: '/d', port: 0, cri: 'sim', nodes: 1000, eventTtlMs: 3_600_000 })
  expect(parseServerFlags(['--event-ttl', '1h30m']).eventTtlMs).toBe(5_400_000)
})

test.each([
  {
    name: 'a port that is no number',
    args: ['--port', 'x'],
    want: '--port must be a whole number from 0 to 65535, not "x"',
  },
  {
    name: 'a port out of range',
    args: ['--port', '70000'],
    want: '--port must be a whole number from 0 to 65535, not "70000"',
  },
  { name: 'an unknown runtime', args: ['--cri', 'rkt'], want: '--cri must be one of docker, sim, not "rkt"' },
  { name: 'an unknown flag', args: ['--bogus'], want: /Unknown option '--bogus'.*--help/ },
])('flags refuse $name', ({ args, want }) => {
  expect(() => parseUpFlags(args)).toThrow(want)
  expect(() => parseUpFlags(args)).toThrow(UsageError)
})

test('the server alone knows no runtime', () => {
  expect(() => parseServerFlags(['--cri', 'sim'])).toThrow(UsageError)
})
