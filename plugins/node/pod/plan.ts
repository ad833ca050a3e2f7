import type { ContainerStatus } from '@keelson/apis/plugin/v1/cri.ts'
import type { ContainerRole, PodView } from './model.ts'
import {
  attemptsOf,
  containerHash,
  graceSecondsOf,
  hasExited,
  hashAnnotation,
  isRunning,
  isSidecar,
  nextAttempt,
  readySandbox,
  rolesOf,
} from './model.ts'
import { attemptInSandbox, hasMainStarted, isUp, mayRestart, outcomeOf } from './outcome.ts'
import { restartAtMs } from './restart-backoff.ts'

/** One step towards what a pod's spec asks for. Steps of one plan do not depend on each other. */
export type Action =
  | { do: 'mountVolumes' }
  | { do: 'runSandbox'; attempt: number }
  | { do: 'stopSandbox'; id: string }
  | { do: 'removeSandbox'; id: string }
  | { do: 'pull'; role: ContainerRole }
  /** `restartOf` is when the attempt before this one ended. */
  | { do: 'start'; role: ContainerRole; attempt: number; sandboxId: string; restartOf?: number }
  | { do: 'kill'; id: string; name: string; message: string; deadlineMs: number }
  | { do: 'removeContainer'; id: string }
  /** The pod must end though nobody deleted it. */
  | { do: 'fail'; reason: string; message: string }
  /** Attempt `id` ended, and the next one must wait: says so, once. */
  | { do: 'announceBackOff'; id: string; name: string }
  /** Nothing of the pod runs: its API object may go. */
  | { do: 'finish' }
  /** Nothing of the pod is left on the node. */
  | { do: 'forget' }

export interface Plan {
  actions: Action[]
  /** When to plan again though nothing has happened. */
  wakeAtMs?: number
}

/** Actions with the same key are not run at the same time; the agent keeps the keys of those under way in `memory.busy`. */
export function keyOf(action: Action): string {
  switch (action.do) {
    case 'pull':
    case 'start':
      return `${action.do}:${action.role.spec.name}`
    case 'kill':
      return `kill:${action.id}:${action.deadlineMs}`
    case 'stopSandbox':
    case 'removeSandbox':
    case 'removeContainer':
    case 'announceBackOff':
      return `${action.do}:${action.id}`
    default:
      return action.do
  }
}

/** Decides what to do next for a pod. Reads nothing, writes nothing; the same view gives the same plan. */
export function plan(view: PodView): Plan {
  const planning = new Planning(view)
  if (isEnding(view)) planning.end()
  else if (outcomeOf(view)) planning.tearDown()
  else planning.run()
  return planning.result()
}

export function isEnding({ pod, exists, memory }: PodView): boolean {
  return !exists || pod.metadata.deletionTimestamp !== undefined || memory.failed !== undefined
}

/** A pod that was deleted by force is gone from the API before it has ended: nobody waits for it, and it gets little time. */
const mostSecondsOnceGone = 2

function endSeconds({ pod, exists }: PodView): number {
  const grace = graceSecondsOf(pod)
  return exists ? grace : Math.min(grace, mostSecondsOnceGone)
}

class Planning {
  readonly #view: PodView
  readonly #roles: ContainerRole[]
  readonly #actions: Action[] = []
  #wakeAtMs = Number.POSITIVE_INFINITY

  constructor(view: PodView) {
    this.#view = view
    this.#roles = rolesOf(view.pod)
  }

