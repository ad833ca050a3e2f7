import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { encodeObject, reviveObject } from '#core/machinery/canonical.ts'
import { storageKey } from '#core/storage/cacher/cacher.ts'
import type { ResourceCache } from '#core/storage/cacher/resource-cache.ts'
import { type Storage, StorageError } from '#core/storage/storage.ts'
import type { ServerAddress } from './kubernetes-endpoints.ts'

const group = 'servers'
const resource = 'addresses'
/** What is stored of each server, as `group/resource`; one that has not been heard of for so long is gone. */
export const serverAddresses = { kind: `${group}/${resource}`, lifeSeconds: 30 }
export const renewEveryMs = 10_000

interface Record extends UnstructuredObject, ServerAddress {}

/** Which servers share a store: each keeps a key of it, beside those of the resources, that goes when the server does. */
export class ServerAddresses {
  readonly #storage: Storage
  readonly #cache: ResourceCache

  constructor(options: { storage: Storage; caches: { resource(name: string): ResourceCache } }) {
    this.#storage = options.storage
    this.#cache = options.caches.resource(serverAddresses.kind)
  }

  async renew(server: ServerAddress): Promise<void> {
    const name = nameOf(server)
    const record = { apiVersion: 'keelson.dev/v1', kind: 'ServerAddress', metadata: { name }, ...server }
    const bytes = encodeObject(record, record)
    const ttl = { ttlSeconds: serverAddresses.lifeSeconds }
    const known = await this.#storage.get(keyOf(server))
    if (known) await this.#storage.update(keyOf(server), bytes, known.modRevision, ttl)
    else await this.#storage.create(keyOf(server), bytes, ttl)
  }

  async remove(server: ServerAddress): Promise<void> {
    const known = await this.#storage.get(keyOf(server))
    if (!known) return
    await this.#storage.delete(keyOf(server), known.modRevision).catch((error) => {
      if (!(error instanceof StorageError && error.code === 'KeyNotFound')) throw error
    })
  }

  list(): ServerAddress[] {
    return this.#cache.list('').entries.map(({ bytes }) => {
      const { ip, port } = reviveObject(bytes) as Record
      return { ip, port }
    })
  }

  /** @returns what ends it */
  onChange(listener: () => void): () => void {
    return this.#cache.onChange(listener)
  }
}

const nameOf = ({ ip, port }: ServerAddress) => `${ip}-${port}`

const keyOf = (server: ServerAddress) => storageKey(group, resource, nameOf(server))
