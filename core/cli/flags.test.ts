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

test('flags of flow control are read', () => {
  expect(parseServerFlags([])).toMatchObject({
    maxRequestsInflight: 400,
    maxMutatingRequestsInflight: 200,
    enablePriorityAndFairness: true,
    requestTimeoutMs: 60_000,
    minRequestTimeoutMs: 1_800_000,
  })
  const args = ['--max-requests-inflight=7', '--max-mutating-requests-inflight=0', '--request-timeout=1m30s']
  expect(parseServerFlags([...args, '--min-request-timeout=5', '--enable-priority-and-fairness=false'])).toMatchObject({
    maxRequestsInflight: 7,
    maxMutatingRequestsInflight: 0,
    enablePriorityAndFairness: false,
    requestTimeoutMs: 90_000,
    minRequestTimeoutMs: 5_000,
  })
})

test.each([
  {
    name: 'a server without seats',
    args: ['--max-requests-inflight=0', '--max-mutating-requests-inflight=0'],
    want: '--max-requests-inflight and --max-mutating-requests-inflight may not both be 0',
  },
  {
    name: 'a timeout that is no duration',
    args: ['--request-timeout', 'soon'],
    want: '--request-timeout: time: invalid duration "soon"',
  },
  {
    name: 'a timeout of nothing',
    args: ['--request-timeout', '0s'],
    want: '--request-timeout must be from 1ms to 24h, not 0s',
  },
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

test('etcd is named with its servers, prefix and files', () => {
  const { etcd } = parseServerFlags(['--etcd-servers', 'http://a:2379,https://b:2379/', '--etcd-prefix', '/k8s'])
  expect(etcd).toEqual({
    endpoints: ['http://a:2379', 'https://b:2379'],
    prefix: '/k8s',
    tls: { ca: undefined, cert: undefined, key: undefined },
    compactionIntervalMs: 300_000,
  })
  expect(parseServerFlags([]).etcd).toBeUndefined()
})

test.each([
  { args: ['--etcd-prefix', '/x'], says: '--etcd-prefix needs --etcd-servers' },
  {
    args: ['--etcd-servers', 'a:2379'],
    says: '--etcd-servers must name URLs such as https://10.0.0.1:2379, not "a:2379"',
  },
  {
    args: ['--etcd-servers', 'http://a', '--etcd-prefix', 'x'],
    says: '--etcd-prefix must be a path such as /registry',
  },
  {
    args: ['--etcd-servers', 'http://a', '--etcd-certfile', 'x'],
    says: '--etcd-certfile and --etcd-keyfile go together',
  },
  { args: ['--etcd-servers', 'http://a', '--etcd-cafile', '/none'], says: '--etcd-cafile: ENOENT' },
  { args: ['--etcd-servers', 'http://a', '--etcd-compaction-interval', 'x'], says: '--etcd-compaction-interval' },
])('$args is a mistake: $says', ({ args, says }) => {
  expect(() => parseServerFlags(args)).toThrow(UsageError)
  expect(() => parseServerFlags(args)).toThrow(says)
})
