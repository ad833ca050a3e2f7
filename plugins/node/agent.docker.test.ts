import { once } from 'node:events'
import { mkdir, readdir } from 'node:fs/promises'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import type { ConfigMap, Node, Pod } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { configmaps, nodes, pods, secrets } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { beforeAll, describe, expect, test } from 'vitest'
import { bridge } from './server/streams.ts'
import { container, type Harness, loadRuntime, startAgent } from './testing/harness.ts'

interface DockerTesting {
  whyNoDocker(): Promise<string | undefined>
  importTestImage(): Promise<string>
}
const testing: DockerTesting = await import(new URL('../cri/docker/testing.ts', import.meta.url).href)
const reason = await testing.whyNoDocker()

const forever = { command: ['sleep', '1000000'] }
const condition = (pod: Pod, type: string) => pod.status?.conditions?.find((one) => one.type === type)?.status
const isReady = (pod: Pod) => condition(pod, 'Ready') === 'True'
const idOf = (pod: Pod) => pod.status?.containerStatuses?.[0]?.containerID?.replace('docker://', '') ?? ''

const podLabel = ({ metadata }: Pod) => ({ 'io.kubernetes.pod.uid': metadata.uid ?? '' })

const start = async (config = {}) => startAgent(await loadRuntime('docker'), config)

async function output(agent: Harness, pod: Pod, ...cmd: string[]): Promise<string> {
  const { stdout, stderr } = await agent.runtime.execSync(idOf(pod), cmd, 10)
  return Buffer.concat([stdout, stderr]).toString()
}

