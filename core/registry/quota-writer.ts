import type { ResourceQuota } from '#apis/core/v1/zz_generated.types.ts'
import { isNotFound } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { asServer } from './as-server.ts'
import type { Registry } from './registry.ts'
import type { ResourceStore } from './resource-store.ts'

/**
 * Writes the status of ResourceQuotas for the step of admission that charges to them.
 * @param store asked at each write, since the store and its admission are made together
 */
export function quotaWriter(registry: Registry, store: () => ResourceStore) {
  return {
    async updateStatus(
      namespace: string,
      name: string,
      change: (latest: Readonly<ResourceQuota>) => ResourceQuota['status'],
    ): Promise<void> {
      const served = registry.find('', 'v1', 'resourcequotas')!
      const next = ({ bytes }: { bytes: Buffer }) => {
        const quota = reviveObject(bytes)
        return { ...quota, status: change(quota as unknown as ResourceQuota) }
      }
      await store()
        .update(served, { namespace, name }, 'status', next, asServer)
        .catch((error) => {
          if (!isNotFound(error)) throw error
        })
    },
  }
}
