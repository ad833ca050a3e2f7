/** Tries every example as a reader would: with the real kubectl, on a server with a simulated node. */
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { AppsV1Api, CoreV1Api, KubeConfig, makeInformer, type V1Pod } from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { end, lineOf, missingKubectl, root, startNode, startTestCluster, type TestCluster } from './testing/cluster.ts'
import { installPlugin } from './testing/installed-plugin.ts'
import { startWebhook } from './testing/webhook.ts'

const missing = await missingKubectl()
/** It compiles twice and packs three times. */
const packingTestMs = 120_000

describe.skipIf(missing !== undefined)(`the examples${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let cluster: TestCluster
  const kubectl = (...args: string[]) => cluster.kubectl(...args)

  beforeAll(async () => {
    cluster = await startTestCluster()
  })
  afterAll(() => cluster?.[Symbol.asyncDispose]())

  test('hello runs three pods, and an informer of the official client sees them', async () => {
    const config = new KubeConfig()
    config.loadFromFile(cluster.kubeconfig)
    const running = runningPods(config, 3)
    await kubectl('apply', '-f', 'examples/hello/')
    await kubectl('rollout', 'status', 'deployment/hello', '--timeout=30s')
    expect((await running).every((name) => name.startsWith('hello-'))).toBe(true)
    const deployment = await config
      .makeApiClient(AppsV1Api)
      .readNamespacedDeployment({ name: 'hello', namespace: 'default' })
    expect(deployment.status?.availableReplicas).toBe(3)
  })

  test('crd adds a kind with columns, defaults, rules, selectable fields, a status and a scale', async () => {
    await defineCronTabs(cluster)
    await kubectl('apply', '-f', 'examples/crd/crontab.yaml')
    const [header, row] = (await kubectl('get', 'ct')).split('\n')
    expect(header?.split(/\s+/)).toEqual(['NAME', 'SCHEDULE', 'REPLICAS', 'SUSPENDED', 'AGE'])
    expect(row).toMatch(/^nightly +0 3 \* \* \* +1 +false +\d+s$/)
    expect(await kubectl('get', 'ct', '-o', 'wide')).toContain('busybox:stable')
    expect(await kubectl('explain', 'crontab.spec.schedule')).toContain('Five fields, as cron writes them.')

    await kubectl('scale', 'ct/nightly', '--replicas=3')
    expect(await kubectl('get', 'ct/nightly', '-o', 'jsonpath={.spec.replicas}')).toBe('3')
    const status = '{"status":{"replicas":2},"spec":{"suspend":true}}'
    await kubectl('patch', 'ct/nightly', '--subresource=status', '--type=merge', '-p', status)
    expect(await kubectl('get', 'ct/nightly', '-o', 'jsonpath={.status.replicas} {.spec.suspend}')).toBe('2 false')
    expect(await kubectl('get', 'ct', '--field-selector', 'spec.suspend=false', '-o', 'name')).toContain('nightly')
    expect(await kubectl('get', 'ct', '--field-selector', 'spec.suspend=true', '-o', 'name')).toBe('')

    const patch = (spec: object) => kubectl('patch', 'ct/nightly', '--type=merge', '-p', JSON.stringify({ spec }))
    await expect(patch({ replicas: 11 })).rejects.toThrow('must not be above maxReplicas')
    await expect(patch({ maxReplicas: 101 })).rejects.toThrow('should be less than or equal to 100')
    await expect(patch({ schedule: 'daily' })).rejects.toThrow('spec.schedule in body should match')
    await expect(patch({ image: 'other' })).rejects.toThrow('make another CronTab for another image')
  })

  test('crd converts between its versions', async () => {
    await defineCronTabs(cluster)
    await using webhook = await startWebhook(join(root, 'examples/crd/convert.ts'))
    const { url, caBundle } = webhook
    const conversion = {
      strategy: 'Webhook',
      webhook: { conversionReviewVersions: ['v1'], clientConfig: { url, caBundle } },
    }
    const patch = JSON.stringify({ spec: { conversion } })
    await kubectl('patch', 'crd/crontabs.example.com', '--type=merge', '-p', patch)
    await kubectl('apply', '-f', 'examples/crd/crontab-v1beta1.yaml')
    const schedule = (kind: string, path: string) =>
      kubectl('get', kind, 'hourly', '-o', `jsonpath={.apiVersion} ${path}`)
    expect(await schedule('crontabs.v1.example.com', '{.spec.schedule}')).toBe('example.com/v1 0 * * * *')
    expect(await schedule('crontabs.v1beta1.example.com', '{.spec.cronSpec}')).toBe('example.com/v1beta1 0 * * * *')
    const list = startPlugin(join(root, 'examples/crd/list.ts'), cluster)
    onTestFinished(async () => void (await end(list)))
    await lineOf(list, /^hourly runs busybox:stable at 0 \* \* \* \*$/)
    await kubectl('delete', 'crd/crontabs.example.com')
  })

  test('rbac lets an account read pods and nothing else', async () => {
    await kubectl('apply', '-f', 'examples/rbac/')
    const config = new KubeConfig()
    config.loadFromFile(cluster.kubeconfig)
    config.users = [{ name: 'viewer', token: await kubectl('create', 'token', 'viewer') }]
    config.contexts = config.contexts.map((context) => ({ ...context, user: 'viewer' }))
    const api = config.makeApiClient(CoreV1Api)
    await expect(api.listNamespacedPod({ namespace: 'default' })).resolves.toHaveProperty('items')
    await expect(api.listNamespacedPod({ namespace: 'kube-system' })).rejects.toMatchObject({ code: 403 })
    await expect(api.listNamespacedSecret({ namespace: 'default' })).rejects.toMatchObject({ code: 403 })
    await expect(api.deleteNamespacedPod({ name: 'x', namespace: 'default' })).rejects.toMatchObject({ code: 403 })
  })

  test('policy keeps Deployments within limits, and says whose they are', async () => {
    await kubectl('apply', '-f', 'examples/policy/policies.yaml')
    await kubectl('apply', '-f', 'examples/policy/namespace.yaml')
    const create = (name: string, replicas: number) =>
      kubectl('create', 'deployment', name, '-n', 'shop', '--image=none', `--replicas=${replicas}`)
    await expect(create('small', 1)).rejects.toThrow(
      "ValidatingAdmissionPolicy 'replicas.example.com' with binding 'replicas.example.com' denied request: at least 3 replicas, not 1",
    )
    await create('large', 3)
    const team = 'policy\\.example\\.com/team'
    const paths = `{.metadata.labels.${team}} {.spec.template.metadata.labels.${team}}`
    expect(await kubectl('get', 'deployment/large', '-n', 'shop', '-o', `jsonpath=${paths}`)).toBe('blue blue')
    await expect(kubectl('scale', 'deployment/large', '-n', 'shop', '--replicas=2')).rejects.toThrow(
      'at least 3 replicas, not 2',
    )
    await kubectl('patch', 'configmap/deployment-limits', '-n', 'shop', '-p', '{"data":{"replicas":"1"}}')
    await kubectl('scale', 'deployment/large', '-n', 'shop', '--replicas=2')
    await kubectl('delete', '-f', 'examples/policy/policies.yaml')
  })

  test('plugin follows the teams of namespaces, and ends when it is told to', async () => {
    const plugin = startPlugin(join(root, 'examples/plugin/standalone.ts'), cluster)
    onTestFinished(async () => void (await end(plugin)))
    await lineOf(plugin, /^ready$/)
    await followsTeams(cluster)
    expect(await end(plugin)).toBe(0)
  })

  test(
    'packages made for npm work in plain Node, types included',
    async () => {
      await using installed = await installPlugin()
      const plugin = startPlugin(join(installed.directory, 'standalone.js'), cluster)
      onTestFinished(async () => void (await end(plugin)))
      await lineOf(plugin, /^ready$/)
      await followsTeams(cluster)
      expect(await end(plugin)).toBe(0)
    },
    packingTestMs,
  )
})

async function defineCronTabs({ kubectl }: TestCluster): Promise<void> {
  await kubectl('apply', '-f', 'examples/crd/crontab-definition.yaml')
  await kubectl('wait', '--for=condition=Established', 'crd/crontabs.example.com', '--timeout=30s')
}

/** Resolves with the names of the pods of `default` once `count` of them run, as an informer of the official client tells it. */
async function runningPods(config: KubeConfig, count: number): Promise<string[]> {
  const api = config.makeApiClient(CoreV1Api)
  const informer = makeInformer(config, '/api/v1/namespaces/default/pods', () =>
    api.listNamespacedPod({ namespace: 'default' }),
  )
  onTestFinished(() => informer.stop())
  const running = new Set<string>()
  const { promise, resolve } = Promise.withResolvers<string[]>()
  const see = ({ metadata, status }: V1Pod) => {
    if (status?.phase === 'Running') running.add(metadata?.name ?? '')
    if (running.size === count) resolve([...running])
  }
  informer.on('add', see)
  informer.on('update', see)
  await informer.start()
  return promise
}

function startPlugin(program: string, { kubeconfig }: TestCluster): ChildProcess {
  return startNode([program], { env: { ...process.env, KUBECONFIG: kubeconfig } })
}

/** Labels a namespace and expects its ConfigMap to appear, to change and to go. */
async function followsTeams({ kubectl }: TestCluster): Promise<void> {
  const namespace = `shop-${Math.random().toString(36).slice(2, 8)}`
  const label = (value: string) => kubectl('label', '--overwrite', 'namespace', namespace, `example.com/team${value}`)
  const wait = (condition: string) =>
    kubectl('wait', '-n', namespace, `--for=${condition}`, 'configmap/team', '--timeout=20s')
  await kubectl('create', 'namespace', namespace)
  await label('=blue')
  await wait('create')
  await label('=red')
  await wait('jsonpath={.data.team}=red')
  await label('-')
  await wait('delete')
}
