import { allBuiltins, buildPlugins } from '../builtin/registry.ts'
import { Nominations } from '../cache/nominations.ts'
import { SchedulingCycle } from '../framework/cycle.ts'
import { Framework } from '../framework/framework.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { SchedulerApi } from '../framework/types.ts'

/** All built-in plugins over an API that only remembers what it was asked. */
export function openProfile(random: () => number = () => 0.5) {
  const evicted: PodInfo[] = []
  const api: SchedulerApi = {
    bind: async () => {},
    preempt: async (victim) => {
      evicted.push(victim)
    },
  }
  const nominations = new Nominations()
  const framework = new Framework(nominations, (filters) => buildPlugins({ api, filters }, allBuiltins))
  const cycle = new SchedulingCycle(framework, { percentageOfNodesToScore: 0, random })
  return { evicted, nominations, framework, cycle }
}
