import type { GroupVersionResource } from '@keelson/apis/meta/v1/types.ts'
import type { ListOptions, WatchOptions, WriteOptions } from './types.ts'

/** Where a resource is served. Every segment is escaped, so names from outside cannot leave their place. */
export function resourcePath(
  ref: GroupVersionResource,
  namespace?: string,
  name?: string,
  subresource?: string,
): string {
  let path = ref.group ? `/apis/${segment(ref.group)}/${segment(ref.version)}` : `/api/${segment(ref.version)}`
  if (namespace) path += `/namespaces/${segment(namespace)}`
  path += `/${segment(ref.resource)}`
  if (name) path += `/${segment(name)}`
  if (subresource) path += `/${subresource.split('/').map(segment).join('/')}`
  return path
}

/** `.` and `..` are the two segments that escaping leaves alone and a URL parser would resolve. */
function segment(text: string): string {
  if (text === '.' || text === '..') throw new TypeError(`"${text}" is no name of an object`)
  return encodeURIComponent(text)
}

export function withQuery(
  path: string,
  query: Readonly<Record<string, string | number | boolean | undefined>>,
): string {
  const parameters = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== '' && value !== false) parameters.set(key, String(value))
  }
  return parameters.size > 0 ? `${path}?${parameters}` : path
}

export const listQuery = ({ signal: _, ...query }: ListOptions) => query

export const watchQuery = ({ signal: _, ...query }: WatchOptions) => ({ watch: true, ...query })

export const writeQuery = ({ dryRun, fieldManager, fieldValidation }: WriteOptions) => ({
  dryRun: dryRun ? 'All' : undefined,
  fieldManager,
  fieldValidation,
})
