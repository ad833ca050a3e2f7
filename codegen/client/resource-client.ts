import type { KubeList, KubeObject, ResourceRef, WatchEvent } from '@keelson/apis/meta/v1/types.ts'
import { ApiError, isStatus } from './errors.ts'
import { splitLines } from './lines.ts'
import { listQuery, resourcePath, watchQuery, withQuery, writeQuery } from './paths.ts'
import type { ApiRequest, Client, DeepReadonly, Patch, ResourceClient, WatchOptions, WriteOptions } from './types.ts'

/** What a resource client needs of the client it belongs to. */
export type Requester = Pick<Client, 'request' | 'stream'>

/** Media types to ask for. Absent: plain JSON objects. */
export interface Accept {
  object: string
  list: string
}

export function createResourceClient<T extends KubeObject>(
  api: Requester,
  ref: ResourceRef<T>,
  namespace?: string,
  accept?: Accept,
): ResourceClient<T> {
  /** The path of one object. A write may name the namespace in the object instead of in `in()`. */
  function pathOf(name: string, subresource?: string, fallback?: string): string {
    if (!name) throw new TypeError(`a name of ${ref.resource} is required`)
    return resourcePath(ref, namespaceFor(fallback), name, subresource)
  }

  function namespaceFor(fallback?: string): string | undefined {
    if (!ref.namespaced) return undefined
    const chosen = namespace ?? fallback
    if (!chosen) throw new TypeError(`${ref.resource} is namespaced: choose one with in(namespace)`)
    return chosen
  }

  const collection = ref.namespaced ? resourcePath(ref, namespace) : resourcePath(ref)
  const get = <R>(path: string, mediaTypes?: string, signal?: AbortSignal) =>
    api.request<R>({ method: 'GET', path, accept: mediaTypes, signal })

  function replace(object: DeepReadonly<T> | T, options: WriteOptions, subresource?: string): Promise<T> {
    const { name = '', namespace: own } = object.metadata
    const path = withQuery(pathOf(name, subresource, own), writeQuery(options))
    return api.request({ method: 'PUT', path, body: object, signal: options.signal })
  }

  return {
    in: (chosen) => createResourceClient(api, ref, chosen, accept),
    get: async (name, { resourceVersion, signal } = {}) =>
      get(withQuery(pathOf(name), { resourceVersion }), accept?.object, signal),
    list: async (options = {}) =>
      get<KubeList<T>>(withQuery(collection, listQuery(options)), accept?.list, options.signal),
    async create(object, options = {}) {
      const path = withQuery(resourcePath(ref, namespaceFor(object.metadata.namespace)), writeQuery(options))
      return api.request<T>({ method: 'POST', path, body: object, signal: options.signal })
    },
    update: async (object, options = {}) => replace(object, options),
    updateStatus: async (object, options = {}) => replace(object, options, 'status'),
    async patch(name, patch, options = {}) {
      const force = patch.type === 'apply' && patch.force
      const path = withQuery(pathOf(name, options.subresource), { ...writeQuery(options), force })
      return api.request<T>({
        method: 'PATCH',
        path,
        accept: accept?.object,
        ...encodePatch(patch),
        signal: options.signal,
      })
    },
    async delete(name, { signal, ...options } = {}) {
      await api.request({ method: 'DELETE', path: pathOf(name), body: deleteOptions(options), signal })
    },
    async deleteCollection({ delete: options, ...query } = {}) {
      const path = withQuery(collection, listQuery(query))
      await api.request({ method: 'DELETE', path, body: deleteOptions(options), signal: query.signal })
    },
    getSubresource: async (name, subresource) => get(pathOf(name, subresource)),
    createSubresource: async (name, subresource, body, signal) =>
      api.request({ method: 'POST', path: pathOf(name, subresource), body, signal }),
    watch: (options = {}) => watchEvents<T>(api, withQuery(collection, watchQuery(options)), options, accept?.object),
  }
}

const deleteOptions = (options: object | undefined) =>
  options && Object.keys(options).length > 0 ? { kind: 'DeleteOptions', apiVersion: 'v1', ...options } : undefined

const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const satisfies Record<Patch['type'], string>

/** JSON is YAML, so an apply patch is sent as JSON too. */
const encodePatch = (patch: Patch): Pick<ApiRequest, 'body' | 'contentType'> => ({
  body: patch.type === 'json' ? patch.operations : patch.body,
  contentType: patchTypes[patch.type],
})

async function* watchEvents<T extends KubeObject>(
  api: Requester,
  path: string,
  { signal }: WatchOptions,
  accept?: string,
): AsyncGenerator<WatchEvent<T>> {
  const chunks = await api.stream({ method: 'GET', path, accept, signal })
  for await (const line of splitLines(chunks)) {
    const event = JSON.parse(line.toString()) as WatchEvent<T>
    if (event.type === 'ERROR') throw watchFailure(event.object)
    yield event
  }
}

function watchFailure(object: unknown): Error {
  if (isStatus(object)) return new ApiError(object)
  return new Error(`the watch reported an error that is no Status: ${JSON.stringify(object)}`)
}
