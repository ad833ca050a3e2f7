import type { ContainerStatus } from '@keelson/apis/plugin/v1/cri.ts'
import type { ContainerRole, PodView } from './model.ts'
import {
  attemptsOf,
  hasExited,
  isSidecar,
  isTerminalPhase,
  knownStatus,
  lostExitCode,
  readySandbox,
  rolesOf,
} from './model.ts'

/** How far a pod has come, as its containers tell. All pure. */

export function mayRestart({ restartPolicy }: ContainerRole, { exitCode }: Pick<ContainerStatus, 'exitCode'>): boolean {
  return restartPolicy === 'Always' || (restartPolicy === 'OnFailure' && exitCode !== 0)
}

/** Whether the pod has run to its end, and how; undefined while something may still start or run. */
export function outcomeOf(view: PodView): 'Succeeded' | 'Failed' | undefined {
  if (view.memory.failed) return 'Failed'
  if (isTerminalPhase(view.pod)) return view.pod.status?.phase as 'Succeeded' | 'Failed'
  const roles = rolesOf(view.pod)
  const main = roles.filter(({ kind }) => kind === 'main')
  const last = main.map((role) => attemptsOf(view, role.spec.name)[0])
  if (last.every((attempt) => !attempt) && roles.some((role) => hasFailedToInitialize(view, role))) return 'Failed'
  const exitCodes = main.map((role) => finalExitCode(view, role))
  if (exitCodes.includes(undefined)) return undefined
  return exitCodes.every((code) => code === 0) ? 'Succeeded' : 'Failed'
}

/**
 * What a container that will not run again ended with; undefined while it may still run. Of one that the runtime has lost
 * (the machine was set up anew) the API remembers that it ran: it must not run twice if its policy says so.
 */
function finalExitCode(view: PodView, role: ContainerRole): number | undefined {
  const last = attemptsOf(view, role.spec.name)[0]
  if (last) return hasExited(last) && !mayRestart(role, last) ? (last.exitCode ?? lostExitCode) : undefined
  const known = knownStatus(view, role.spec.name)
  if (!known?.containerID) return undefined
  const exitCode = (known.state?.terminated ?? known.lastState?.terminated)?.exitCode ?? lostExitCode
  return mayRestart(role, { exitCode }) ? undefined : exitCode
}

function hasFailedToInitialize(view: PodView, role: ContainerRole): boolean {
  if (role.kind !== 'init' || isSidecar(role)) return false
  const last = attemptsOf(view, role.spec.name)[0]
  return last !== undefined && hasExited(last) && last.exitCode !== 0 && !mayRestart(role, last)
}

/** A sidecar that lets the containers after it start. */
export function isUp(view: PodView, attempt: ContainerStatus | undefined): boolean {
  if (attempt?.state !== 'CONTAINER_RUNNING' || view.memory.hooked.has(attempt.id)) return false
  return view.memory.probes.get(attempt.id)?.started !== false
}

/** The last attempt in the sandbox the pod has now: with a new sandbox, initialization starts over. */
export function attemptInSandbox(view: PodView, name: string): ContainerStatus | undefined {
  const sandbox = readySandbox(view)
  return attemptsOf(view, name).find(({ podSandboxId }) => podSandboxId === sandbox?.id)
}

/** A main container has been started in the present sandbox: what comes before it is done. */
export function hasMainStarted(view: PodView): boolean {
  return view.pod.spec.containers.some(({ name }) => attemptInSandbox(view, name) !== undefined)
}

/** Every init container has done its part. */
export function isInitialized(view: PodView): boolean {
  if (hasMainStarted(view)) return true
  const init = rolesOf(view.pod).filter(({ kind }) => kind === 'init')
  return init.every((role) => {
    const attempt = attemptInSandbox(view, role.spec.name) ?? attemptsOf(view, role.spec.name)[0]
    return isSidecar(role) ? isUp(view, attempt) : attempt !== undefined && hasExited(attempt) && attempt.exitCode === 0
  })
}
