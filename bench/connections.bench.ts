import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { IdlersOrder } from './connection-idlers.ts'
import type { Row } from './figure.ts'
import { processTree, residentMegabytes } from './process-tree.ts'
import { openSession, request, scratch, startKeelson, type Target } from './servers.ts'

const connections = 10_000
const processes = 4
const program = fileURLToPath(new URL('./connection-idlers.ts', import.meta.url))
/** Between the questions asked beside the idle ones. */
const pauseMs = 10

/** 10,000 connections that are open and ask nothing: what each costs, and how soon others are answered meanwhile. */
export async function connectionsBench(durationMs: number): Promise<Row[]> {
  const rows: Row[] = []
  for (const protocol of ['h1', 'h2'] as const) {
    const { directory, remove } = scratch()
    try {
      await using keelson = await startKeelson(directory, ['server'])
      rows.push(...(await idleConnections(keelson, protocol, durationMs)))
    } finally {
      remove()
    }
  }
  return rows
}

async function idleConnections(target: Target, protocol: IdlersOrder['protocol'], durationMs: number): Promise<Row[]> {
  const { pid, port, tls } = target
  const before = residentMegabytes(processTree(pid))
  const idlers = Array.from({ length: processes }, () => fork(program, { serialization: 'advanced' }))
  const what = `${connections.toLocaleString('en')} idle ${protocol} connections`
  try {
    await Promise.all(
      idlers.map((idler) => opened(idler, { target: { pid, port, tls }, protocol, count: connections / processes })),
    )
    const delays = await answersDuring(target, durationMs)
    const held = readdirSync(`/proc/${pid}/fd`).length
    if (held < connections) throw new Error(`the server closed connections: it has ${held} files open`)
    const kilobytes = ((residentMegabytes(processTree(pid)) - before) * 1024) / connections
    const p99 = delays.toSorted((a, b) => a - b)[Math.floor(delays.length * 0.99)] ?? Number.POSITIVE_INFINITY
    return [
      { what: `${what}, memory of each`, value: kilobytes / 1024, unit: 'MB', goal: { atMost: 0.1 } },
      { what: `${what}, p99 of a GET beside them`, value: p99, unit: 'ms', goal: { atMost: 250 } },
    ]
  } finally {
    const gone = idlers.map((idler) => once(idler, 'exit'))
    for (const idler of idlers) idler.kill('SIGTERM')
    await Promise.all(gone)
  }
}

async function opened(idler: ChildProcess, order: IdlersOrder): Promise<void> {
  const answer = once(idler, 'message')
  idler.send(order)
  const [{ open, failure }] = (await answer) as [{ open: number; failure?: string }]
  if (open !== order.count) throw new Error(`only ${open} of ${order.count} connections were opened: ${failure}`)
}

async function answersDuring(target: Target, durationMs: number): Promise<number[]> {
  const session = openSession(target)
  const delays: number[] = []
  const deadline = performance.now() + durationMs
  while (performance.now() < deadline) {
    const started = performance.now()
    const { status } = await request(session, { ':path': '/api/v1/namespaces/default' })
    if (status !== 200) throw new Error(`GET answered ${status}`)
    delays.push(performance.now() - started)
    await sleep(pauseMs)
  }
  session.close()
  return delays
}
