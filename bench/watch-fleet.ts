import { once } from 'node:events'
import type { ClientHttp2Session } from 'node:http2'
import { openSession, type Target } from './servers.ts'

/**
 * The clients of the watchers' benchmark, in a process of their own so that they do not hold up who writes: a great many
 * watches over a few connections. All take their bytes without a look at them; those of the sample tell how old each event was.
 */
export interface FleetOrder {
  target: Target
  watches: FleetWatch[]
  sessions: number
}

export interface FleetWatch {
  path: string
  /** It is one of the sample. */
  isSampled: boolean
}

export type ToFleet = { open: FleetOrder } | { report: true }

export type FromFleet = { opened: true } | { delays: Float64Array; bytes: number; ended: number }

/** What stands before the moment of a write, in nanoseconds of the machine's monotonic clock, inside the written object. */
export const sentMark = Buffer.from('"sent":"')
/** Digits of it: enough for machines that have been up for years. */
export const sentDigits = 18

export function sentNow(): string {
  return process.hrtime.bigint().toString().padStart(sentDigits, '0')
}

let delays: number[] = []
let bytes = 0
let ended = 0

function observe(chunk: Buffer): void {
  const now = Number(process.hrtime.bigint())
  for (let at = chunk.indexOf(sentMark); at >= 0; at = chunk.indexOf(sentMark, at + sentDigits)) {
    const from = at + sentMark.length
    const to = from + sentDigits
    // An event that two chunks share is counted with neither.
    if (to <= chunk.length) delays.push((now - Number(chunk.toString('latin1', from, to))) / 1e6)
  }
}

/** So many are opened at once. */
const wave = 500

async function open({ target, watches, sessions }: FleetOrder): Promise<void> {
  const connections = Array.from({ length: sessions }, () => openSession(target))
  await Promise.all(connections.map((session) => once(session, 'connect')))
  for (let at = 0; at < watches.length; at += wave) {
    const opened = watches.slice(at, at + wave).map((watch, index) => openWatch(connections[index % sessions]!, watch))
    await Promise.all(opened)
  }
}

async function openWatch(session: ClientHttp2Session, { path, isSampled }: FleetWatch): Promise<void> {
  const stream = session.request({ ':path': path })
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (isSampled) observe(chunk)
  })
  stream.on('close', () => ended++)
  stream.on('error', () => {})
  await once(stream, 'response')
}

function answer(message: FromFleet): void {
  process.send?.(message)
}

process.on('message', async (message: ToFleet) => {
  if ('open' in message) {
    await open(message.open)
    answer({ opened: true })
    return
  }
  answer({ delays: Float64Array.from(delays), bytes, ended })
  delays = []
  bytes = 0
})
