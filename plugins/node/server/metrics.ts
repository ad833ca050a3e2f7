import { formatTime } from '@keelson/kit'
import { isRunning, readySandbox } from '../pod/model.ts'
import type { PodWorker } from '../pod/worker.ts'

/** What the agent tells of itself: counts of what runs. How much CPU and memory containers use is not measured. */

export function metricsText(workers: Iterable<PodWorker>): string {
  const all = [...workers]
  const containers = all.flatMap((worker) => worker.state.containers)
  const running = containers.filter(isRunning).length
  const sandboxes = all.filter((worker) => readySandbox(worker.view())).length
  return [
    ...gauge('kubelet_running_pods', 'Number of pods that have a running pod sandbox', sandboxes),
    ...gauge('kubelet_running_containers', 'Number of containers currently running', running),
    ...gauge('process_resident_memory_bytes', 'Resident memory size in bytes.', process.memoryUsage.rss()),
    '',
  ].join('\n')
}

const gauge = (name: string, help: string, value: number) => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} gauge`,
  `${name} ${value}`,
]

export function summary(nodeName: string, startedAtMs: number, nowMs: number, workers: Iterable<PodWorker>) {
  return {
    node: { nodeName, startTime: formatTime(startedAtMs) },
    pods: [...workers].map(({ pod, state }) => ({
      podRef: { name: pod.metadata.name, namespace: pod.metadata.namespace, uid: pod.metadata.uid },
      startTime: pod.status?.startTime ?? formatTime(nowMs),
      containers: state.containers.filter(isRunning).map(({ metadata, startedAtMs: at = nowMs }) => {
        return { name: metadata.name, startTime: formatTime(at) }
      }),
    })),
  }
}
