import type { Node, Pod } from './zz_generated.types.ts'

/** Where a pod's or a node's kubelet answers. */
export interface KubeletAddress {
  host: string
  port: number
}

/** Address types a server prefers when it calls a kubelet, best first: those of kube-apiserver. */
const addressTypes = ['Hostname', 'InternalDNS', 'InternalIP', 'ExternalDNS', 'ExternalIP']
const defaultPort = 10250

/** @returns undefined when the node has told no address */
export function kubeletAddress(node: Node): KubeletAddress | undefined {
  const { addresses = [], daemonEndpoints } = node.status ?? {}
  // An IP address needs no name service; only a node without one is called by its name.
  const ranked = ['InternalIP', 'ExternalIP', ...addressTypes]
  for (const type of ranked) {
    const found = addresses.find((address) => address.type === type)
    if (found) return { host: found.address, port: daemonEndpoints?.kubeletEndpoint?.Port || defaultPort }
  }
  return undefined
}

/**
 * The container a request is about.
 * @param asked what the client named; empty for the default
 * @returns the name, or in `refusal` why there is none, in Kubernetes' words
 */
export function containerOf(pod: Pod, asked: string): { name: string } | { refusal: string } {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {}
  const names = [...initContainers, ...containers, ...ephemeralContainers].map((container) => container.name)
  const podName = pod.metadata.name
  if (asked)
    return names.includes(asked) ? { name: asked } : { refusal: `container ${asked} is not valid for pod ${podName}` }
  const preferred = pod.metadata.annotations?.['kubectl.kubernetes.io/default-container']
  if (preferred && names.includes(preferred)) return { name: preferred }
  if (containers.length === 1) return { name: containers[0]!.name }
  const choose = containers.map((container) => container.name).join(' ')
  return { refusal: `a container name must be specified for pod ${podName}, choose one of: [${choose}]` }
}
