import type { Logger } from '#apis/plugin/v1/host.ts'
import type { HostMessage, StartComponent, UnitMessage } from './protocol.ts'
import { startUnit, type Unit, type UnitSpec } from './unit.ts'

/** How a component fares, as far as its unit's supervisor knows. */
export type ComponentState =
  | { state: 'Starting' | 'Running'; pid: number }
  | { state: 'BackingOff'; error: string }
  | { state: 'Stopped' }

export interface SupervisorEvents {
  onState(of: { plugin: string; component: string }, state: ComponentState): void
}

const firstDelayMs = 500
const maxDelayMs = 5 * 60_000
/** A unit that has lived so long starts again without delay. */
const steadyMs = 10 * 60_000
const pingEveryMs = 10_000
/** A unit that has not answered for so long hangs. */
const hangMs = 30_000

/** Keeps one unit and its components alive: starts again what fails, with growing delays, and ends what hangs. */
export class UnitSupervisor {
  readonly #spec: UnitSpec
  readonly #api: { server: string; caData: string }
  readonly #log: Logger
  readonly #events: SupervisorEvents
  readonly #components = new Map<string, StartComponent>()
  readonly #delays = new Map<string, number>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #unit: Unit | undefined
  #startedAt = 0
  #answeredAt = 0
  #unitDelayMs = 0
  #pinging: NodeJS.Timeout | undefined
  #stopping = false
  #gone: PromiseWithResolvers<void> | undefined

  constructor(spec: UnitSpec, api: { server: string; caData: string }, log: Logger, events: SupervisorEvents) {
    this.#spec = spec
    this.#api = api
    this.#log = log
    this.#events = events
  }

  plugins(): string[] {
    return [...new Set(Array.from(this.#components.values(), (component) => component.plugin))]
  }

  send(message: HostMessage): void {
    this.#unit?.send(message)
  }

  /** Runs a component from now on; with another configuration than before, the unit starts anew. */
  run(component: StartComponent): void {
    const key = keyOf(component)
    const known = this.#components.get(key)
    this.#components.set(key, component)
    if (known) {
      if (JSON.stringify(known.config) !== JSON.stringify(component.config)) this.#restart()
      return
    }
    if (!this.#unit) this.#schedule(() => this.#startUnit(), 0)
    else this.#startComponents([component])
  }

  /** Stops running a component. A unit cannot let go of one alone, so the others start anew. */
  end(plugin: string, component: string): void {
    if (!this.#components.delete(`${plugin}/${component}`)) return
    this.#events.onState({ plugin, component }, { state: 'Stopped' })
    this.#restart()
  }

  #restart(): void {
    if (this.#unit) this.#unit.send({ type: 'stop' })
  }

  #startUnit(): void {
    if (this.#unit || this.#stopping || this.#components.size === 0) return
    this.#startedAt = Date.now()
    this.#answeredAt = this.#startedAt
    this.#unit = startUnit(this.#spec, {
      onMessage: (message) => this.#receive(message),
      onExit: (why) => this.#exited(why),
    })
    this.#startComponents([...this.#components.values()])
    this.#pinging ??= setInterval(() => this.#ping(), pingEveryMs)
  }

  #startComponents(components: StartComponent[]): void {
    this.#unit!.send({ type: 'start', api: this.#api, components })
    for (const of of components) this.#events.onState(of, { state: 'Starting', pid: this.#unit!.pid })
  }

  #receive(message: UnitMessage): void {
    this.#answeredAt = Date.now()
    switch (message.type) {
      case 'log':
        this.#log[message.level](message.message, message.keys)
        break
      case 'ready':
        this.#delays.delete(keyOf(message))
        this.#events.onState(message, { state: 'Running', pid: this.#unit?.pid ?? 0 })
        break
      case 'failed':
        this.#componentFailed(message, message.error ?? 'it returned before it was asked to stop')
        break
    }
  }

  #componentFailed(of: { plugin: string; component: string }, error: string): void {
    const key = keyOf(of)
    const delayMs = this.#delays.get(key) ?? firstDelayMs
    this.#delays.set(key, Math.min(delayMs * 2, maxDelayMs))
    this.#log.error('plugin component failed', { plugin: of.plugin, component: of.component, retryMs: delayMs, error })
    this.#events.onState(of, { state: 'BackingOff', error })
    const unit = this.#unit
    this.#schedule(() => {
      const component = this.#components.get(key)
      // A unit that has been replaced meanwhile has started the component already.
      if (component && this.#unit === unit && unit) this.#startComponents([component])
    }, delayMs)
  }

  #exited(why: string): void {
    this.#unit = undefined
    this.#gone?.resolve()
    if (this.#stopping || this.#components.size === 0) return
    const steady = Date.now() - this.#startedAt > steadyMs
    this.#unitDelayMs = steady || this.#unitDelayMs === 0 ? firstDelayMs : Math.min(this.#unitDelayMs * 2, maxDelayMs)
    this.#log.error('plugin unit ended', { unit: this.#spec.name, why, retryMs: this.#unitDelayMs })
    for (const of of this.#components.values()) this.#events.onState(of, { state: 'BackingOff', error: why })
    this.#schedule(() => this.#startUnit(), this.#unitDelayMs)
  }

  #ping(): void {
    if (!this.#unit) return
    if (Date.now() - this.#answeredAt > hangMs) {
      this.#log.error('plugin unit hangs', { unit: this.#spec.name, silentMs: Date.now() - this.#answeredAt })
      this.#unit.kill()
      return
    }
    this.#unit.send({ type: 'ping' })
  }

  #schedule(action: () => void, delayMs: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      if (!this.#stopping) action()
    }, delayMs)
    this.#timers.add(timer)
  }

  /** Asks the unit to stop, and ends it when it has not after `withinMs`. */
  async stop(withinMs: number): Promise<void> {
    this.#stopping = true
    clearInterval(this.#pinging)
    for (const timer of this.#timers) clearTimeout(timer)
    if (!this.#unit) return
    this.#gone = Promise.withResolvers<void>()
    this.#unit.send({ type: 'stop' })
    const timer = setTimeout(() => this.#unit?.kill(), withinMs)
    await this.#gone.promise
    clearTimeout(timer)
  }
}

function keyOf(of: { plugin: string; component: string }): string {
  return `${of.plugin}/${of.component}`
}
