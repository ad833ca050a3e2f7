import { type ChildProcess, fork } from 'node:child_process'
import { Worker } from 'node:worker_threads'
import { type HostMessage, readUnitMessage, type UnitIsolation, type UnitMessage } from './protocol.ts'

const runner = new URL('./runner.ts', import.meta.url)

export interface UnitSpec {
  name: string
  isolation: UnitIsolation
  /** Limit of the old-generation heap. */
  memoryMiB: number
}

export interface UnitEvents {
  onMessage(message: UnitMessage): void
  /** Called once, when the unit is gone. `why` says how, for a status and a log. */
  onExit(why: string): void
}

/** A running worker or process. */
export interface Unit {
  readonly pid: number
  send(message: HostMessage): void
  /** Ends it without asking. */
  kill(): void
}

export function startUnit(spec: UnitSpec, events: UnitEvents): Unit {
  return spec.isolation === 'worker' ? startWorker(spec, events) : startProcess(spec, events)
}

function pass(value: unknown, events: UnitEvents): UnitMessage | undefined {
  const message = readUnitMessage(value)
  if (message) events.onMessage(message)
  return message
}

function startWorker(spec: UnitSpec, events: UnitEvents): Unit {
  const worker = new Worker(runner, {
    name: spec.name,
    resourceLimits: { maxOldGenerationSizeMb: spec.memoryMiB, maxYoungGenerationSizeMb: 8 },
  })
  let why = ''
  worker.on('message', (value: unknown) => pass(value, events))
  worker.on('error', (error) => {
    why = error instanceof Error ? (error.stack ?? error.message) : String(error)
  })
  worker.on('exit', (code) => events.onExit(why || `exited with code ${code}`))
  return {
    pid: process.pid,
    send: (message) => worker.postMessage(message),
    kill: () => void worker.terminate(),
  }
}

function startProcess(spec: UnitSpec, events: UnitEvents): Unit {
  const child: ChildProcess = fork(runner, [], {
    execArgv: [`--max-old-space-size=${spec.memoryMiB}`, '--max-semi-space-size=2', `--title=keelson ${spec.name}`],
    serialization: 'json',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  let gone = false
  let lastWords = ''
  const end = (why: string) => {
    if (gone) return
    gone = true
    events.onExit(lastWords || why)
  }
  child.on('message', (value) => {
    const message = pass(value, events)
    if (message?.type === 'dying') lastWords = message.error
  })
  child.on('error', (error) => end(error.message))
  child.on('exit', (code, signal) => end(signal ? `ended by ${signal}` : `exited with code ${code}`))
  return {
    pid: child.pid ?? 0,
    send: (message) => {
      if (child.connected) child.send(message, () => {})
    },
    kill: () => void child.kill('SIGKILL'),
  }
}
