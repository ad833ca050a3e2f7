import { connect } from 'node:net'

/** The container runtime a cluster of one machine uses, and why. */
export interface RuntimeChoice {
  runtime: 'docker' | 'sim'
  why: string
}

const defaultSocket = '/var/run/docker.sock'
const answerMs = 1_000

/** The path of Docker's socket. @throws Error when DOCKER_HOST names something other than a socket */
export function dockerSocket(env: NodeJS.ProcessEnv = process.env): string {
  const host = env.DOCKER_HOST
  if (!host) return defaultSocket
  if (!host.startsWith('unix://')) throw new Error(`DOCKER_HOST is ${host}: only unix:// sockets are understood`)
  return host.slice('unix://'.length)
}

/** @param asked what the command line says; absent: Docker where its socket answers, else the simulator */
export async function chooseRuntime(asked: 'docker' | 'sim' | undefined): Promise<RuntimeChoice> {
  if (asked) return { runtime: asked, why: 'because --cri says so' }
  const socket = dockerSocket()
  const refusal = await dial(socket)
  return refusal === undefined
    ? { runtime: 'docker', why: `because ${socket} answers` }
    : { runtime: 'sim', why: `because ${socket} does not answer (${refusal}): pods are pretended, no container runs` }
}

/** @returns why nothing answers, or undefined when something does */
function dial(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ path, timeout: answerMs })
    const end = (why?: string) => {
      socket.destroy()
      resolve(why)
    }
    socket.on('connect', () => end())
    socket.on('timeout', () => end('timeout'))
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
  })
}
