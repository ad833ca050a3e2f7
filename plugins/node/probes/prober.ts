import type { Probe } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { DeepReadonly } from '@keelson/client'
import type { Clock } from '@keelson/kit'
import type { ContainerSpec, ProbeState } from '../pod/model.ts'
import type { HandlerResult, HandlerTarget } from './handlers.ts'
import { runHandler } from './handlers.ts'

type AnyProbe = DeepReadonly<Probe>
export type ProbeKind = 'Startup' | 'Readiness' | 'Liveness'

export interface ProberOptions {
  target: HandlerTarget
  startedAtMs: number
  /** What an earlier agent found, for a container that has been running. */
  known?: Pick<ProbeState, 'started' | 'ready'>
  clock: Clock
  /** Runs one probe; tests replace it. */
  run?: typeof runHandler
  /** Called after each change of `state`. */
  onChange: () => void
  onFailure: (kind: ProbeKind, output: string) => void
}

/** What a container's probes say before any of them has run. */
function initialProbeState({ startupProbe, readinessProbe }: ContainerSpec): ProbeState {
  return { started: !startupProbe, ready: !readinessProbe && !startupProbe }
}

/**
 * Runs one container's probes: startup until it passes, then readiness and liveness, each in its own rhythm.
 * `state` is what `plan` and `podStatus` read. A container that is found unhealthy is probed no more.
 */
export class Prober {
  readonly state: ProbeState
  readonly #options: ProberOptions
  readonly #cancels = new Map<ProbeKind, () => void>()
  #isStopped = false

  constructor(options: ProberOptions) {
    this.#options = options
    const { container } = options.target
    this.state = options.known ? { ...options.known } : initialProbeState(container)
    if (container.startupProbe && !this.state.started) this.#schedule('Startup', container.startupProbe)
    else this.#probeStarted()
  }

  stop(): void {
    this.#isStopped = true
    for (const cancel of this.#cancels.values()) cancel()
  }

  #probeStarted(): void {
    const { readinessProbe, livenessProbe } = this.#options.target.container
    if (readinessProbe) this.#schedule('Readiness', readinessProbe)
    if (livenessProbe) this.#schedule('Liveness', livenessProbe)
  }

  #schedule(kind: ProbeKind, probe: AnyProbe): void {
    const { clock, startedAtMs } = this.#options
    const firstMs = startedAtMs + (probe.initialDelaySeconds ?? 0) * 1000
    let streak = { isSuccess: true, length: 0 }
    const round = async () => {
      const result = await this.#run(probe)
      if (this.#isStopped) return
      streak = { isSuccess: result.isSuccess, length: streak.isSuccess === result.isSuccess ? streak.length + 1 : 1 }
      if (!result.isSuccess) this.#options.onFailure(kind, result.output)
      if (this.#judge(kind, probe, streak))
        this.#cancels.set(kind, clock.schedule((probe.periodSeconds ?? 10) * 1000, round))
    }
    this.#cancels.set(kind, clock.schedule(Math.max(0, firstMs - clock.now()), round))
  }

  #run(probe: AnyProbe): Promise<HandlerResult> {
    const { target, run = runHandler } = this.#options
    return run(probe, target, probe.timeoutSeconds ?? 1)
  }

  /** Draws the conclusion of a streak. @returns true while this probe goes on */
  #judge(kind: ProbeKind, probe: AnyProbe, { isSuccess, length }: { isSuccess: boolean; length: number }): boolean {
    const isDecided = length >= (isSuccess ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3))
    if (!isDecided) return true
    if (kind === 'Readiness') return this.#setReady(isSuccess)
    if (isSuccess) return kind === 'Startup' ? this.#setStarted() : true
    return this.#setUnhealthy(kind, probe)
  }

  #setReady(ready: boolean): true {
    if (this.state.ready !== ready) {
      this.state.ready = ready
      this.#options.onChange()
    }
    return true
  }

  #setStarted(): false {
    this.state.started = true
    this.state.ready = !this.#options.target.container.readinessProbe
    this.#options.onChange()
    this.#probeStarted()
    return false
  }

  #setUnhealthy(kind: ProbeKind, probe: AnyProbe): false {
    const { name } = this.#options.target.container
    this.state.unhealthy = `Container ${name} failed ${kind.toLowerCase()} probe, will be restarted`
    if (probe.terminationGracePeriodSeconds !== undefined) this.state.graceSeconds = probe.terminationGracePeriodSeconds
    this.stop()
    this.#options.onChange()
    return false
  }
}
