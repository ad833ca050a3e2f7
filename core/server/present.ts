import type { Endpoint, ResourceRequest } from '#core/endpoints/endpoint.ts'
import { translateStorageError } from '#core/registry/translate-errors.ts'

/**
 * With a store that several servers share, this one may not have heard yet of what another was acknowledged. Whoever does
 * not say otherwise asks for the present: then the cache catches up first.
 */

/** True but for reads that name a resourceVersion, or that go on with a list. */
export function isAboutPresent({ info, exchange }: ResourceRequest): boolean {
  if (info.verb !== 'get' && info.verb !== 'list' && info.verb !== 'watch') return true
  return !exchange.query.get('resourceVersion') && !exchange.query.get('continue')
}

/** @throws StatusError ServiceUnavailable, Timeout when the store cannot be asked */
export async function inPresent(
  synced: () => Promise<void>,
  endpoint: Endpoint,
  request: ResourceRequest,
): Promise<void> {
  try {
    await synced()
  } catch (error) {
    throw translateStorageError(error, request.served.resource.definition, request.info.name)
  }
  return endpoint(request)
}
