import type {
  ContainerState as ApiContainerState,
  ContainerStatus as ApiContainerStatus,
  PodCondition,
  PodStatus,
} from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { ContainerStatus } from '@keelson/apis/plugin/v1/cri.ts'
import { formatTime } from '@keelson/kit'
import type { ContainerKind, ContainerRole, KnownStatus, PodView } from './model.ts'
import {
  attemptsOf,
  hasExited,
  isRunning,
  isSidecar,
  isTerminalPhase,
  knownStatus,
  lostExitCode,
  readySandbox,
  rolesOf,
} from './model.ts'
import { isInitialized, isUp, mayRestart, outcomeOf } from './outcome.ts'
import { isEnding } from './plan.ts'
import { qosClassOf } from './resources.ts'
import { formatDelay, restartAtMs } from './restart-backoff.ts'

/** What the API is to say of a pod. Conditions of others than the agent are kept. Pure. */
export function podStatus(view: PodView): PodStatus {
  const { pod, node, memory, nowMs } = view
  const ofKind = (kind: ContainerKind) =>
    rolesOf(pod)
      .filter((role) => role.kind === kind)
      .map((role) => containerStatus(view, role))
  const initContainerStatuses = ofKind('init')
  const containerStatuses = ofKind('main')
  const ephemeralContainerStatuses = ofKind('ephemeral')
  const phase = phaseOf(view)
  const { generation } = pod.metadata
  const failure = memory.failed ?? { reason: pod.status?.reason, message: pod.status?.message }
  return {
    phase,
    conditions: conditionsOf(view, phase, initContainerStatuses, containerStatuses),
    ...(memory.failed || isTerminalPhase(pod) ? withoutAbsent(failure) : {}),
    ...addresses(view),
    hostIP: node.hostIPs[0],
    hostIPs: node.hostIPs.map((ip) => ({ ip })),
    startTime: pod.status?.startTime ?? formatTime(nowMs),
    ...(initContainerStatuses.length > 0 && { initContainerStatuses }),
    containerStatuses,
    ...(ephemeralContainerStatuses.length > 0 && { ephemeralContainerStatuses }),
    qosClass: pod.status?.qosClass ?? qosClassOf(pod),
    ...(generation !== undefined && { observedGeneration: generation }),
  }
}

const withoutAbsent = ({ reason, message }: { reason?: string; message?: string }) => ({
  ...(reason && { reason }),
  ...(message && { message }),
})

function addresses(view: PodView): Pick<PodStatus, 'podIP' | 'podIPs'> {
  const sandbox = readySandbox(view)
  const { ip, additionalIps = [] } = sandbox?.network ?? {}
  const own = ip ? [ip, ...additionalIps] : []
  const ips = sandbox && view.pod.spec.hostNetwork ? view.node.hostIPs : own
  return ips.length > 0 ? { podIP: ips[0], podIPs: ips.map((address) => ({ ip: address })) } : {}
}

export function phaseOf(view: PodView): NonNullable<PodStatus['phase']> {
  const { pod, containers } = view
  if (isTerminalPhase(pod)) return pod.status?.phase ?? 'Failed'
  const isAnyRunning = containers.some(isRunning)
  const outcome = outcomeOf(view)
  if (outcome && !isAnyRunning) return outcome
  const last = pod.spec.containers.map(({ name }) => attemptsOf(view, name)[0])
  if (isEnding(view) && !isAnyRunning && last.every((attempt) => attempt && hasExited(attempt))) {
    return last.every((attempt) => attempt?.exitCode === 0) ? 'Succeeded' : 'Failed'
  }
  return last.every((attempt) => attempt?.startedAtMs !== undefined) ? 'Running' : 'Pending'
}

