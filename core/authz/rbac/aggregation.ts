import type { Logger } from '#apis/plugin/v1/host.ts'
import type { ClusterRole, PolicyRule } from '#apis/rbac/v1/zz_generated.types.ts'
import { isConflict, isNotFound } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { asServer } from '#core/registry/as-server.ts'
import type { Registry } from '#core/registry/registry.ts'
import type { ResourceStore } from '#core/registry/resource-store.ts'
import { canonicalText } from '#core/schema/json.ts'
import type { RbacIndex } from './rbac-index.ts'

/**
 * Writes into each aggregated ClusterRole the rules it collects. Decisions do not wait for it, as the index collects by
 * itself: this is what people and other servers read. It is here and not in a plugin because a cluster without plugins
 * has roles too.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
 */
export function showAggregatedRules(parts: {
  rbac: RbacIndex
  registry: Registry
  store: ResourceStore
  log: Logger
}): void {
  const { cache } = parts.registry.get('rbac.authorization.k8s.io', 'clusterroles')!
  let isDue = false
  const settle = async () => {
    isDue = false
    for (const entry of cache.list('').entries) await settleRole(reviveObject(entry.bytes) as ClusterRole, parts)
  }
  // Roles come in crowds; one look at all of them serves a crowd.
  const schedule = () => {
    if (isDue) return
    isDue = true
    setImmediate(() => void settle())
  }
  cache.onChange(schedule)
  schedule()
}

async function settleRole(
  role: ClusterRole,
  { rbac, registry, store, log }: Parameters<typeof showAggregatedRules>[0],
): Promise<void> {
  if (!role.aggregationRule) return
  const { name = '' } = role.metadata
  const rules = distinct(rbac.rulesOfRole({ kind: 'ClusterRole', name }, '') ?? [])
  if (canonicalText(rules) === canonicalText(role.rules ?? [])) return
  const served = registry.find('rbac.authorization.k8s.io', 'v1', 'clusterroles')!
  try {
    const change = ({ bytes }: { bytes: Buffer }) => ({ ...reviveObject(bytes), rules: structuredClone(rules) })
    await store.update(served, { namespace: '', name }, '', change, asServer)
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) log.error('aggregated role not settled', { name, error })
  }
}

function distinct(rules: readonly PolicyRule[]): PolicyRule[] {
  return [...new Map(rules.map((rule) => [canonicalText(rule), rule])).values()]
}
