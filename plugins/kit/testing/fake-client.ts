import type { KubeList, KubeObject, ResourceRef, WatchEvent } from '@keelson/apis/meta/v1/types.ts'
import {
  type ApiRequest,
  type Client,
  ConnectionError,
  type ListOptions,
  type ResourceClient,
  type WatchOptions,
} from '@keelson/client'
import { type Clock, systemClock } from '../clock.ts'
import { mergeInto } from './fake-patch.ts'
import { selects } from './fake-selectors.ts'
import { type Change, createFakeStore, type FakeObject, failure } from './fake-store.ts'

/** One call that was made to the fake. */
export interface FakeCall {
  verb: string
  resource: string
  namespace: string
  name: string
  subresource: string
  body?: unknown
}

/**
 * A Client over objects in memory, for tests of what is built on @keelson/kit. It behaves as a server does where
 * controllers rely on it: resourceVersions and conflicts, generateName, generations, finalizers, preconditions, graceful
 * deletion of pods that run on a node, selectors, watches from a resourceVersion. It checks no schema and no permission.
 */
export interface FakeClient extends Client {
  /** Writes so far, in order; `watch`, `get` and `list` are left out. */
  readonly writes: readonly FakeCall[]
  /** Puts objects in as they are, status included. */
  seed<T extends KubeObject>(ref: ResourceRef<T>, ...objects: T[]): T[]
  /** What is stored now. */
  stored<T extends KubeObject>(ref: ResourceRef<T>, namespace?: string): T[]
  /** Runs before each call; what it throws fails the call. Returns the remover. */
  intercept(before: (call: FakeCall) => void): () => void
  /** Resolves with the first truthy result of `look`, which is tried now and after each change. */
  waitFor<R>(look: () => R | undefined | null | false): Promise<R>
  /** Keeps watchers waiting for what is written from now on, as a slow network does. Returns what lets them go on. */
  pauseWatches(): () => void
  /** Ends every open watch with a ConnectionError. */
  breakWatches(): void
  /** Forgets history: watches from before now are answered with 410 Expired. */
  compact(): void
}

export interface FakeClientOptions {
  clock?: Clock
  /** What discovery names, beyond the resources that are used. */
  resources?: readonly ResourceRef[]
}

