import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { namespaces, serviceaccounts } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { KubeObject, ResourceRef, Status } from '@keelson/apis/meta/v1/types.ts'
import { type Client, connect, findApiError, loadKubeconfig, type ResourceClient } from '@keelson/client'
import { type HttpClient, openHttp, type RawRequest, type RawResponse } from './http.ts'
import {
  type KubectlOptions,
  type KubectlResult,
  kubectlBinary,
  type RunningKubectl,
  runKubectl,
  startKubectl,
} from './kubectl.ts'
import { openWatch, type WatchReader } from './watch.ts'

/** What a case works with. Whatever it makes is removed after it. */
export interface CaseContext {
  readonly client: Client
  /** Aborted at the case's deadline. */
  readonly signal: AbortSignal
  /** The image for pods that run. */
  readonly image: string
  /** A name nobody else uses: `prefix-` and a suffix. */
  unique(prefix: string): string
  /** The case's own namespace, made at the first call; with its default service account, without which no pod is admitted. */
  namespace(): Promise<string>
  /** `client.resource(ref)` in the case's namespace. */
  in<T extends KubeObject>(ref: ResourceRef<T>): Promise<ResourceClient<T>>
  /** A request as it goes over the wire. */
  http(request: RawRequest): Promise<RawResponse>
  /** As `http` for JSON, and throws when the answer is no success. */
  api<T = KubeObject & Record<string, never>>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<T>
  /** Opens a watch; it is closed with the case at the latest. */
  watch(path: string): Promise<WatchReader>
  /** Runs kubectl in the case's namespace. */
  kubectl(args: readonly string[], options?: KubectlOptions): Promise<KubectlResult>
  /** Starts a kubectl that goes on, such as a proxy; it is ended with the case. */
  kubectlUntilEnd(args: readonly string[]): Promise<RunningKubectl>
  /** A file with this content. */
  file(name: string, content: string): Promise<string>
  /**
   * Resolves with the object once `holds` of it, driven by a watch. @throws at the deadline, with its last state
   */
  until<T extends KubeObject>(ref: ResourceRef<T>, name: string, holds: (object: T) => unknown): Promise<T>
  /** Resolves once the object is gone. */
  untilGone(ref: ResourceRef, name: string): Promise<void>
  /** Resolves with the first result of `look` that neither throws nor is undefined or false: for what no watch tells. */
  eventually<R>(look: () => Promise<R | undefined | false>): Promise<R>
  /** Asserts that `call` fails with a Status like this. @returns the Status */
  rejects(call: Promise<unknown>, like: Partial<Status> & { messageIncludes?: string }): Promise<Status>
  /** Runs after the case, last first, whatever became of it. */
  cleanup(undo: () => Promise<unknown>): void
}

/** What all cases of a run share. */
export interface Cluster extends AsyncDisposable {
  readonly kubeconfig: string
  readonly client: Client
  readonly http: HttpClient
  /** The kubectl that cases run. */
  readonly kubectl: string
  /** For kubectl's cache and cases' files. */
  readonly folder: string
}

