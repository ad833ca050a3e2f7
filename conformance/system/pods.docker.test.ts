/** What pods do and have done to them, as people see it from outside, with containers that really run. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deployments } from '@keelson/apis/apps/v1/zz_generated.types.ts'
import {
  type Container,
  configmaps,
  type Pod,
  type PodSpec,
  pods,
  secrets,
} from '@keelson/apis/core/v1/zz_generated.types.ts'
import { configMap, container, deployment, endingPod, runningPod } from '../runner/fixtures.ts'
import { type SystemContext, systemTests } from './testing.ts'

const test = systemTests({ cri: 'docker' })

const out = async (t: SystemContext, ...args: string[]) => (await t.kubectl(args)).stdout
const isReady = ({ status }: Pod) =>
  status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
const stateOf = ({ status }: Pod, name = 'main') => status?.containerStatuses?.find((one) => one.name === name)
const ends = (t: SystemContext, name: string) =>
  t.until(pods, name, ({ status }) => status?.phase === 'Succeeded' || status?.phase === 'Failed')

async function create(t: SystemContext, pod: Pod): Promise<void> {
  await (await t.in(pods)).create(pod)
}

/** Runs a shell script as a pod of its own. @returns its output, once it has ended well */
async function outputOf(t: SystemContext, name: string, script: string, spec: Partial<PodSpec> = {}) {
  const containers = [container(t, ['sh', '-c', script], spec.containers?.[0])]
  await create(t, runningPod(t, name, { restartPolicy: 'Never', ...spec, containers }))
  const { status } = await ends(t, name)
  const output = await out(t, 'logs', name)
  assert.equal(status?.phase, 'Succeeded', output)
  return output
}

test('readiness gates a rollout: the old pods stay until new ones are ready', async (t) => {
  await t.namespace()
  const withProbe = (version: string, command: string[]) => {
    const wanted = deployment(t, 'web', 1, version)
    const main = wanted.spec!.template.spec!.containers[0]!
    main.readinessProbe = { exec: { command }, periodSeconds: 1 }
    return wanted
  }
  const client = await t.in(deployments)
  await client.create(withProbe('one', ['true']))
  await t.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s'])
  await t.kubectl(['apply', '-f', '-'], { input: JSON.stringify(withProbe('two', ['test', '-e', '/tmp/ready'])) })
  await t.until(deployments, 'web', ({ status }) => status?.updatedReplicas === 1 && status.replicas === 2)
  const stuck = await t.kubectl(['rollout', 'status', 'deployment/web', '--timeout=2s'], { mayFail: true })
  assert.notEqual(stuck.exitCode, 0)
  assert.equal((await client.get('web')).status?.availableReplicas, 1)
  const waiting = await t.eventually(async () => {
    const { items } = await (await t.in(pods)).list()
    return items.find((pod) => pod.status?.phase === 'Running' && !isReady(pod))?.metadata.name
  })
  await t.kubectl(['exec', waiting, '--', 'touch', '/tmp/ready'])
  await t.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s'])
})

for (const [kind, probe] of [
  ['http', { httpGet: { path: '/', port: 8080 } }],
  ['tcp', { tcpSocket: { port: 8080 } }],
] as const) {
  test(`${kind} readiness follows the server in the container`, async (t) => {
    await t.namespace()
    const serve =
      'mkdir -p /tmp/www; echo hi > /tmp/www/index.html; while true; do test -e /tmp/on && httpd -f -p 8080 -h /tmp/www; sleep 0.1; done'
    const readinessProbe = { ...probe, periodSeconds: 1, failureThreshold: 1 }
    await create(t, runningPod(t, 'web', { containers: [container(t, ['sh', '-c', serve], { readinessProbe })] }))
    await t.until(pods, 'web', (pod) => pod.status?.phase === 'Running' && !isReady(pod))
    await t.kubectl(['exec', 'web', '--', 'touch', '/tmp/on'])
    await t.until(pods, 'web', isReady)
    await t.kubectl(['exec', 'web', '--', 'sh', '-c', 'rm /tmp/on; killall httpd'])
    const pod = await t.until(pods, 'web', (pod) => !isReady(pod))
    assert.equal(stateOf(pod)?.restartCount, 0)
  })
}

