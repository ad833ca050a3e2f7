import type { Container, ContainerState, ContainerStatus, PodSandbox } from '@keelson/apis/plugin/v1/cri.ts'
import type { ContainerInfo, ContainerInspectInfo } from 'dockerode'
import { readLabels } from './naming.ts'

/** Translates what the engine reports into CRI's records. Pure. */

const states: Readonly<Record<string, ContainerState>> = {
  created: 'CONTAINER_CREATED',
  running: 'CONTAINER_RUNNING',
  paused: 'CONTAINER_RUNNING',
  restarting: 'CONTAINER_RUNNING',
  exited: 'CONTAINER_EXITED',
  dead: 'CONTAINER_EXITED',
  removing: 'CONTAINER_EXITED',
}

const stateOf = (status: string): ContainerState => states[status] ?? 'CONTAINER_UNKNOWN'

export function listedSandbox(info: ContainerInfo): PodSandbox {
  const { pod, attempt, labels, annotations } = readLabels(info.Labels)
  return {
    id: info.Id,
    metadata: { ...pod, attempt },
    state: info.State === 'running' ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY',
    createdAtMs: info.Created * 1000,
    labels,
    annotations,
  }
}

export function listedContainer(info: ContainerInfo): Container {
  const { sandboxId, containerName, attempt, labels, annotations } = readLabels(info.Labels)
  return {
    id: info.Id,
    podSandboxId: sandboxId,
    metadata: { name: containerName, attempt },
    image: info.Image,
    imageId: info.ImageID,
    state: stateOf(info.State),
    createdAtMs: info.Created * 1000,
    labels,
    annotations,
  }
}

/** Docker writes the year 1 for a moment that has not come. */
function moment(text: string): number | undefined {
  const ms = Date.parse(text)
  return ms > 0 ? ms : undefined
}

/** @param imageDigests the repository digests of the container's image */
export function inspectedContainer(info: ContainerInspectInfo, imageDigests: readonly string[]): ContainerStatus {
  const { sandboxId, containerName, attempt, labels, annotations } = readLabels(info.Config.Labels)
  const startedAtMs = moment(info.State.StartedAt)
  const createdAtMs = Date.parse(info.Created)
  return {
    id: info.Id,
    podSandboxId: sandboxId,
    metadata: { name: containerName, attempt },
    image: info.Config.Image,
    imageId: info.Image,
    imageRef: imageDigests[0] ?? info.Image,
    createdAtMs,
    labels,
    annotations,
    ...(startedAtMs && { startedAtMs }),
    ...outcome(info, createdAtMs),
  }
}

function outcome({ State }: ContainerInspectInfo, createdAtMs: number) {
  const state = stateOf(State.Status)
  const exitCode = State.ExitCode
  if (state === 'CONTAINER_CREATED' && exitCode !== 0) {
    const failed = { exitCode, reason: 'ContainerCannotRun', message: State.Error }
    return { state: 'CONTAINER_EXITED' as const, finishedAtMs: moment(State.FinishedAt) ?? createdAtMs, ...failed }
  }
  if (state !== 'CONTAINER_EXITED') return { state }
  const reason = State.OOMKilled ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error'
  const finishedAtMs = moment(State.FinishedAt) ?? createdAtMs
  return { state, exitCode, reason, finishedAtMs, ...(State.Error && { message: State.Error }) }
}
