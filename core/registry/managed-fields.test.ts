import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ManagedFieldsEntry, UnstructuredObject } from '#apis/meta/v1/types.ts'
import { isConflict, statusOf } from '#core/errors/status-error.ts'
import { reviveWhole } from '#core/machinery/canonical.ts'
import type { JsonObject } from '#core/schema/json.ts'
import type { CacheEntry } from '#core/storage/cacher/entry.ts'
import { admin, openTestRegistry, type TestRegistry } from '#core/testing/test-registry.ts'
import { lastAppliedAnnotation } from './apply-configuration.ts'

/** Owners as they are stored with objects, through the store that keeps them. */

let clock = Date.parse('2030-01-01T00:00:00Z')
let registry: TestRegistry
beforeAll(async () => {
  registry = await openTestRegistry({ now: () => clock })
})
afterAll(() => registry[Symbol.asyncDispose]())

const configMaps = 'v1/configmaps'
const autoscalers = 'autoscaling/v2/horizontalpodautoscalers'

const object = (name: string, rest: JsonObject = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  ...rest,
})

async function create(body: object, manager: string, of = configMaps): Promise<UnstructuredObject> {
  const bytes = await registry.store.create(registry.served(of), 'default', structuredClone(body), {
    ...admin,
    manager,
  })
  return reviveWhole(bytes)
}

async function update(
  name: string,
  manager: string,
  change: (object: UnstructuredObject) => void,
  of = configMaps,
): Promise<UnstructuredObject> {
  const served = registry.served(of)
  const apply = ({ bytes }: CacheEntry) => {
    const changed = reviveWhole(bytes)
    change(changed)
    return changed
  }
  const at = { namespace: 'default', name }
  return reviveWhole(await registry.store.update(served, at, '', apply, { ...admin, manager }))
}

async function apply(configuration: object, name: string, force = false, of = configMaps): Promise<UnstructuredObject> {
  const read = () => ({
    configuration: structuredClone(configuration) as UnstructuredObject,
    manager: { name, operation: 'Apply', subresource: '' } as const,
    force,
  })
  const at = { namespace: 'default', name: (configuration as UnstructuredObject).metadata.name! }
  const { bytes } = await registry.store.apply(registry.served(of), at, '', read, () => {}, { ...admin, manager: name })
  return reviveWhole(bytes)
}

const shown = ({ metadata }: UnstructuredObject) =>
  Object.fromEntries(
    (metadata.managedFields ?? []).map(({ manager, operation, fieldsV1 }) => [`${manager} ${operation}`, fieldsV1]),
  )

test('who creates an object owns what is in it, but for what names it', async () => {
  const made = await create(object('created', { data: { b: '1', a: '1' } }), 'maker')
  expect(made.metadata.managedFields).toEqual([
    {
      manager: 'maker',
      operation: 'Update',
      apiVersion: 'v1',
      time: '2030-01-01T00:00:00Z',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:data': { '.': {}, 'f:a': {}, 'f:b': {} } },
    },
  ])
})

test('an update takes what it changes, and time passes only for who set something', async () => {
  await create(object('taken', { data: { a: '1', b: '1', c: '1' } }), 'first')
  clock += 60_000
  const after = await update('taken', 'second', ({ data }) => {
    const values = data as JsonObject
    values.a = '2'
    delete values.c
  })
  expect(shown(after)).toEqual({
    'first Update': { 'f:data': { '.': {}, 'f:b': {} } },
    'second Update': { 'f:data': { 'f:a': {} } },
  })
  expect(after.metadata.managedFields?.map(({ time }) => time)).toEqual([
    '2030-01-01T00:00:00Z',
    '2030-01-01T00:01:00Z',
  ])
})

test('a write that changes nothing is not one, whoever makes it', async () => {
  const made = await create(object('same', { data: { a: '1' } }), 'first')
  clock += 60_000
  const after = await update('same', 'second', () => {})
  expect(after).toEqual(made)
})

test('a client may name the owners of what it creates, and clear them', async () => {
  const managedFields: ManagedFieldsEntry[] = [
    {
      manager: 'other',
      operation: 'Update',
      apiVersion: 'v1',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:status': {}, 'f:data': { 'f:a': {} } },
    },
  ]
  const body = object('named', { data: { a: '1' } })
  const made = await create({ ...body, metadata: { ...body.metadata, managedFields } }, 'maker')
  expect(shown(made)).toEqual({
    'other Update': { 'f:status': {} },
    'maker Update': { 'f:data': { '.': {}, 'f:a': {} } },
  })
  const cleared = await update('named', 'second', ({ metadata }) => {
    metadata.managedFields = []
  })
  expect(cleared.metadata.managedFields).toBeUndefined()
})