export async function openCluster(kubeconfig: string, kubectl = kubectlBinary): Promise<Cluster> {
  const access = loadKubeconfig(kubeconfig)
  const client = connect(access, { userAgent: 'keelson-conformance/0.1.0' })
  const http = openHttp(access)
  const folder = await mkdtemp(join(tmpdir(), 'keelson-conformance-'))
  return {
    kubeconfig,
    kubectl,
    client,
    http,
    folder,
    async [Symbol.asyncDispose]() {
      http[Symbol.dispose]()
      await client[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const defaultImage = 'registry.k8s.io/e2e-test-images/busybox:1.36.1-1'
const firstLookMs = 20
const longestPauseMs = 1_000

let serial = 0
/** Tells runs against the same cluster apart. */
const run = Date.now().toString(36)

export interface OpenContext {
  context: CaseContext
  /** Undoes what the case did. Never throws. */
  close(): Promise<void>
}

export function openContext(cluster: Cluster, signal: AbortSignal): OpenContext {
  const { client, http } = cluster
  const kubectlPlace = {
    path: cluster.kubectl,
    kubeconfig: cluster.kubeconfig,
    cacheFolder: join(cluster.folder, 'cache'),
  }
  const undos: (() => Promise<unknown>)[] = []
  let namespace: Promise<string> | undefined

  const unique = (prefix: string) => `${prefix}-${run}-${++serial}`

  async function makeNamespace(): Promise<string> {
    const name = unique('conformance')
    await client.resource(namespaces).create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
    undos.push(() => client.resource(namespaces).delete(name))
    await watchUntil(client.resource(serviceaccounts).in(name), 'default', (found) => found !== undefined, signal)
    return name
  }

  const context: CaseContext = {
    client,
    signal,
    image: process.env.KEELSON_CONFORMANCE_IMAGE || defaultImage,
    unique,
    namespace: () => (namespace ??= makeNamespace()),
    in: async (ref) => client.resource(ref).in(await context.namespace()),
    http: (request) => http.send({ signal, ...request }),
    async api<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
      const type = method === 'PATCH' && { 'content-type': 'application/merge-patch+json' }
      const response = await http.send({ method, path, body, signal, headers: { ...type, ...headers } })
      if (response.status >= 300) throw new Error(`${method} ${path} answered ${response.status}: ${response.text}`)
      return response.json<T>()
    },
    async watch(path) {
      const reader = await openWatch(client, path, signal)
      undos.push(async () => reader[Symbol.asyncDispose]())
      return reader
    },
    async kubectl(args, options = {}) {
      const place = namespace ? ['--namespace', await namespace] : []
      return runKubectl(kubectlPlace, [...place, ...args], options, signal)
    },
    async kubectlUntilEnd(args) {
      const running = await startKubectl(kubectlPlace, args, signal)
      undos.push(async () => running[Symbol.asyncDispose]())
      return running
    },
    async file(name, content) {
      const path = join(await mkdtemp(join(cluster.folder, 'file-')), name)
      await writeFile(path, content)
      return path
    },
    async until(ref, name, holds) {
      const door = ref.namespaced ? await context.in(ref) : client.resource(ref)
      const found = await watchUntil(door, name, (object) => object !== undefined && holds(object), signal)
      return found!
    },
    async untilGone(ref, name) {
      const door: ResourceClient<KubeObject> = ref.namespaced ? await context.in(ref) : client.resource(ref)
      await watchUntil(door, name, (object) => object === undefined, signal)
    },
    eventually: (look) => retry(look, signal),
    rejects,
    cleanup: (undo) => void undos.push(undo),
  }

  return {
    context,
    async close() {
      for (const undo of undos.reverse()) await undo().catch(() => {})
    },
  }
}

/** The object, or undefined while there is none, until `holds`; starts over when a watch ends or history is gone. */
async function watchUntil<T extends KubeObject>(
  door: ResourceClient<T>,
  name: string,
  holds: (object: T | undefined) => unknown,
  signal: AbortSignal,
): Promise<T | undefined> {
  const fieldSelector = `metadata.name=${name}`
  let last: T | undefined
  try {
    while (!signal.aborted) {
      const { items, metadata } = await door.list({ fieldSelector, signal })
      last = items[0]
      if (holds(last)) return last
      const resourceVersion = metadata.resourceVersion
      for await (const { type, object } of door.watch({ fieldSelector, resourceVersion, timeoutSeconds: 30, signal })) {
        last = type === 'DELETED' ? undefined : object
        if (holds(last)) return last
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
  throw new Error(`${name} did not get there in time; last seen: ${JSON.stringify(last)}`, { cause: signal.reason })
}

async function retry<R>(look: () => Promise<R | undefined | false>, signal: AbortSignal): Promise<R> {
  let last: unknown
  for (let pauseMs = firstLookMs; !signal.aborted; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      const found = await look()
      if (found !== undefined && found !== false) return found
    } catch (error) {
      last = error
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => {})
  }
  throw new Error(`it did not come about in time: ${last instanceof Error ? last.message : 'no result'}`, {
    cause: last,
  })
}

async function rejects(
  call: Promise<unknown>,
  { messageIncludes, ...like }: Partial<Status> & { messageIncludes?: string },
): Promise<Status> {
  const error = await call.then(
    () => new Error(`expected a failure like ${JSON.stringify(like)}, but the call succeeded`),
    (reason: unknown) => reason,
  )
  const status = findApiError(error)?.status
  if (!status) throw error
  const differs = Object.entries(like).filter(([field, value]) => status[field as keyof Status] !== value)
  const isOtherMessage = messageIncludes !== undefined && !status.message?.includes(messageIncludes)
  if (differs.length || isOtherMessage) {
    throw new Error(`expected ${JSON.stringify({ ...like, messageIncludes })}, got ${JSON.stringify(status)}`)
  }
  return status
}
