import type { ConfigMap, Namespace } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { DeepReadonly } from '@keelson/client'

/** Which ConfigMap a namespace is to have. Pure: it reads nothing and writes nothing, so its test is a table. */

export const teamLabel = 'example.com/team'
export const configMapName = 'team'

export type Plan = { create: ConfigMap } | { update: DeepReadonly<ConfigMap> } | { remove: true } | undefined

/** @param standing the namespace's ConfigMap as it is; absent when there is none */
export function planTeam(
  namespace: DeepReadonly<Namespace> | undefined,
  standing: DeepReadonly<ConfigMap> | undefined,
): Plan {
  if (!namespace || namespace.metadata.deletionTimestamp) return undefined
  const team = namespace.metadata.labels?.[teamLabel]
  if (!team) return standing && { remove: true }
  if (!standing) return { create: configMapFor(namespace.metadata.name ?? '', team) }
  return standing.data?.team === team ? undefined : { update: { ...standing, data: { team } } }
}

const configMapFor = (namespace: string, team: string): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: configMapName, namespace },
  data: { team },
})
