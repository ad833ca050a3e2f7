import type { CreateRuntime, RuntimeFeatures } from '@keelson/apis/plugin/v1/cri.ts'
import { SimRuntime } from './runtime.ts'

/**
 * A container runtime that runs nothing. Its state lives and dies with the process: an agent that restarts in a new process
 * starts its pods afresh.
 * Options: `capacity`, what each node pretends to have (default: 32 CPUs, 256Gi, 1Ti, 110 pods).
 */
const createRuntime: CreateRuntime = async (options) => {
  const capacity = options.capacity as RuntimeFeatures['capacity'] | undefined
  return new SimRuntime({ ...(capacity && { capacity }) })
}

export default createRuntime
