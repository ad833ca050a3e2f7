/** What people do with kubectl to pods that really run. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { configmaps, type Pod, pods } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { container, deployment, runningPod } from '../runner/fixtures.ts'
import { kubectlBinary } from '../runner/kubectl.ts'
import { type SystemContext, systemTests } from './testing.ts'

const test = systemTests({ cri: 'docker' })
const run = promisify(execFile)
const json = JSON.stringify

const out = async (t: SystemContext, ...args: string[]) => (await t.kubectl(args)).stdout
const isReady = ({ status }: Pod) =>
  status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')

/** A pod that is ready. */
async function ready(t: SystemContext, pod: Pod): Promise<Pod> {
  await (await t.in(pods)).create(pod)
  return t.until(pods, pod.metadata.name!, isReady)
}

async function rolledOut(t: SystemContext, name = 'web', replicas = 2): Promise<void> {
  await t.kubectl(['apply', '-f', '-'], { input: json(deployment(t, name, replicas)) })
  await t.kubectl(['rollout', 'status', `deployment/${name}`, '--timeout=90s'])
}

test('a deployment of three becomes available, each pod a container of the engine', async (t) => {
  const namespace = await t.namespace()
  await rolledOut(t, 'hello', 3)
  await t.kubectl(['wait', '--for=condition=Available', 'deployment/hello', '--timeout=60s'])
  const names = (await out(t, 'get', 'pods', '-l', 'app=hello', '-o', 'name')).trim().split('\n')
  assert.equal(names.length, 3)
  const running = (await t.system.containers()).filter(
    ({ container, state }) => container === 'main' && state === 'running',
  )
  for (const name of names)
    assert.ok(
      running.some(({ pod }) => `pod/${pod}` === name),
      `${name} in ${namespace}`,
    )
})

test('logs tell what was written, and follow it to the end', async (t) => {
  await t.namespace()
  const script = 'for line in one two three; do echo $line; echo err-$line >&2; sleep 0.2; done; exit 3'
  const containers = [container(t, ['sh', '-c', script])]
  await (await t.in(pods)).create(runningPod(t, 'talks', { restartPolicy: 'Never', containers }))
  await t.until(pods, 'talks', ({ status }) => status?.phase !== 'Pending')
  const followed = await out(t, 'logs', '-f', 'talks')
  assert.deepEqual(followed.trim().split('\n').sort(), ['err-one', 'err-three', 'err-two', 'one', 'three', 'two'])
  assert.equal(await out(t, 'logs', 'talks'), followed)
  assert.equal((await out(t, 'logs', '--tail=1', 'talks')).split('\n').length, 2)
  assert.match(await out(t, 'logs', '--timestamps', 'talks'), /^\d{4}-\d\d-\d\dT[\d:.]+Z \S+$/m)
  await t.until(pods, 'talks', ({ status }) => status?.phase === 'Failed')
})

test('exec gives the exit code and both outputs, and takes input', async (t) => {
  await t.namespace()
  await ready(t, runningPod(t, 'one'))
  const exec = (command: string[], input?: string) =>
    t.kubectl(['exec', ...(input === undefined ? [] : ['-i']), 'one', '--', ...command], {
      mayFail: true,
      ...(input !== undefined && { input }),
    })
  assert.deepEqual(await exec(['sh', '-c', 'echo out']), { stdout: 'out\n', stderr: '', exitCode: 0 })
  const failed = await exec(['sh', '-c', 'echo oops >&2; exit 42'])
  assert.deepEqual([failed.stdout, failed.exitCode], ['', 42])
  assert.match(failed.stderr, /^oops\n/)
  const text = 'line\n'.repeat(50_000)
  assert.equal((await exec(['cat'], text)).stdout.length, text.length)
  const missing = await exec(['no-such-program'])
  assert.notEqual(missing.exitCode, 0)
  const noPod = await t.kubectl(['exec', 'nobody', '--', 'true'], { mayFail: true })
  assert.match(noPod.stderr, /pods "nobody" not found/)
})

