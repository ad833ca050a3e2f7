import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ContainerConfig, ContainerEvent, ContainerRuntime, PodSandboxConfig } from '#apis/plugin/v1/cri.ts'
import { runtimeErrorCode, runtimeLabels } from '#apis/plugin/v1/cri.ts'

/** How the suite meets one runtime. */
export interface RuntimeUnderTest {
  runtime: ContainerRuntime
  /** An image that is there, or that `pullImage` gives. */
  image: string
  /** Commands with these effects, as the runtime under test knows them. */
  commands: { forever: string[]; exitWith: (code: number) => string[]; print: (text: string) => string[] }
  /** What a container that was told `exitWith(code)` needs beside its command. */
  exitAnnotations(code: number): Record<string, string>
  /** True when containers really run: their output is theirs. */
  isReal: boolean
  close(): Promise<void>
}

/** What every container runtime owes the node agent. `open` throws a string to skip, with its reason. */
export function runContainerRuntimeSuite(name: string, open: () => Promise<RuntimeUnderTest>): void {
  describe(`${name} is a container runtime`, () => {
    let under: RuntimeUnderTest
    const pods: PodSandboxConfig[] = []
    const sandboxes: string[] = []

    beforeAll(async () => {
      under = await open()
      if (!(await under.runtime.imageStatus(under.image))) await under.runtime.pullImage(under.image)
    })
    afterAll(async () => {
      await Promise.all(sandboxes.map((id) => under.runtime.removePodSandbox(id)))
      await under?.close()
    })

    const newPod = (annotations: Record<string, string> = {}): PodSandboxConfig => {
      const uid = randomUUID()
      const metadata = { name: `pod-${uid.slice(0, 8)}`, namespace: 'suite', uid, attempt: 0 }
      const labels = {
        [runtimeLabels.podName]: metadata.name,
        [runtimeLabels.podNamespace]: metadata.namespace,
        [runtimeLabels.podUid]: uid,
      }
      const namespaceOptions = { network: 'POD', pid: 'CONTAINER', ipc: 'POD' } as const
      const securityContext = { namespaceOptions, privileged: false, supplementalGroups: [] }
      const linux = { sysctls: {}, securityContext }
      const pod = { metadata, hostname: metadata.name, portMappings: [], labels, annotations, linux }
      pods.push(pod)
      return pod
    }
    const runPod = async (pod: PodSandboxConfig) => {
      const id = await under.runtime.runPodSandbox(pod)
      sandboxes.push(id)
      return id
    }
    const newContainer = (
      pod: PodSandboxConfig,
      command: string[],
      more: Partial<ContainerConfig> = {},
    ): ContainerConfig => ({
      metadata: { name: 'main', attempt: 0 },
      ...{ image: under.image, command, args: [], envs: [{ key: 'COLOUR', value: 'red = blue' }] },
      ...{ mounts: [], devices: [], annotations: { 'example.com/note': 'a b' } },
      labels: { ...pod.labels, [runtimeLabels.containerName]: 'main' },
      ...{ stdin: false, stdinOnce: false, tty: false },
      linux: {
        resources: { cpuShares: 2, oomScoreAdj: 1000 },
        securityContext: {
          capabilities: { addCapabilities: [], dropCapabilities: [] },
          ...{ privileged: false, readonlyRootfs: false, noNewPrivs: true, supplementalGroups: [] },
          namespaceOptions: pod.linux.securityContext.namespaceOptions,
        },
      },
      ...more,
    })
    const start = async (pod: PodSandboxConfig, command: string[], more?: Partial<ContainerConfig>) => {
      const sandbox = await runPod(pod)
      const id = await under.runtime.createContainer(sandbox, newContainer(pod, command, more), pod)
      await under.runtime.startContainer(id)
      return { sandbox, id }
    }
    /** Everything about `pod` that happens while `act` runs and until `isEnough`. */
    const eventsOf = async (
      pod: PodSandboxConfig,
      act: () => Promise<unknown>,
      isEnough: (types: string[]) => boolean,
    ) => {
      const stop = new AbortController()
      const types: string[] = []
      const events = under.runtime.events(stop.signal)[Symbol.asyncIterator]()
      expect((await events.next()).value).toEqual({ type: 'RESYNC' })
      const acted = act()
      while (!isEnough(types)) {
        const { value } = (await events.next()) as { value: ContainerEvent }
        if ('podUid' in value && value.podUid === pod.metadata.uid) types.push(value.type)
      }
      await acted
      stop.abort()
      return types
    }
    const untilStopped = (pod: PodSandboxConfig, act: () => Promise<unknown>) =>
      eventsOf(pod, act, (types) => types.includes('CONTAINER_STOPPED_EVENT'))

    test('says what it is and that it is ready', async () => {
      expect((await under.runtime.version()).runtimeName).not.toBe('')
      const { conditions } = await under.runtime.status()
      expect(conditions.map(({ type, status }) => [type, status])).toEqual([
        ['RuntimeReady', true],
        ['NetworkReady', true],
      ])
    })

    test('runs a sandbox, reports it and takes it away', async () => {
      const pod = newPod({ 'example.com/note': 'kept = as is' })
      const id = await runPod(pod)
      const status = await under.runtime.podSandboxStatus(id)
      expect(status).toMatchObject({ id, metadata: pod.metadata, state: 'SANDBOX_READY', annotations: pod.annotations })
      expect(status.labels).toMatchObject(pod.labels)
      expect(status.network.ip).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
      const labelSelector = { [runtimeLabels.podUid]: pod.metadata.uid }
      expect(await under.runtime.listPodSandbox({ labelSelector })).toMatchObject([{ id, state: 'SANDBOX_READY' }])
      await under.runtime.stopPodSandbox(id)
      await under.runtime.stopPodSandbox(id)
      expect((await under.runtime.podSandboxStatus(id)).state).toBe('SANDBOX_NOTREADY')
      await under.runtime.removePodSandbox(id)
      await under.runtime.removePodSandbox(id)
      expect(await under.runtime.listPodSandbox({ labelSelector })).toEqual([])
      await expect(under.runtime.podSandboxStatus(id)).rejects.toSatisfy(
        (error) => runtimeErrorCode(error) === 'NotFound',
      )
    })

    test('runs a container through its states', async () => {
      const pod = newPod()
      const sandbox = await runPod(pod)
      const config = newContainer(pod, under.commands.forever, { metadata: { name: 'main', attempt: 3 } })
      const id = await under.runtime.createContainer(sandbox, config, pod)
      const created = await under.runtime.containerStatus(id)
      expect(created).toMatchObject({
        id,
        podSandboxId: sandbox,
        state: 'CONTAINER_CREATED',
        metadata: config.metadata,
      })
      expect(created.startedAtMs).toBeUndefined()
      await under.runtime.startContainer(id)
      const running = await under.runtime.containerStatus(id)
      expect(running).toMatchObject({
        state: 'CONTAINER_RUNNING',
        annotations: config.annotations,
        labels: config.labels,
      })
      expect(running.startedAtMs).toBeGreaterThanOrEqual(created.createdAtMs)
      expect(running.imageId).not.toBe('')
      expect(await under.runtime.listContainers({ podSandboxId: sandbox })).toMatchObject([
        { id, state: 'CONTAINER_RUNNING' },
      ])
      await under.runtime.stopContainer(id, 0)
      const stopped = await under.runtime.containerStatus(id)
      expect(stopped).toMatchObject({ state: 'CONTAINER_EXITED', exitCode: 137, reason: 'Error' })
      expect(stopped.finishedAtMs).toBeGreaterThanOrEqual(running.startedAtMs ?? 0)
      await under.runtime.stopContainer(id, 5)
      await under.runtime.removeContainer(id)
      await under.runtime.removeContainer(id)
      expect(await under.runtime.listContainers({ podSandboxId: sandbox })).toEqual([])
    })

    test.each([
      { code: 0, reason: 'Completed' },
      { code: 7, reason: 'Error' },
    ])('keeps exit code $code of a container that ends by itself', async ({ code, reason }) => {
      const pod = newPod(under.exitAnnotations(code))
      let id = ''
      const types = await untilStopped(pod, async () => ({ id } = await start(pod, under.commands.exitWith(code))))
      expect(types).toContain('CONTAINER_STARTED_EVENT')
      expect(await under.runtime.containerStatus(id)).toMatchObject({
        state: 'CONTAINER_EXITED',
        exitCode: code,
        reason,
      })
    })

    test('tells of a container that is killed behind its back', async () => {
      const pod = newPod()
      const { id } = await start(pod, under.commands.forever)
      expect(await untilStopped(pod, () => under.runtime.stopContainer(id, 0))).toContain('CONTAINER_STOPPED_EVENT')
    })

    test('runs commands in a container', async () => {
      const { id } = await start(newPod(), under.commands.forever)
      const env = await under.runtime.execSync(id, ['env'], 10)
      expect(Buffer.from(env.stdout).toString()).toContain('COLOUR=red = blue\n')
      expect((await under.runtime.execSync(id, ['false'], 10)).exitCode).toBe(1)
      expect((await under.runtime.execSync(id, ['true'], 0)).exitCode).toBe(0)
    })

    test('streams a command, whose input ends when it is closed', async () => {
      const { id } = await start(newPod(), under.commands.forever)
      const request = { containerId: id, tty: false, stdin: true, stdout: true, stderr: true }
      using cat = await under.runtime.exec({ ...request, cmd: ['cat'] })
      const text = 'x'.repeat(100_000)
      cat.stdin?.end(text)
      const output = await cat.stdout?.toArray()
      expect(Buffer.concat(output ?? []).toString() === text).toBe(true)
      expect(await cat.exitCode).toBe(0)
    })

    test('keeps the output of a container', async () => {
      const pod = newPod(under.exitAnnotations(0))
      let id = ''
      await untilStopped(pod, async () => ({ id } = await start(pod, under.commands.print('one'))))
      const read = async (options = {}) => {
        const chunks = []
        for await (const chunk of under.runtime.containerLogs(id, options)) chunks.push(chunk)
        return Buffer.concat(chunks).toString()
      }
      const whole = await read()
      if (under.isReal) expect(whole).toBe('one\n')
      expect(whole).toMatch(/^[^\n]+\n$/)
      expect(await read({ follow: true })).toBe(whole)
      expect(await read({ tailLines: 1 })).toBe(whole)
      expect(await read({ tailLines: 0 })).toBe('')
      expect(await read({ sinceMs: Date.now() + 60_000 })).toBe('')
      expect(await read({ timestamps: true })).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z [^\n]+\n$/)
    })

    test('refuses to create from an image that is not there', async () => {
      const pod = newPod()
      const sandbox = await runPod(pod)
      const config = newContainer(pod, under.commands.forever, { image: `absent-${pod.metadata.uid}:1` })
      await expect(under.runtime.createContainer(sandbox, config, pod)).rejects.toSatisfy(
        (error) => runtimeErrorCode(error) === 'NotFound',
      )
    })

    test('stops and removes what runs in a sandbox with it', async () => {
      const { sandbox, id } = await start(newPod(), under.commands.forever)
      await under.runtime.stopPodSandbox(sandbox)
      expect((await under.runtime.containerStatus(id)).state).toBe('CONTAINER_EXITED')
      await under.runtime.removePodSandbox(sandbox)
      await expect(under.runtime.containerStatus(id)).rejects.toSatisfy(
        (error) => runtimeErrorCode(error) === 'NotFound',
      )
    })
  })
}
