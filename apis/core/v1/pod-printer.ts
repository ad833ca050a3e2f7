import { age, humanDuration } from '../../meta/v1/duration.ts'
import type { Printer } from '../../meta/v1/rules.ts'
import type { ContainerStateTerminated, ContainerStatus, Pod } from './zz_generated.types.ts'

/** What the containers of a pod come down to in one line. */
interface Summary {
  status: string
  ready: number
  restarts: number
  /** Milliseconds; 0 when nothing was restarted. */
  lastRestart: number
}

/** Pods as `kubectl get pods` lists them. */
export const podPrinter: Printer<Pod> = {
  columns: [
    { name: 'Name', type: 'string', format: 'name', description: 'Unique within its namespace.' },
    { name: 'Ready', type: 'string', description: 'Containers that pass their readiness checks, of all.' },
    { name: 'Status', type: 'string', description: 'What its containers are doing, in one word.' },
    { name: 'Restarts', type: 'string', description: 'How often its containers were restarted, and when last.' },
    { name: 'Age', type: 'string', description: 'How long ago it was created.' },
    { name: 'IP', type: 'string', priority: 1, description: 'Its first address.' },
    { name: 'Node', type: 'string', priority: 1, description: 'The node it runs on.' },
    { name: 'Nominated Node', type: 'string', priority: 1, description: 'The node on which room is made for it.' },
    { name: 'Readiness Gates', type: 'string', priority: 1, description: 'Conditions met, of those it waits for.' },
  ],
  row(pod, now) {
    const { status, ready, restarts, lastRestart } = summarize(pod)
    return [
      pod.metadata.name ?? '',
      `${ready}/${countedContainers(pod)}`,
      status,
      restarts > 0 && lastRestart > 0 ? `${restarts} (${humanDuration(now - lastRestart)} ago)` : `${restarts}`,
      age(pod.metadata.creationTimestamp, now),
      pod.status?.podIPs?.[0]?.ip || pod.status?.podIP || '<none>',
      pod.spec?.nodeName || '<none>',
      pod.status?.nominatedNodeName || '<none>',
      readinessGates(pod),
    ]
  },
}

/** The STATUS of a pod: its phase, unless a container, a gate or its deletion tells more. */
export function podStatusText(pod: Pod): string {
  return summarize(pod).status
}

function summarize(pod: Pod): Summary {
  const init = summarizeInit(pod)
  const summary = init.waiting && !hasCondition(pod, 'Initialized') ? init : summarizeRunning(pod, init)
  return { ...summary, status: statusOfDeletion(pod) ?? summary.status }
}

function statusOfDeletion({ metadata, status }: Pod): string | undefined {
  if (!metadata.deletionTimestamp) return undefined
  if (status?.reason === 'NodeLost') return 'Unknown'
  return status?.phase === 'Succeeded' || status?.phase === 'Failed' ? undefined : 'Terminating'
}

function statusOfPod({ status }: Pod): string {
  const isGated = status?.conditions?.some(
    ({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated',
  )
  return isGated ? 'SchedulingGated' : status?.reason || status?.phase || ''
}

/** What init containers show. `waiting` is true while one of them holds up the others. */
interface InitSummary extends Summary {
  waiting: boolean
  /** Restarts of those that keep running, which count on afterwards. */
  sidecars: { restarts: number; lastRestart: number }
}

function summarizeInit(pod: Pod): InitSummary {
  const sidecarNames = new Set(sidecarsOf(pod).map(({ name }) => name))
  const sidecars = { restarts: 0, lastRestart: 0 }
  const all: InitSummary = { status: statusOfPod(pod), ready: 0, restarts: 0, lastRestart: 0, waiting: false, sidecars }
  for (const [at, container] of (pod.status?.initContainerStatuses ?? []).entries()) {
    countRestarts(all, container)
    const isSidecar = sidecarNames.has(container.name)
    if (isSidecar) countRestarts(sidecars, container)
    if (container.state?.terminated?.exitCode === 0) continue
    if (isSidecar && container.started) {
      if (container.ready) all.ready++
      continue
    }
    const held = initStatus(container) ?? `${at}/${pod.spec.initContainers?.length ?? 0}`
    return { ...all, status: `Init:${held}`, waiting: true }
  }
  return all
}

function initStatus({ state }: ContainerStatus): string | undefined {
  if (state?.terminated) return terminatedText(state.terminated)
  const reason = state?.waiting?.reason
  return reason && reason !== 'PodInitializing' ? reason : undefined
}

function summarizeRunning(pod: Pod, init: InitSummary): Summary {
  const summary: Summary = { ...init, ...init.sidecars }
  let isAnyRunning = false
  // The first container has the last word.
  for (const container of [...(pod.status?.containerStatuses ?? [])].reverse()) {
    countRestarts(summary, container)
    const { waiting, terminated, running } = container.state ?? {}
    if (waiting?.reason) summary.status = waiting.reason
    else if (terminated) summary.status = terminatedText(terminated)
    else if (container.ready && running) {
      isAnyRunning = true
      summary.ready++
    }
  }
  if (summary.status === 'Completed' && isAnyRunning) {
    summary.status = hasCondition(pod, 'Ready') ? 'Running' : 'NotReady'
  }
  return summary
}

function terminatedText({ reason, signal, exitCode }: ContainerStateTerminated): string {
  return reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`)
}

function countRestarts(into: { restarts: number; lastRestart: number }, container: ContainerStatus): void {
  into.restarts += container.restartCount ?? 0
  const finished = Date.parse(container.lastState?.terminated?.finishedAt ?? '')
  if (finished > into.lastRestart) into.lastRestart = finished
}

function hasCondition({ status }: Pod, wanted: string): boolean {
  return status?.conditions?.some(({ type, status }) => type === wanted && status === 'True') ?? false
}

const sidecarsOf = ({ spec }: Pod) => (spec?.initContainers ?? []).filter((one) => one.restartPolicy === 'Always')

const countedContainers = (pod: Pod) => (pod.spec?.containers?.length ?? 0) + sidecarsOf(pod).length

function readinessGates(pod: Pod): string {
  const gates = pod.spec?.readinessGates ?? []
  if (gates.length === 0) return '<none>'
  return `${gates.filter(({ conditionType }) => hasCondition(pod, conditionType)).length}/${gates.length}`
}
