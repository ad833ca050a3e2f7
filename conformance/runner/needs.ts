import { nodes } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { loadKubeconfig } from '@keelson/client'
import type { ConformanceCase, Need } from './case.ts'
import type { Cluster } from './context.ts'
import { readKubectl } from './kubectl.ts'

/** What the cluster and this machine have. */
export interface Means {
  /** Why a need is not met; needs that are met are not in it. */
  unmet: ReadonlyMap<Need, string>
  /** The minor version of the kubectl. */
  kubectlMinor?: number
}

export async function findMeans(cluster: Cluster): Promise<Means> {
  const kubectl = await readKubectl(cluster.kubectl)
  const checks: [Need, Promise<string | undefined>][] = [
    ['kubectl', Promise.resolve(kubectl ? undefined : `${cluster.kubectl} does not run here`)],
    ['pods', whyNoNode(cluster, () => true)],
    ['containers', whyNoNode(cluster, (runtime) => !runtime.startsWith('sim'))],
    ['impersonation', whyNoImpersonation(cluster)],
    ['neighbour', Promise.resolve(whyNoNeighbour(cluster))],
    ['migrations', whyNoMigrations(cluster)],
    ['keelson', whyNotKeelson(cluster)],
  ]
  const reasons = await Promise.all(checks.map(async ([need, check]) => [need, await check] as const))
  const unmet = new Map(reasons.filter((entry): entry is [Need, string] => entry[1] !== undefined))
  return { unmet, ...(kubectl && { kubectlMinor: kubectl.minor }) }
}

/** Why the case cannot be run; undefined when it can. */
export function whyNotRun({ needs = [], kubectlSince = 0 }: ConformanceCase, means: Means): string | undefined {
  const reason = needs.map((need) => means.unmet.get(need)).find((why) => why !== undefined)
  if (reason) return reason
  const isTooOld = (means.kubectlMinor ?? Number.POSITIVE_INFINITY) < kubectlSince
  return isTooOld ? `kubectl 1.${means.kubectlMinor} cannot do it: 1.${kubectlSince} can` : undefined
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

async function whyNoMigrations({ http }: Cluster): Promise<string | undefined> {
  const { status } = await http.send({ path: '/apis/storagemigration.k8s.io/v1beta1' })
  return status === 200 ? undefined : `storagemigration.k8s.io/v1beta1 is not served: ${status}`
}

async function whyNotKeelson({ http }: Cluster): Promise<string | undefined> {
  const answer = await http.send({ path: '/version' })
  const { gitVersion } = answer.json<{ gitVersion: string }>()
  return gitVersion.endsWith('+keelson')
    ? undefined
    : `the API server is ${gitVersion}, and Kubernetes has no such thing`
}

function whyNoNeighbour({ kubeconfig }: Cluster): string | undefined {
  const { hostname } = new URL(loadKubeconfig(kubeconfig).server)
  if (hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')) return undefined
  return 'the API server is on another machine'
}