function containerStatus(view: PodView, role: ContainerRole): ApiContainerStatus {
  const { name, image = '' } = role.spec
  const [last, previous] = attemptsOf(view, name)
  const known = knownStatus(view, name)
  if (!last) return known?.containerID && outcomeOf(view) ? lostStatus(known) : unstartedStatus(view, role, known)
  const state = stateOf(view, role, last)
  const lastState = state.waiting && hasExited(last) ? stateOfAttempt(view, last) : previousState(view, previous, known)
  return {
    name,
    image,
    imageID: last.imageRef,
    containerID: containerId(last),
    restartCount: last.metadata.attempt,
    state,
    lastState,
    ready: isReady(view, role, last),
    started: isUp(view, last),
  }
}

function previousState(view: PodView, previous: ContainerStatus | undefined, known?: KnownStatus): ApiContainerState {
  return previous ? stateOfAttempt(view, previous) : structuredClone((known?.lastState ?? {}) as ApiContainerState)
}

function unstartedStatus(view: PodView, role: ContainerRole, known: KnownStatus | undefined): ApiContainerStatus {
  const { name, image = '' } = role.spec
  const { restartCount = 0, lastState = {}, state } = known ?? {}
  return {
    name,
    image,
    imageID: '',
    restartCount,
    state: { waiting: waitingFor(view, role) },
    lastState: structuredClone((state?.terminated ? state : lastState) as ApiContainerState),
    ready: false,
    started: false,
  }
}

/** The runtime has forgotten a container whose pod has ended: what the API remembers is all there is. */
function lostStatus(known: KnownStatus): ApiContainerStatus {
  const status = structuredClone(known) as ApiContainerStatus
  if (status.state?.terminated) return { ...status, ready: false, started: false }
  const message = 'The container could not be located when the pod was terminated'
  const terminated = { exitCode: lostExitCode, reason: 'ContainerStatusUnknown', message }
  return { ...status, state: { terminated }, ready: false, started: false }
}

function isReady(view: PodView, role: ContainerRole, attempt: ContainerStatus): boolean {
  if (role.kind === 'init' && !isSidecar(role)) return hasExited(attempt) && attempt.exitCode === 0
  return isUp(view, attempt) && view.memory.probes.get(attempt.id)?.ready !== false
}

/** What a container does now; one that ended and will be started again waits. */
function stateOf(view: PodView, role: ContainerRole, last: ContainerStatus): ApiContainerState {
  if (isRunning(last) || isEnding(view) || outcomeOf(view)) return stateOfAttempt(view, last)
  if (last.state === 'CONTAINER_CREATED') return { waiting: waitingFor(view, role) }
  if (!mayRestart(role, last)) return stateOfAttempt(view, last)
  const failure = failureOf(view, role.spec.name)
  if (failure) return { waiting: failure }
  const { memory, node, nowMs, pod } = view
  const backoff = memory.backoffs.get(role.spec.name)
  const finishedAtMs = last.finishedAtMs ?? last.createdAtMs
  if (!backoff || restartAtMs(backoff, finishedAtMs, node.backoff) <= nowMs) return stateOfAttempt(view, last)
  const { name, namespace, uid } = pod.metadata
  const message = `back-off ${formatDelay(backoff.delayMs)} restarting failed container=${role.spec.name} pod=${name}_${namespace}(${uid})`
  return { waiting: { reason: 'CrashLoopBackOff', message } }
}

function failureOf(view: PodView, name: string) {
  const failure = view.memory.failures.get(`pull:${name}`) ?? view.memory.failures.get(`start:${name}`)
  return failure && { reason: failure.reason, message: failure.message }
}

function waitingFor(view: PodView, { spec, kind }: ContainerRole) {
  const failure = failureOf(view, spec.name)
  if (failure) return failure
  const waitsForInit = kind === 'init' || (view.pod.spec.initContainers ?? []).length > 0
  return { reason: waitsForInit ? 'PodInitializing' : 'ContainerCreating' }
}

function stateOfAttempt(view: PodView, attempt: ContainerStatus): ApiContainerState {
  const startedAt = formatTime(attempt.startedAtMs ?? attempt.createdAtMs)
  if (isRunning(attempt)) return { running: { startedAt } }
  const message = view.memory.messages.get(attempt.id) || attempt.message
  return {
    terminated: {
      exitCode: attempt.exitCode ?? lostExitCode,
      reason: attempt.reason ?? 'ContainerStatusUnknown',
      ...(message && { message }),
      startedAt,
      finishedAt: formatTime(attempt.finishedAtMs ?? attempt.createdAtMs),
      containerID: containerId(attempt),
    },
  }
}

