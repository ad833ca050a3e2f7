import { pods } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { ContainerStatus, PodSandboxConfig } from '@keelson/apis/plugin/v1/cri.ts'
import { runtimeErrorCode } from '@keelson/apis/plugin/v1/cri.ts'
import { isConflict, isNotFound } from '@keelson/client'
import { runHandler } from '../probes/handlers.ts'
import { pullSecretFor } from '../pull-secrets.ts'
import type { ContentSources } from '../volumes/contents.ts'
import { containerConfig, sandboxConfig } from './container-config.ts'
import type { PodContext } from './context.ts'
import { ContainerConfigError, environment, type LookUp } from './environment.ts'
import type { PodFacts } from './fields.ts'
import { attemptsOf, type ContainerRole, isRunning, readySandbox, rolesOf } from './model.ts'
import type { Action } from './plan.ts'
import { nextBackoff } from './restart-backoff.ts'
import type { PodWorker } from './worker.ts'

/**
 * Carries out the actions of a plan. What it learns goes into the worker's state and memory. A failure that the pod's owner
 * should know of becomes an entry in `memory.failures`, and an Event; any other is thrown.
 */
export function performerOf(context: PodContext, worker: PodWorker): (action: Action) => Promise<void> {
  const performer = new Performer(context, worker)
  return (action) => performer.perform(action)
}

const longestSetupRetryMs = 120_000
const firstSetupRetryMs = 500
/** After a hook has used up the time a container had to end, it still gets this much. */
const leastStopSeconds = 2

class Performer {
  readonly #context: PodContext
  readonly #worker: PodWorker
  /** Ids whose end has been announced. */
  readonly #announced = new Set<string>()
  #cancelRenewal = () => {}

  constructor(context: PodContext, worker: PodWorker) {
    this.#context = context
    this.#worker = worker
    worker.signal.addEventListener('abort', () => this.#cancelRenewal())
  }

  async perform(action: Action): Promise<void> {
    const { runtime } = this.#context
    const worker = this.#worker
    switch (action.do) {
      case 'mountVolumes':
        return this.#mountVolumes()
      case 'runSandbox':
        return this.#runSandbox(action.attempt)
      case 'stopSandbox':
        await runtime.stopPodSandbox(action.id)
        await Promise.all(worker.state.containers.filter(isRunning).map(({ id }) => worker.refresh(id)))
        return worker.refresh(action.id)
      case 'removeSandbox':
        await runtime.removePodSandbox(action.id)
        return worker.forget(action.id)
      case 'removeContainer':
        await runtime.removeContainer(action.id)
        return worker.forget(action.id)
      case 'pull':
        return this.#ensureImage(action.role)
      case 'start':
        return this.#start(action)
      case 'kill':
        return this.#kill(action)
      case 'fail':
        this.#event('Normal', action.reason, action.message)
        return worker.fail(action.reason, action.message)
      case 'announceBackOff':
        return this.#announceBackOff(action.id, action.name)
      case 'finish':
        return this.#finish()
      case 'forget':
        return this.#forget()
    }
  }

  #event(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#context.recorder.event(this.#worker.pod, type, reason, message)
  }

  /** Notes a failure and when to try again: twice as late each time. */
  #failed(what: string, reason: string, message: string, firstMs: number, lastMs: number): number {
    const { memory } = this.#worker
    const count = (memory.failures.get(what)?.count ?? 0) + 1
    const delayMs = Math.min(lastMs, firstMs * 2 ** Math.min(count - 1, 30))
    memory.failures.set(what, { reason, message, count, retryAtMs: this.#context.clock.now() + delayMs })
    return delayMs
  }

  #facts(): PodFacts {
    const { network } = readySandbox(this.#worker.view()) ?? {}
    const { hostIPs } = this.#context.node
    const own = network?.ip ? [network.ip, ...network.additionalIps] : []
    const podIPs = this.#worker.pod.spec.hostNetwork ? hostIPs : own
    return { podIPs, hostIPs, allocatable: this.#context.allocatable }
  }

  #lookUp(): LookUp {
    const { namespace = '' } = this.#worker.pod.metadata
    return (kind, name) => this.#context.objects.values(this.#worker.uid, kind, namespace, name)
  }

  async #mountVolumes(): Promise<void> {
    const { volumes, tokens } = this.#context
    const { memory, pod } = this.#worker
    const wanted = memory.volumesWanted
    const sources: ContentSources = {
      pod,
      facts: this.#facts(),
      lookUp: this.#lookUp(),
      token: (audience, expirationSeconds) => tokens.get(pod, audience, expirationSeconds),
    }
    try {
      await volumes.mount(sources)
      memory.volumesMounted = wanted
      memory.failures.delete('volumes')
      this.#scheduleRenewal()
    } catch (error) {
      const message = (error as Error).message
      this.#event('Warning', 'FailedMount', message)
      this.#failed('volumes', 'FailedMount', message, firstSetupRetryMs, longestSetupRetryMs)
    }
  }

