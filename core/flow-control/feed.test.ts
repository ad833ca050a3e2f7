import { afterEach, expect, test, vi } from 'vitest'
import type { FlowSchema } from '#apis/flowcontrol/v1/zz_generated.types.ts'
import { CacheReader } from '#core/registry/object-reader.ts'
import { Metrics } from '#core/server/metrics.ts'
import { ManualClock } from '#core/testing/manual-clock.ts'
import { admin, openTestRegistry, type TestRegistry } from '#core/testing/test-registry.ts'
import { FlowControlFeed } from './feed.ts'
import { FlowControl } from './flow-control.ts'
import { FlowControlMetrics } from './flow-control-metrics.ts'

const schemas = 'flowcontrol.apiserver.k8s.io/v1/flowschemas'
const levels = 'flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations'

let test_: TestRegistry
afterEach(() => test_[Symbol.asyncDispose]())

async function start() {
  test_ = await openTestRegistry()
  const { registry, store, errors } = test_
  const reader = new CacheReader(() => registry)
  const control = new FlowControl({
    clock: new ManualClock(0),
    serverLimit: 600,
    waitLimitMs: 1_000,
    metrics: new FlowControlMetrics(new Metrics()),
    statistics: () => undefined,
  })
  const log = { debug() {}, info() {}, warn() {}, error: (message: string) => void errors.push(message) }
  const feed = new FlowControlFeed({ control, registry, store, reader, log })
  feed.start()
  await feed.keepDefaults()
  const schema = (name: string) => test_.get(schemas, name) as unknown as FlowSchema | undefined
  const dangling = (name: string) => schema(name)?.status?.conditions?.find(({ type }) => type === 'Dangling')?.status
  return { feed, control, dangling, schema, ...test_ }
}

test('the defaults are there, with their status', async () => {
  const { dangling, schema, control } = await start()
  await vi.waitFor(() => expect(dangling('catch-all')).toBe('False'))
  expect(schema('global-default')?.metadata.annotations).toEqual({ 'apf.kubernetes.io/autoupdate-spec': 'true' })
  const known = [...control.levels()].map(({ spec }) => [spec.name, spec.uid !== ''])
  expect(known).toContainEqual(['workload-low', true])
  expect(test_.errors).toEqual([])
})

test('a second look changes nothing', async () => {
  const { feed, dangling, cacher } = await start()
  await vi.waitFor(() => {
    for (const { metadata } of [
      ...new CacheReader(() => test_.registry).list<FlowSchema>('flowcontrol.apiserver.k8s.io', 'flowschemas'),
    ]) {
      expect(dangling(metadata.name ?? '')).toBe('False')
    }
  })
  const before = cacher.revision
  await feed.keepDefaults()
  expect(cacher.revision).toBe(before)
})

test('what is deleted comes back, what is edited is put right, what is taken over stays', async () => {
  const { feed, schema, store, served } = await start()
  const at = (name: string) => ({ namespace: '', name })
  const edit = (name: string, annotation: string) =>
    store.update(
      served(schemas),
      at(name),
      '',
      ({ bytes }) => {
        const object = JSON.parse(bytes.toString())
        object.spec.matchingPrecedence = 4_321
        object.metadata.annotations['apf.kubernetes.io/autoupdate-spec'] = annotation
        return object
      },
      admin,
    )
  await store.delete(served(schemas), at('probes'), {}, admin)
  await edit('service-accounts', 'true')
  await edit('global-default', 'false')
  await feed.keepDefaults()
  const precedence = (name: string) => schema(name)?.spec.matchingPrecedence
  expect(['probes', 'service-accounts', 'global-default'].map(precedence)).toEqual([2, 9_000, 4_321])
  await expect(edit('catch-all', 'false')).rejects.toThrow("spec of 'catch-all' must equal the fixed value")
})

test('a schema dangles until its level is there', async () => {
  const { create, dangling } = await start()
  const of = { apiVersion: 'flowcontrol.apiserver.k8s.io/v1' }
  await create(schemas, {
    ...of,
    kind: 'FlowSchema',
    metadata: { name: 'mine' },
    spec: {
      priorityLevelConfiguration: { name: 'mine' },
      rules: [
        {
          subjects: [{ kind: 'User', user: { name: 'x' } }],
          nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
        },
      ],
    },
  })
  await vi.waitFor(() => expect(dangling('mine')).toBe('True'))
  await create(levels, {
    ...of,
    kind: 'PriorityLevelConfiguration',
    metadata: { name: 'mine' },
    spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } },
  })
  await vi.waitFor(() => expect(dangling('mine')).toBe('False'))
})

test('a default of another version that the server made goes', async () => {
  const { feed, create, schema } = await start()
  const { status: _, ...template } = schema('probes')!
  const annotations = { 'apf.kubernetes.io/autoupdate-spec': 'true' }
  await create(schemas, { ...template, metadata: { name: 'former', annotations } })
  await feed.keepDefaults()
  expect(schema('former')).toBeUndefined()
})