test('owners that cannot be read are not believed', async () => {
  await create(object('believed', { data: { a: '1' } }), 'first')
  const broken = [
    { manager: 'x', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV2', fieldsV1: {} },
    { manager: 'x', operation: 'Apply', apiVersion: '', fieldsType: 'FieldsV1', fieldsV1: {} },
    { manager: 'x', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { data: {} } },
    { manager: 'x', operation: 'Delete', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: {} },
  ]
  for (const entry of broken) {
    const after = await update('believed', 'first', ({ metadata }) => {
      metadata.managedFields = [entry]
    })
    expect(shown(after)).toEqual({ 'first Update': { 'f:data': { '.': {}, 'f:a': {} } } })
  }
})

test('texts that look like marks of the format stay within their fields', async () => {
  const names = ['}},{"manager":"x', ',"fieldsV1":', '}],"name":"', ']', '\u2028"\\', '__proto__']
  const data: JsonObject = Object.fromEntries(names.map((name) => [name, name]))
  const applied = await apply(
    { ...object('marks'), metadata: { name: 'marks', namespace: 'default', annotations: data } },
    names[0]!,
  ).catch((error: unknown) => statusOf(error))
  // Keys of annotations have a form of their own; owners in front of them must still be read as they were written.
  expect(applied).toMatchObject({ reason: 'Invalid' })
  const made = await apply(object('marks', { data: { a: '}],"name":"x' } }), names[0]!)
  const again = await apply(object('marks', { data: { a: '}},{"manager":"y' } }), names[1]!, true)
  expect(made.data).toEqual({ a: '}],"name":"x' })
  expect(shown(again)).toEqual({ [`${names[1]} Apply`]: { 'f:data': { 'f:a': {} } } })
  expect(again.metadata.managedFields?.[0]?.manager).toBe(names[1])
})

test('who applied on the client goes on on the server, and the annotation follows', async () => {
  const last = object('migrated', { data: { a: '1', b: '1' } })
  const body = {
    ...last,
    metadata: { ...last.metadata, annotations: { [lastAppliedAnnotation]: JSON.stringify(last) } },
  }
  await create(body, 'kubectl-client-side-apply')
  const wanted = object('migrated', { data: { a: '2', b: '1' } })
  expect(isConflict(await apply(wanted, 'other').catch((error: unknown) => error))).toBe(true)
  const applied = await apply(wanted, 'kubectl')
  expect(applied.data).toEqual({ a: '2', b: '1' })
  expect(JSON.parse(applied.metadata.annotations![lastAppliedAnnotation]!)).toEqual(wanted)
})

test('what somebody else changed since it was applied on the client is a conflict', async () => {
  const last = object('changed', { data: { a: '1' } })
  const annotations = { [lastAppliedAnnotation]: JSON.stringify(last) }
  await create({ ...last, metadata: { ...last.metadata, annotations } }, 'kubectl-client-side-apply')
  await update('changed', 'other', ({ data }) => {
    ;(data as JsonObject).a = '2'
  })
  const refused = await apply(object('changed', { data: { a: '3' } }), 'kubectl').catch((error: unknown) => error)
  expect(statusOf(refused).message).toBe('Apply failed with 1 conflict: conflict with "other" using v1: .data.a')
})

test('who owns in one version conflicts in another, by the fields of his own', async () => {
  const v2 = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'scaler', namespace: 'default' },
    spec: {
      maxReplicas: 3,
      scaleTargetRef: { kind: 'Deployment', name: 'web', apiVersion: 'apps/v1' },
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
      ],
    },
  }
  await apply(v2, 'first', false, autoscalers)
  const after = await update(
    'scaler',
    'second',
    ({ spec }) => {
      ;(spec as JsonObject).targetCPUUtilizationPercentage = 70
    },
    'autoscaling/v1/horizontalpodautoscalers',
  )
  const fields = Object.fromEntries(
    after.metadata.managedFields!.map(({ manager, apiVersion, fieldsV1 }) => [`${manager} ${apiVersion}`, fieldsV1]),
  )
  expect(fields['second autoscaling/v1']).toEqual({ 'f:spec': { 'f:targetCPUUtilizationPercentage': {} } })
  expect(fields['first autoscaling/v2']).toEqual({
    'f:spec': { 'f:maxReplicas': {}, 'f:scaleTargetRef': { 'f:apiVersion': {}, 'f:kind': {}, 'f:name': {} } },
  })
})

test('applies that race to make an object all end with the same', async () => {
  const configuration = object('raced', { data: { a: '1' } })
  const applies = Array.from({ length: 8 }, (_, at) => apply(configuration, `manager-${at}`))
  const all = await Promise.all(applies)
  const last = registry.get(configMaps, 'default/raced')!
  expect(all.every(({ metadata }) => metadata.uid === last.metadata.uid)).toBe(true)
})
