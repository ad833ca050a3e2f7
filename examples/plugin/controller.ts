import { configmaps, namespaces } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { PluginHost } from '@keelson/apis/plugin/v1/host.ts'
import { type Client, isAlreadyExists, isNotFound } from '@keelson/client'
import { controller, createInformers, runReconciler } from '@keelson/kit'
import { configMapName, planTeam } from './plan.ts'

/** Keeps a ConfigMap named `team` in every Namespace that the label `example.com/team` gives to one. */
export async function runTeamConfig(client: Client, { log, signal, ready }: PluginHost): Promise<void> {
  const informers = createInformers(client, { log, signal })
  const namespaceInformer = informers.for(namespaces)
  const configMapInformer = informers.for(configmaps, { fieldSelector: `metadata.name=${configMapName}` })

  async function reconcile(name: string): Promise<undefined> {
    const plan = planTeam(namespaceInformer.get('', name), configMapInformer.get(name, configMapName))
    if (!plan) return
    const own = client.resource(configmaps).in(name)
    if ('create' in plan) await own.create(plan.create).catch(unless(isAlreadyExists))
    else if ('update' in plan) await own.update(plan.update)
    else await own.delete(configMapName).catch(unless(isNotFound))
    log.info('team config settled', { namespace: name })
  }

  const queue = runReconciler({ name: 'team-config', log, reconcile, signal })
  await informers.synced()
  namespaceInformer.on({
    added: ({ metadata }) => queue.add(metadata.name ?? ''),
    updated: ({ metadata }) => queue.add(metadata.name ?? ''),
  })
  configMapInformer.on({
    updated: ({ metadata }) => queue.add(metadata.namespace ?? ''),
    deleted: ({ metadata }) => queue.add(metadata.namespace ?? ''),
  })
  ready()
  await queue.stopped
}

/** Somebody was faster: the next event shows what is so. */
function unless(isExpected: (error: unknown) => boolean): (error: unknown) => void {
  return (error) => {
    if (!isExpected(error)) throw error
  }
}

export default controller(runTeamConfig)
