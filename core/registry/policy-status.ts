import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { Logger } from '#apis/plugin/v1/host.ts'
import { isConflict, isNotFound } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { asServer } from './as-server.ts'
import type { Registry } from './registry.ts'
import { nameOfKey, type ResourceStore } from './resource-store.ts'

const group = 'admissionregistration.k8s.io'
const resource = 'validatingadmissionpolicies'

interface Parts<Policy> {
  registry: Registry
  store: ResourceStore
  log: Logger
  /** What a policy's author should know of its types. */
  warningsOf(policy: Policy): readonly object[]
}

interface Status {
  observedGeneration?: number
  typeChecking?: { expressionWarnings?: readonly object[] }
}

/** Writes into the status of each policy what came of checking its types, once for each generation. */
export function keepPolicyStatus<Policy>(parts: Parts<Policy>): void {
  const { cache } = parts.registry.get(group, resource)!
  const due = new Set<string>()
  const settle = async () => {
    const names = [...due]
    due.clear()
    for (const name of names) await settlePolicy(name, parts)
  }
  // Policies come in crowds, and their types may take a while.
  const look = (key: string) => {
    if (due.size === 0) setImmediate(() => void settle())
    due.add(nameOfKey(key).name)
  }
  for (const { key } of cache.list('').entries) look(key)
  cache.onChange(({ type, entry }) => type !== 'DELETED' && look(entry.key))
}

async function settlePolicy<Policy>(name: string, { registry, store, warningsOf, log }: Parts<Policy>): Promise<void> {
  const served = registry.find(group, 'v1', resource)!
  const entry = served.resource.cache.get(name)
  const policy = entry && reviveObject(entry.bytes)
  if (!policy || isObserved(policy)) return
  try {
    const expressionWarnings = warningsOf(policy as unknown as Policy)
    const change = ({ bytes }: { bytes: Buffer }) => {
      const current = reviveObject(bytes)
      if (current.metadata.generation !== policy.metadata.generation) return current
      const typeChecking = expressionWarnings.length > 0 ? { expressionWarnings } : {}
      const status = { ...(current.status as object), observedGeneration: policy.metadata.generation, typeChecking }
      return { ...current, status }
    }
    await store.update(served, { namespace: '', name }, 'status', change, asServer)
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) log.error('types of a policy not checked', { name, error })
  }
}

function isObserved({ metadata, status }: UnstructuredObject): boolean {
  return ((status as Status | undefined)?.observedGeneration ?? 0) >= (metadata.generation ?? 0)
}
