import { mediaTypeOf, negotiateEncoding } from '#core/endpoints/negotiate.ts'
import { protobufType } from '#core/endpoints/protobuf-codec.ts'
import { encodeAs } from '#core/endpoints/reply.ts'
import { newMethodNotAllowed } from '#core/errors/status-error.ts'
import type { SchemaTypes } from '#core/registry/registry.ts'
import { type AggregatedVersion, aggregatedContentType } from './discovery/aggregated.ts'
import { Discovery } from './discovery/discovery.ts'
import type { DefinitionSource, Document, ServedDocument } from './discovery/document.ts'
import type { Exchange } from './exchange.ts'
import { OpenApi, type RemoteOpenApi, v2ProtobufAccepts, v2ProtobufType, v3Url } from './openapi/openapi.ts'
import type { PathParts } from './paths.ts'
import { gitVersion } from './version.ts'

const json = 'application/json'
/** For so long after the last request the documents are kept in memory. */
const idleMs = 30_000
const yearMs = 365 * 24 * 3_600_000

export interface DocumentParts {
  source: DefinitionSource
  types: SchemaTypes
  /** What other servers add to OpenAPI; absent: nothing. */
  remoteOpenApi?: RemoteOpenApi & {
    /** Resolves when `what` is as new as it should be; never rejects. */
    refresh(what: 'v2' | 'v3'): Promise<void>
  }
}

interface Found {
  document: Document
  contentType: string
  /** May be kept for ever, as its address names its content. */
  immutable?: boolean
}

/** Answers the paths of discovery and OpenAPI, with 304 for what the client has already. */
export function documentEndpoint({ source, types, remoteOpenApi }: DocumentParts): PathParts['documents'] {
  const discovery = new Discovery(source)
  const openApi = new OpenApi(source, types, gitVersion, remoteOpenApi)
  const release = () => {
    discovery.release()
    openApi.release()
  }
  let idle: NodeJS.Timeout | undefined
  const find = async (exchange: Exchange, path: string): Promise<Found | 'answered' | undefined> => {
    const found = findDiscovery(exchange, path, discovery)
    if (found || !path.startsWith('/openapi/')) return found
    if (path === '/openapi/v2') await remoteOpenApi?.refresh('v2')
    if (path === '/openapi/v3') await remoteOpenApi?.refresh('v3')
    return findOpenApi(exchange, path, openApi)
  }
  return {
    paths: () => discovery.paths(),
    async reply(exchange, path) {
      const found = await find(exchange, path)
      if (found === 'answered') return true
      if (!found) return false
      if (exchange.method !== 'GET' && exchange.method !== 'HEAD') throw newMethodNotAllowed()
      idle = idle?.refresh() ?? setTimeout(release, idleMs).unref()
      await reply(exchange, found)
      return true
    },
  }
}

function findDiscovery(exchange: Exchange, path: string, discovery: Discovery): Found | undefined {
  const [, root, first, second, ...rest] = path.replace(/\/$/, '').split('/')
  if ((root !== 'api' && root !== 'apis') || rest.length > 0) return undefined
  if (first === undefined) return rootDocument(exchange, root, discovery)
  exchange.setHeader('vary', 'Accept')
  if (root === 'api') return second === undefined ? encoded(exchange, discovery.resourceList('', first)) : undefined
  return encoded(exchange, second === undefined ? discovery.group(first) : discovery.resourceList(first, second))
}

/** A document of discovery, which has every encoding that objects have. */
function encoded(exchange: Exchange, document: ServedDocument | undefined): Found | undefined {
  const format = negotiateEncoding(exchange)
  if (!document || format === 'json') return plain(document)
  return { document: document.as(format, (json) => encodeAs(format, json)), contentType: mediaTypeOf(format) }
}

function rootDocument(exchange: Exchange, root: 'api' | 'apis', discovery: Discovery): Found | undefined {
  exchange.setHeader('vary', 'Accept')
  const aggregated = aggregatedForm(exchange.header('accept') ?? '')
  if (aggregated) {
    const { version, format } = aggregated
    exchange.setHeader('cache-control', 'public')
    const document = discovery.aggregated(root, version)
    return {
      document: format ? document.as(format, (bytes) => encodeAs(format, bytes)) : document,
      contentType: aggregatedContentType(version, mediaTypeOf(format ?? 'json')),
    }
  }
  return encoded(exchange, root === 'api' ? discovery.apiVersions() : discovery.groupList())
}

/** The aggregated form the client would take, when it names one before the plain ones. */
function aggregatedForm(accept: string): { version: AggregatedVersion; format?: 'protobuf' } | undefined {
  for (const clause of accept.split(',')) {
    const parts = clause.split(';').map((part) => part.trim())
    if (parts.includes('as=APIGroupDiscoveryList') && parts.includes('g=apidiscovery.k8s.io')) {
      const version = (['v2', 'v2beta1'] as const).find((one) => parts.includes(`v=${one}`))
      if (version) return { version, ...(parts[0] === protobufType && { format: 'protobuf' }) }
    } else if (parts[0] === json || parts[0] === protobufType || parts[0] === '*/*') return undefined
  }
  return undefined
}

const v3Prefix = '/openapi/v3/'

function findOpenApi(exchange: Exchange, path: string, openApi: OpenApi): Found | 'answered' | undefined {
  if (path === '/openapi/v3') return plain(openApi.v3Index())
  if (path.startsWith(v3Prefix)) return findV3(exchange, path.slice(v3Prefix.length), openApi)
  if (path !== '/openapi/v2') return undefined
  exchange.setHeader('vary', 'Accept')
  const accept = exchange.header('accept') ?? ''
  if (v2ProtobufAccepts.some((type) => accept.includes(type))) {
    return { document: openApi.v2Protobuf(), contentType: v2ProtobufType }
  }
  return plain(openApi.v2())
}

/** An address with the document's hash may be kept for ever; one with another hash leads to it. */
function findV3(exchange: Exchange, name: string, openApi: OpenApi): Found | 'answered' | undefined {
  const document = openApi.v3(name)
  if (!document) return undefined
  exchange.setHeader('vary', 'Accept')
  const hash = exchange.query.get('hash')
  if (!hash) return plain(document)
  if (`"${hash}"` === document.etag) return { document, contentType: json, immutable: true }
  exchange.setHeader('location', v3Url(name, document))
  exchange.setHeader('etag', document.etag)
  exchange.send(301, 'text/plain; charset=utf-8', '')
  return 'answered'
}

function plain(document: Document | undefined): Found | undefined {
  return document && { document, contentType: json }
}

async function reply(exchange: Exchange, { document, contentType, immutable }: Found): Promise<void> {
  exchange.setHeader('etag', document.etag)
  if (immutable) {
    exchange.setHeader('cache-control', 'public, immutable')
    exchange.setHeader('expires', new Date(Date.now() + yearMs).toUTCString())
  }
  if (knows(exchange.header('if-none-match'), document.etag)) return exchange.send(304, contentType, '')
  const { bytes, isGzip } = await document.body(/\bgzip\b/.test(exchange.header('accept-encoding') ?? ''))
  if (isGzip) exchange.setHeader('content-encoding', 'gzip')
  exchange.send(200, contentType, bytes)
}

/** @param known the `If-None-Match` header: ETags, some of them perhaps weak, or `*` */
function knows(known: string | undefined, etag: string): boolean {
  if (known === undefined) return false
  return known.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag)
}
