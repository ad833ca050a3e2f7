import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Container, Event, Pod, PodSpec } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { events, pods } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { ContainerRuntime, CreateRuntime } from '@keelson/apis/plugin/v1/cri.ts'
import type { PluginHost } from '@keelson/apis/plugin/v1/host.ts'
import type { Client, ResourceClient } from '@keelson/client'
import { createFakeClient, type FakeClient } from '@keelson/kit/testing/fake-client.ts'
import { createMemoryLog, type MemoryLog } from '@keelson/kit/testing/fake-host.ts'
import { nodeNames, readConfig } from '../config.ts'
import { instanceOf, runNodes } from '../main.ts'
import { selfSignedCertificate } from '../server/self-signed.ts'

/** An agent against a fake API, for tests. */
export interface Harness extends AsyncDisposable {
  client: FakeClient
  log: MemoryLog
  runtime: ContainerRuntime
  dataDir: string
  /** Creates a pod that is bound to the agent's first node. */
  create(name: string, spec: Partial<PodSpec>, metadata?: Pod['metadata']): Promise<Pod>
  pod(name: string): Pod | undefined
  /** Resolves with the pod once `isSo`. */
  until(name: string, isSo: (pod: Pod) => unknown): Promise<Pod>
  untilGone(name: string): Promise<void>
  /** Events about a pod, as `Reason: message`. */
  events(name: string): string[]
  /** Stops the agent, as a signal to its process would, and starts another on the same data. */
  restart(): Promise<void>
}

export const loadRuntime = async (driver: 'docker' | 'sim', options = {}): Promise<ContainerRuntime> => {
  const { default: create } = (await import(new URL(`../../cri/${driver}/index.ts`, import.meta.url).href)) as {
    default: CreateRuntime
  }
  return create(options)
}

export const nodeName = 'node-a'

/** @param caData what the kubelet API checks client certificates against */
export async function startAgent(
  runtime: ContainerRuntime,
  config: Record<string, unknown> = {},
  caData = selfSignedCertificate(['nobody'], Date.now()).cert,
): Promise<Harness> {
  const client = createFakeClient()
  const dataDir = await mkdtemp(join(tmpdir(), 'keelson-node-'))
  const log = createMemoryLog()
  const own = { runtime: 'given', nodeName, dataDir, port: 0, address: '127.0.0.1', ...config }
  const settings = readConfig({ backoffInitialMs: 20, backoffMaxMs: 200, ...own })
  const start = () => startOnce(runtime, settings, client, log, caData)
  let agent = await start()
  const find = (name: string) => client.stored<Pod>(pods).find(({ metadata }) => metadata.name === name)
  return {
    ...{ client, log, runtime, dataDir },
    create: (name, spec, metadata = {}) => {
      const whole = { containers: [], terminationGracePeriodSeconds: 1, nodeName, ...spec }
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default', ...metadata }, spec: whole }
      return client.resource<Pod>(pods).in('default').create(pod)
    },
    pod: find,
    until: (name, isSo) =>
      client.waitFor(() => {
        const pod = find(name)
        return pod && isSo(pod) ? pod : undefined
      }),
    untilGone: (name) => client.waitFor(() => !find(name)).then(() => undefined),
    events: (name) =>
      client
        .stored<Event>(events)
        .filter(({ involvedObject }) => involvedObject?.name === name)
        .map(({ reason, message }) => `${reason}: ${message}`),
    restart: async () => {
      await agent.stop()
      agent = await start()
    },
    [Symbol.asyncDispose]: async () => {
      const all = client.stored<Pod>(pods)
      for (const { metadata } of all) {
        await client
          .resource<Pod>(pods)
          .in('default')
          .delete(metadata.name ?? '', { gracePeriodSeconds: 0 })
      }
      await client.waitFor(() => client.stored<Pod>(pods).length === 0)
      await agent.untilEmpty()
      await agent.stop()
      await runtime[Symbol.asyncDispose]()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

async function startOnce(
  runtime: ContainerRuntime,
  config: ReturnType<typeof readConfig>,
  client: FakeClient,
  log: MemoryLog,
  caData: string,
) {
  const stopping = new AbortController()
  const ready = Promise.withResolvers<void>()
  const host: PluginHost = {
    ...{ abiVersion: '0.1.0', plugin: 'node', component: 'node', config: {}, log },
    ...{ api: { server: 'https://fake', caData }, signal: stopping.signal, ready: ready.resolve },
  }
  const running = runNodes(host, config, runtime, withStrategicPatches(client))
  await Promise.race([ready.promise, running])
  return {
    stop: async () => {
      stopping.abort()
      await running
    },
    /** Resolves when the runtime has nothing of the agent's any more. */
    untilEmpty: async () => {
      const watching = new AbortController()
      for await (const _ of runtime.events(watching.signal)) {
        const left = await runtime.listPodSandbox({
          labelSelector: { 'keelson.dev/agent': instanceOf(config, nodeNames(config)) },
        })
        if (left.length === 0) watching.abort()
      }
    },
  }
}

/** Gives the fake the two strategic merges the agent relies on: lists by key, and `$patch: delete`. */
function withStrategicPatches(client: FakeClient): Client {
  const wrap = <T extends Pod>(resource: ResourceClient<T>): ResourceClient<T> => ({
    ...resource,
    in: (namespace) => wrap(resource.in(namespace)),
    patch: async (name, patch, options) => {
      if (patch.type !== 'strategic') return resource.patch(name, patch, options)
      const { status: now } = await resource.get(name)
      const body = structuredClone(patch.body) as { metadata?: { uid?: string }; status?: Record<string, unknown> }
      for (const [list, key] of [
        ['conditions', 'type'],
        ['podIPs', 'ip'],
        ['addresses', 'type'],
      ] as const) {
        const changes = body.status?.[list] as Record<string, unknown>[] | undefined
        if (changes) body.status![list] = mergeByKey((now as Record<string, unknown> | undefined)?.[list], changes, key)
      }
      return resource.patch(name, { type: 'merge', body }, options)
    },
  })
  return { ...client, resource: (ref) => wrap(client.resource(ref) as never) as never }
}

function mergeByKey(old: unknown, changes: readonly Record<string, unknown>[], key: string) {
  const merged = new Map((old as Record<string, unknown>[] | undefined)?.map((one) => [one[key], one]))
  for (const { $patch, ...change } of changes) {
    if ($patch === 'delete') merged.delete(change[key])
    else
      merged.set(
        change[key],
        Object.fromEntries(
          Object.entries({ ...merged.get(change[key]), ...change }).filter(([, value]) => value !== null),
        ),
      )
  }
  return [...merged.values()]
}

export const container = (more: Partial<Container> = {}): Container => ({
  name: 'main',
  image: 'keelson-test/busybox:1',
  imagePullPolicy: 'IfNotPresent',
  ...more,
})
