import { configmaps, namespaces, serviceaccounts } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { KubeObject } from '@keelson/apis/meta/v1/types.ts'
import type { PluginHost } from '@keelson/apis/plugin/v1/host.ts'
import { type Client, type DeepReadonly, isAlreadyExists, isNamespaceTerminating, isNotFound } from '@keelson/client'
import { controller, createInformers, runReconciler } from '@keelson/kit'
import { accountName, configMapName, planNamespace } from './plan.ts'

/** Gives each namespace its `default` ServiceAccount and a ConfigMap with the cluster's certificate authority. */
export async function runServiceAccounts(client: Client, host: PluginHost): Promise<void> {
  const { log, signal, api } = host
  const informers = createInformers(client, { log, signal })
  const namespaceInformer = informers.for(namespaces)
  const accountInformer = informers.for(serviceaccounts, { fieldSelector: `metadata.name=${accountName}` })
  const configMapInformer = informers.for(configmaps, { fieldSelector: `metadata.name=${configMapName}` })

  async function reconcile(name: string): Promise<undefined> {
    const namespace = namespaceInformer.get('', name)
    if (!namespace) return
    const account = accountInformer.get(name, accountName)
    const configMap = configMapInformer.get(name, configMapName)
    const plan = planNamespace(namespace, account, configMap, api.caData)
    if (plan.createAccount) await client.resource(serviceaccounts).create(plan.createAccount).catch(ignoreRaces)
    if (plan.createConfigMap) await client.resource(configmaps).create(plan.createConfigMap).catch(ignoreRaces)
    if (plan.updateConfigMap) await client.resource(configmaps).update(plan.updateConfigMap).catch(ignoreRaces)
  }

  const queue = runReconciler({ name: 'serviceaccounts', log, reconcile, signal })
  const enqueue = ({ metadata }: DeepReadonly<KubeObject>) => queue.add(metadata.namespace ?? '')
  await informers.synced()
  namespaceInformer.on({
    added: ({ metadata }) => queue.add(metadata.name ?? ''),
    updated: ({ metadata }) => queue.add(metadata.name ?? ''),
  })
  accountInformer.on({ deleted: enqueue })
  configMapInformer.on({ updated: enqueue, deleted: enqueue })
  host.ready()
  await queue.stopped
}

/** Somebody was faster, or the namespace is on its way out: the next event shows what is so. */
function ignoreRaces(error: unknown): void {
  if (!isAlreadyExists(error) && !isNamespaceTerminating(error) && !isNotFound(error)) throw error
}

export default controller(runServiceAccounts)