test('liveness restarts a container that has failed it', async (t) => {
  await t.namespace()
  const livenessProbe = { exec: { command: ['test', '!', '-e', '/tmp/sick'] }, periodSeconds: 1, failureThreshold: 2 }
  const script = 'trap exit TERM; sleep 3600 & wait'
  await create(t, runningPod(t, 'sick', { containers: [container(t, ['sh', '-c', script], { livenessProbe })] }))
  await t.until(pods, 'sick', isReady)
  await t.kubectl(['exec', 'sick', '--', 'touch', '/tmp/sick'])
  const pod = await t.until(pods, 'sick', (pod) => stateOf(pod)?.restartCount === 1 && isReady(pod))
  assert.ok(stateOf(pod)?.lastState?.terminated)
  assert.match(await out(t, 'get', 'events'), /Liveness probe failed/)
})

test('init containers run in order, each to its end, before the others', async (t) => {
  await t.namespace()
  const init = (name: string) => ({
    ...container(t, ['sh', '-c', `echo ${name} >> /space/log`], {
      volumeMounts: [{ name: 'work', mountPath: '/space' }],
    }),
    name,
  })
  const spec = {
    initContainers: [init('first'), init('second')],
    volumes: [{ name: 'work', emptyDir: {} }],
    containers: [{ name: 'main', volumeMounts: [{ name: 'work', mountPath: '/space' }] }],
  }
  assert.equal(await outputOf(t, 'ordered', 'cat /space/log', spec), 'first\nsecond\n')
})

test('a failing init container keeps the others from starting', async (t) => {
  await t.namespace()
  const initContainers = [{ ...container(t, ['sh', '-c', 'exit 3']), name: 'fails' }]
  await create(t, runningPod(t, 'never', { restartPolicy: 'Never', initContainers }))
  const { status } = await ends(t, 'never')
  assert.equal(status?.phase, 'Failed')
  assert.equal(status?.initContainerStatuses?.[0]?.state?.terminated?.exitCode, 3)
  assert.ok(status?.containerStatuses?.[0]?.state?.waiting)
})

test('a container that keeps failing backs off, and its restarts are counted', async (t) => {
  await t.namespace()
  await create(t, endingPod(t, 'fails', 7, { restartPolicy: 'Always' }))
  const pod = await t.until(pods, 'fails', (pod) => {
    const status = stateOf(pod)
    return (status?.restartCount ?? 0) >= 1 && status?.state?.waiting?.reason === 'CrashLoopBackOff'
  })
  assert.equal(stateOf(pod)?.lastState?.terminated?.exitCode, 7)
  assert.match(await out(t, 'get', 'pod', 'fails'), /^fails\s+0\/1\s+CrashLoopBackOff\s+\d+/m)
  assert.equal((await t.kubectl(['logs', 'fails', '--previous'], { mayFail: true })).exitCode, 0)
})

test('a restart policy of OnFailure restarts what failed, and not what succeeded', async (t) => {
  await t.namespace()
  const script = 'test -e /space/second || { touch /space/second; exit 1; }'
  const main = container(t, ['sh', '-c', script], { volumeMounts: [{ name: 'work', mountPath: '/space' }] })
  const spec: Partial<PodSpec> = {
    restartPolicy: 'OnFailure',
    volumes: [{ name: 'work', emptyDir: {} }],
    containers: [main],
  }
  await create(t, runningPod(t, 'second', spec))
  const pod = await ends(t, 'second')
  assert.deepEqual([pod.status?.phase, stateOf(pod)?.restartCount], ['Succeeded', 1])
})

