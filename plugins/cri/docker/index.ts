import type { CreateRuntime } from '@keelson/apis/plugin/v1/cri.ts'
import { connectEngine } from './engine.ts'
import { labels } from './naming.ts'
import { DockerRuntime } from './runtime.ts'

/**
 * The Docker Engine as a container runtime.
 * Options: `socketPath`, the engine's socket (default: `DOCKER_HOST`, then /var/run/docker.sock); `owner`, whose containers
 * these are: what has another owner, or none, is neither seen nor touched (default: every pod's containers are).
 */
const createRuntime: CreateRuntime = async (options) => {
  const { socketPath, owner } = options
  return new DockerRuntime(
    connectEngine(typeof socketPath === 'string' ? socketPath : undefined),
    typeof owner === 'string' && owner !== '' ? { [labels.owner]: owner } : {},
  )
}

export default createRuntime
