import { newTimeout } from '#core/errors/status-error.ts'
import type { Cacher } from '#core/storage/cacher/cacher.ts'

const waitMs = 3_000
const retryAfterSeconds = 1

/**
 * Waits a little for the cache to reach a revision that a client has seen, perhaps at another server.
 * @throws StatusError Timeout when it does not
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#unavailable-resource-versions
 */
export async function reach(cacher: Cacher, revision: number): Promise<void> {
  if (revision <= cacher.revision) return
  try {
    await cacher.reached(revision, AbortSignal.timeout(waitMs))
  } catch {
    const message = 'Too large resource version'
    const error = newTimeout(`${message}: ${revision}, current: ${cacher.revision}`, retryAfterSeconds)
    error.status.details = { ...error.status.details, causes: [{ reason: 'ResourceVersionTooLarge', message }] }
    throw error
  }
}