test('exec -it gives a terminal', async (t) => {
  const namespace = await t.namespace()
  await ready(t, runningPod(t, 'one'))
  const { kubeconfig } = t.system.cluster
  // The size arrives a moment after the command has started.
  const script = 'tty; until test "$(stty size)" = "31 97"; do sleep 0.1; done; exit 5'
  const command = `${kubectlBinary} --kubeconfig ${kubeconfig} -n ${namespace} exec -it one -- sh -c '${script}'`
  const { stdout, code } = await run('script', ['-qec', `stty rows 31 cols 97; ${command}`, '/dev/null'], {
    signal: t.signal,
  }).then(
    ({ stdout }) => ({ stdout, code: 0 }),
    (error: { stdout: string; code: number }) => error,
  )
  assert.match(stdout, /\/dev\/pts\/\d+/)
  assert.equal(code, 5)
})

test('attach joins the container’s own streams', async (t) => {
  await t.namespace()
  const containers = [container(t, ['sh', '-c', 'read word; echo "heard $word"; sleep 0.2'], { stdin: true })]
  await (await t.in(pods)).create(runningPod(t, 'listens', { restartPolicy: 'Never', containers }))
  await t.until(pods, 'listens', isReady)
  const { stdout } = await t.kubectl(['attach', '-i', 'listens'], { input: 'hello\n' })
  assert.match(stdout, /heard hello/)
  await t.until(pods, 'listens', ({ status }) => status?.phase === 'Succeeded')
})

test('run -i --rm starts a pod, joins it and removes it', async (t) => {
  await t.namespace()
  const flags = ['--image', t.image, '--restart=Never', '--rm', '-i', '--quiet']
  const { stdout } = await t.kubectl(['run', 'once', ...flags, '--', 'sh', '-c', 'read x; echo "got $x"'], {
    input: 'it\n',
  })
  assert.match(stdout, /got it/)
  await t.untilGone(pods, 'once')
})

test('cp carries files both ways', async (t) => {
  await t.namespace()
  await ready(t, runningPod(t, 'one'))
  const source = await t.file('there.txt', 'x'.repeat(300_000))
  await t.kubectl(['cp', source, 'one:/tmp/there.txt'])
  assert.match(await out(t, 'exec', 'one', '--', 'wc', '-c', '/tmp/there.txt'), /^300000 /)
  const back = join(source, '..', 'back.txt')
  await t.kubectl(['cp', 'one:/tmp/there.txt', back])
  assert.equal((await readFile(back, 'utf8')).length, 300_000)
})

for (const [protocol, websockets] of [
  ['WebSocket', 'true'],
  ['SPDY', 'false'],
] as const) {
  test(`port-forward and exec work over ${protocol}`, async (t) => {
    const namespace = await t.namespace()
    const page = 'mkdir -p /tmp/www; echo page > /tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www'
    const readinessProbe = { httpGet: { path: '/index.html', port: 8080 }, periodSeconds: 1 }
    await ready(t, runningPod(t, 'web', { containers: [container(t, ['sh', '-c', page], { readinessProbe })] }))
    const env = { KUBECTL_PORT_FORWARD_WEBSOCKETS: websockets, KUBECTL_REMOTE_COMMAND_WEBSOCKETS: websockets }
    const { stdout } = await t.kubectl(['exec', '-i', 'web', '--', 'cat'], { input: 'through', env })
    assert.equal(stdout, 'through')
    await using forward = await portForward(t, namespace, 'web', 8080, env)
    for (const _ of [1, 2, 3]) {
      const response = await fetch(`http://127.0.0.1:${forward.port}/index.html`, { headers: { connection: 'close' } })
      assert.equal(await response.text(), 'page\n')
    }
  })
}

