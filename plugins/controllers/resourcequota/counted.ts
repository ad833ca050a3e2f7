import { customresourcedefinitions } from '@keelson/apis/apiextensions/v1/zz_generated.types.ts'
import { type CountedResource, resourceCountedBy } from '@keelson/apis/core/v1/quota/evaluator.ts'
import type { KubeObject } from '@keelson/apis/meta/v1/types.ts'
import { type Client, type DeepReadonly, discover, type ServedResource } from '@keelson/client'
import type { Clock, Informer, InformerHandler, Informers } from '@keelson/kit'

/** The objects of one resource that some quota counts. */
export interface CountedObjects {
  of: CountedResource
  informer: Informer<KubeObject>
  /** As the server has them now, whatever the informer has heard of. */
  listNow(namespace: string): Promise<DeepReadonly<KubeObject>[]>
}

/** Follows the objects that quotas count, and no others. */
export interface Counted {
  /** What the names of a quota's limits count, with all its objects in the cache; what is not served is left out. */
  follow(names: readonly string[]): Promise<CountedObjects[]>
}

interface Listener {
  handlerOf(of: CountedResource): InformerHandler<KubeObject>
  /** Resources came or went. */
  changed(): void
}

/** Definitions come in crowds; one look a moment later finds them all. */
const settleMs = 200
/** Whose fields matter, and quotas, which are known anyway; of everything else it is enough to know that it is there. */
const wholeObjects: ReadonlySet<string> = new Set(['pods', 'services', 'persistentvolumeclaims', 'resourcequotas'])
const pageSize = 500

export function followCounted(
  client: Client,
  informers: Informers,
  listener: Listener,
  { signal, clock }: { signal: AbortSignal; clock: Clock },
): Counted {
  const followed = new Map<string, { objects: CountedObjects; resource: ServedResource }>()
  let served: Promise<ReadonlyMap<string, ServedResource>> | undefined
  let isWatchingDefinitions = false
  let isLookDue = false

  async function discoverServed(): Promise<ReadonlyMap<string, ServedResource>> {
    const { resources } = await discover(client, signal)
    return new Map(resources.filter(isCountable).map((resource) => [idOf(resource), resource]))
  }

  async function find(of: CountedResource): Promise<ServedResource | undefined> {
    // Definitions of custom resources come and go; built-in ones stay.
    if (of.group.includes('.')) watchDefinitions()
    served ??= discoverServed()
    return served.then(
      (resources) => resources.get(idOf(of)),
      (error) => {
        served = undefined
        throw error
      },
    )
  }

  function watchDefinitions(): void {
    if (isWatchingDefinitions) return
    isWatchingDefinitions = true
    informers.for(customresourcedefinitions, { metadataOnly: true }).on({
      added: lookAgain,
      updated: lookAgain,
      deleted: lookAgain,
    })
  }

  function lookAgain(): void {
    if (isLookDue) return
    isLookDue = true
    clock.schedule(settleMs, () => {
      isLookDue = false
      served = undefined
      // Where discovery fails, so does who asks next, and tries again.
      void stopUnserved().then(listener.changed, listener.changed)
    })
  }

  /** Who waits for the objects of what is served no more would wait for ever. */
  async function stopUnserved(): Promise<void> {
    for (const [id, { objects, resource }] of followed) {
      if (await find(objects.of)) continue
      followed.delete(id)
      informers.drop(resource, optionsFor(objects.of))
    }
  }

  async function followOne(of: CountedResource): Promise<CountedObjects | undefined> {
    const resource = await find(of)
    return resource && (followed.get(idOf(of))?.objects ?? start(of, resource))
  }

  function start(of: CountedResource, resource: ServedResource): CountedObjects {
    const informer: Informer<KubeObject> = informers.for(resource, optionsFor(of))
    const objects = { of, informer, listNow: lister(of, resource) }
    followed.set(idOf(of), { objects, resource })
    informer.on(listener.handlerOf(of))
    return objects
  }

  function lister(of: CountedResource, resource: ServedResource): CountedObjects['listNow'] {
    return async (namespace) => {
      const door = isWhole(of) ? client.resource(resource).in(namespace) : client.metadata(resource).in(namespace)
      const found: DeepReadonly<KubeObject>[] = []
      let next: string | undefined
      do {
        const page = await door.list({ limit: pageSize, continue: next, signal })
        found.push(...(page.items as KubeObject[]))
        next = page.metadata.continue
      } while (next)
      return found
    }
  }

  return {
    async follow(names) {
      const wanted = new Map<string, CountedResource>()
      for (const name of names) {
        const of = resourceCountedBy(name)
        if (of) wanted.set(idOf(of), of)
      }
      const found = await Promise.all([...wanted.values()].map(followOne))
      const objects = found.filter((one) => one !== undefined)
      await Promise.all(objects.map(({ informer }) => informer.synced))
      return objects
    },
  }
}

const idOf = ({ group, resource }: CountedResource) => `${resource}.${group}`

const isWhole = ({ group, resource }: CountedResource) => group === '' && wholeObjects.has(resource)
const optionsFor = (of: CountedResource) => (isWhole(of) ? {} : { relationsOnly: true })

function isCountable({ namespaced, verbs, isPreferred }: ServedResource): boolean {
  return namespaced && isPreferred && verbs.includes('list') && verbs.includes('watch')
}
