import type { KubeObject, ResourceRef } from '@keelson/apis/meta/v1/types.ts'
import type { Logger } from '@keelson/apis/plugin/v1/host.ts'
import type { Client } from '@keelson/client'
import { type Clock, systemClock } from './clock.ts'
import { type InformerSource, type RunningInformer, startInformer } from './informer.ts'
import type { Informer, InformerOptions, Informers } from './types.ts'

export interface InformersOptions {
  log?: Logger
  /** Stops all informers when it aborts. */
  signal?: AbortSignal
  clock?: Clock
  random?: () => number
  /** Objects asked for at a time while listing; default 500. */
  pageSize?: number
}

/** One list and one watch for each resource and set of options, however many components ask for it. */
export function createInformers(client: Client, options: InformersOptions = {}): Informers {
  const { log, signal, clock = systemClock, random = Math.random, pageSize = 500 } = options
  const informers = new Map<string, RunningInformer<KubeObject>>()

  function start<T extends KubeObject>(ref: ResourceRef<T>, wanted: InformerOptions): RunningInformer<T> {
    const { namespace, labelSelector, fieldSelector, metadataOnly, relationsOnly } = wanted
    const whole = relationsOnly ? client.relations(ref) : metadataOnly ? client.metadata(ref) : client.resource(ref)
    const source = (namespace ? whole.in(namespace) : whole) as unknown as InformerSource<T>
    return startInformer(ref, source, { labelSelector, fieldSelector, relationsOnly, clock, random, pageSize, log })
  }

  const unlessDropped = (key: string, informer: RunningInformer<KubeObject>) => (error: unknown) => {
    if (informers.get(key) === informer) throw error
  }

  function stop() {
    const all = [...informers.values()]
    informers.clear()
    for (const informer of all) informer.stop()
  }
  signal?.addEventListener('abort', stop, { once: true })

  return {
    client,
    for<T extends KubeObject>(ref: ResourceRef<T>, wanted: InformerOptions = {}): Informer<T> {
      const key = keyOf(ref, wanted)
      const running = informers.get(key)
      if (running) return running as unknown as RunningInformer<T>
      const informer = start(ref, wanted)
      informers.set(key, informer as unknown as RunningInformer<KubeObject>)
      if (signal?.aborted) informer.stop()
      return informer
    },
    drop(ref, wanted = {}) {
      const key = keyOf(ref, wanted)
      const informer = informers.get(key)
      informers.delete(key)
      informer?.stop()
    },
    async synced() {
      await Promise.all([...informers].map(([key, informer]) => informer.synced.catch(unlessDropped(key, informer))))
    },
    stop,
  }
}

const keyOf = ({ group, version, resource }: ResourceRef, options: InformerOptions) =>
  JSON.stringify([
    group,
    version,
    resource,
    options.namespace ?? '',
    options.labelSelector ?? '',
    options.fieldSelector ?? '',
    options.metadataOnly ?? false,
    options.relationsOnly ?? false,
  ])
