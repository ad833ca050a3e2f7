import type { CreateRuntime } from '@keelson/apis/plugin/v1/cri.ts'
import { connectEngine } from './engine.ts'
import { DockerRuntime } from './runtime.ts'

/**
 * The Docker Engine as a container runtime.
 * Options: `socketPath`, the engine's socket (default: `DOCKER_HOST`, then /var/run/docker.sock).
 */
const createRuntime: CreateRuntime = async (options) => {
  const socketPath = typeof options.socketPath === 'string' ? options.socketPath : undefined
  return new DockerRuntime(connectEngine(socketPath))
}

export default createRuntime