  #scheduleRenewal(): void {
    const { clock, tokens } = this.#context
    const atMs = tokens.renewAtMs(this.#worker.uid)
    this.#cancelRenewal()
    if (atMs === undefined || this.#worker.signal.aborted) return
    this.#cancelRenewal = clock.schedule(Math.max(1_000, atMs - clock.now()), () => this.#worker.objectsChanged())
  }

  #sandboxConfig(attempt: number): PodSandboxConfig {
    const { dns, instance } = this.#context
    return sandboxConfig(this.#worker.pod, { ...(dns && { dns }), instance, attempt })
  }

  async #runSandbox(attempt: number): Promise<void> {
    const { runtime } = this.#context
    const { memory, state } = this.#worker
    try {
      const id = await runtime.runPodSandbox(this.#sandboxConfig(attempt))
      state.putSandbox(await runtime.podSandboxStatus(id))
      memory.failures.delete('sandbox')
    } catch (error) {
      const message = `Failed to create pod sandbox: ${(error as Error).message}`
      this.#event('Warning', 'FailedCreatePodSandBox', message)
      this.#failed('sandbox', 'FailedCreatePodSandBox', message, firstSetupRetryMs, longestSetupRetryMs)
    }
  }

  async #ensureImage({ spec }: ContainerRole): Promise<void> {
    const { runtime } = this.#context
    const { memory } = this.#worker
    const { name, image = '' } = spec
    try {
      const policy = spec.imagePullPolicy ?? (/:latest$|^[^:@]*$/.test(image) ? 'Always' : 'IfNotPresent')
      const present = await runtime.imageStatus(image)
      if (present && policy !== 'Always') {
        this.#event('Normal', 'Pulled', `Container image ${JSON.stringify(image)} already present on machine`)
      } else if (policy === 'Never') {
        throw new ImageError(
          'ErrImageNeverPull',
          `Container image ${JSON.stringify(image)} is not present with pull policy of Never`,
        )
      }
      const ref = present && policy !== 'Always' ? present.id : await this.#pull(image)
      memory.images.set(name, { ref })
      memory.failures.delete(`pull:${name}`)
    } catch (error) {
      this.#noteImageFailure(name, image, error)
    }
  }

