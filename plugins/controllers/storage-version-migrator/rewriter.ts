import type { KubeList, KubeObject } from '@keelson/apis/meta/v1/types.ts'
import {
  type Client,
  findApiError,
  isBadRequest,
  isConflict,
  isExpired,
  isNotFound,
  type MetadataClient,
  type ServedResource,
} from '@keelson/client'
import { createLimiter } from '@keelson/kit'

/** How far a migration has come: what it takes to go on from there. */
export interface Progress {
  /** Of the page that comes next; empty at the first. */
  token: string
  done: number
  /** How many there will be, as far as is known. */
  total: number
}

export interface Rewriter {
  /**
   * Writes the objects of a resource again, page by page: an update that changes nothing is stored when the object was
   * stored in another version.
   * @param noted called after each page but an only one; false ends it
   * @returns how many objects there were; undefined when `noted` ended it
   * @throws ApiError of the first object that cannot be written; the pages before it are done
   */
  rewrite(
    resource: ServedResource,
    from: Progress,
    noted: (progress: Progress) => Promise<boolean>,
    signal: AbortSignal,
  ): Promise<number | undefined>
}

export const beginning: Progress = { token: '', done: 0, total: 0 }

/** Writes at the same time, of all migrations together: enough to fill the store's group commits. */
const writesAtOnce = 16
/** So many objects are done before it is noted. */
const defaultPageSize = 500

export function createRewriter(client: Client, pageSize = defaultPageSize): Rewriter {
  const limited = createLimiter(writesAtOnce)

  /** A list that has become too old goes on with what is there now: what came meanwhile is stored in today's version. */
  async function pageAt(all: MetadataClient, token: string, signal: AbortSignal): Promise<KubeList<KubeObject>> {
    try {
      return await all.list({ limit: pageSize, continue: token || undefined, signal })
    } catch (error) {
      if (!token || !(isExpired(error) || isBadRequest(error))) throw error
      const fresh = findApiError(error)?.status.metadata?.continue
      return all.list({ limit: pageSize, continue: fresh, signal })
    }
  }

  async function rewriteOne(all: MetadataClient, { metadata }: KubeObject, signal: AbortSignal): Promise<void> {
    const { name = '', namespace } = metadata
    try {
      await (namespace ? all.in(namespace) : all).patch(name, { type: 'merge', body: {} }, { signal })
    } catch (error) {
      // Deleted or written by somebody else meanwhile: either way nothing is left to do.
      if (!isNotFound(error) && !isConflict(error)) throw error
    }
  }

  /** Ends with the first failure, once what is under way has ended. */
  async function rewritePage(items: readonly KubeObject[], act: (item: KubeObject) => Promise<void>): Promise<void> {
    const waiting = items.values()
    let failure: { error: unknown } | undefined
    const work = async () => {
      for (const item of waiting) {
        if (failure) return
        await limited(() => act(item)).catch((error) => {
          failure ??= { error }
        })
      }
    }
    await Promise.all(Array.from({ length: writesAtOnce }, work))
    if (failure) throw failure.error
  }

  return {
    async rewrite(resource, from, noted, signal) {
      const all = client.metadata(resource)
      let { token, done } = from
      for (;;) {
        const { items, metadata } = await pageAt(all, token, signal)
        await rewritePage(items, (item) => rewriteOne(all, item, signal))
        const isOnly = !token && !metadata.continue
        done += items.length
        token = metadata.continue ?? ''
        if (isOnly) return done
        if (!(await noted({ token, done, total: done + (metadata.remainingItemCount ?? 0) }))) return undefined
        if (!token) return done
      }
    },
  }
}