  result(): Plan {
    const { busy } = this.#view.memory
    const actions = this.#actions.filter((action) => !busy.has(keyOf(action)))
    return Number.isFinite(this.#wakeAtMs) ? { actions, wakeAtMs: this.#wakeAtMs } : { actions }
  }

  run(): void {
    this.#checkDeadline()
    const sandbox = readySandbox(this.#view)
    const { volumesMounted, volumesWanted } = this.#view.memory
    if (volumesMounted < volumesWanted && this.#mayTry('volumes')) this.#do({ do: 'mountVolumes' })
    if (sandbox) this.#removeOldSandboxes()
    else this.#replaceSandbox()
    const isBlocked = this.#runInit()
    for (const role of this.#roles) {
      if (role.kind === 'main' && !isBlocked) this.#bringUp(role, attemptsOf(this.#view, role.spec.name)[0])
      if (role.kind === 'ephemeral' && sandbox) this.#bringUp(role, attemptsOf(this.#view, role.spec.name)[0])
      this.#removeOldAttempts(role)
    }
  }

  /** Ends everything, then lets go of the API object, then of what is on the node. */
  end(): void {
    const { pod, exists, memory, sandboxes, containers } = this.#view
    if (!this.tearDown()) return
    if (exists && pod.metadata.deletionTimestamp && !memory.isFinished) this.#do({ do: 'finish' })
    if (exists) return
    for (const { id } of sandboxes) this.#do({ do: 'removeSandbox', id })
    if (sandboxes.length > 0) return
    for (const { id } of containers) this.#do({ do: 'removeContainer', id })
    // What is still writing the volumes would make files, and subscriptions, that nobody clears away.
    if (containers.length === 0 && !memory.busy.has('mountVolumes')) this.#do({ do: 'forget' })
  }

  /** @returns true when nothing runs any more */
  tearDown(): boolean {
    const { containers, sandboxes, memory } = this.#view
    const running = containers.filter(isRunning)
    const isSidecarOf = ({ metadata }: ContainerStatus) => this.#sidecars().indexOf(metadata.name)
    const first = running.filter((container) => isSidecarOf(container) < 0)
    const lastSidecar = running.reduce((last, container) => Math.max(last, isSidecarOf(container)), -1)
    const next = first.length > 0 ? first : running.filter((container) => isSidecarOf(container) === lastSidecar)
    for (const { id, metadata } of next) this.#kill(id, metadata.name, `Stopping container ${metadata.name}`)
    const isStarting = [...memory.busy].some((key) => key === 'runSandbox' || key.startsWith('start:'))
    if (running.length > 0 || isStarting) return false
    const ready = sandboxes.filter(({ state }) => state === 'SANDBOX_READY')
    for (const { id } of ready) this.#do({ do: 'stopSandbox', id })
    return ready.length === 0
  }

  #sidecars(): string[] {
    return this.#roles.filter(isSidecar).map(({ spec }) => spec.name)
  }

  #do(action: Action): void {
    this.#actions.push(action)
  }

  #wakeAt(ms: number): void {
    this.#wakeAtMs = Math.min(this.#wakeAtMs, ms)
  }

  /** False while an earlier failure at `what` asks for patience. */
  #mayTry(what: string): boolean {
    const failure = this.#view.memory.failures.get(what)
    if (!failure || failure.retryAtMs <= this.#view.nowMs) return true
    this.#wakeAt(failure.retryAtMs)
    return false
  }

  #kill(id: string, name: string, message: string, graceSeconds = endSeconds(this.#view)): void {
    const sinceMs = this.#view.memory.endingSinceMs ?? this.#view.nowMs
    if ([...this.#view.memory.busy].some((key) => key.startsWith(`kill:${id}:`)) && !this.#view.memory.endingSinceMs)
      return
    this.#do({ do: 'kill', id, name, message, deadlineMs: sinceMs + graceSeconds * 1000 })
  }

  #checkDeadline(): void {
    const { pod, nowMs } = this.#view
    const startedAtMs = Date.parse(pod.status?.startTime ?? '')
    if (pod.spec.activeDeadlineSeconds === undefined || Number.isNaN(startedAtMs)) return
    const deadlineMs = startedAtMs + pod.spec.activeDeadlineSeconds * 1000
    const message = 'Pod was active on the node longer than the specified deadline'
    if (nowMs < deadlineMs) this.#wakeAt(deadlineMs)
    else this.#do({ do: 'fail', reason: 'DeadlineExceeded', message })
  }

