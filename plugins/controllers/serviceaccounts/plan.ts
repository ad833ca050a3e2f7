import type { ConfigMap, Namespace, ServiceAccount } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { DeepReadonly } from '@keelson/client'

/** What every namespace is given. Pure. */

export const accountName = 'default'
export const configMapName = 'kube-root-ca.crt'
const key = 'ca.crt'

export interface NamespacePlan {
  createAccount?: ServiceAccount
  createConfigMap?: ConfigMap
  updateConfigMap?: DeepReadonly<ConfigMap>
}

/**
 * Decides what a namespace lacks. One that is being deleted is given nothing.
 * @param caData PEM of the authority behind the API server's certificate
 */
export function planNamespace(
  namespace: DeepReadonly<Namespace>,
  account: DeepReadonly<ServiceAccount> | undefined,
  configMap: DeepReadonly<ConfigMap> | undefined,
  caData: string,
): NamespacePlan {
  if (namespace.metadata.deletionTimestamp || namespace.status?.phase === 'Terminating') return {}
  const name = namespace.metadata.name ?? ''
  const plan: NamespacePlan = {}
  if (!account) plan.createAccount = accountFor(name)
  if (!configMap) plan.createConfigMap = configMapFor(name, caData)
  else if (configMap.data?.[key] !== caData) plan.updateConfigMap = { ...configMap, data: { [key]: caData } }
  return plan
}

const accountFor = (namespace: string): ServiceAccount => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: accountName, namespace },
})

const configMapFor = (namespace: string, caData: string): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: configMapName,
    namespace,
    annotations: {
      'kubernetes.io/description':
        'The authority that pods check the certificate of the API server against. It is trusted for nothing else.',
    },
  },
  data: { [key]: caData },
})