/** Ids are reported with the name of the runtime that made them; the agent knows its runtime's as an annotation. */
export const runtimeAnnotation = 'keelson.dev/runtime'
const containerId = ({ id, annotations }: ContainerStatus) => `${annotations[runtimeAnnotation] ?? 'cri'}://${id}`

function conditionsOf(
  view: PodView,
  phase: PodStatus['phase'],
  init: readonly ApiContainerStatus[],
  main: readonly ApiContainerStatus[],
): PodCondition[] {
  const sidecars = new Set(
    rolesOf(view.pod)
      .filter(isSidecar)
      .map(({ spec }) => spec.name),
  )
  const serving = [...init.filter(({ name }) => sidecars.has(name)), ...main]
  const unready = serving.filter(({ ready }) => !ready).map(({ name }) => name)
  const isOver = phase === 'Succeeded' || phase === 'Failed'
  const containersReady = containersReadyCondition(phase, unready)
  const own: PodCondition[] = [
    condition('PodReadyToStartContainers', readySandbox(view) !== undefined),
    isOver && phase === 'Succeeded' ? condition('Initialized', true, 'PodCompleted') : initializedCondition(view, init),
    readyCondition(view, containersReady),
    containersReady,
    condition('PodScheduled', true),
  ]
  return mergeConditions(view, own)
}

const condition = (type: string, isTrue: boolean, reason?: string, message?: string): PodCondition => ({
  type,
  status: isTrue ? 'True' : 'False',
  ...(reason && { reason }),
  ...(message && { message }),
})

function initializedCondition(view: PodView, init: readonly ApiContainerStatus[]): PodCondition {
  if (isInitialized(view)) return condition('Initialized', true)
  const waiting = init.filter(({ ready }) => !ready).map(({ name }) => name)
  const message = `containers with incomplete status: [${waiting.join(' ')}]`
  return condition('Initialized', false, 'ContainersNotInitialized', message)
}

function containersReadyCondition(phase: PodStatus['phase'], unready: readonly string[]): PodCondition {
  if (phase === 'Succeeded') return condition('ContainersReady', false, 'PodCompleted')
  if (phase === 'Failed') return condition('ContainersReady', false, 'PodFailed')
  if (unready.length === 0) return condition('ContainersReady', true)
  const message = `containers with unready status: [${unready.join(' ')}]`
  return condition('ContainersReady', false, 'ContainersNotReady', message)
}

function readyCondition({ pod }: PodView, containersReady: PodCondition): PodCondition {
  if (containersReady.status !== 'True') return { ...containersReady, type: 'Ready' }
  const isTrue = (type: string) => pod.status?.conditions?.find((one) => one.type === type)?.status === 'True'
  const closed = (pod.spec.readinessGates ?? []).map((gate) => gate.conditionType).filter((type) => !isTrue(type))
  if (closed.length === 0) return condition('Ready', true)
  const message = closed.map((type) => `the status of pod readiness gate "${type}" is not "True", but False`).join(', ')
  return condition('Ready', false, 'ReadinessGatesNotReady', message)
}

/** A condition that keeps its status keeps its time; those of other writers stay as they are. */
function mergeConditions({ pod, nowMs }: PodView, own: readonly PodCondition[]): PodCondition[] {
  const old = pod.status?.conditions ?? []
  const { generation } = pod.metadata
  const merged = own.map((one) => {
    const before = old.find(({ type }) => type === one.type)
    const isSame = before?.status === one.status && before.lastTransitionTime
    return {
      ...one,
      lastTransitionTime: isSame ? before.lastTransitionTime : formatTime(nowMs),
      ...(generation !== undefined && { observedGeneration: generation }),
    }
  })
  const others = old.filter(({ type }) => !own.some((one) => one.type === type))
  return [...merged, ...structuredClone(others as PodCondition[])]
}