/** `kubectl port-forward` to a local port that it chooses. */
async function portForward(
  t: SystemContext,
  namespace: string,
  pod: string,
  port: number,
  env: Record<string, string>,
) {
  const args = ['--kubeconfig', t.system.cluster.kubeconfig, '-n', namespace, 'port-forward', `pod/${pod}`, `:${port}`]
  const child = spawn(kubectlBinary, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  const local = await new Promise<number>((resolve, reject) => {
    let said = ''
    child.stdout.on('data', (chunk) => {
      said += chunk
      const found = /127\.0\.0\.1:(\d+) ->/.exec(said)?.[1]
      if (found) resolve(Number(found))
    })
    child.once('exit', (code) => reject(new Error(`port-forward ended with ${code}: ${said}`)))
    t.signal.addEventListener('abort', () => child.kill('SIGKILL'), { once: true })
  })
  return {
    port: local,
    async [Symbol.asyncDispose]() {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await gone
    },
  }
}

test('rollout status, history, undo and restart, scale and set image', async (t) => {
  await t.namespace()
  await rolledOut(t)
  const status = () => t.kubectl(['rollout', 'status', 'deployment/web', '--timeout=90s'])
  await t.kubectl(['set', 'env', 'deployment/web', 'VERSION=two'])
  await status()
  assert.match(await out(t, 'rollout', 'history', 'deployment/web'), /^1\s.*\n2\s/m)
  await t.kubectl(['rollout', 'undo', 'deployment/web'])
  await status()
  assert.match(await out(t, 'set', 'env', 'deployment/web', '--list'), /^VERSION=one$/m)
  await t.kubectl(['rollout', 'restart', 'deployment/web'])
  await status()
  await t.kubectl(['scale', 'deployment/web', '--replicas=4'])
  await status()
  assert.match(await out(t, 'get', 'deployment', 'web'), /^web\s+4\/4\s+4\s+4\s/m)
  await t.kubectl(['scale', 'deployment/web', '--replicas=1'])
  await t.eventually(async () => (await out(t, 'get', 'pods', '-l', 'app=web', '-o', 'name')).split('\n').length === 2)
  await t.kubectl(['set', 'image', 'deployment/web', 'main=nowhere.invalid/none:1'])
  await t.eventually(async () => /ErrImagePull|ImagePullBackOff/.test(await out(t, 'get', 'pods')))
  assert.match(await out(t, 'get', 'deployment', 'web'), /^web\s+1\/1\s/m, 'the old pod keeps running')
  await t.kubectl(['set', 'image', 'deployment/web', `main=${t.image}`])
  await status()
})

test('edit, patch, label and annotate change what is stored', async (t) => {
  await t.namespace()
  await rolledOut(t, 'web', 1)
  const editor = await t.file('editor', '#!/bin/sh\nsed -i "s/replicas: 1/replicas: 2/" "$1"\n')
  await chmod(editor, 0o700)
  await t.kubectl(['edit', 'deployment/web'], { env: { KUBE_EDITOR: editor } })
  const at = (path: string) => out(t, 'get', 'deployment', 'web', '-o', `jsonpath={${path}}`)
  assert.equal(await at('.spec.replicas'), '2')
  const patch = (type: string, body: unknown) =>
    t.kubectl(['patch', 'deployment', 'web', '--type', type, '-p', json(body)])
  await patch('strategic', {
    spec: { template: { spec: { containers: [{ name: 'main', env: [{ name: 'X', value: 's' }] }] } } },
  })
  assert.equal(await at('.spec.template.spec.containers[0].env[*].name'), 'X VERSION')
  await patch('merge', { spec: { replicas: 3, revisionHistoryLimit: 4 } })
  assert.equal(await at('.spec.revisionHistoryLimit'), '4')
  await patch('json', [{ op: 'replace', path: '/spec/replicas', value: 1 }])
  assert.equal(await at('.spec.replicas'), '1')
  await t.kubectl(['label', 'deployment', 'web', 'tier=front'])
  await t.kubectl(['annotate', 'deployment', 'web', 'example.com/note=kept'])
  assert.equal(await at('.metadata.labels.tier'), 'front')
  assert.equal(await at('.metadata.annotations.example\\.com/note'), 'kept')
  await t.kubectl(['label', 'deployment', 'web', 'tier-'])
  assert.equal(await at('.metadata.labels.tier'), '')
})

test('wait, diff and explain tell the truth', async (t) => {
  await t.namespace()
  await rolledOut(t, 'web', 1)
  await t.kubectl(['wait', '--for=condition=Available', 'deployment/web', '--timeout=60s'])
  const late = await t.kubectl(['wait', '--for=condition=Nonsense', 'deployment/web', '--timeout=1s'], {
    mayFail: true,
  })
  assert.match(late.stderr, /timed out/)
  const changed = deployment(t, 'web', 5)
  const diff = await t.kubectl(['diff', '-f', '-'], { input: json(changed), mayFail: true })
  assert.equal(diff.exitCode, 1, diff.stderr)
  assert.match(diff.stdout, /^-\s+replicas: 1\n\+\s+replicas: 5$/m)
  const same = await t.kubectl(['diff', '-f', '-'], { input: json(deployment(t, 'web', 1)), mayFail: true })
  assert.deepEqual([same.exitCode, same.stdout], [0, ''], same.stderr)
  assert.match(await out(t, 'explain', 'pod.spec.containers'), /image/)
})

test('delete waits for the grace that it is given, and takes the containers with it', async (t) => {
  await t.namespace()
  const stubborn = [container(t, ['sh', '-c', "trap '' TERM; while true; do sleep 0.1; done"])]
  const { metadata } = await ready(
    t,
    runningPod(t, 'stubborn', { terminationGracePeriodSeconds: 2, containers: stubborn }),
  )
  await t.kubectl(['delete', 'pod', 'stubborn'])
  assert.deepEqual(
    (await t.system.containers()).filter(({ pod, state }) => pod === metadata.name && state === 'running'),
    [],
  )
  await ready(t, runningPod(t, 'longer', { terminationGracePeriodSeconds: 3600, containers: stubborn }))
  await t.kubectl(['delete', 'pod', 'longer', '--grace-period=1'])
  await ready(t, runningPod(t, 'forced', { terminationGracePeriodSeconds: 3600, containers: stubborn }))
  await t.kubectl(['delete', 'pod', 'forced', '--grace-period=0', '--force'])
  await t.eventually(async () => !(await t.system.containers()).some(({ pod }) => pod === 'forced'))
})

test('delete cascades as asked', async (t) => {
  await t.namespace()
  // Spelled as every kubectl from 1.20 on takes it.
  const count = async (what: string, app: string) =>
    (await out(t, 'get', what, '-l', `app=${app}`, '-o', 'name')).split('\n').filter(Boolean).length
  for (const policy of ['foreground', 'background'] as const) {
    await rolledOut(t, policy, 1)
    await t.kubectl(['delete', 'deployment', policy, `--cascade=${policy}`])
    if (policy === 'foreground') assert.equal(await count('replicasets,pods', policy), 0)
    await t.eventually(async () => (await count('replicasets,pods', policy)) === 0)
  }
  await rolledOut(t, 'orphan', 1)
  await t.kubectl(['delete', 'deployment', 'orphan', '--cascade=orphan'])
  await t.eventually(
    async () =>
      (await out(t, 'get', 'replicaset', '-l', 'app=orphan', '-o', 'jsonpath={.items[0].metadata.ownerReferences}')) ===
      '',
  )
  assert.equal(await count('replicasets', 'orphan'), 1)
  assert.equal(await count('pods', 'orphan'), 1)
})

test('apply prunes fields that are gone from the file', async (t) => {
  await t.namespace()
  const apply = (data: Record<string, string>) =>
    t.kubectl(['apply', '-f', '-'], {
      input: json({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data }),
    })
  await apply({ one: '1', two: '2' })
  await apply({ two: '3' })
  assert.deepEqual((await (await t.in(configmaps)).get('settings')).data, { two: '3' })
})