export function createFakeClient(options: FakeClientOptions = {}): FakeClient {
  const store = createFakeStore(options.clock ?? systemClock)
  const writes: FakeCall[] = []
  const interceptors = new Set<(call: FakeCall) => void>()
  const openWatches = new Set<(error: Error) => void>()
  const wakers = new Set<() => void>()
  let isPaused = false
  for (const ref of options.resources ?? []) store.know(ref)

  function note(
    ref: ResourceRef,
    verb: string,
    namespace: string,
    name: string,
    subresource = '',
    body?: unknown,
  ): void {
    const call: FakeCall = { verb, resource: ref.resource, namespace, name, subresource, body: structuredClone(body) }
    for (const before of interceptors) before(call)
    if (!['get', 'list', 'watch'].includes(verb)) writes.push(call)
  }

  /** Strips an object when only its metadata was asked for. */
  type View = (object: FakeObject) => FakeObject

  function resourceClient<T extends KubeObject>(ref: ResourceRef<T>, view: View, namespace = ''): ResourceClient<T> {
    const write = (object: unknown) => view(object as FakeObject) as unknown as T
    const located = (object: unknown) => {
      const given = structuredClone(object) as FakeObject
      if (ref.namespaced) given.metadata.namespace ??= namespace
      return given
    }
    const selected = (query: ListOptions) => store.all(ref, namespace).filter((object) => selects(query, object))

    async function remove(name: string, wish: Parameters<ResourceClient<T>['delete']>[1] = {}): Promise<void> {
      const { preconditions, propagationPolicy, gracePeriodSeconds } = wish
      note(ref, 'delete', namespace, name, '', wish)
      store.remove(ref, namespace, name, {
        ...preconditions,
        policy: propagationPolicy,
        graceSeconds: gracePeriodSeconds,
      })
    }

    function replace(object: unknown, subresource: string): T {
      const given = located(object)
      note(ref, 'update', given.metadata.namespace ?? '', given.metadata.name ?? '', subresource, given)
      return write(store.replace(ref, given, { status: subresource === 'status' }))
    }

    return {
      in: (chosen) => resourceClient(ref, view, chosen),
      async get(name) {
        note(ref, 'get', namespace, name)
        return write(store.read(ref, namespace, name))
      },
      async list(query = {}) {
        note(ref, 'list', namespace, '')
        const items = selected(query)
        const start = Number(query.continue ?? 0)
        const end = start + (query.limit ?? items.length)
        const metadata = {
          resourceVersion: String(store.revision),
          ...(end < items.length && { continue: String(end) }),
        }
        const page = items.slice(start, end).map(write)
        return { apiVersion: ref.version, kind: `${ref.kind}List`, metadata, items: page } as KubeList<T>
      },
      async create(object) {
        const { status: _, ...given } = located(object)
        note(ref, 'create', given.metadata.namespace ?? '', given.metadata.name ?? '', '', given)
        return write(store.insert(ref, given))
      },
      update: async (object) => replace(object, ''),
      updateStatus: async (object) => replace(object, 'status'),
      async patch(name, patch, { subresource = '' } = {}) {
        note(ref, 'patch', namespace, name, subresource, patch.type === 'json' ? patch.operations : patch.body)
        if (patch.type !== 'merge') throw new TypeError(`the fake client knows merge patches, not ${patch.type}`)
        const { resourceVersion } = (patch.body as Partial<KubeObject>).metadata ?? {}
        const next = mergeInto(store.read(ref, namespace, name), patch.body) as FakeObject
        next.metadata.resourceVersion = resourceVersion
        return write(store.replace(ref, next, { status: subresource === 'status' }))
      },
      delete: remove,
      async deleteCollection(query = {}) {
        note(ref, 'deletecollection', namespace, '')
        for (const { metadata } of selected(query)) {
          const wish = { policy: query.delete?.propagationPolicy, graceSeconds: query.delete?.gracePeriodSeconds }
          store.remove(ref, metadata.namespace ?? '', metadata.name ?? '', wish)
        }
      },
      async getSubresource<R>(name: string, subresource: string) {
        note(ref, 'get', namespace, name, subresource)
        return store.read(ref, namespace, name) as R
      },
      async createSubresource<R>(name: string, subresource: string, body: unknown) {
        note(ref, 'create', namespace, name, subresource, body)
        if (subresource === 'binding') bind(name, body as { target: { name: string } })
        else if (subresource === 'eviction') store.remove(ref, namespace, name, {})
        return body as R
      },
      watch: (query = {}) => watch(ref, namespace, query, view) as AsyncIterable<WatchEvent<T>>,
    }

    function bind(name: string, { target }: { target: { name: string } }): void {
      const pod = store.read(ref, namespace, name)
      store.replace(ref, { ...pod, spec: { ...(pod.spec as object), nodeName: target.name } }, { status: false })
    }
  }

  async function* watch(ref: ResourceRef, namespace: string, query: WatchOptions, view: View) {
    note(ref, 'watch', namespace, '')
    const pending: WatchEvent[] = []
    let wake = () => {}
    let broken: unknown
    const matches = (object: FakeObject | undefined) =>
      object && (!namespace || object.metadata.namespace === namespace) && selects(query, object)
    const deliver = (change: Change) => {
      const event = eventFor(change, matches)
      if (event) pending.push({ type: event.type, object: view(event.object) })
      wake()
    }
    const next = () => (isPaused ? undefined : pending.shift())
    const goOn = () => wake()
    const fail = (reason: unknown) => {
      broken = reason
      wake()
    }
    const onAbort = () => fail(query.signal?.reason)
    const unsubscribe = store.subscribe(ref, Number(query.resourceVersion ?? store.revision), deliver)
    query.signal?.addEventListener('abort', onAbort, { once: true })
    openWatches.add(fail)
    wakers.add(goOn)
    if (query.signal?.aborted) onAbort()
    try {
      for (;;) {
        if (broken) throw broken
        for (let event = next(); event; event = next()) yield event
        if (!broken && (isPaused || pending.length === 0)) await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      unsubscribe()
      openWatches.delete(fail)
      wakers.delete(goOn)
      query.signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Discovery, and any path of a known resource: enough for code that goes past `resource()`. */
  async function request<R>({ method, path, body }: ApiRequest): Promise<R> {
    if (path === '/api' || path === '/apis') return discovery(path) as R
    const { ref, namespace, name, subresource } = locate(path)
    const resource = resourceClient(ref, whole, namespace)
    if (method === 'GET') return (await resource.get(name)) as R
    if (method === 'PUT' && subresource === 'finalize') {
      note(ref, 'update', namespace, name, subresource, body)
      return store.replace(ref, body as FakeObject, { status: false }) as R
    }
    throw new TypeError(`the fake client does not know ${method} ${path}`)
  }

  function discovery(path: string) {
    const groups = new Map<string, Map<string, object[]>>()
    for (const ref of store.refs.values()) {
      if ((ref.group === '') !== (path === '/api')) continue
      const versions = groups.get(ref.group) ?? new Map<string, object[]>()
      groups.set(ref.group, versions.set(ref.version, [...(versions.get(ref.version) ?? []), discovered(ref)]))
    }
    const items = [...groups].map(([name, versions]) => ({
      metadata: { name },
      versions: [...versions].map(([version, resources]) => ({ version, resources })),
    }))
    return { kind: 'APIGroupDiscoveryList', items }
  }

  function locate(path: string) {
    const parts = path.split('?')[0]!.split('/').slice(1).map(decodeURIComponent)
    const group = parts.shift() === 'api' ? '' : (parts.shift() ?? '')
    const version = parts.shift() ?? ''
    const namespace =
      parts[0] === 'namespaces' && parts.length > 2 && store.refs.has(`${group}/${version}/${parts[2]}`)
        ? parts[1]!
        : ''
    const [resource = '', name = '', subresource = ''] = namespace ? parts.slice(2) : parts
    const ref = store.refs.get(`${group}/${version}/${resource}`)
    if (!ref) throw failure(404, 'NotFound', 'the server could not find the requested resource')
    return { ref, namespace, name, subresource }
  }

  return {
    access: { server: 'https://fake', caData: '' },
    resource(ref) {
      store.know(ref)
      return resourceClient(ref, whole)
    },
    metadata: (ref) => resourceClient<KubeObject>(ref, onlyMetadata),
    relations: (ref) => resourceClient<KubeObject>(ref, onlyMetadata),
    request,
    async stream() {
      throw new TypeError('the fake client has no streams')
    },
    writes,
    seed(ref, ...objects) {
      store.know(ref)
      return objects.map((object) => store.insert(ref, object as unknown as FakeObject) as unknown as typeof object)
    },
    stored: (ref, namespace) =>
      store.all(ref, namespace) as unknown as (typeof ref extends ResourceRef<infer T> ? T : never)[],
    intercept(before) {
      interceptors.add(before)
      return () => interceptors.delete(before)
    },
    waitFor(look) {
      return new Promise((resolve) => {
        const attempt = () => {
          const found = look()
          if (!found) return
          stop()
          resolve(found)
        }
        const stop = store.onChange(attempt)
        attempt()
      })
    },
    pauseWatches() {
      isPaused = true
      return () => {
        isPaused = false
        for (const goOn of wakers) goOn()
      }
    },
    breakWatches() {
      for (const fail of openWatches) fail(new ConnectionError('the connection broke'))
    },
    compact: store.compact,
    async [Symbol.asyncDispose]() {
      for (const fail of openWatches) fail(new ConnectionError('the client is closed'))
    },
  }
}

const whole = (object: FakeObject) => object

const onlyMetadata = ({ metadata }: FakeObject): FakeObject => ({
  apiVersion: 'meta.k8s.io/v1',
  kind: 'PartialObjectMetadata',
  metadata,
})

/** What a watcher with a selector hears of a change: leaving the selection looks like a deletion. */
function eventFor({ type, object, old }: Change, matches: (object: FakeObject | undefined) => unknown) {
  const clone = structuredClone(object)
  if (type === 'DELETED') return matches(old) || matches(object) ? { type, object: clone } : undefined
  if (!matches(object)) return matches(old) ? ({ type: 'DELETED', object: clone } as const) : undefined
  return { type: matches(old) ? ('MODIFIED' as const) : ('ADDED' as const), object: clone }
}

const discovered = (ref: ResourceRef) => ({
  resource: ref.resource,
  responseKind: { kind: ref.kind },
  scope: ref.namespaced ? 'Namespaced' : 'Cluster',
  verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
  subresources: [],
})