  async #pull(image: string): Promise<string> {
    const { runtime, clock } = this.#context
    const sinceMs = clock.now()
    this.#event('Normal', 'Pulling', `Pulling image ${JSON.stringify(image)}`)
    const auth = await pullSecretFor(this.#worker.pod, image, this.#lookUp())
    const ref = await runtime.pullImage(image, auth, this.#sandboxConfig(0))
    const seconds = ((clock.now() - sinceMs) / 1000).toFixed(3)
    this.#event('Normal', 'Pulled', `Successfully pulled image ${JSON.stringify(image)} in ${seconds}s`)
    return ref
  }

  #noteImageFailure(name: string, image: string, error: unknown): void {
    const { clock, node } = this.#context
    const { memory } = this.#worker
    const message = (error as Error).message
    const invalid = runtimeErrorCode(error) === 'InvalidImageName'
    const reason = error instanceof ImageError ? error.reason : invalid ? 'InvalidImageName' : 'ErrImagePull'
    const what = `pull:${name}`
    const words = {
      ErrImagePull: `Failed to pull image ${JSON.stringify(image)}: ${message}`,
      InvalidImageName: `Failed to apply default image tag ${JSON.stringify(image)}: ${message}`,
    }
    this.#event(
      'Warning',
      reason === 'InvalidImageName' ? 'InspectFailed' : 'Failed',
      words[reason as 'ErrImagePull'] ?? message,
    )
    this.#event('Warning', 'Failed', `Error: ${reason}`)
    const delayMs = this.#failed(what, reason, message, node.backoff.initialMs, node.backoff.maxMs)
    if (reason !== 'ErrImagePull') return
    const failure = memory.failures.get(what)
    clock.schedule(delayMs / 2, () => {
      if (memory.failures.get(what) !== failure || this.#worker.signal.aborted) return
      const backOff = `Back-off pulling image ${JSON.stringify(image)}`
      memory.failures.set(what, {
        ...failure!,
        reason: 'ImagePullBackOff',
        message: `${backOff}: ErrImagePull: ${message}`,
      })
      this.#event('Normal', 'BackOff', backOff)
      this.#worker.wake()
    })
  }

