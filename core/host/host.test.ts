import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Plugin } from '#apis/keelson/v1/zz_generated.types.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { admin, openTestRegistry, type TestRegistry } from '#core/testing/test-registry.ts'
import type { PluginPackage } from './builtin-plugins.ts'
import { Host } from './host.ts'
import { PluginObjects } from './objects.ts'

let registry: TestRegistry
beforeAll(async () => {
  registry = await openTestRegistry()
})
afterAll(() => registry[Symbol.asyncDispose]())

const plugins = 'keelson.dev/v1/plugins'

function packageOf(name: string, isolation: 'worker' | 'process'): PluginPackage {
  return {
    name,
    package: `@keelson/${name}`,
    version: '1.0.0',
    directory: new URL('./fixtures/', import.meta.url),
    manifest: {
      abi: '^0.1',
      components: [{ name: 'main', kind: 'controller', entry: './misbehaving.ts', isolation }],
      permissions: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
    },
  }
}

/** A host of plugins that behave as told. */
async function startHost(
  behaviours: Record<string, string>,
  isolation: 'worker' | 'process' = 'worker',
): Promise<Host> {
  const silent = { debug() {}, info() {}, warn() {}, error() {} }
  const host = new Host({
    plugins: Object.keys(behaviours).map((name) => packageOf(name, isolation)),
    config: Object.fromEntries(Object.entries(behaviours).map(([name, behaviour]) => [name, { behaviour }])),
    without: new Set(),
    objects: new PluginObjects(registry.registry, registry.store),
    api: { server: 'https://127.0.0.1:1', caData: '' },
    issueToken: () => 'token',
    log: silent,
  })
  onTestFinished(() => host.stop())
  await host.start()
  return host
}

const pluginOf = (name: string) => registry.get(plugins, name) as unknown as Plugin
const readyOf = (name: string) => pluginOf(name)?.status?.conditions?.find((one) => one.type === 'Ready')

/** Resolves once `isSo`, asked at every change of a Plugin. */
async function until(isSo: () => boolean): Promise<void> {
  let wake = () => {}
  const stop = registry.served(plugins).resource.cache.onChange(() => setImmediate(() => wake()))
  while (!isSo()) {
    const { promise, resolve } = Promise.withResolvers<void>()
    wake = resolve
    await promise
  }
  stop()
}

async function setEnabled(name: string, enabled: boolean): Promise<void> {
  const change = ({ bytes }: { bytes: Buffer }) => {
    const object = reviveObject(bytes)
    return { ...object, spec: { ...(object.spec as object), enabled } }
  }
  await registry.store.update(registry.served(plugins), { namespace: '', name }, '', change, admin)
}

test.each(['worker', 'process'] as const)(
  'the Plugin of a failing %s says what failed and how often; others run on',
  async (isolation) => {
    const [good, bad] = [`good-${isolation}`, `bad-${isolation}`]
    await startHost({ [good]: 'works', [bad]: 'throws' }, isolation)
    await until(() => readyOf(good)?.status === 'True')
    await until(() => (pluginOf(bad).status?.restarts ?? 0) >= 1)
    const [component] = pluginOf(bad).status!.components!
    expect(component).toMatchObject({ name: 'main', kind: 'controller', isolation })
    expect(component!.lastError).toContain('broken on purpose')
    expect(pluginOf(good).status).toMatchObject({ restarts: 0, version: '1.0.0', components: [{ state: 'Running' }] })
  },
)

test('a plugin acts as an account of its own, with the rights of its manifest and no more', async () => {
  await startHost({ rights: 'works' })
  await until(() => readyOf('rights')?.status === 'True')
  expect(registry.get('v1/serviceaccounts', 'keelson-system/rights')).toBeDefined()
  expect(registry.get('rbac.authorization.k8s.io/v1/clusterroles', 'keelson:plugin:rights')).toMatchObject({
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
  })
  expect(registry.get('rbac.authorization.k8s.io/v1/clusterrolebindings', 'keelson:plugin:rights')).toMatchObject({
    subjects: [{ kind: 'ServiceAccount', name: 'rights', namespace: 'keelson-system' }],
  })
})

test('a plugin is stopped and started as its object says, while it runs and over a restart', async () => {
  const first = await startHost({ switched: 'works' })
  await until(() => readyOf('switched')?.status === 'True')
  await setEnabled('switched', false)
  await until(() => readyOf('switched')?.reason === 'Disabled')
  expect(pluginOf('switched').status!.components).toMatchObject([{ state: 'Stopped' }])
  await first.stop()
  await startHost({ switched: 'works' })
  expect(readyOf('switched')?.reason).toBe('Disabled')
  await setEnabled('switched', true)
  await until(() => readyOf('switched')?.status === 'True')
})

test('a host that does not lead runs no controllers and says nothing about them; when it leads, it does', async () => {
  const host = await startHost({ led: 'works' })
  await until(() => readyOf('led')?.status === 'True')
  host.setLeading(false)
  const before = pluginOf('led').metadata.resourceVersion
  await setEnabled('led', true)
  expect(pluginOf('led').metadata.resourceVersion).toBe(before)
  await registry.store.update(
    registry.served(plugins),
    { namespace: '', name: 'led' },
    'status',
    ({ bytes }) => ({ ...reviveObject(bytes), status: {} }),
    admin,
  )
  host.setLeading(true)
  await until(() => readyOf('led')?.status === 'True')
})
