import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { isAlreadyExists } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { asServer } from '#core/registry/as-server.ts'
import type { Registry } from '#core/registry/registry.ts'
import { keyOf, type ResourceStore } from '#core/registry/resource-store.ts'

/** An object every cluster has from its first start. */
export interface BootstrapObject {
  resource: { group: string; version: string; resource: string }
  object: UnstructuredObject
  /** Fields that each start sets back to what this version says, unless the object opts out of it. */
  reconcile?: readonly string[]
}

const autoupdate = 'rbac.authorization.kubernetes.io/autoupdate'
const namespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease', 'keelson-system']

/** What a cluster has besides its roles. */
export function builtinObjects(): BootstrapObject[] {
  const priorityClass = (name: string, value: number, description: string): BootstrapObject => ({
    resource: { group: 'scheduling.k8s.io', version: 'v1', resource: 'priorityclasses' },
    object: { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name }, value, description },
  })
  return [
    ...namespaces.map((name) => ({
      resource: { group: '', version: 'v1', resource: 'namespaces' },
      object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
    })),
    priorityClass('system-cluster-critical', 2_000_000_000, 'For pods the cluster needs, wherever they run.'),
    priorityClass('system-node-critical', 2_000_001_000, 'For pods a node needs; they are not moved elsewhere.'),
  ]
}

/**
 * Creates what is missing, and brings reconciled fields up to date: in one group commit of the store what is in no
 * namespace, in another what is in one.
 */
export async function bootstrap(
  registry: Registry,
  store: ResourceStore,
  objects: readonly BootstrapObject[],
): Promise<void> {
  const { global = [], namespaced = [] } = Object.groupBy(objects, ({ object }) =>
    object.metadata.namespace ? 'namespaced' : 'global',
  )
  await Promise.all(global.map((one) => ensure(registry, store, one)))
  await Promise.all(namespaced.map((one) => ensure(registry, store, one)))
}

async function ensure(registry: Registry, store: ResourceStore, { resource, object, reconcile = [] }: BootstrapObject) {
  const served = registry.find(resource.group, resource.version, resource.resource)!
  const at = { namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '' }
  const entry = served.resource.cache.get(keyOf(at))
  if (!entry) {
    await store.create(served, at.namespace, structuredClone(object), asServer).catch((error) => {
      if (!isAlreadyExists(error)) throw error
    })
    return
  }
  if (reconcile.length === 0) return
  const standing = reviveObject(entry.bytes)
  const outdated = reconcile.filter((field) => JSON.stringify(standing[field]) !== JSON.stringify(object[field]))
  if (outdated.length === 0 || standing.metadata.annotations?.[autoupdate] === 'false') return
  const wanted = Object.fromEntries(outdated.map((field) => [field, object[field]]))
  await store.update(
    served,
    at,
    '',
    (current) => ({ ...reviveObject(current.bytes), ...structuredClone(wanted) }),
    asServer,
  )
}
