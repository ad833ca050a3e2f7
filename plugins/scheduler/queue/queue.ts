/**
 * Pods waiting for a node. A pod is in one of these places:
 * - active: to be tried as soon as its turn comes, highest priority first
 * - backoff: to be tried when its time comes; 1 s after the first failure, doubling up to 10 s
 * - unschedulable: no node fits; waits for an event that could change that, at most five minutes
 * - gated: may not be tried before its own object changes
 * - taken: `pop` handed it out; it comes back through `park` or `retry`, or leaves through `delete`
 */
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '@keelson/kit'
import type { PodInfo } from '../framework/pod-info.ts'
import type { ClusterEvent, Plugin, QueuedPod } from '../framework/types.ts'
import { Heap } from './heap.ts'

export const initialBackoffMs = 1_000
export const maxBackoffMs = 10_000
export const maxUnschedulableMs = 5 * 60_000

export interface QueueOptions {
  clock: Clock
  compare(a: QueuedPod, b: QueuedPod): number
  /** True when the pod may not enter yet. */
  isGated(pod: PodInfo): boolean
  couldHelp(rejectedBy: ReadonlySet<Plugin>, pod: PodInfo, event: ClusterEvent): boolean
  /** Called when there is something to pop where there was nothing. */
  onReady(): void
}

interface Entry extends QueuedPod {
  info: PodInfo
  attempts: number
  readonly sequence: number
  rejectedBy: ReadonlySet<Plugin>
  /** When its backoff is over. */
  readyAt: number
  parkedAt: number
}

export class SchedulingQueue {
  readonly #options: QueueOptions
  readonly #entries = new Map<string, Entry>()
  readonly #active: Heap<Entry>
  readonly #backoff = new Heap<Entry>((a, b) => a.readyAt - b.readyAt || a.sequence - b.sequence)
  /** In the order of `parkedAt`. */
  readonly #unschedulable = new Set<Entry>()
  #sequence = 0
  #cancelTimer: (() => void) | undefined

  constructor(options: QueueOptions) {
    this.#options = options
    this.#active = new Heap((a, b) => options.compare(a, b) || a.sequence - b.sequence)
  }

  get counts(): { active: number; backoff: number; unschedulable: number } {
    return { active: this.#active.size, backoff: this.#backoff.size, unschedulable: this.#unschedulable.size }
  }

  has(uid: string): boolean {
    return this.#entries.has(uid)
  }

  /** Takes in a new pod, or a newer state of a pod it has. A change by the user gives a waiting pod another try. */
  set(info: PodInfo): void {
    const known = this.#entries.get(info.uid)
    if (known) this.#update(known, info)
    else this.#enter(info)
  }

  delete(uid: string): void {
    const entry = this.#entries.get(uid)
    if (!entry) return
    this.#entries.delete(uid)
    this.#leave(entry)
    this.#schedule()
  }

  /** The next pod to try; it counts as an attempt. */
  pop(): QueuedPod | undefined {
    const entry = this.#active.pop()
    if (entry) entry.attempts++
    return entry
  }

  /** Puts back a pod that fits nowhere, to wait for an event that could help it. Nothing when it was deleted meanwhile. */
  park(uid: string, rejectedBy: ReadonlySet<Plugin>): void {
    const entry = this.#entries.get(uid)
    if (!entry) return
    const now = this.#options.clock.now()
    entry.rejectedBy = rejectedBy
    entry.parkedAt = now
    entry.readyAt = now + backoffMs(entry.attempts)
    this.#unschedulable.add(entry)
    this.#schedule()
  }

  /** Puts back a pod that failed for a reason that may be gone the next time. */
  retry(uid: string): void {
    const entry = this.#entries.get(uid)
    if (!entry) return
    entry.readyAt = this.#options.clock.now() + backoffMs(entry.attempts)
    this.#backoff.push(entry)
    this.#schedule()
  }

  /** Gives one unschedulable pod another try, after its backoff. */
  nudge(uid: string): void {
    const entry = this.#entries.get(uid)
    if (!entry || !this.#unschedulable.delete(entry)) return
    this.#revive(entry)
    this.#schedule()
  }

  /** Revives those unschedulable pods that the event could help. */
  notify(event: ClusterEvent): void {
    if (!this.#unschedulable.size) return
    for (const entry of [...this.#unschedulable]) {
      if (!this.#options.couldHelp(entry.rejectedBy, entry.info, event)) continue
      this.#unschedulable.delete(entry)
      this.#revive(entry)
    }
    this.#schedule()
  }

  close(): void {
    this.#cancelTimer?.()
  }

  #enter(info: PodInfo): void {
    const now = this.#options.clock.now()
    const entry: Entry = {
      info,
      queuedAt: now,
      attempts: 0,
      sequence: this.#sequence++,
      rejectedBy: new Set(),
      readyAt: now,
      parkedAt: now,
    }
    this.#entries.set(info.uid, entry)
    if (!this.#options.isGated(info)) this.#activate(entry)
  }

  #update(known: Entry, info: PodInfo): void {
    const isChanged = !isSameRequest(known.info, info)
    if (!isChanged || !this.#isWaiting(known)) {
      known.info = info
      return
    }
    this.#leave(known)
    known.info = info
    if (!this.#options.isGated(info)) this.#revive(known)
    this.#schedule()
  }

  /** Neither active nor taken: an own change matters to it. */
  #isWaiting(entry: Entry): boolean {
    return (
      this.#unschedulable.has(entry) || this.#backoff.has(entry) || (entry.attempts === 0 && !this.#active.has(entry))
    )
  }

  #leave(entry: Entry): void {
    this.#active.delete(entry)
    this.#backoff.delete(entry)
    this.#unschedulable.delete(entry)
  }

  #revive(entry: Entry): void {
    if (entry.readyAt > this.#options.clock.now()) this.#backoff.push(entry)
    else this.#activate(entry)
  }

  #activate(entry: Entry): void {
    const wasEmpty = this.#active.size === 0
    this.#active.push(entry)
    if (wasEmpty) this.#options.onReady()
  }

  /** Activates what is due and sets the one timer to whatever is due next. */
  #schedule(): void {
    const now = this.#options.clock.now()
    for (let next = this.#backoff.peek(); next && next.readyAt <= now; next = this.#backoff.peek()) {
      this.#backoff.delete(next)
      this.#activate(next)
    }
    for (const entry of this.#unschedulable) {
      if (entry.parkedAt + maxUnschedulableMs > now) break
      this.#unschedulable.delete(entry)
      this.#activate(entry)
    }
    this.#cancelTimer?.()
    const dueAt = this.#nextDue()
    this.#cancelTimer =
      dueAt === undefined ? undefined : this.#options.clock.schedule(dueAt - now, () => this.#schedule())
  }

  #nextDue(): number | undefined {
    const ready = this.#backoff.peek()?.readyAt
    const [oldest] = this.#unschedulable
    const flush = oldest && oldest.parkedAt + maxUnschedulableMs
    return ready !== undefined && flush !== undefined ? Math.min(ready, flush) : (ready ?? flush)
  }
}

export function backoffMs(attempts: number): number {
  return Math.min(initialBackoffMs * 2 ** Math.max(0, attempts - 1), maxBackoffMs)
}

/** What a pod asks of the scheduler: its spec and labels, not its status. */
function isSameRequest(a: PodInfo, b: PodInfo): boolean {
  return isDeepStrictEqual(a.pod.spec, b.pod.spec) && isDeepStrictEqual(a.labels, b.labels)
}
