import type { Readable } from 'node:stream'
import type { RuntimeErrorCode } from '@keelson/apis/plugin/v1/cri.ts'
import { RuntimeError } from '@keelson/apis/plugin/v1/cri.ts'
import Docker from 'dockerode'

/** One engine and the one pool of connections to it. */
export interface Engine {
  docker: Docker
  /** A request whose answer is read as it comes, where dockerode would buffer it. */
  stream(path: string, query: Record<string, unknown>, signal?: AbortSignal): Promise<Readable>
  close(): void
}

export function connectEngine(socketPath?: string): Engine {
  const agent = new (process.getBuiltinModule('node:http').Agent)({ keepAlive: true, maxFreeSockets: 8 })
  const docker = new Docker({ ...(socketPath && { socketPath }), agent } as Docker.DockerOptions)
  return {
    docker,
    stream: (path, query, signal) =>
      new Promise((resolve, reject) => {
        const statusCodes = { 200: true, 404: 'no such container', 500: 'server error' }
        const request = { path: `${path}?`, method: 'GET', options: query, isStream: true, statusCodes }
        docker.modem.dial({ ...request, ...(signal && { abortSignal: signal }) }, (error, body) =>
          error ? reject(error) : resolve(body as Readable),
        )
      }),
    close: () => agent.destroy(),
  }
}

export function statusCodeOf(error: unknown): number | undefined {
  return (error as { statusCode?: number } | null)?.statusCode
}

/** The engine could not be reached, or went away before it answered. */
function isConnectionFailure(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code
  return code !== undefined && ['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'EACCES'].includes(code)
}

/** The engine's own words, without dockerode's frame around them. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.replace(/^\(HTTP code \d+\) [^-]*- /, '').trim()
}

export function toRuntimeError(error: unknown, doing: string, otherwise: RuntimeErrorCode = 'Unknown'): RuntimeError {
  if (error instanceof RuntimeError) return error
  const code = codeOf(error) ?? otherwise
  return new RuntimeError(code, `${doing}: ${messageOf(error)}`, { cause: error })
}

function codeOf(error: unknown): RuntimeErrorCode | undefined {
  if (isConnectionFailure(error)) return 'Unavailable'
  return statusCodeOf(error) === 404 ? 'NotFound' : undefined
}

/** Runs one call, translating its failure. */
export async function calling<T>(doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw toRuntimeError(error, doing)
  }
}

/** As `calling`, for calls after which the thing being gone, or already so, is as good as done. */
export async function ensuring(doing: string, call: () => Promise<unknown>): Promise<void> {
  try {
    await call()
  } catch (error) {
    if (![304, 404].includes(statusCodeOf(error) ?? 0)) throw toRuntimeError(error, doing)
  }
}