test('variables and files come from ConfigMaps, Secrets and the pod itself', async (t) => {
  const namespace = await t.namespace()
  await (await t.in(configmaps)).create(configMap('settings', { COLOUR: 'red', 'file.txt': 'from a map' }))
  await t.kubectl(['create', 'secret', 'generic', 'keys', '--from-literal=TOKEN=s3cret'])
  await (await t.in(secrets)).get('keys')
  const main = {
    name: 'main',
    env: [
      { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'TOKEN' } } },
      { name: 'BOTH', value: '$(NAME)-$(TOKEN)' },
      { name: 'LIMIT', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
    ],
    envFrom: [{ configMapRef: { name: 'settings' } }],
    resources: { limits: { memory: '64Mi' } },
    volumeMounts: [
      { name: 'map', mountPath: '/map' },
      { name: 'secret', mountPath: '/secret' },
      { name: 'self', mountPath: '/self' },
      { name: 'all', mountPath: '/all' },
    ],
  }
  const volumes = [
    { name: 'map', configMap: { name: 'settings', items: [{ key: 'file.txt', path: 'deep/file' }] } },
    { name: 'secret', secret: { secretName: 'keys', defaultMode: 0o400 } },
    { name: 'self', downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
    {
      name: 'all',
      projected: {
        sources: [
          { configMap: { name: 'settings', items: [{ key: 'COLOUR', path: 'colour' }] } },
          { secret: { name: 'keys', items: [{ key: 'TOKEN', path: 'token' }] } },
          { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
        ],
      },
    },
  ]
  const script = `echo "$NAME $BOTH $COLOUR $LIMIT"; hostname -i | grep -qw "$IP" && echo same
    for file in /map/deep/file /secret/TOKEN /self/name /all/colour /all/token /all/namespace; do cat $file; echo; done
    stat -L -c %a /secret/TOKEN; ls /var/run/secrets/kubernetes.io/serviceaccount`
  const output = await outputOf(t, 'reads', script, { volumes, containers: [main] })
  assert.deepEqual(output.trim().split('\n'), [
    'reads reads-s3cret red 64',
    'same',
    ...['from a map', 's3cret', 'reads', 'red', 's3cret', namespace, '400', 'ca.crt', 'namespace', 'token'],
  ])
})

test('a ConfigMap’s volume follows the ConfigMap', async (t) => {
  await t.namespace()
  const maps = await t.in(configmaps)
  await maps.create(configMap('settings', { mode: 'old' }))
  const main = container(
    t,
    ['sh', '-c', 'trap exit TERM; until grep -q new /map/mode; do sleep 0.1; done; cat /map/mode'],
    {
      volumeMounts: [{ name: 'map', mountPath: '/map' }],
    },
  )
  const volumes = [{ name: 'map', configMap: { name: 'settings' } }]
  await create(t, runningPod(t, 'follows', { restartPolicy: 'Never', volumes, containers: [main] }))
  await t.until(pods, 'follows', isReady)
  await t.kubectl(['patch', 'configmap', 'settings', '--type=merge', '-p', '{"data":{"mode":"new"}}'])
  await ends(t, 'follows')
  assert.equal(await out(t, 'logs', 'follows'), 'new')
})

test('containers of a pod share an emptyDir and the network', async (t) => {
  await t.namespace()
  const volumeMounts = [{ name: 'shared', mountPath: '/shared' }]
  const writer = {
    ...container(t, ['sh', '-c', 'echo hello > /shared/index.html; exec httpd -f -p 8080 -h /shared'], {
      volumeMounts,
    }),
    name: 'writer',
  }
  const reader = container(t, ['sh', '-c', 'until wget -qO- http://127.0.0.1:8080/; do sleep 0.1; done; ls /shared'], {
    volumeMounts,
  })
  const spec: Partial<PodSpec> = {
    restartPolicy: 'Never',
    volumes: [{ name: 'shared', emptyDir: {} }],
    containers: [reader, writer],
  }
  await create(t, runningPod(t, 'pair', spec))
  await t.until(pods, 'pair', (pod) => stateOf(pod)?.state?.terminated)
  assert.match(await out(t, 'logs', 'pair', '-c', 'main'), /hello\nindex\.html\n$/)
})

test('a hostPath shows a folder of the machine', async (t) => {
  await t.namespace()
  const folder = await mkdtemp(join(tmpdir(), 'keelson-system-host-'))
  t.cleanup(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'note'), 'from the machine')
  const volumes = [{ name: 'host', hostPath: { path: folder, type: 'Directory' as const } }]
  const containers = [{ name: 'main', volumeMounts: [{ name: 'host', mountPath: '/host', readOnly: true }] }]
  const script = 'cat /host/note; touch /host/more 2>/dev/null || echo " read-only"'
  assert.equal(await outputOf(t, 'host', script, { volumes, containers }), 'from the machine read-only\n')
})

