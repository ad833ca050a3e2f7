/** The writes of the scheduler: bindings, evictions and what it has to say in a pod's status. */
import { type Pod, type PodCondition, pods } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { type Client, type DeepReadonly, isNotFound } from '@keelson/client'
import { formatTime } from '@keelson/kit'
import type { PodInfo } from './framework/pod-info.ts'
import type { ReadonlyPod, SchedulerApi } from './framework/types.ts'

export interface PodWriter extends SchedulerApi {
  /** Says why the pod is not scheduled, unless its status says so already. `nominated` is the node kept for it, if any. */
  reportUnschedulable(pod: PodInfo, message: string, nominated: string | undefined, signal: AbortSignal): Promise<void>
}

export function createPodWriter(client: Client, schedulerName: string, now: () => number): PodWriter {
  const door = (pod: PodInfo) => client.resource(pods).in(pod.namespace)
  const patchStatus = async (pod: PodInfo, status: object, signal: AbortSignal): Promise<void> => {
    const body = { metadata: { uid: pod.uid }, status }
    await door(pod).patch(pod.name, { type: 'strategic', body }, { subresource: 'status', signal })
  }

  return {
    async bind(pod, node, signal) {
      await door(pod).createSubresource(
        pod.name,
        'binding',
        {
          apiVersion: 'v1',
          kind: 'Binding',
          metadata: { name: pod.name, namespace: pod.namespace, uid: pod.uid },
          target: { kind: 'Node', name: node },
        },
        signal,
      )
    },

    async preempt(victim, pod, node, signal) {
      const message = `${schedulerName}: preempting to accommodate a higher priority pod`
      const condition = changedCondition(
        victim.pod,
        'DisruptionTarget',
        'True',
        'PreemptionByScheduler',
        message,
        now(),
      )
      try {
        if (condition) await patchStatus(victim, { conditions: [condition] }, signal)
        await door(victim).delete(victim.name, { preconditions: { uid: victim.uid }, signal })
      } catch (error) {
        if (!isNotFound(error)) throw new Error(`evict ${victim.key} from ${node} for ${pod.key}`, { cause: error })
      }
    },

    async reportUnschedulable(pod, message, nominated, signal) {
      const condition = changedCondition(pod.pod, 'PodScheduled', 'False', 'Unschedulable', message, now())
      const isNominationNews = (pod.pod.status?.nominatedNodeName ?? '') !== (nominated ?? '')
      if (!condition && !isNominationNews) return
      const status = {
        ...(condition && { conditions: [condition] }),
        ...(isNominationNews && { nominatedNodeName: nominated ?? null }),
      }
      await patchStatus(pod, status, signal)
    },
  }
}

/** The condition to write, or undefined when the pod has it. The transition time stays while the status does. */
export function changedCondition(
  pod: ReadonlyPod,
  type: string,
  status: 'True' | 'False',
  reason: string,
  message: string,
  nowMs: number,
): DeepReadonly<PodCondition> | undefined {
  const conditions: DeepReadonly<NonNullable<Pod['status']>>['conditions'] = pod.status?.conditions
  const known = conditions?.find((condition) => condition.type === type)
  const isSameStatus = known?.status === status
  if (isSameStatus && known.reason === reason && known.message === message) return undefined
  const lastTransitionTime = isSameStatus ? known.lastTransitionTime : undefined
  return {
    type,
    status,
    reason,
    message,
    lastTransitionTime: lastTransitionTime ?? formatTime(nowMs),
  }
}
