import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { hostname } from 'node:os'
import type { Logger } from '#apis/plugin/v1/host.ts'

export interface LeadershipOptions {
  /** Path of an administrator's kubeconfig. */
  kubeconfig: string
  /** Called with true when this server begins to lead and with false when it no longer does. */
  onChange(isLeading: boolean): void
  log: Logger
}

/**
 * Elects one of the servers that share a store, by a Lease. Loaded by those servers only.
 * @returns what ends the candidacy, and hands the Lease to the next
 */
export async function standForElection({ kubeconfig, onChange, log }: LeadershipOptions): Promise<AsyncDisposable> {
  const [{ connect, loadKubeconfig }, { runWithLeaderElection }] = await Promise.all([
    import('@keelson/client'),
    import('@keelson/kit'),
  ])
  const client = connect(loadKubeconfig(kubeconfig))
  const ended = new AbortController()
  const running = runWithLeaderElection({
    client,
    name: 'keelson-controllers',
    identity: `${hostname()}_${randomUUID()}`,
    lead: async (signal) => {
      onChange(true)
      if (!signal.aborted) await once(signal, 'abort')
      onChange(false)
    },
    signal: ended.signal,
    log,
  }).catch((error) => log.error('leader election failed', { error }))
  return {
    [Symbol.asyncDispose]: async () => {
      ended.abort()
      await running
      await client[Symbol.asyncDispose]()
    },
  }
}