test('a security context sets user and groups, and a read-only root', async (t) => {
  await t.namespace()
  const securityContext = { runAsUser: 1234, runAsGroup: 2345, runAsNonRoot: true }
  const containers = [{ name: 'main', securityContext: { readOnlyRootFilesystem: true } }]
  const script = 'id -u; id -g; touch /tmp/x 2>/dev/null || echo read-only'
  assert.equal(await outputOf(t, 'someone', script, { securityContext, containers }), '1234\n2345\nread-only\n')
  await create(t, runningPod(t, 'root', { securityContext: { runAsNonRoot: true } }))
  await t.until(pods, 'root', (pod) => stateOf(pod)?.state?.waiting?.reason === 'CreateContainerConfigError')
})

test('a container that outgrows its memory limit is OOMKilled', async (t) => {
  await t.namespace()
  const resources = { limits: { memory: '16Mi' } }
  const eat = ['sh', '-c', 'x=a; while true; do x=$x$x; done']
  await create(t, runningPod(t, 'eats', { restartPolicy: 'Never', containers: [container(t, eat, { resources })] }))
  const pod = await ends(t, 'eats')
  const ended = stateOf(pod)?.state?.terminated
  assert.deepEqual([ended?.reason, ended?.exitCode], ['OOMKilled', 137])
})

test('an image that is nowhere shows as ErrImagePull and ImagePullBackOff', async (t) => {
  await t.namespace()
  const missing = container(t, ['true'], { image: '127.0.0.1:1/none:1' })
  await create(t, runningPod(t, 'nothing', { containers: [missing] }))
  await t.until(pods, 'nothing', (pod) => stateOf(pod)?.state?.waiting?.reason === 'ErrImagePull')
  const pod = await t.until(pods, 'nothing', (pod) => stateOf(pod)?.state?.waiting?.reason === 'ImagePullBackOff')
  assert.equal(pod.status?.phase, 'Pending')
  assert.match(await out(t, 'describe', 'pod', 'nothing'), /Failed to pull image/)
})

test('a postStart that fails ends its container', async (t) => {
  await t.namespace()
  const lifecycle = { postStart: { exec: { command: ['false'] } } }
  const main = container(t, ['sh', '-c', 'trap exit TERM; sleep 3600 & wait'], { lifecycle })
  await create(t, runningPod(t, 'hooked', { containers: [main] }))
  await t.until(pods, 'hooked', (pod) => (stateOf(pod)?.restartCount ?? 0) >= 1)
  assert.match(await out(t, 'get', 'events'), /FailedPostStartHook/)
})

test('preStop runs before the container is asked to end', async (t) => {
  await t.namespace()
  const volumeMounts = [{ name: 'host', mountPath: '/host' }]
  const folder = await mkdtemp(join(tmpdir(), 'keelson-system-host-'))
  t.cleanup(() => rm(folder, { recursive: true }))
  const lifecycle = { preStop: { exec: { command: ['sh', '-c', 'echo preStop >> /host/log'] } } }
  const script = "trap 'echo TERM >> /host/log; exit' TERM; while true; do sleep 0.1; done"
  const main = container(t, ['sh', '-c', script], { lifecycle, volumeMounts })
  await create(
    t,
    runningPod(t, 'says', { volumes: [{ name: 'host', hostPath: { path: folder } }], containers: [main] }),
  )
  await t.until(pods, 'says', isReady)
  await t.kubectl(['delete', 'pod', 'says'])
  assert.equal(await readFile(join(folder, 'log'), 'utf8'), 'preStop\nTERM\n')
})

