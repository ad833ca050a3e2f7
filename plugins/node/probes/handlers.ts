import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import https from 'node:https'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type {
  HTTPGetAction,
  LifecycleHandler,
  Probe,
  TCPSocketAction,
} from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { ContainerRuntime } from '@keelson/apis/plugin/v1/cri.ts'
import { runtimeErrorCode } from '@keelson/apis/plugin/v1/cri.ts'
import type { DeepReadonly } from '@keelson/client'
import { http } from '@keelson/kit/node-http.ts'
import type { ContainerSpec } from '../pod/model.ts'

/** What probes and lifecycle hooks do: run a command, ask over HTTP, connect, sleep. */

export interface HandlerTarget {
  runtime: ContainerRuntime
  containerId: string
  container: ContainerSpec
  /** Where the pod answers; empty when its network cannot be reached from here. */
  podIP: string
}

export interface HandlerResult {
  isSuccess: boolean
  /** What it said, for an event. */
  output: string
}

type Handler = DeepReadonly<Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'> & Pick<LifecycleHandler, 'sleep'>>

const longestOutput = 1024
const success: HandlerResult = { isSuccess: true, output: '' }

/** Never throws: whatever goes wrong is a failure. Network handlers succeed where there is no network to reach. */
export async function runHandler(
  handler: Handler,
  target: HandlerTarget,
  timeoutSeconds: number,
): Promise<HandlerResult> {
  try {
    if (handler.exec) return await execute(handler.exec.command ?? [], target, timeoutSeconds)
    if (handler.httpGet && target.podIP) return await httpGet(handler.httpGet, target, timeoutSeconds)
    if (handler.tcpSocket && target.podIP) return await tcpConnect(handler.tcpSocket, target, timeoutSeconds)
    if (handler.sleep) await delay(handler.sleep.seconds * 1000, undefined, { ref: false })
    if (handler.grpc && target.podIP) return { isSuccess: false, output: 'gRPC probes are not supported by this node' }
    return success
  } catch (error) {
    return { isSuccess: false, output: error instanceof Error ? error.message : String(error) }
  }
}

async function execute(command: readonly string[], { runtime, containerId }: HandlerTarget, timeoutSeconds: number) {
  try {
    const { exitCode, stdout, stderr } = await runtime.execSync(containerId, command, timeoutSeconds)
    const output = Buffer.concat([stdout, stderr]).subarray(0, longestOutput).toString()
    return { isSuccess: exitCode === 0, output }
  } catch (error) {
    if (runtimeErrorCode(error) !== 'DeadlineExceeded') throw error
    return { isSuccess: false, output: (error as Error).message }
  }
}

function portNumber(port: string | number, { ports = [], name }: ContainerSpec): number {
  const number = Number(port)
  if (Number.isInteger(number)) return number
  const named = ports.find((one) => one.name === port)
  if (!named) throw new Error(`couldn't find port ${JSON.stringify(port)} of container ${name}`)
  return named.containerPort
}

/** Follows no redirects: a redirect of the probed host is a success, as one to another host is in Kubernetes. */
async function httpGet(
  { host, port, path = '/', scheme, httpHeaders = [] }: DeepReadonly<HTTPGetAction>,
  { podIP, container }: HandlerTarget,
  timeoutSeconds: number,
): Promise<HandlerResult> {
  const signal = AbortSignal.timeout(timeoutSeconds * 1000)
  const own: Record<string, string> = Object.fromEntries(
    httpHeaders.map(({ name, value }) => [name.toLowerCase(), value]),
  )
  const headers = { 'user-agent': 'kube-probe/1.36', accept: '*/*', connection: 'close', ...own }
  const target = {
    host: host || podIP,
    port: portNumber(port, container),
    path: path.startsWith('/') ? path : `/${path}`,
  }
  const request =
    scheme === 'HTTPS'
      ? https.get({ ...target, headers, signal, rejectUnauthorized: false, agent: false })
      : http.get({ ...target, headers, signal, agent: false })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const { statusCode = 0 } = response
  response.resume()
  if (statusCode >= 200 && statusCode < 400) return success
  return { isSuccess: false, output: `HTTP probe failed with statuscode: ${statusCode}` }
}

async function tcpConnect(
  { host, port }: DeepReadonly<TCPSocketAction>,
  { podIP, container }: HandlerTarget,
  timeoutSeconds: number,
): Promise<HandlerResult> {
  const socket = connect({ host: host || podIP, port: portNumber(port, container) })
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(timeoutSeconds * 1000) })
    return success
  } finally {
    socket.destroy()
  }
}
