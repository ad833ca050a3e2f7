import { maxScore, type PreScorePlugin, type ScorePlugin, skip } from '../framework/types.ts'

const share = (wanted: number, allocatable: number) => Math.min(1, wanted / allocatable)

/** Prefers nodes on which CPU and memory would run out together: the standard deviation of their shares is small. */
export const nodeResourcesBalancedAllocation: PreScorePlugin & ScorePlugin = {
  name: 'node-resources-balanced-allocation',

  preScore: (_state, { requests }) => (requests.milliCpu || requests.memory ? undefined : skip),

  score(_state, { requests }, { allocatable, requested }) {
    if (!allocatable.milliCpu || !allocatable.memory) return maxScore
    const cpu = share(requested.milliCpu + requests.milliCpu, allocatable.milliCpu)
    const memory = share(requested.memory + requests.memory, allocatable.memory)
    return Math.floor((1 - Math.abs(cpu - memory) / 2) * maxScore)
  },
}