test('a sidecar is up before the others start, and ends after them', async (t) => {
  await t.namespace()
  const volumeMounts = [{ name: 'work', mountPath: '/space' }]
  const proxy: Container = {
    ...container(t, ['sh', '-c', 'echo up > /space/proxy; trap "exit 0" TERM; sleep 3600 & wait'], { volumeMounts }),
    name: 'proxy',
    restartPolicy: 'Always',
    startupProbe: { exec: { command: ['test', '-e', '/space/proxy'] }, periodSeconds: 1 },
  }
  const spec: Partial<PodSpec> = {
    initContainers: [proxy],
    volumes: [{ name: 'work', emptyDir: {} }],
    containers: [{ name: 'main', volumeMounts }],
  }
  assert.equal(await outputOf(t, 'pair', 'cat /space/proxy', spec), 'up\n')
  const { status } = await t.until(pods, 'pair', ({ status }) => status?.initContainerStatuses?.[0]?.state?.terminated)
  assert.equal(status?.phase, 'Succeeded')
})

test('a hostPort of the machine leads into the pod', async (t) => {
  await t.namespace()
  const hostPort = await freePort()
  const serve = 'mkdir -p /tmp/www; echo inside > /tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www'
  const main = container(t, ['sh', '-c', serve], {
    ports: [{ containerPort: 8080, hostPort }],
    readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
  })
  await create(t, runningPod(t, 'web', { containers: [main] }))
  await t.until(pods, 'web', isReady)
  const answer = await fetch(`http://127.0.0.1:${hostPort}/`, { signal: t.signal })
  assert.equal(await answer.text(), 'inside\n')
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

test('a debugging container joins a pod that runs', async (t) => {
  await t.namespace()
  await create(t, runningPod(t, 'one'))
  const one = await t.until(pods, 'one', isReady)
  const ephemeral = { ...container(t, ['sh', '-c', 'hostname; ps']), name: 'debugger', targetContainerName: 'main' }
  const path = `/api/v1/namespaces/${one.metadata.namespace}/pods/one/ephemeralcontainers`
  await t.api('PATCH', path, { spec: { ephemeralContainers: [ephemeral] } })
  const { status } = await t.until(
    pods,
    'one',
    ({ status }) => status?.ephemeralContainerStatuses?.[0]?.state?.terminated,
  )
  assert.equal(status?.ephemeralContainerStatuses?.[0]?.state?.terminated?.exitCode, 0)
  const output = await out(t, 'logs', 'one', '-c', 'debugger')
  assert.match(output, /^one\n/)
  assert.match(output, /sleep 3600/, 'it sees the processes of its target')
})

test('what a pod lacks is said, and it starts once that is there', async (t) => {
  await t.namespace()
  const byEnv = container(t, ['sh', '-c', 'echo $mode; sleep 3600'], { envFrom: [{ configMapRef: { name: 'late' } }] })
  await create(t, runningPod(t, 'by-env', { terminationGracePeriodSeconds: 0, containers: [byEnv] }))
  const byFile = container(t, ['sh', '-c', 'cat /map/mode; echo; sleep 3600'], {
    volumeMounts: [{ name: 'map', mountPath: '/map' }],
  })
  const volumes = [{ name: 'map', configMap: { name: 'late' } }]
  await create(t, runningPod(t, 'by-file', { terminationGracePeriodSeconds: 0, volumes, containers: [byFile] }))
  await t.until(pods, 'by-env', (pod) => stateOf(pod)?.state?.waiting?.reason === 'CreateContainerConfigError')
  await t.eventually(async () => /FailedMount/.test(await out(t, 'get', 'events')))
  await (await t.in(configmaps)).create(configMap('late', { mode: 'there' }))
  for (const name of ['by-env', 'by-file']) {
    await t.until(pods, name, isReady)
    await t.eventually(async () => (await out(t, 'logs', name)).startsWith('there'))
  }
})

test('a pod that outlives its deadline fails', async (t) => {
  await t.namespace()
  await create(t, runningPod(t, 'late', { activeDeadlineSeconds: 2 }))
  const { status } = await ends(t, 'late')
  assert.deepEqual([status?.phase, status?.reason], ['Failed', 'DeadlineExceeded'])
  await t.eventually(async () =>
    (await t.system.containers()).every(({ pod, state }) => pod !== 'late' || state !== 'running'),
  )
})
