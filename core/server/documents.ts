import { promisify } from 'node:util'
import { gzip as gzipCallback } from 'node:zlib'
import type { Registry, SchemaTypes } from '#core/registry/registry.ts'
import { type AggregatedVersion, aggregatedContentType } from './discovery/aggregated.ts'
import { Discovery } from './discovery/discovery.ts'
import type { ServedDocument } from './discovery/document.ts'
import type { Exchange } from './exchange.ts'
import { OpenApi, v2ProtobufAccepts, v2ProtobufType } from './openapi/openapi.ts'
import type { PathParts } from './paths.ts'
import { gitVersion } from './version.ts'

const gzip = promisify(gzipCallback)
const json = 'application/json'
const gzipThreshold = 128 * 1024

interface Found {
  document: ServedDocument
  contentType: string
}

/** Answers the paths of discovery and OpenAPI, with 304 for what the client has already. */
export function documentEndpoint(registry: Registry, types: SchemaTypes): PathParts['documents'] {
  const discovery = new Discovery(registry)
  const openApi = new OpenApi(registry, types, gitVersion)
  const compressed = new WeakMap<ServedDocument, Promise<Buffer>>()
  return async (exchange, path) => {
    const found = findDiscovery(exchange, path, discovery) ?? findOpenApi(exchange, path, openApi)
    if (!found) return false
    await reply(exchange, found, compressed)
    return true
  }
}

function findDiscovery(exchange: Exchange, path: string, discovery: Discovery): Found | undefined {
  const [, root, first, second, ...rest] = path.replace(/\/$/, '').split('/')
  if ((root !== 'api' && root !== 'apis') || rest.length > 0) return undefined
  if (first === undefined) return rootDocument(exchange, root, discovery)
  if (root === 'api') return second === undefined ? plain(discovery.resourceList('', first)) : undefined
  return plain(second === undefined ? discovery.group(first) : discovery.resourceList(first, second))
}

function rootDocument(exchange: Exchange, root: 'api' | 'apis', discovery: Discovery): Found {
  exchange.setHeader('vary', 'Accept')
  const version = aggregatedVersion(exchange.header('accept') ?? '')
  if (version) return { document: discovery.aggregated(root, version), contentType: aggregatedContentType(version) }
  return { document: root === 'api' ? discovery.apiVersions() : discovery.groupList(), contentType: json }
}

/** The aggregated form the client would take, when it names one before plain JSON. */
function aggregatedVersion(accept: string): AggregatedVersion | undefined {
  for (const clause of accept.split(',')) {
    const parts = clause.split(';').map((part) => part.trim())
    if (parts.includes('as=APIGroupDiscoveryList') && parts.includes('g=apidiscovery.k8s.io')) {
      if (parts.includes('v=v2')) return 'v2'
      if (parts.includes('v=v2beta1')) return 'v2beta1'
    } else if (parts[0] === json || parts[0] === '*/*') return undefined
  }
  return undefined
}

const v3Prefix = '/openapi/v3/'

function findOpenApi(exchange: Exchange, path: string, openApi: OpenApi): Found | undefined {
  if (path === '/openapi/v3') return plain(openApi.v3Index())
  if (path.startsWith(v3Prefix)) return plain(openApi.v3(path.slice(v3Prefix.length)))
  if (path !== '/openapi/v2') return undefined
  const accept = exchange.header('accept') ?? ''
  if (v2ProtobufAccepts.some((type) => accept.includes(type))) {
    return { document: openApi.v2Protobuf(), contentType: v2ProtobufType }
  }
  return plain(openApi.v2())
}

function plain(document: ServedDocument | undefined): Found | undefined {
  return document && { document, contentType: json }
}

async function reply(
  exchange: Exchange,
  { document, contentType }: Found,
  compressed: WeakMap<ServedDocument, Promise<Buffer>>,
): Promise<void> {
  exchange.setHeader('etag', document.etag)
  if (exchange.header('if-none-match') === document.etag) return exchange.send(304, contentType, '')
  const large = document.bytes.length > gzipThreshold
  if (!large || !/\bgzip\b/.test(exchange.header('accept-encoding') ?? '')) {
    return exchange.send(200, contentType, document.bytes)
  }
  let bytes = compressed.get(document)
  if (!bytes) {
    bytes = gzip(document.bytes)
    compressed.set(document, bytes)
  }
  exchange.setHeader('content-encoding', 'gzip')
  exchange.send(200, contentType, await bytes)
}
