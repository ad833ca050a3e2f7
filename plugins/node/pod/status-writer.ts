import type { Pod, PodCondition, PodStatus } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { pods } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { Logger } from '@keelson/apis/plugin/v1/host.ts'
import type { Client } from '@keelson/client'
import { equalJson, isConflict, isForbidden, isInvalid, isNotFound } from '@keelson/client'
import type { Clock, Limiter } from '@keelson/kit'
import { pause } from '@keelson/kit'
import type { PodObject } from './model.ts'

export interface StatusWriterOptions {
  client: Client
  clock: Clock
  log: Logger
  /** Bounds how many status writes of all pods are under way. */
  limit: Limiter
  signal: AbortSignal
}

const retryMs = 1_000
const ownConditions = ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled']

/** Writes one pod's status: the newest wanted one, one write at a time, and none when nothing changed. */
export class StatusWriter {
  readonly #options: StatusWriterOptions
  #wanted: { pod: PodObject; status: PodStatus } | undefined
  /** The newest status told to `publish`, written or not. */
  #latest: PodStatus | undefined
  #written: PodStatus | undefined
  #writing: Promise<void> | undefined

  constructor(options: StatusWriterOptions) {
    this.#options = options
  }

  /**
   * The pod as the API will show it once all that is wanted is written. A status made of anything older would set the times
   * of its conditions anew while one is under way, and the two would replace each other for ever. Others' conditions are the API's.
   */
  overlay(pod: PodObject): PodObject {
    if (!this.#latest) return pod
    const others = (pod.status?.conditions ?? []).filter(({ type }) => !ownConditions.includes(type))
    const own = (this.#latest.conditions ?? []).filter(({ type }) => ownConditions.includes(type))
    return { ...pod, status: { ...pod.status, ...this.#latest, conditions: [...own, ...others] } } as PodObject
  }

  publish(pod: PodObject, status: PodStatus): void {
    this.#wanted = { pod, status }
    this.#latest = status
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = undefined))
  }

  /** Resolves when what is wanted has been written, or cannot be. */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing
  }

  async #writeAll(): Promise<void> {
    while (this.#wanted && !this.#options.signal.aborted) {
      const { pod, status } = this.#wanted
      this.#wanted = undefined
      const before = this.#written ?? pod.status
      if (equalJson(before, status)) continue
      if (await this.#options.limit(() => this.#write(pod, before, status))) this.#written = status
      else await this.#waitToRetry(pod, status)
    }
  }

  /** @returns false when it is worth another attempt */
  async #write(pod: PodObject, before: PodObject['status'], status: PodStatus): Promise<boolean> {
    const { name = '', namespace = '', uid } = pod.metadata
    const patch = { metadata: { uid }, status: statusPatch(before, status) }
    try {
      const resource = this.#options.client.resource<Pod>(pods).in(namespace)
      await resource.patch(name, { type: 'strategic', body: patch }, { subresource: 'status' })
      return true
    } catch (error) {
      if (isNotFound(error) || isConflict(error)) return true
      this.#options.log.warn('pod status not written', { pod: name, namespace, error })
      return isInvalid(error) || isForbidden(error)
    }
  }

  async #waitToRetry(pod: PodObject, status: PodStatus): Promise<void> {
    await pause(this.#options.clock, retryMs, this.#options.signal)
    this.#wanted ??= { pod, status }
  }
}

/** A strategic merge patch from `before` to `after`: conditions and addresses are merged by key, the rest replaced. */
export function statusPatch(before: PodObject['status'], after: PodStatus): Record<string, unknown> {
  const gone = Object.keys(before ?? {}).filter((field) => !Object.hasOwn(after, field) && ownFields.has(field))
  const conditions = (after.conditions ?? []).filter(({ type }) => ownConditions.includes(type))
  const lost = (before?.podIPs ?? []).filter(({ ip }) => !after.podIPs?.some((one) => one.ip === ip))
  const podIPs = [...(after.podIPs ?? []), ...lost.map(({ ip }) => ({ $patch: 'delete', ip }))]
  return {
    ...Object.fromEntries(gone.map((field) => [field, null])),
    ...after,
    conditions: conditions.map(wholeCondition),
    ...(podIPs.length > 0 && { podIPs }),
  }
}

/** Fields of the status that are the agent's to remove. */
const ownFields = new Set(['reason', 'message', 'podIP', 'podIPs'])

/** Merged into an old condition of its type, an absent reason would leave the old one. */
const wholeCondition = (condition: PodCondition) => ({ reason: null, message: null, ...condition })
