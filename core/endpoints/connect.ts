import { containerOf, kubeletAddress } from '#apis/core/v1/kubelet.ts'
import type { Node, Pod } from '#apis/core/v1/zz_generated.types.ts'
import type { Logger } from '#apis/plugin/v1/host.ts'
import { newBadRequest, newNotFound, newServiceUnavailable } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { asServer } from '#core/registry/as-server.ts'
import type { Registry, ServedVersion } from '#core/registry/registry.ts'
import type { ResourceStore, WriteContext } from '#core/registry/resource-store.ts'
import type { UpgradeEndpoint } from '#core/server/handler.ts'
import type { ResourceInfo } from '#core/server/request-info.ts'
import { connectOptions } from './connect-options.ts'
import { type ProxyTarget, type ProxyTls, proxyRequest, proxyUpgrade } from './connect-proxy.ts'
import { type Endpoint, type ResourceRequest, warningHeader } from './endpoint.ts'

/** Paths of the kubelet's API. @see https://kubernetes.io/docs/reference/node/kubelet-files/ and kubelet's server.go for the routes */
const kubeletPaths: Record<string, string> = { exec: 'exec', attach: 'attach', log: 'containerLogs' }
/** Query parameters that choose the target and are not passed on. */
const consumed = new Set(['container'])

export interface ConnectOptions {
  registry: Registry
  /** Asks admission; called once it is known that somebody may connect. */
  store: Pick<ResourceStore, 'admit'>
  /** What the API server shows kubelets. */
  kubeletTls: ProxyTls
  log: Logger
}

type Connecting = Pick<WriteContext, 'user' | 'warn'>

const connecting = ({ user, exchange }: ResourceRequest): Connecting => ({
  user,
  warn: (message) => exchange.setHeader('warning', warningHeader(message)),
})

/** Subresources that are answered by the kubelet of the pod's node: log, exec, attach, port-forward, and node proxy. */
export function connectEndpoints(options: ConnectOptions): {
  subresources: Map<string, Endpoint>
  upgrades: Map<string, UpgradeEndpoint>
} {
  const { registry, store, kubeletTls, log } = options
  const admit = (query: URLSearchParams, info: ResourceInfo, served: ServedVersion, context: Connecting) => {
    const asked = connectOptions(info, query)
    return asked && store.admit('CONNECT', served, info, info.subresource, asked, { ...asServer, ...context })
  }
  const upgrade: UpgradeEndpoint = async (request, info, served, user) => {
    // Nobody sees warnings of a connection.
    await admit(request.query, info, served, { user, warn: () => {} })
    await proxyUpgrade(request, podTarget(registry, info, request.query, kubeletTls), log)
  }
  const refuse: Endpoint = async (request) => {
    const { exchange, info, served } = request
    await admit(exchange.query, info, served, connecting(request))
    throw newBadRequest('Upgrade request required')
  }
  return {
    subresources: new Map<string, Endpoint>([
      [
        'log',
        ({ exchange, info }) => proxyRequest(exchange, podTarget(registry, info, exchange.query, kubeletTls), log),
      ],
      [
        'proxy',
        async (request) => {
          const { exchange, info, served } = request
          await admit(exchange.query, info, served, connecting(request))
          await proxyRequest(exchange, proxyTarget(registry, info, exchange.query, kubeletTls), log)
        },
      ],
      ['exec', refuse],
      ['attach', refuse],
      ['portforward', refuse],
    ]),
    upgrades: new Map<string, UpgradeEndpoint>([
      ['exec', upgrade],
      ['attach', upgrade],
      ['portforward', upgrade],
    ]),
  }
}

function podTarget(registry: Registry, info: ResourceInfo, query: URLSearchParams, tls: ProxyTls): ProxyTarget {
  const pod = read<Pod>(registry, 'pods', `${info.namespace}/${info.name}`, info.name)
  const address = nodeAddress(registry, pod)
  const path = ['', ...podPath(info, pod, query)].map((segment) => encodeURIComponent(segment)).join('/')
  const rest = new URLSearchParams([...query].filter(([key]) => !consumed.has(key)))
  return { ...address, path: rest.size > 0 ? `${path}?${rest}` : path, tls }
}

function podPath({ subresource, namespace, name }: ResourceInfo, pod: Pod, query: URLSearchParams): string[] {
  if (subresource === 'portforward') return ['portForward', namespace, name]
  const container = containerOf(pod, query.get('container') ?? '')
  if ('refusal' in container) throw newBadRequest(container.refusal)
  return [kubeletPaths[subresource]!, namespace, name, container.name]
}

function nodeAddress(registry: Registry, pod: Pod): { host: string; port: number } {
  const nodeName = pod.spec?.nodeName
  if (!nodeName) throw newBadRequest(`pod ${pod.metadata.name} does not have a host assigned`)
  return addressOf(read<Node>(registry, 'nodes', nodeName, nodeName))
}

function addressOf(node: Node): { host: string; port: number } {
  const address = kubeletAddress(node)
  if (!address) throw newServiceUnavailable(`node ${node.metadata.name} has not told its address`)
  return address
}

/** `nodes/NAME/proxy/PATH` goes to the kubelet; `pods` and `services` to the pod's own port, over plain HTTP. */
function proxyTarget(registry: Registry, info: ResourceInfo, query: URLSearchParams, tls: ProxyTls): ProxyTarget {
  const path = `/${info.rest}${query.size > 0 ? `?${query}` : ''}`
  if (info.resource === 'nodes') return { ...addressOf(read<Node>(registry, 'nodes', info.name, info.name)), path, tls }
  if (info.resource !== 'pods')
    throw newServiceUnavailable('no endpoints available: services are not proxied by this version')
  const [name = '', port = '80'] = info.name.split(':')
  const pod = read<Pod>(registry, 'pods', `${info.namespace}/${name}`, name)
  const host = pod.status?.podIP
  if (!host) throw newServiceUnavailable(`pod ${name} has no address yet`)
  if (!/^\d{1,5}$/.test(port))
    throw newBadRequest(`the port of a pod proxy must be a number, not ${JSON.stringify(port)}`)
  return { host, port: Number(port), path }
}

function read<T>(registry: Registry, resource: string, key: string, name: string): T {
  const entry = registry.get('', resource)?.cache.get(key)
  if (!entry) throw newNotFound({ group: '', resource }, name)
  return reviveObject(entry.bytes) as unknown as T
}
