import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ContainerRuntime, ContainerStatus } from '@keelson/apis/plugin/v1/cri.ts'
import { handlePortForward, handleRemoteCommand } from '@keelson/kit/streaming/index.ts'
import type { Upgrade } from '@keelson/kit/streaming/types.ts'
import type { NodeAgent } from '../agent.ts'
import { isRunning, readySandbox, rolesOf } from '../pod/model.ts'
import type { PodWorker } from '../pod/worker.ts'
import { RequestError } from './kubelet-server.ts'
import { logOptions } from './log-options.ts'
import { metricsText, summary } from './metrics.ts'
import { bridge } from './streams.ts'

/** What a request asks for, once it is known to be permitted. */
export interface Route {
  /** The node of the pod it is about. */
  nodeName?: string
  respond?(request: IncomingMessage, response: ServerResponse): Promise<void>
  upgrade?(upgrade: Upgrade): Promise<void>
}

export interface Routes {
  /** Undefined when there is no such path. */
  match(request: IncomingMessage): Route | undefined
}

export interface RoutesOptions {
  agent: Pick<NodeAgent, 'find' | 'workers'>
  runtime: ContainerRuntime
  nodeName: string
  startedAtMs: number
  now: () => number
}

const runTimeoutSeconds = 120

/** The paths of a kubelet. Those about a container also take the pod's uid: `/exec/{namespace}/{pod}[/{uid}]/{container}`. */
export function createRoutes(options: RoutesOptions): Routes {
  const { agent, runtime } = options

  const podAt = (namespace = '', name = ''): PodWorker => {
    const worker = agent.find(namespace, name)
    if (!worker) throw new RequestError(404, `pod does not exist: ${namespace}/${name}`)
    return worker
  }
  const nodeOf = (namespace = '', name = '') => agent.find(namespace, name)?.pod.spec.nodeName

  const containerRoutes: Readonly<Record<string, (place: Place, query: URLSearchParams) => Omit<Route, 'nodeName'>>> = {
    containerLogs: (place, query) => ({
      respond: async (_, response) => sendLogs(runtime, podAt(...place.pod), place.container, query, response),
    }),
    exec: (place, query) => ({
      upgrade: async (upgrade) => {
        const { id } = runningContainer(podAt(...place.pod), place.container)
        const cmd = query.getAll('command')
        await handleRemoteCommand(upgrade, async (command) => {
          const { tty, stdin, stdout, stderr } = command
          const wanted = { containerId: id, cmd, tty, stdin: !!stdin, stdout: !!stdout, stderr: !!stderr }
          return bridge(await runtime.exec(wanted), command)
        })
      },
    }),
    attach: (place) => ({
      upgrade: async (upgrade) => {
        const { id } = runningContainer(podAt(...place.pod), place.container)
        const attach = async (command: Parameters<typeof bridge>[1]) => {
          const { tty, stdin, stdout, stderr } = command
          const wanted = { containerId: id, tty, stdin: !!stdin, stdout: !!stdout, stderr: !!stderr }
          return bridge(await runtime.attach(wanted), command)
        }
        await handleRemoteCommand(upgrade, attach, { action: 'attach' })
      },
    }),
    run: (place, query) => ({
      respond: async (_, response) => {
        const { id } = runningContainer(podAt(...place.pod), place.container)
        const cmd = (query.get('cmd') ?? '').split(' ').filter(Boolean)
        const { stdout, stderr } = await runtime.execSync(id, cmd, runTimeoutSeconds)
        response.end(Buffer.concat([stdout, stderr]))
      },
    }),
  }

  const portForward = (namespace: string, name: string): Omit<Route, 'nodeName'> => ({
    upgrade: async (upgrade) => {
      const worker = podAt(namespace, name)
      const sandbox = readySandbox(worker.view())
      if (!sandbox) throw new RequestError(500, `pod ${namespace}/${name} is not running`)
      const pod = { name, uid: worker.uid }
      await handlePortForward(upgrade, (port) => runtime.portForward(sandbox.id, port), { pod })
    },
  })

  const pages: Readonly<Record<string, () => { type: string; body: string }>> = {
    '/healthz': () => ({ type: 'text/plain', body: 'ok' }),
    '/pods': () =>
      json({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items: [...agent.workers].map((one) => one.view().pod) }),
    '/metrics': () => ({ type: 'text/plain; version=0.0.4', body: metricsText(agent.workers) }),
    '/stats/summary': () => json(summary(options.nodeName, options.startedAtMs, options.now(), agent.workers)),
  }

  return {
    match(request) {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'https://kubelet')
      const page = Object.hasOwn(pages, pathname) ? pages[pathname] : undefined
      if (page) return { respond: async (_, response) => sendPage(response, page()) }
      const [action = '', namespace = '', name = '', ...rest] = pathname.slice(1).split('/').map(decode)
      const nodeName = nodeOf(namespace, name)
      const about = nodeName === undefined ? {} : { nodeName }
      if (action === 'portForward' && rest.length <= 1) return { ...about, ...portForward(namespace, name) }
      if (!Object.hasOwn(containerRoutes, action) || rest.length < 1 || rest.length > 2) return undefined
      const place: Place = { pod: [namespace, name], container: rest.at(-1) ?? '' }
      return { ...about, ...containerRoutes[action]?.(place, searchParams) }
    },
  }
}

interface Place {
  pod: [namespace: string, name: string]
  container: string
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new RequestError(400, `malformed path: ${part}`)
  }
}

const json = (value: unknown) => ({ type: 'application/json', body: JSON.stringify(value) })

function sendPage(response: ServerResponse, { type, body }: { type: string; body: string }): void {
  response.writeHead(200, { 'content-type': type }).end(body)
}

function runningContainer(worker: PodWorker, name: string): ContainerStatus {
  const container = worker.containerOf(name)
  if (container && isRunning(container)) return container
  throw new RequestError(404, `container not found (${JSON.stringify(name)})`)
}

async function sendLogs(
  runtime: ContainerRuntime,
  worker: PodWorker,
  name: string,
  query: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  const { options, limitBytes, isPrevious } = logOptions(query)
  const container = loggedContainer(worker, name, isPrevious)
  const stopped = new AbortController()
  response.once('close', () => stopped.abort())
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).flushHeaders()
  const chunks = runtime.containerLogs(container.id, options, stopped.signal)
  await pipeline(Readable.from(firstBytes(chunks, limitBytes)), response).catch(() => undefined)
}

function loggedContainer(worker: PodWorker, name: string, isPrevious: boolean): ContainerStatus {
  const { name: podName } = worker.pod.metadata
  const title = `${JSON.stringify(name)} in pod ${JSON.stringify(podName)}`
  if (!rolesOf(worker.pod).some(({ spec }) => spec.name === name)) {
    throw new RequestError(400, `container ${title} is not available`)
  }
  const found = worker.containerOf(name, isPrevious)
  if (found) return found
  if (isPrevious) throw new RequestError(400, `previous terminated container ${title} not found`)
  const reason = worker.waitingReason(name)
  throw new RequestError(400, `container ${title} is waiting to start: ${reason}`)
}

async function* firstBytes(chunks: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<Uint8Array> {
  let left = limit
  for await (const chunk of chunks) {
    yield chunk.subarray(0, left)
    left -= chunk.length
    if (left <= 0) return
  }
}
