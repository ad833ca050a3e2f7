/**
 * Leases for keys with a time to live. Keys that come close after one another with the same time share a lease, which lasts
 * a little longer than they ask for: a lease for each Event would cost etcd more than the Event.
 */
import type { EtcdClient } from './etcd-client.ts'
import { decodeLeaseGrant, encodeLeaseGrant, rpc } from './messages.ts'

/** How long a lease is given out: this share of its time, at most so many seconds. */
const shareOfTtl = 0.05
const longestShareSeconds = 60
/** etcd deletes the keys of a lease at one revision: not too many at once. */
const keysPerLease = 1_000

interface Lease {
  id: Promise<bigint>
  /** By `performance.now()`. */
  giveOutUntil: number
  keys: number
}

export class Leases {
  readonly #client: EtcdClient
  /** The latest for each time to live. */
  readonly #latest = new Map<number, Lease>()

  constructor(client: EtcdClient) {
    this.#client = client
  }

  /** A lease that lasts at least so long from now on. @throws StorageError */
  take(ttlSeconds: number): Promise<bigint> {
    const latest = this.#latest.get(ttlSeconds)
    if (latest && performance.now() < latest.giveOutUntil && latest.keys < keysPerLease) {
      latest.keys++
      return latest.id
    }
    return this.#grant(ttlSeconds)
  }

  /** Gives this one out no more: etcd does not know it. */
  forget(ttlSeconds: number): void {
    this.#latest.delete(ttlSeconds)
  }

  #grant(ttlSeconds: number): Promise<bigint> {
    const shareSeconds = Math.min(ttlSeconds * shareOfTtl, longestShareSeconds)
    const request = encodeLeaseGrant(Math.ceil(ttlSeconds + shareSeconds))
    const id = this.#client.call(rpc.leaseGrant, request).then(decodeLeaseGrant)
    const lease = { id, giveOutUntil: performance.now() + shareSeconds * 1_000, keys: 1 }
    this.#latest.set(ttlSeconds, lease)
    id.catch(() => {
      if (this.#latest.get(ttlSeconds) === lease) this.#latest.delete(ttlSeconds)
    })
    return id
  }
}
