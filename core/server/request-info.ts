import { newBadRequest, newMethodNotAllowed, newPathNotFound } from '#core/errors/status-error.ts'
import type { RequestAttributes } from './exchange.ts'

/**
 * What a path asks for, before anyone knows whether it exists.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
 */
export type RequestInfo = ResourceInfo | PathInfo

export type ResourceInfo = Extract<RequestAttributes, { isResource: true }> & {
  /** What follows the subresource: the path a proxy request goes on to. */
  rest: string
}

export type PathInfo = Extract<RequestAttributes, { isResource: false }>

const verbsByMethod = new Map([
  ['GET', 'get'],
  ['HEAD', 'get'],
  ['POST', 'create'],
  ['PUT', 'update'],
  ['PATCH', 'patch'],
  ['DELETE', 'delete'],
])

/** Subresources of a namespace; anything else behind its name is a resource inside it. */
const namespaceSubresources = new Set(['status', 'finalize'])

/** @param path still escaped @throws StatusError BadRequest for a path that does not decode, MethodNotAllowed for a write below `/watch/` */
export function parseRequest(method: string, path: string, query: () => URLSearchParams): RequestInfo {
  const segments = path.split('/')
  const root = segments[1]
  const start = root === 'api' ? 3 : root === 'apis' ? 4 : 0
  if (start === 0 || segments.length <= start || segments[start] === '') return pathInfo(method, path)
  const group = root === 'api' ? '' : decode(segments[2]!)
  const version = decode(segments[start - 1]!)
  return resourceInfo(method, group, version, segments.slice(start), query)
}

function pathInfo(method: string, path: string): PathInfo {
  return { isResource: false, verb: verbsByMethod.get(method) === 'get' ? 'get' : method.toLowerCase(), path }
}

function resourceInfo(
  method: string,
  group: string,
  version: string,
  segments: string[],
  query: () => URLSearchParams,
): ResourceInfo {
  let rest = segments
  // `/watch/...` is how watches were asked for before there was `?watch=true`.
  const legacyWatch = rest[0] === 'watch'
  if (legacyWatch) rest = rest.slice(1)
  let namespace = ''
  if (rest[0] === 'namespaces' && rest.length > 1) {
    namespace = decode(rest[1]!)
    if (rest.length > 2 && rest[2] !== '' && !(namespaceSubresources.has(rest[2]!) && group === ''))
      rest = rest.slice(2)
  }
  const info: ResourceInfo = {
    isResource: true,
    verb: verbsByMethod.get(method) ?? method.toLowerCase(),
    group,
    version,
    resource: decode(rest[0] ?? ''),
    subresource: decode(rest[2] ?? ''),
    namespace,
    name: decode(rest[1] ?? ''),
    rest: rest.slice(3).join('/'),
  }
  info.verb = collectionVerb(info, method, legacyWatch, query)
  if (info.name === '' && selecting.has(info.verb)) info.name = selectedName(query().get('fieldSelector'))
  return info
}

const selecting = new Set(['list', 'watch', 'deletecollection'])

/**
 * The one name a field selector asks for, so that who may see one object by name may list and watch it.
 * @returns empty when it asks for none, or for more than a name
 */
function selectedName(fieldSelector: string | null): string {
  return /^metadata\.name==?([^=,!\\]+)$/.exec(fieldSelector ?? '')?.[1] ?? ''
}

function collectionVerb(
  info: ResourceInfo,
  method: string,
  legacyWatch: boolean,
  query: () => URLSearchParams,
): string {
  if (legacyWatch) {
    if (info.verb !== 'get') throw newMethodNotAllowed()
    return 'watch'
  }
  if (info.verb === 'get' && info.name === '') return isTrue(query().get('watch')) ? 'watch' : 'list'
  if (method === 'DELETE' && !info.name) return 'deletecollection'
  return info.verb
}

const readVerbs = new Set(['get', 'list', 'watch'])
const longRunningSubresources = new Set(['attach', 'exec', 'log', 'portforward', 'proxy'])

/** True for what changes nothing. */
export function isReadOnly({ verb }: RequestInfo): boolean {
  return readVerbs.has(verb)
}

/** True for what lasts as long as its client likes: watches, logs, connections to pods, proxying. */
export function isLongRunning(info: RequestInfo): boolean {
  return info.verb === 'watch' || (info.isResource && longRunningSubresources.has(info.subresource))
}

/** Booleans in a query, as Kubernetes reads them: present and not `false` or `0`. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== 'false' && value !== '0'
}

/** @throws StatusError BadRequest for what does not decode, NotFound for a slash in disguise: it is no part of any name */
function decode(segment: string): string {
  if (!segment.includes('%')) return segment
  let decoded: string
  try {
    decoded = decodeURIComponent(segment)
  } catch (cause) {
    throw newBadRequest(`the path segment "${segment}" is not properly escaped`, cause)
  }
  if (decoded.includes('/')) throw newPathNotFound()
  return decoded
}
