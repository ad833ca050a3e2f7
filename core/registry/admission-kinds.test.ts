import { afterAll, beforeAll, expect, test } from 'vitest'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { AdmissionRequest } from '#apis/plugin/v1/admission.ts'
import { openTestRegistry, type TestRegistry } from '#core/testing/test-registry.ts'
import { AdmissionKinds } from './admission-kinds.ts'

let opened: TestRegistry
let kinds: AdmissionKinds

beforeAll(async () => {
  opened = await openTestRegistry()
  kinds = new AdmissionKinds(() => opened.registry)
})
afterAll(() => opened[Symbol.asyncDispose]())

const deployment = (spec: object = {}, metadata: object = {}): UnstructuredObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'one', ...metadata },
  spec: {
    selector: { matchLabels: { app: 'one' } },
    template: { metadata: { labels: { app: 'one' } }, spec: { containers: [{ name: 'a', image: 'b' }] } },
    ...spec,
  },
})

function settled(object: UnstructuredObject, more: Partial<AdmissionRequest> = {}): UnstructuredObject {
  const of = { group: 'apps', version: 'v1', resource: 'deployments', kind: 'Deployment', subresource: '' }
  kinds.settle({ operation: 'UPDATE', ...of, object, ...more } as AdmissionRequest)
  return object
}

test('kinds are known by their names and by their resources', () => {
  const found = kinds.byKind({ group: 'apps', version: 'v1', kind: 'Deployment' })
  expect(found).toEqual({ group: 'apps', version: 'v1', resource: 'deployments', kind: 'Deployment', namespaced: true })
  expect(kinds.byResource(found!)).toEqual(found)
  expect(kinds.byKind({ group: 'apps', version: 'v9', kind: 'Deployment' })).toBeUndefined()
  expect(kinds.byKind({ group: '', version: 'v1', kind: 'Deployment' })).toBeUndefined()
})

test('versions of a kind are equivalent, and groups that share its objects', () => {
  const names = (group: string, resource: string) =>
    kinds.equivalents(group, resource).map((one) => `${one.group}/${one.version}`)
  expect(names('autoscaling', 'horizontalpodautoscalers').toSorted()).toEqual(['autoscaling/v1', 'autoscaling/v2'])
  expect(names('', 'events').toSorted()).toEqual(['/v1', 'events.k8s.io/v1'])
  expect(names('', 'configmaps')).toEqual(['/v1'])
  expect(names('', 'nothings')).toEqual([])
})

test('an object is converted without being changed', async () => {
  const resource = {
    type: 'Resource',
    resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 40 } },
  }
  const spec = { maxReplicas: 2, scaleTargetRef: { kind: 'Deployment', name: 'one' }, metrics: [resource] }
  const object = Object.freeze({ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: {}, spec })
  const to = { group: 'autoscaling', version: 'v1', resource: 'horizontalpodautoscalers' }
  const made = await kinds.convert(object, to)
  expect(made).toMatchObject({ apiVersion: 'autoscaling/v1', spec: { targetCPUUtilizationPercentage: 40 } })
  expect(object.spec).toBe(spec)
})

test('kinds that only subresources take have schemas, too', () => {
  expect(kinds.schema({ group: 'apps', version: 'v1', kind: 'Deployment' })?.root.property('spec')).toBeDefined()
  const scale = kinds.schema({ group: 'autoscaling', version: 'v1', kind: 'Scale' })
  expect(scale?.root.property('spec')?.property('replicas')?.type).toBe('integer')
  expect(kinds.schema({ group: '', version: 'v1', kind: 'Binding' })).toBeDefined()
  expect(kinds.schema({ group: 'nowhere', version: 'v1', kind: 'Nothing' })).toBeUndefined()
})

test('what admission changed gets its defaults, and no owners', () => {
  const object = settled(deployment({}, { managedFields: [{}] }))
  expect(object.spec).toMatchObject({ replicas: 1, template: { spec: { restartPolicy: 'Always' } } })
  expect(object.metadata.managedFields).toBeUndefined()
})

test('what no client could send is refused', () => {
  expect(() => settled(deployment({ none: 1 }))).toThrow('strict decoding error: unknown field "spec.none"')
  expect(() => settled(deployment({ replicas: 'many' }))).toThrow('cannot be handled as a Deployment')
  expect(() => settled({ ...deployment(), kind: 'Other' })).toThrow('cannot become a apps/v1, Kind=Other')
})

test('what the request may not change is as it was', () => {
  const oldObject = { ...deployment(), status: { replicas: 1 } }
  expect(settled({ ...deployment(), status: { replicas: 9 } }, { oldObject }).status).toEqual({ replicas: 1 })
  const status = { ...deployment({ replicas: 9 }), status: { replicas: 9 } }
  const made = settled(status, { oldObject: settled(oldObject), subresource: 'status' })
  expect([made.status, (made.spec as { replicas: number }).replicas]).toEqual([{ replicas: 9 }, 1])
})

test('a Scale is settled by its own schema', () => {
  const object = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'one' }, spec: { replicas: 3 } }
  expect(settled(object, { subresource: 'scale', kind: 'Scale' }).spec).toEqual({ replicas: 3 })
})
