import { type Lease, leases } from '@keelson/apis/coordination/v1/zz_generated.types.ts'
import type { Logger } from '@keelson/apis/plugin/v1/host.ts'
import { type Client, isNotFound } from '@keelson/client'
import { type Clock, formatMicroTime, pause, systemClock } from './clock.ts'

export interface LeaderElectionOptions {
  client: Client
  /** Names the Lease: those who give the same name compete. */
  name: string
  /** Default `kube-system`. */
  namespace?: string
  /** Who competes: unique to this process. */
  identity: string
  /** What only the leader does; it must end when its signal aborts. */
  lead: (signal: AbortSignal) => Promise<void>
  /** Stops competing, and leading. */
  signal: AbortSignal
  log?: Logger
  clock?: Clock
  random?: () => number
  timings?: Timings
}

export interface Timings {
  /** How long others wait after the last renewal they saw. */
  leaseDurationMs: number
  /** How long the leader tries to renew before it gives up; less than `leaseDurationMs`. */
  renewDeadlineMs: number
  retryPeriodMs: number
}

/** Those of Kubernetes' own components. */
export const defaultTimings: Timings = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000 }
const jitter = 1.2

/**
 * Runs `lead` whenever, and only while, this identity holds the Lease. Clocks of competitors are not compared: each
 * measures with its own how long the Lease stayed unchanged. The Lease is given back at the end, so that another
 * takes over at once. Resolves when `signal` aborts; rejects with what `lead` throws, also when it ends early.
 */
export async function runWithLeaderElection(options: LeaderElectionOptions): Promise<void> {
  const { signal, log, name, identity } = options
  const lease = createLeaseHolder(options)
  while (!signal.aborted) {
    await lease.acquire()
    if (signal.aborted) break
    log?.info('started leading', { lease: name, identity })
    await leadWhileHeld(options, lease)
    log?.info('stopped leading', { lease: name, identity })
  }
}

async function leadWhileHeld({ lead, signal, name }: LeaderElectionOptions, lease: LeaseHolder): Promise<void> {
  const term = new AbortController()
  const endTerm = () => term.abort(signal.reason)
  signal.addEventListener('abort', endTerm, { once: true })
  const leading = lead(term.signal).then(() => {
    if (!term.signal.aborted) throw new Error(`what the holder of lease ${name} runs ended early`)
  })
  const lost = lease.keep(term.signal).then(() => term.abort(new Error(`lost lease ${name}`)))
  try {
    await Promise.race([leading, lost])
    await leading
  } finally {
    term.abort()
    await lost
    signal.removeEventListener('abort', endTerm)
    await lease.release()
  }
}

interface LeaseHolder {
  /** Resolves when the Lease is held, or the competition was called off. */
  acquire(): Promise<void>
  /** Renews until it cannot, or `signal` aborts. */
  keep(signal: AbortSignal): Promise<void>
  release(): Promise<void>
}

function createLeaseHolder(options: LeaderElectionOptions): LeaseHolder {
  const { client, name, namespace = 'kube-system', identity, signal, log } = options
  const { clock = systemClock, random = Math.random, timings = defaultTimings } = options
  const resource = client.resource(leases).in(namespace)
  /** The Lease as last seen, and when it was first seen so. */
  let observed: { lease: Lease; at: number } | undefined

  function observe(lease: Lease): void {
    const isNew = observed?.lease.metadata.resourceVersion !== lease.metadata.resourceVersion
    if (isNew) observed = { lease, at: clock.elapsed() }
  }

  /** One attempt to take or renew. @throws when somebody else was faster, or the server could not be asked */
  async function tryHold(attempt: AbortSignal): Promise<boolean> {
    const current = await readLease(attempt)
    if (!current) {
      observe(await resource.create(leaseFor(undefined), { signal: attempt }))
      return true
    }
    observe(current)
    if (isHeldByOther(current)) return false
    observe(await resource.update({ ...current, spec: leaseFor(current).spec }, { signal: attempt }))
    return true
  }

  async function readLease(attempt: AbortSignal): Promise<Lease | undefined> {
    try {
      return await resource.get(name, { signal: attempt })
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  function isHeldByOther({ spec }: Lease): boolean {
    const holder = spec?.holderIdentity
    if (!holder || holder === identity) return false
    return clock.elapsed() < observed!.at + (spec?.leaseDurationSeconds ?? 0) * 1000
  }

  function leaseFor(current: Lease | undefined): Lease {
    const now = formatMicroTime(clock.now())
    const isRenewal = current?.spec?.holderIdentity === identity
    const transitions = current?.spec?.leaseTransitions ?? 0
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace },
      spec: {
        ...current?.spec,
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(timings.leaseDurationMs / 1000),
        acquireTime: isRenewal ? current.spec?.acquireTime : now,
        renewTime: now,
        leaseTransitions: isRenewal || !current ? transitions : transitions + 1,
      },
    }
  }

  /** An attempt that takes longer than the deadline counts as failed: its outcome would come too late. */
  async function attemptWithin(deadlineMs: number): Promise<boolean> {
    const attempt = new AbortController()
    const cancel = clock.schedule(Math.max(deadlineMs, 0), () => attempt.abort(new Error('no answer in time')))
    try {
      return await tryHold(attempt.signal)
    } catch (error) {
      log?.debug('lease not taken', { lease: name, identity, error })
      return false
    } finally {
      cancel()
    }
  }

  return {
    async acquire() {
      while (!signal.aborted && !(await attemptWithin(timings.renewDeadlineMs))) {
        await pause(clock, timings.retryPeriodMs * (1 + random() * (jitter - 1)), signal)
      }
    },
    async keep(term) {
      for (let renewedAt = clock.elapsed(); ; ) {
        await pause(clock, timings.retryPeriodMs, term)
        if (term.aborted) return
        const startedAt = clock.elapsed()
        const leftMs = renewedAt + timings.renewDeadlineMs - startedAt
        if (leftMs > 0 && (await attemptWithin(leftMs))) renewedAt = startedAt
        else if (clock.elapsed() - renewedAt >= timings.renewDeadlineMs) return
      }
    },
    async release() {
      if (observed?.lease.spec?.holderIdentity !== identity) return
      const { lease } = observed
      const spec = {
        ...lease.spec,
        holderIdentity: '',
        leaseDurationSeconds: 1,
        renewTime: formatMicroTime(clock.now()),
      }
      await resource
        .update({ ...lease, spec })
        .catch((error) => log?.debug('lease not released', { lease: name, error }))
    },
  }
}