describe.skipIf(reason)(`the agent runs pods on docker${reason ? ` (skipped: ${reason})` : ''}`, () => {
  beforeAll(async () => {
    await testing.importTestImage()
  })

  test('a pod runs with its hostname, its address and its environment', async () => {
    await using agent = await start()
    const env = [
      { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'GREETING', value: 'I am $(POD_IP), $$(HOME)' },
    ]
    await agent.create('web', { containers: [container({ ...forever, env })] })
    const pod = await agent.until('web', isReady)
    expect(await output(agent, pod, 'hostname')).toBe('web\n')
    expect(await output(agent, pod, 'sh', '-c', 'echo $GREETING')).toBe(`I am ${pod.status?.podIP}, $(HOME)\n`)
    expect(await output(agent, pod, 'cat', '/etc/hosts')).toContain(`${pod.status?.podIP}\tweb\n`)
  })

  test('volumes hold what API objects say, and follow them', async () => {
    await using agent = await start()
    const named = <T>(kind: string, name: string, rest: T) => ({ apiVersion: 'v1', kind, metadata: { name }, ...rest })
    const settings = named('ConfigMap', 'settings', { data: { colour: 'red', size: 'big' } })
    await agent.client.resource<ConfigMap>(configmaps).in('default').create(settings)
    const data = { token: Buffer.from('s3cret').toString('base64') }
    await agent.client
      .resource(secrets)
      .in('default')
      .create(named('Secret', 'keys', { data }))
    const volumes = [
      { name: 'settings', configMap: { name: 'settings' } },
      { name: 'keys', secret: { secretName: 'keys', items: [{ key: 'token', path: 'a/b', mode: 0o400 }] } },
      { name: 'labels', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
      { name: 'scratch', emptyDir: {} },
    ]
    const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/v/${name}`, readOnly: name !== 'scratch' }))
    const one = { name: 'settings', mountPath: '/one', subPath: 'size' }
    await agent.create(
      'web',
      { volumes, containers: [container({ ...forever, volumeMounts: [...volumeMounts, one] })] },
      { labels: { app: 'web' } },
    )
    const pod = await agent.until('web', isReady)
    const read = (file: string) => output(agent, pod, 'cat', file)
    expect(await read('/v/settings/colour')).toBe('red')
    expect(await read('/v/keys/a/b')).toBe('s3cret')
    expect(await output(agent, pod, 'stat', '-Lc', '%a', '/v/keys/a/b')).toBe('400\n')
    expect(await read('/v/labels/labels')).toBe('app="web"')
    expect(await read('/one')).toBe('big')
    expect(await output(agent, pod, 'sh', '-c', 'echo kept > /v/scratch/x && cat /v/scratch/x')).toBe('kept\n')
    const patch = { type: 'merge', body: { data: { colour: 'blue', size: null } } } as const
    await agent.client.resource<ConfigMap>(configmaps).in('default').patch('settings', patch)
    await output(agent, pod, 'sh', '-c', 'until grep -q blue /v/settings/colour; do usleep 10000; done')
    expect(await output(agent, pod, 'ls', '/v/settings')).toBe('colour\n')
  })

  test('probes decide who is ready and who is restarted', async () => {
    await using agent = await start()
    const probe = (file: string) => ({ exec: { command: ['test', '-e', file] }, periodSeconds: 1, failureThreshold: 1 })
    const startupProbe = { ...probe('/tmp/started'), failureThreshold: 60 }
    const livenessProbe = { exec: { command: ['test', '!', '-e', '/tmp/sick'] }, periodSeconds: 1, failureThreshold: 1 }
    const probes = { startupProbe, livenessProbe, readinessProbe: probe('/tmp/ready') }
    await agent.create('web', { terminationGracePeriodSeconds: 0, containers: [container({ ...forever, ...probes })] })
    const running = await agent.until('web', ({ status }) => status?.containerStatuses?.[0]?.state?.running)
    expect(running.status?.containerStatuses?.[0]).toMatchObject({ started: false, ready: false })
    await output(agent, running, 'touch', '/tmp/started')
    const started = await agent.until('web', ({ status }) => status?.containerStatuses?.[0]?.started)
    expect(isReady(started)).toBe(false)
    await output(agent, started, 'touch', '/tmp/ready')
    const ready = await agent.until('web', isReady)
    await output(agent, ready, 'touch', '/tmp/sick')
    await agent.until('web', ({ status }) => status?.containerStatuses?.[0]?.restartCount === 1)
    await agent.client.waitFor(() =>
      agent.events('web').some((one) => one.startsWith('Unhealthy: Liveness probe failed')),
    )
    await agent.client.waitFor(() =>
      agent.events('web').includes('Killing: Container main failed liveness probe, will be restarted'),
    )
  })

  test('an agent that starts again adopts its containers as they are, and counts on', async () => {
    await using agent = await start()
    const script = ['sh', '-c', 'trap "exit 1" TERM; sleep 1000000 & wait']
    await agent.create('web', { containers: [container({ command: script })] })
    const first = await agent.until('web', isReady)
    await output(agent, first, 'kill', '1')
    const second = await agent.until(
      'web',
      (pod) => pod.status?.containerStatuses?.[0]?.restartCount === 1 && isReady(pod),
    )
    await mkdir(join(agent.dataDir, 'pods', 'lost', 'volumes'), { recursive: true })
    await agent.restart()
    expect(await readdir(join(agent.dataDir, 'pods'))).toEqual([first.metadata.uid])
    await output(agent, second, 'true')
    await output(agent, second, 'kill', '1')
    const third = await agent.until(
      'web',
      (pod) => pod.status?.containerStatuses?.[0]?.restartCount === 2 && isReady(pod),
    )
    expect(third.status?.podIP).toBe(first.status?.podIP)
  })

  test('a sandbox that dies is replaced, with all that runs in it', async () => {
    await using agent = await start()
    await agent.create('web', { containers: [container(forever)] })
    const before = await agent.until('web', isReady)
    const [sandbox] = await agent.runtime.listPodSandbox({ state: 'SANDBOX_READY', labelSelector: podLabel(before) })
    await agent.runtime.stopContainer(sandbox?.id ?? '', 0)
    const after = await agent.until(
      'web',
      (pod) => pod.status?.containerStatuses?.[0]?.restartCount === 1 && isReady(pod),
    )
    expect(after.status?.podIPs).toEqual([{ ip: after.status?.podIP }])
    expect(await output(agent, after, 'hostname')).toBe('web\n')
  })

  test('a sidecar runs beside the others and ends after them', async () => {
    await using agent = await start()
    const sidecar = container({
      name: 'proxy',
      restartPolicy: 'Always',
      command: ['sh', '-c', 'trap "exit 0" TERM; sleep 9999 & wait'],
    })
    const spec = {
      restartPolicy: 'Never' as const,
      initContainers: [sidecar],
      containers: [container({ command: ['true'] })],
    }
    await agent.create('job', spec)
    const pod = await agent.until('job', ({ status }) => status?.phase === 'Succeeded')
    expect(pod.status?.initContainerStatuses?.[0]?.state?.terminated?.exitCode).toBe(0)
  })

  test('a terminal that is attached to gives its output after the end of the input', async () => {
    await using agent = await start()
    const spec = {
      restartPolicy: 'Never' as const,
      containers: [container({ command: ['sh'], stdin: true, tty: true })],
    }
    await agent.create('shell', spec)
    const pod = await agent.until('shell', isReady)
    const asked = { containerId: idOf(pod), tty: true, stdin: true, stdout: true, stderr: false }
    const streams = await agent.runtime.attach(asked)
    const stdout = new PassThrough()
    const text = stdout.toArray()
    const resizes = (async function* () {
      yield { width: 80, height: 24 }
    })()
    const signal = new AbortController().signal
    const stdin = Readable.from(['echo $((6 * 7)); exit 5\n'])
    expect(await bridge(streams, { stdin, stdout, tty: true, resizes, signal })).toEqual({ exitCode: 5 })
    stdout.end()
    expect(Buffer.concat(await text).toString()).toContain('\n42\r\n')
  })

  test('a termination message and an exit code are kept', async () => {
    await using agent = await start()
    const command = ['sh', '-c', 'echo -n "disk on fire" > /dev/termination-log; exit 4']
    await agent.create('job', { restartPolicy: 'Never', containers: [container({ command })] })
    const pod = await agent.until('job', ({ status }) => status?.phase === 'Failed')
    expect(pod.status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({
      exitCode: 4,
      reason: 'Error',
      message: 'disk on fire',
    })
  })

  test('a preStop hook runs before the container is told to end', async () => {
    await using agent = await start()
    const script = 'trap "cat /tmp/hook; exit 0" TERM; sleep 1000000 & wait'
    const lifecycle = {
      postStart: { exec: { command: ['sh', '-c', 'echo up > /tmp/hook'] } },
      preStop: { exec: { command: ['sh', '-c', 'echo down >> /tmp/hook'] } },
    }
    const spec = {
      terminationGracePeriodSeconds: 20,
      containers: [container({ command: ['sh', '-c', script], lifecycle })],
    }
    await agent.create('web', spec)
    const pod = await agent.until('web', isReady)
    const logs = readAll(agent, idOf(pod))
    await agent.client.resource<Pod>(pods).in('default').delete('web')
    expect(await logs).toBe('up\ndown\n')
    await agent.untilGone('web')
  })

  test('a command that does not exist is reported', async () => {
    await using agent = await start()
    await agent.create('web', { restartPolicy: 'Never', containers: [container({ command: ['/no/such'] })] })
    const pod = await agent.until('web', ({ status }) => status?.phase === 'Failed')
    expect(pod.status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({
      exitCode: 127,
      reason: 'ContainerCannotRun',
    })
  })

  test('a volume this node does not know keeps the pod waiting, with an Event', async () => {
    await using agent = await start()
    const volumes = [{ name: 'share', nfs: { server: 'nas', path: '/' } }]
    await agent.create('web', { volumes, containers: [container(forever)] })
    const message =
      'FailedMount: MountVolume.SetUp failed for volume "share" : volume kind nfs is not supported by this node'
    await agent.client.waitFor(() => agent.events('web').includes(message))
    const pod = await agent.until('web', (one) => condition(one, 'PodReadyToStartContainers') === 'True')
    expect(pod.status?.containerStatuses?.[0]?.state?.waiting?.reason).toBe('ContainerCreating')
  })

  test('nobody without a certificate or a token is let in', async () => {
    await using agent = await start()
    const port = agent.client.stored<Node>(nodes)[0]?.status?.daemonEndpoints?.kubeletEndpoint?.Port
    const ask = async (path: string) => {
      const request = httpsRequest({ host: '127.0.0.1', port, path, rejectUnauthorized: false, agent: false }).end()
      const [response] = await once(request, 'response')
      return response.resume().statusCode
    }
    expect(await ask('/healthz')).toBe(200)
    expect(await ask('/pods')).toBe(401)
    expect(await ask('/nowhere')).toBe(401)
  })
})

async function readAll(agent: Harness, id: string): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of agent.runtime.containerLogs(id, { follow: true })) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
