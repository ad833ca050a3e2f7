import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { nodes } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { Need } from './case.ts'
import type { Cluster } from './context.ts'
import { kubectlBinary } from './kubectl.ts'

/** Why a need is not met; needs that are met are not in it. */
export type Unmet = ReadonlyMap<Need, string>

/** Finds out what the cluster and this machine have. */
export async function findUnmet(cluster: Cluster): Promise<Unmet> {
  const checks: [Need, Promise<string | undefined>][] = [
    ['kubectl', whyNoKubectl()],
    ['pods', whyNoNode(cluster, () => true)],
    ['containers', whyNoNode(cluster, (runtime) => !runtime.startsWith('sim'))],
    ['impersonation', whyNoImpersonation(cluster)],
  ]
  const reasons = await Promise.all(checks.map(async ([need, check]) => [need, await check] as const))
  return new Map(reasons.filter((entry): entry is [Need, string] => entry[1] !== undefined))
}

async function whyNoKubectl(): Promise<string | undefined> {
  try {
    await promisify(execFile)(kubectlBinary, ['version', '--client'])
    return undefined
  } catch {
    return `${kubectlBinary} does not run here`
  }
}

async function whyNoNode({ client }: Cluster, accepts: (runtime: string) => boolean): Promise<string | undefined> {
  const { items } = await client.resource(nodes).list()
  const isFit = items.some(
    ({ status }) =>
      status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') &&
      accepts(status.nodeInfo?.containerRuntimeVersion ?? ''),
  )
  if (isFit) return undefined
  return items.length ? 'no ready node runs real containers' : 'the cluster has no node'
}

async function whyNoImpersonation({ http }: Cluster): Promise<string | undefined> {
  const { status } = await http.send({ path: '/version', headers: { 'impersonate-user': 'conformance' } })
  return status === 200 ? undefined : `acting as another user is answered with ${status}`
}