  /** What still runs in a sandbox that is gone has lost its network: it ends before a new sandbox starts. */
  #replaceSandbox(): void {
    const orphaned = new Set(this.#view.containers.filter(isRunning).map(({ podSandboxId }) => podSandboxId))
    for (const id of orphaned) this.#do({ do: 'stopSandbox', id })
    if (orphaned.size > 0 || !this.#mayTry('sandbox')) return
    const attempts = this.#view.sandboxes.map(({ metadata }) => metadata.attempt + 1)
    this.#do({ do: 'runSandbox', attempt: Math.max(0, ...attempts) })
  }

  /** A sandbox of the past goes once no container's last attempt is in it. */
  #removeOldSandboxes(): void {
    const needed = new Set(this.#roles.map(({ spec }) => attemptsOf(this.#view, spec.name)[0]?.podSandboxId))
    for (const { id, state } of this.#view.sandboxes) {
      if (state !== 'SANDBOX_READY' && !needed.has(id)) this.#do({ do: 'removeSandbox', id })
    }
  }

  /** The last attempt and the one before it stay, for their logs. */
  #removeOldAttempts({ spec }: ContainerRole): void {
    for (const { id } of attemptsOf(this.#view, spec.name).slice(2)) this.#do({ do: 'removeContainer', id })
  }

  /** @returns true while the containers after the init containers must wait */
  #runInit(): boolean {
    const isPast = hasMainStarted(this.#view)
    for (const role of this.#roles.filter(({ kind }) => kind === 'init')) {
      const attempt = attemptInSandbox(this.#view, role.spec.name)
      const isDone = isSidecar(role) ? isUp(this.#view, attempt) : attempt !== undefined && attempt.exitCode === 0
      if (isSidecar(role) || !(isPast || isDone)) this.#bringUp(role, attempt)
      if (!isDone && !isPast) return true
    }
    return false
  }

  /** Steps `role` towards running, from its last attempt. */
  #bringUp(role: ContainerRole, last: ContainerStatus | undefined): void {
    if (!last) this.#start(role)
    else if (last.state === 'CONTAINER_CREATED') this.#recreate(role, last)
    else if (!hasExited(last)) this.#checkRunning(role, last)
    else if (mayRestart(role, last)) this.#restart(role, last)
  }

  #restart(role: ContainerRole, last: ContainerStatus): void {
    const { memory, node, nowMs } = this.#view
    const finishedAtMs = last.finishedAtMs ?? last.createdAtMs
    const atMs = restartAtMs(memory.backoffs.get(role.spec.name), finishedAtMs, node.backoff)
    if (nowMs >= atMs) this.#start(role, finishedAtMs)
    else this.#wakeAt(atMs)
    if (nowMs < atMs && !memory.backedOff.has(last.id)) {
      this.#do({ do: 'announceBackOff', id: last.id, name: role.spec.name })
    }
  }

  /** An attempt that was created and not started is left by an agent that died in between. */
  #recreate(role: ContainerRole, { id }: ContainerStatus): void {
    if (!this.#view.memory.busy.has(`start:${role.spec.name}`)) this.#do({ do: 'removeContainer', id })
  }

  #checkRunning({ spec }: ContainerRole, container: ContainerStatus): void {
    const probe = this.#view.memory.probes.get(container.id)
    if (probe?.unhealthy) this.#kill(container.id, spec.name, probe.unhealthy, probe.graceSeconds)
    const hash = container.annotations[hashAnnotation]
    if (hash && hash !== containerHash(spec)) {
      this.#kill(container.id, spec.name, `Container ${spec.name} definition changed, will be restarted`)
    }
  }

  #start(role: ContainerRole, restartOf?: number): void {
    const { memory } = this.#view
    const { name } = role.spec
    const sandbox = readySandbox(this.#view)
    if (memory.busy.has(`start:${name}`) || !this.#mayTry(`start:${name}`)) return
    if (!memory.images.has(name)) {
      if (this.#mayTry(`pull:${name}`)) this.#do({ do: 'pull', role })
    } else if (sandbox && memory.volumesMounted > 0) {
      const restart = restartOf === undefined ? {} : { restartOf }
      this.#do({ do: 'start', role, attempt: nextAttempt(this.#view, name), sandboxId: sandbox.id, ...restart })
    }
  }
}