  async #start({ role, attempt, sandboxId, restartOf }: Extract<Action, { do: 'start' }>): Promise<void> {
    const { clock, node } = this.#context
    const { memory } = this.#worker
    const { name } = role.spec
    if (restartOf !== undefined) {
      memory.backoffs.set(name, nextBackoff(memory.backoffs.get(name), restartOf, clock.now(), node.backoff))
    }
    try {
      const id = await this.#create(role, attempt, sandboxId)
      await this.#run(role, id)
      memory.failures.delete(`start:${name}`)
    } catch (error) {
      const isConfig = error instanceof ContainerConfigError
      const reason = isConfig ? 'CreateContainerConfigError' : 'CreateContainerError'
      const message = (error as Error).message
      this.#event('Warning', 'Failed', `Error: ${message}`)
      this.#failed(`start:${name}`, reason, message, node.backoff.initialMs, node.backoff.maxMs)
    } finally {
      memory.images.delete(name)
    }
  }

  async #create(role: ContainerRole, attempt: number, sandboxId: string): Promise<string> {
    const { runtime, volumes, clusterEnvironment, instance, runtimeName, nodeMemory, seccompDirectory } = this.#context
    const { pod } = this.#worker
    const facts = this.#facts()
    const own = await environment({ pod, container: role.spec, facts, lookUp: this.#lookUp() })
    const variables = new Map([...clusterEnvironment, ...own])
    const { podIPs } = facts
    const mounts = await volumes.mountsOf({ pod, container: role.spec, attempt, environment: variables, podIPs })
    const imageUser = needsImageUser(role, pod) ? (await runtime.imageStatus(role.spec.image ?? ''))?.user : undefined
    const targetName = (role.spec as { targetContainerName?: string }).targetContainerName
    const target = targetName && attemptsOf(this.#worker.view(), targetName)[0]?.id
    const config = containerConfig(pod, role, {
      ...{ attempt, environment: variables, mounts, instance, runtimeName, nodeMemory, seccompDirectory },
      ...(imageUser !== undefined && { imageUser }),
      ...(target && { targetId: target }),
    })
    const sandbox = this.#worker.state.sandboxes.find(({ id }) => id === sandboxId)
    const id = await runtime.createContainer(sandboxId, config, this.#sandboxConfig(sandbox?.metadata.attempt ?? 0))
    this.#event('Normal', 'Created', `Container created: ${role.spec.name}`)
    return id
  }

  /** Starts a container and runs its postStart hook; one that cannot run is an attempt that ended at once. */
  async #run(role: ContainerRole, id: string): Promise<void> {
    const { runtime } = this.#context
    const hook = role.spec.lifecycle?.postStart
    if (hook) this.#worker.memory.hooked.add(id)
    try {
      await runtime.startContainer(id)
    } catch (error) {
      const status = await runtime.containerStatus(id)
      if (status.state !== 'CONTAINER_EXITED') {
        await runtime.removeContainer(id)
        throw error
      }
      this.#event('Warning', 'Failed', `Error: ${(error as Error).message}`)
      return this.#worker.learn(status)
    }
    const status = await runtime.containerStatus(id)
    await this.#worker.learn(status)
    this.#event('Normal', 'Started', `Container started: ${role.spec.name}`)
    if (hook) void this.#postStart(role, status, hook)
  }

  async #postStart(
    role: ContainerRole,
    { id }: ContainerStatus,
    hook: NonNullable<NonNullable<ContainerRole['spec']['lifecycle']>['postStart']>,
  ): Promise<void> {
    const { runtime, clock } = this.#context
    const { isSuccess, output } = await runHandler(hook, this.#target(role, id), 0)
    this.#worker.memory.hooked.delete(id)
    this.#worker.wake()
    if (isSuccess || this.#worker.signal.aborted) return
    this.#event('Warning', 'FailedPostStartHook', `PostStartHook failed: ${output}`)
    this.#announceKill(id, 'FailedPostStartHook')
    await runtime.stopContainer(id, leastStopSeconds).catch((error) => {
      this.#context.log.warn('container not stopped', { id, error, at: clock.now() })
    })
  }

  #target({ spec }: ContainerRole, containerId: string) {
    const { runtime, features } = this.#context
    return { runtime, containerId, container: spec, podIP: features.podNetwork ? this.#worker.podAddress() : '' }
  }

  #announceBackOff(id: string, name: string): void {
    const { name: pod, namespace, uid } = this.#worker.pod.metadata
    this.#worker.memory.backedOff.add(id)
    this.#event('Warning', 'BackOff', `Back-off restarting failed container ${name} in pod ${pod}_${namespace}(${uid})`)
  }

  #announceKill(id: string, message: string): void {
    if (this.#announced.has(id)) return
    this.#announced.add(id)
    this.#event('Normal', 'Killing', message)
  }

  async #kill({ id, name, message, deadlineMs }: Extract<Action, { do: 'kill' }>): Promise<void> {
    const { runtime, clock } = this.#context
    const isFirst = !this.#announced.has(id)
    this.#announceKill(id, message)
    const role = rolesOf(this.#worker.pod).find(({ spec }) => spec.name === name)
    const hook = role?.spec.lifecycle?.preStop
    const secondsLeft = () => Math.max(0, Math.ceil((deadlineMs - clock.now()) / 1000))
    let least = 0
    if (role && hook && isFirst && secondsLeft() > 0) {
      const late = new Promise<void>((resolve) => clock.schedule(secondsLeft() * 1000, resolve))
      const run = runHandler(hook, this.#target(role, id), secondsLeft()).then(({ isSuccess, output }) => {
        if (!isSuccess) this.#event('Warning', 'FailedPreStopHook', `PreStopHook failed: ${output}`)
      })
      await Promise.race([run, late])
      least = leastStopSeconds
    }
    await runtime.stopContainer(id, Math.max(least, secondsLeft()))
    await this.#worker.refresh(id)
  }

  async #finish(): Promise<void> {
    const { name = '', namespace = '', uid } = this.#worker.pod.metadata
    await this.#worker.flushStatus()
    try {
      const options = { gracePeriodSeconds: 0, preconditions: { uid } }
      await this.#context.client.resource(pods).in(namespace).delete(name, options)
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error
    }
    this.#worker.memory.isFinished = true
  }

  async #forget(): Promise<void> {
    const { volumes, objects, tokens, onForgotten } = this.#context
    const { uid } = this.#worker
    objects.release(uid)
    tokens.release(uid)
    await volumes.remove(uid)
    onForgotten(uid)
  }
}

class ImageError extends Error {
  readonly reason: string
  constructor(reason: string, message: string) {
    super(message)
    this.reason = reason
  }
}

/** The image's user matters only when a container may not be root and does not say who it is. */
function needsImageUser({ spec }: ContainerRole, { spec: pod }: PodWorker['pod']): boolean {
  const own = spec.securityContext
  const mustNotBeRoot = own?.runAsNonRoot ?? pod.securityContext?.runAsNonRoot
  return mustNotBeRoot === true && (own?.runAsUser ?? pod.securityContext?.runAsUser) === undefined
}
