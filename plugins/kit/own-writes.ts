import type { KubeObject } from '@keelson/apis/meta/v1/types.ts'
import type { DeepReadonly } from '@keelson/client'
import { type Clock, systemClock } from './clock.ts'
import type { Informer } from './types.ts'

/**
 * Remembers what a controller itself created and deleted until its informer has seen it, so that deciding on a cache
 * that lags behind never creates or deletes twice. Nothing is waited for: the view is right from the moment of the write.
 */
export interface OwnWrites<T extends KubeObject> {
  /** @param owner any key that `view` is asked with, such as the owner's uid */
  created(owner: string, object: DeepReadonly<T>): void
  deleted(owner: string, object: DeepReadonly<T>): void
  /** `cached` as it will be once the informer has caught up: with own creations, without own deletions. */
  view(owner: string, cached: readonly DeepReadonly<T>[]): DeepReadonly<T>[]
  /** Drops what is remembered of an owner that is gone. */
  forget(owner: string): void
}

/** After this long an unseen write is forgotten: the object came and went while the watch was broken. */
const longestLagMs = 5 * 60_000

interface Write<T> {
  owner: string
  uid: string
  at: number
  /** Of a creation. */
  object?: DeepReadonly<T>
}

export function trackOwnWrites<T extends KubeObject>(informer: Informer<T>, clock: Clock = systemClock): OwnWrites<T> {
  const byUid = new Map<string, Write<T>>()
  const byOwner = new Map<string, Map<string, Write<T>>>()

  function remember(write: Write<T>): void {
    byUid.set(write.uid, write)
    const writes = byOwner.get(write.owner) ?? new Map<string, Write<T>>()
    writes.set(write.uid, write)
    byOwner.set(write.owner, writes)
  }

  function drop(uid: string): void {
    const write = byUid.get(uid)
    if (!write) return
    byUid.delete(uid)
    const writes = byOwner.get(write.owner)
    writes?.delete(uid)
    if (writes?.size === 0) byOwner.delete(write.owner)
  }

  function seen(object: DeepReadonly<T>): void {
    const write = byUid.get(uidOf(object))
    if (!write) return
    const isDeletion = write.object === undefined
    if (!isDeletion || isLeaving(object)) drop(write.uid)
  }

  informer.on({ added: seen, updated: seen, deleted: (object) => drop(uidOf(object)) })

  return {
    created(owner, object) {
      const { namespace = '', name = '' } = (object as Plain).metadata
      const cached = informer.get(namespace, name)
      if (cached && uidOf(cached) === uidOf(object)) return
      remember({ owner, uid: uidOf(object), at: clock.elapsed(), object })
    },
    deleted(owner, object) {
      drop(uidOf(object))
      remember({ owner, uid: uidOf(object), at: clock.elapsed() })
    },
    view(owner, cached) {
      const writes = byOwner.get(owner)
      if (!writes) return [...cached]
      for (const write of writes.values()) if (clock.elapsed() - write.at > longestLagMs) drop(write.uid)
      const present = new Set(cached.map(uidOf))
      const kept = cached.filter((object) => !isDeletion(writes.get(uidOf(object))))
      const ahead = [...writes.values()].flatMap((write) =>
        write.object && !present.has(write.uid) ? [write.object] : [],
      )
      return [...kept, ...ahead]
    },
    forget(owner) {
      for (const uid of [...(byOwner.get(owner)?.keys() ?? [])]) drop(uid)
    },
  }
}

type Plain = DeepReadonly<KubeObject>
const uidOf = <T>(object: DeepReadonly<T>) => (object as Plain).metadata.uid ?? ''
const isLeaving = <T>(object: DeepReadonly<T>) => (object as Plain).metadata.deletionTimestamp !== undefined
const isDeletion = <T>(write: Write<T> | undefined) => write !== undefined && write.object === undefined
