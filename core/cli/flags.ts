import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parseDuration } from '#core/flow-control/duration.ts'
import type { FlowControlFlags } from '#core/flow-control/start.ts'
import type { ServiceFlags } from '#core/service-addresses/start.ts'
import type { EtcdStorageOptions } from '#core/storage/etcd/etcd-storage.ts'
import { etcdFlagOptions, etcdFlags, etcdFlagsHelp } from './etcd-flags.ts'
import { serviceFlagOptions, serviceFlags, serviceFlagsHelp } from './service-flags.ts'
import { UsageError } from './usage-error.ts'

export { UsageError }

export interface ServerFlags extends FlowControlFlags, ServiceFlags {
  dataDir: string
  port: number
  bindAddress: string
  logLevel: 'debug' | 'info' | 'warn' | 'error'
  logFormat: 'text' | 'json'
  anonymousAuth: boolean
  /** How long Events are kept. */
  eventTtlMs: number
  /** How long a watch lasts at least that names no time itself. */
  minRequestTimeoutMs: number
  /** Whether CustomResourceDefinitions may say in CEL how their versions are converted. */
  declarativeConversion: boolean
  /** Absent: objects are in the data directory. */
  etcd: EtcdStorageOptions | undefined
}

export interface UpFlags extends ServerFlags {
  /** Absent: whatever is found. */
  cri: 'docker' | 'sim' | undefined
  nodes: number
}

const serverOptions = {
  'data-dir': { type: 'string' },
  port: { type: 'string' },
  'bind-address': { type: 'string' },
  'log-level': { type: 'string' },
  'log-format': { type: 'string' },
  'anonymous-auth': { type: 'string' },
  'event-ttl': { type: 'string' },
  'max-requests-inflight': { type: 'string' },
  'max-mutating-requests-inflight': { type: 'string' },
  'enable-priority-and-fairness': { type: 'string' },
  'request-timeout': { type: 'string' },
  'min-request-timeout': { type: 'string' },
  'declarative-conversion': { type: 'string' },
  ...serviceFlagOptions,
  ...etcdFlagOptions,
} as const

const upOptions = { ...serverOptions, cri: { type: 'string' }, nodes: { type: 'string' } } as const

export const serverFlagsHelp = `  --data-dir DIR         where everything is kept (default ~/.keelson)
  --port N               port of the API; 0 lets the system choose (default 6443)
  --bind-address A       address of the API (default 127.0.0.1)
  --anonymous-auth B     whether requests without credentials count as system:anonymous (default true)
  --event-ttl D          how long Events are kept, such as 30m (default 1h)
  --max-requests-inflight N           reads answered at once (default 400)
  --max-mutating-requests-inflight N  writes answered at once (default 200)
  --enable-priority-and-fairness B    share both numbers fairly among clients (default true)
  --request-timeout D                 how long a request may take, such as 1m30s; not watches (default 60s)
  --min-request-timeout S             seconds a watch lasts at least that names no time itself (default 1800)
  --declarative-conversion B          whether CRDs may say in CEL how their versions are converted (default false)
${serviceFlagsHelp}${etcdFlagsHelp}  --log-level L          debug, info, warn or error (default info)
  --log-format F         text or json (default: text on a terminal, else json)
`

export function parseServerFlags(args: readonly string[]): ServerFlags {
  return serverFlags(parse(args, serverOptions))
}

export function parseUpFlags(args: readonly string[]): UpFlags {
  const values = parse(args, upOptions)
  return {
    ...serverFlags(values),
    cri: values.cri === undefined ? undefined : oneOf('cri', values.cri, ['docker', 'sim'] as const),
    nodes: wholeNumber('nodes', values.nodes ?? '1', 0, 10_000),
  }
}

type Values = Partial<Record<keyof typeof upOptions, string>>

function parse(args: readonly string[], options: typeof serverOptions | typeof upOptions): Values {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: false }).values as Values
  } catch (cause) {
    throw new UsageError(`${(cause as Error).message} ("--help" explains the flags)`, { cause })
  }
}

function serverFlags(values: Values): ServerFlags {
  return {
    dataDir: values['data-dir'] ?? join(homedir(), '.keelson'),
    port: wholeNumber('port', values.port ?? '6443', 0, 65_535),
    bindAddress: values['bind-address'] ?? '127.0.0.1',
    logLevel: oneOf('log-level', values['log-level'] ?? 'info', ['debug', 'info', 'warn', 'error'] as const),
    logFormat: oneOf('log-format', values['log-format'] ?? (process.stderr.isTTY ? 'text' : 'json'), [
      'text',
      'json',
    ] as const),
    anonymousAuth: yesOrNo('anonymous-auth', values['anonymous-auth'] ?? 'true'),
    eventTtlMs: duration('event-ttl', values['event-ttl'] ?? '1h'),
    declarativeConversion: yesOrNo('declarative-conversion', values['declarative-conversion'] ?? 'false'),
    ...flowControlFlags(values),
    ...serviceFlags(values),
    etcd: etcdFlags(values, durationOrNever),
  }
}

const mostInflight = 1_000_000
const longestWatchSeconds = 24 * 3600

function flowControlFlags(values: Values): FlowControlFlags & Pick<ServerFlags, 'minRequestTimeoutMs'> {
  const inflight = (flag: 'max-requests-inflight' | 'max-mutating-requests-inflight', standard: string) =>
    wholeNumber(flag, values[flag] ?? standard, 0, mostInflight)
  const flags = {
    maxRequestsInflight: inflight('max-requests-inflight', '400'),
    maxMutatingRequestsInflight: inflight('max-mutating-requests-inflight', '200'),
    enablePriorityAndFairness: yesOrNo(
      'enable-priority-and-fairness',
      values['enable-priority-and-fairness'] ?? 'true',
    ),
    requestTimeoutMs: duration('request-timeout', values['request-timeout'] ?? '60s'),
    minRequestTimeoutMs:
      wholeNumber('min-request-timeout', values['min-request-timeout'] ?? '1800', 1, longestWatchSeconds) * 1000,
  }
  if (flags.enablePriorityAndFairness && flags.maxRequestsInflight + flags.maxMutatingRequestsInflight === 0) {
    throw new UsageError(
      '--max-requests-inflight and --max-mutating-requests-inflight may not both be 0 with --enable-priority-and-fairness',
    )
  }
  return flags
}

const longestDurationMs = 24 * 3_600_000

function duration(flag: string, text: string): number {
  let ms = 0
  try {
    ms = parseDuration(text)
  } catch (cause) {
    throw new UsageError(`--${flag}: ${(cause as Error).message}`, { cause })
  }
  if (ms < 1 || ms > longestDurationMs) throw new UsageError(`--${flag} must be from 1ms to 24h, not ${text}`)
  return ms
}

function durationOrNever(flag: string, text: string): number {
  return text === '0' || text === '0s' ? 0 : duration(flag, text)
}

function yesOrNo(flag: string, text: string): boolean {
  return oneOf(flag, text, ['true', 'false'] as const) === 'true'
}

function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new UsageError(`--${flag} must be a whole number from ${min} to ${max}, not ${JSON.stringify(text)}`)
  }
  return value
}

function oneOf<T extends string>(flag: string, text: string, known: readonly T[]): T {
  const found = known.find((one) => one === text)
  if (found === undefined)
    throw new UsageError(`--${flag} must be one of ${known.join(', ')}, not ${JSON.stringify(text)}`)
  return found
}
