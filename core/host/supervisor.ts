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

/** In milliseconds. */
export interface SupervisorTimings {
  /** Before the first new start; doubled each time up to the last. */
  firstDelayMs: number
  maxDelayMs: number
  /** What has lived so long and then fails starts again as if it had never failed. */
  steadyMs: number
  pingEveryMs: number
  /** A unit that has not answered for so long hangs. */
  hangMs: number
  /** For a unit to stop when it is to start anew. */
  stopMs: number
}

const defaultTimings: SupervisorTimings = {
  firstDelayMs: 500,
  maxDelayMs: 5 * 60_000,
  steadyMs: 10 * 60_000,
  pingEveryMs: 10_000,
  hangMs: 30_000,
  stopMs: 5_000,
}

/** Keeps one unit and its components alive: starts again what fails, with growing delays, and ends what hangs. */
export class UnitSupervisor {
  readonly #spec: UnitSpec
  readonly #api: { server: string; caData: string }
  readonly #log: Logger
  readonly #events: SupervisorEvents
  readonly #components = new Map<string, StartComponent>()
  readonly #timings: SupervisorTimings
  /** How often each component failed in a row, and when it last started. */
  readonly #trials = new Map<string, { failures: number; startedAt: number }>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #unit: Unit | undefined
  #startedAt = 0
  #answeredAt = 0
  #unitFailures = 0
  /** Why the unit was ended; empty when it ends by itself. */
  #verdict = ''
  /** Set while the unit is asked to stop because it is to start anew. */
  #renewal: NodeJS.Timeout | undefined
  #pinging: NodeJS.Timeout | undefined
  #stopping = false
  #gone: PromiseWithResolvers<void> | undefined

  constructor(
    spec: UnitSpec,
    api: { server: string; caData: string },
    log: Logger,
    events: SupervisorEvents,
    timings: Partial<SupervisorTimings> = {},
  ) {
    this.#timings = { ...defaultTimings, ...timings }
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
    else if (!this.#renewal) this.#startComponents([component])
  }

  /** Stops running a component. A unit cannot let go of one alone, so the others start anew. */
  end(plugin: string, component: string): void {
    if (!this.#components.delete(`${plugin}/${component}`)) return
    this.#trials.delete(`${plugin}/${component}`)
    this.#events.onState({ plugin, component }, { state: 'Stopped' })
    this.#restart()
  }

  #restart(): void {
    const unit = this.#unit
    if (!unit || this.#renewal) return
    unit.send({ type: 'stop' })
    this.#renewal = setTimeout(() => unit.kill(), this.#timings.stopMs)
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
    this.#pinging ??= setInterval(() => this.#ping(), this.#timings.pingEveryMs)
  }

  #startComponents(components: StartComponent[]): void {
    this.#unit!.send({ type: 'start', api: this.#api, components })
    for (const of of components) {
      const { failures = 0 } = this.#trials.get(keyOf(of)) ?? {}
      this.#trials.set(keyOf(of), { failures, startedAt: Date.now() })
      this.#events.onState(of, { state: 'Starting', pid: this.#unit!.pid })
    }
  }

  #receive(message: UnitMessage): void {
    this.#answeredAt = Date.now()
    switch (message.type) {
      case 'log':
        this.#log[message.level](message.message, message.keys)
        break
      case 'ready':
        if (!this.#components.has(keyOf(message))) break
        this.#events.onState(message, { state: 'Running', pid: this.#unit?.pid ?? 0 })
        break
      case 'failed':
        if (!this.#components.has(keyOf(message))) break
        this.#componentFailed(message, message.error ?? 'it returned before it was asked to stop')
        break
    }
  }

  #componentFailed(of: { plugin: string; component: string }, error: string): void {
    const key = keyOf(of)
    const trial = this.#trials.get(key) ?? { failures: 0, startedAt: 0 }
    const failures = this.#failuresAfter(trial.failures, trial.startedAt)
    this.#trials.set(key, { ...trial, failures })
    const delayMs = this.#delayAfter(failures)
    this.#log.error('plugin component failed', { plugin: of.plugin, component: of.component, retryMs: delayMs, error })
    this.#events.onState(of, { state: 'BackingOff', error })
    const unit = this.#unit
    this.#schedule(() => {
      const component = this.#components.get(key)
      // A unit that has been replaced meanwhile has started the component already.
      if (component && this.#unit === unit && unit) this.#startComponents([component])
    }, delayMs)
  }

  /** Counts one more failure in a row of something that started at `startedAt`. */
  #failuresAfter(failures: number, startedAt: number): number {
    return Date.now() - startedAt > this.#timings.steadyMs ? 1 : failures + 1
  }

  #delayAfter(failures: number): number {
    const { firstDelayMs, maxDelayMs } = this.#timings
    return Math.min(firstDelayMs * 2 ** Math.min(failures - 1, 30), maxDelayMs)
  }

  #exited(why: string): void {
    const isRenewal = this.#renewal !== undefined
    clearTimeout(this.#renewal)
    this.#renewal = undefined
    this.#unit = undefined
    this.#gone?.resolve()
    if (this.#stopping || this.#components.size === 0) return
    if (isRenewal) this.#schedule(() => this.#startUnit(), 0)
    else this.#unitFailed(this.#verdict || why)
    this.#verdict = ''
  }

  #unitFailed(why: string): void {
    this.#unitFailures = this.#failuresAfter(this.#unitFailures, this.#startedAt)
    const delayMs = this.#delayAfter(this.#unitFailures)
    this.#log.error('plugin unit ended', { unit: this.#spec.name, why, retryMs: delayMs })
    for (const of of this.#components.values()) this.#events.onState(of, { state: 'BackingOff', error: why })
    this.#schedule(() => this.#startUnit(), delayMs)
  }

  #ping(): void {
    if (!this.#unit) return
    if (Date.now() - this.#answeredAt > this.#timings.hangMs) {
      this.#verdict = `it hung: no answer for ${Math.round((Date.now() - this.#answeredAt) / 1000)} seconds`
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
    clearTimeout(this.#renewal)
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
