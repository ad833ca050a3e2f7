import { isMainThread, parentPort } from 'node:worker_threads'
import type { Logger, PluginHost, Run } from '#apis/plugin/v1/host.ts'
import { abiVersion } from '#apis/plugin/v1/manifest.ts'
import { releaseMemoryWhenIdle } from '#core/server/idle-memory.ts'
import { budgetedLogger, describeError } from './log-budget.ts'
import type { HostMessage, StartComponent, UnitMessage } from './protocol.ts'

/**
 * The inside of a unit: runs components in a worker thread or in a process of its own, as the host tells it. Ends when
 * the host does.
 */
const stop = new AbortController()
const tokens = new Map<string, string>()
const running = new Set<Promise<void>>()

const send: (message: UnitMessage) => void = isMainThread
  ? (message) => process.send?.(message)
  : (message) => parentPort!.postMessage(message)

function receive(message: HostMessage): void {
  switch (message.type) {
    case 'start':
      for (const component of message.components) start(component, message.api)
      break
    case 'token':
      tokens.set(message.plugin, message.token)
      break
    case 'ping':
      send({ type: 'pong', memoryBytes: isMainThread ? process.memoryUsage.rss() : process.memoryUsage().heapUsed })
      break
    case 'stop':
      void shutDown()
      break
  }
}

function start(component: StartComponent, api: { server: string; caData: string }): void {
  tokens.set(component.plugin, component.token)
  const done = runComponent(component, api)
    .then(
      () => stop.signal.aborted || send({ type: 'failed', plugin: component.plugin, component: component.component }),
      (error: unknown) => {
        if (stop.signal.aborted) return
        send({ type: 'failed', plugin: component.plugin, component: component.component, error: describeError(error) })
      },
    )
    .then(() => {
      running.delete(done)
    })
  running.add(done)
}

async function runComponent(component: StartComponent, api: { server: string; caData: string }): Promise<void> {
  const module = (await import(component.entry)) as { default?: Run }
  if (typeof module.default !== 'function') throw new Error(`${component.entry} has no default export to run`)
  await module.default(hostOf(component, api))
}

function hostOf(component: StartComponent, api: { server: string; caData: string }): PluginHost {
  const { plugin, component: name, config } = component
  return {
    abiVersion,
    plugin,
    component: name,
    config,
    api: { ...api, token: () => tokens.get(plugin)! },
    log: logger({ plugin, component: name }),
    signal: stop.signal,
    ready: () => send({ type: 'ready', plugin, component: name }),
  }
}

function logger(base: Record<string, unknown>): Logger {
  return budgetedLogger((level, message, keys) => send({ type: 'log', level, message, keys: { ...base, ...keys } }))
}

async function shutDown(): Promise<void> {
  stop.abort()
  await Promise.allSettled(running)
  send({ type: 'stopped' })
  // What a component has left open must not keep the unit.
  if (isMainThread) process.disconnect?.()
  else process.exit(0)
}

/** Says why before a process ends; a worker's end carries its error with it. */
function die(error: unknown): void {
  const lastWords: UnitMessage = { type: 'dying', error: describeError(error) }
  process.send?.(lastWords, undefined, undefined, () => process.exit(1))
}

releaseMemoryWhenIdle()
if (isMainThread) {
  process.on('message', receive)
  process.on('uncaughtException', die)
  process.on('unhandledRejection', die)
  // The host ends its units itself; a terminal's Ctrl-C reaches them too and is not meant for them.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => void shutDown())
  process.on('disconnect', () => process.exit(stop.signal.aborted ? 0 : 1))
} else {
  parentPort!.on('message', receive)
}
