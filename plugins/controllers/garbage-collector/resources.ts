import { customresourcedefinitions } from '@keelson/apis/apiextensions/v1/zz_generated.types.ts'
import type { Logger } from '@keelson/apis/plugin/v1/host.ts'
import { type Client, discover, type ServedResource } from '@keelson/client'
import { type Informers, runReconciler } from '@keelson/kit'

/** The resources that can be collected, as they come and go with CustomResourceDefinitions. */
export interface CollectableResources {
  /** The resource that serves a kind, in any of its versions. */
  byKind(apiVersion: string, kind: string): ServedResource | undefined
  /** Looks again now: an owner named a kind that is not known. */
  refresh(): Promise<void>
}

interface Listener {
  appeared(resource: ServedResource): void
  disappeared(resource: ServedResource): void
}

/** Events are written too often and expire by themselves. */
const ignored: ReadonlySet<string> = new Set(['events.', 'events.events.k8s.io'])
/** Definitions come in crowds; one look a moment later finds them all. Of a thousand, each look costs some. */
const settleMs = 1_000
const retryMs = 2_000

export async function followResources(
  client: Client,
  informers: Informers,
  listener: Listener,
  { log, signal }: { log: Logger; signal: AbortSignal },
): Promise<CollectableResources> {
  const watched = new Map<string, ServedResource>()
  let kinds = new Map<string, ServedResource>()

  /** @returns true when every group version answered */
  async function refresh(): Promise<boolean> {
    const { resources, failed } = await discover(client, signal)
    kinds = new Map(resources.map((one) => [kindKey(apiVersionOf(one), one.kind), one]))
    const wanted = new Map(resources.filter(isCollectable).map((one) => [idOf(one), one]))
    for (const [id, resource] of wanted) {
      if (watched.has(id)) continue
      watched.set(id, resource)
      listener.appeared(resource)
    }
    for (const [id, resource] of watched) {
      // What failed to answer may be back soon: its objects are not gone.
      if (wanted.has(id) || failed.includes(`${resource.group}/${resource.version}`)) continue
      watched.delete(id)
      listener.disappeared(resource)
    }
    return failed.length === 0
  }

  async function reconcile() {
    return (await refresh()) ? undefined : { requeueAfterMs: retryMs }
  }

  const queue = runReconciler({ name: 'discovery', log, reconcile, concurrency: 1, signal })
  if (!(await refresh())) queue.addAfter('', retryMs)
  const lookAgain = () => queue.addAfter('', settleMs)
  informers.for(customresourcedefinitions, { metadataOnly: true }).on({
    added: lookAgain,
    updated: lookAgain,
    deleted: lookAgain,
  })

  return {
    byKind: (apiVersion, kind) => kinds.get(kindKey(apiVersion, kind)),
    refresh: async () => void (await refresh()),
  }
}

/** The same for one resource, however often it is discovered. */
export const idOf = ({ group, version, resource }: ServedResource) => `${group}/${version}/${resource}`
const kindKey = (apiVersion: string, kind: string) => `${apiVersion} ${kind}`
const apiVersionOf = ({ group, version }: ServedResource) => (group ? `${group}/${version}` : version)

function isCollectable({ group, resource, verbs, isPreferred }: ServedResource): boolean {
  const needed = ['list', 'watch', 'delete'].every((verb) => verbs.includes(verb))
  return needed && isPreferred && !ignored.has(`${resource}.${group}`)
}
