import type { ServiceAccount } from '#apis/core/v1/zz_generated.types.ts'
import type { Plugin } from '#apis/keelson/v1/zz_generated.types.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { isAlreadyExists } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { asServer } from '#core/registry/as-server.ts'
import type { Registry, ServedVersion } from '#core/registry/registry.ts'
import type { ObjectName, ResourceStore, WriteContext } from '#core/registry/resource-store.ts'
import type { PluginPackage } from './builtin-plugins.ts'
import type { PluginStatus } from './components.ts'

/** Where the ServiceAccounts of plugins are. */
export const pluginNamespace = 'keelson-system'

/** The ServiceAccount a plugin acts as. */
export interface PluginIdentity {
  namespace: string
  name: string
  uid: string
}

const context: WriteContext = {
  ...asServer,
  user: { username: 'system:keelson:host', groups: ['system:masters'] },
}

/** The objects that stand for plugins: Plugin, ServiceAccount, and the role that is its permissions. */
export class PluginObjects {
  readonly #registry: Registry
  readonly #store: ResourceStore

  constructor(registry: Registry, store: ResourceStore) {
    this.#registry = registry
    this.#store = store
  }

  get(name: string): Plugin | undefined {
    return this.#read<Plugin>('keelson.dev', 'plugins', { namespace: '', name })
  }

  /** Calls `listener` with the name of each plugin whose desired state may have changed. */
  onChange(listener: (name: string) => void): () => void {
    const generations = new Map<string, number | undefined>()
    return this.#registry.get('keelson.dev', 'plugins')!.cache.onChange((change) => {
      const { metadata } = reviveObject(change.entry.bytes)
      const { name = '', generation } = metadata
      if (change.type !== 'DELETED' && generations.get(name) === generation) return
      generations.set(name, change.type === 'DELETED' ? undefined : generation)
      // The change is not yet what reads see; act on it in a turn of its own.
      setImmediate(listener, name)
    })
  }

  /** Makes what is missing of a plugin's objects. @returns whom the plugin acts as */
  async ensure(plugin: PluginPackage): Promise<PluginIdentity> {
    const { permissions = [] } = plugin.manifest
    const role = `keelson:plugin:${plugin.name}`
    const account = { namespace: pluginNamespace, name: plugin.name }
    await this.#ensureObject('keelson.dev', 'v1', 'plugins', {
      apiVersion: 'keelson.dev/v1',
      kind: 'Plugin',
      metadata: { name: plugin.name },
      spec: { package: plugin.package, version: plugin.version, enabled: true, permissions },
    })
    await this.#ensureObject('', 'v1', 'serviceaccounts', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { ...account },
    })
    await this.#ensureObject('rbac.authorization.k8s.io', 'v1', 'clusterroles', {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: role },
      rules: permissions,
    })
    await this.#ensureObject('rbac.authorization.k8s.io', 'v1', 'clusterrolebindings', {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: role },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ kind: 'ServiceAccount', ...account }],
    })
    const { metadata } = this.#read<ServiceAccount>('', 'serviceaccounts', account)!
    return { ...account, uid: metadata.uid ?? '' }
  }

  /** Creates an object, or brings a built-in's role and version up to what the package says now. */
  async #ensureObject(group: string, version: string, resource: string, object: UnstructuredObject): Promise<void> {
    const served = this.#registry.find(group, version, resource)!
    const at = { namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '' }
    const standing = this.#read<UnstructuredObject>(group, resource, at)
    if (!standing) return this.#create(served, object, at)
    if (resource === 'clusterroles' && JSON.stringify(standing.rules) !== JSON.stringify(object.rules)) {
      const { rules } = object
      await this.#store.update(served, at, '', (current) => ({ ...reviveObject(current.bytes), rules }), context)
    }
  }

  async #create(served: ServedVersion, object: UnstructuredObject, at: ObjectName): Promise<void> {
    try {
      await this.#store.create(served, at.namespace, structuredClone(object), context)
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
  }

  async writeStatus(name: string, status: PluginStatus): Promise<void> {
    const served = this.#registry.find('keelson.dev', 'v1', 'plugins')!
    const change = (current: { bytes: Buffer }) => {
      const plugin = reviveObject(current.bytes) as unknown as Plugin
      return { ...plugin, status: withKeptTimes(status, plugin.status) } as unknown as UnstructuredObject
    }
    await this.#store.update(served, { namespace: '', name }, 'status', change, context)
  }

  #read<T>(group: string, resource: string, at: ObjectName): T | undefined {
    const entry = this.#registry.get(group, resource)?.cache.get(at.namespace ? `${at.namespace}/${at.name}` : at.name)
    return entry && (reviveObject(entry.bytes) as unknown as T)
  }
}

/** A condition that says the same as before keeps the time since when it does. */
function withKeptTimes(status: PluginStatus, before: Plugin['status']): PluginStatus {
  const conditions = status.conditions?.map((condition) => {
    const old = before?.conditions?.find((one) => one.type === condition.type)
    return old?.status === condition.status ? { ...condition, lastTransitionTime: old.lastTransitionTime } : condition
  })
  return { ...status, conditions }
}
