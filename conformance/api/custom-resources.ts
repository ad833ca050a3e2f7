import assert from 'node:assert/strict'
import type { KubeObject } from '@keelson/apis/meta/v1/types.ts'
import { defineCase } from '../runner/case.ts'
import {
  customResourceDefinitions,
  type Established,
  establish,
  type Widget,
  widget,
  widgetKind,
} from '../runner/fixtures.ts'

const docs = 'https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/'
const ruleDocs = `${docs}#validation-rules`

interface Version {
  name: string
  storage: boolean
  schema: { openAPIV3Schema: object }
}

export const cases = [
  defineCase({
    name: 'crd: a custom kind is used as soon as it is established',
    stands:
      'CustomResourceDefinition resources Simple CustomResourceDefinition creating/deleting custom resource definition objects works',
    async run(t) {
      const kind = widgetKind(t)
      await establish(t, kind)
      const door = await t.in(kind.ref)
      const made = await door.create(widget(kind, 'one'))
      assert.deepEqual([made.apiVersion, made.kind, made.metadata.generation], [`${kind.group}/v1`, 'Widget', 1])
      assert.equal((await door.list()).kind, 'WidgetList')
      await door.delete('one')
      await t.rejects(door.get('one'), { code: 404, message: `widgets.${kind.group} "one" not found` })
    },
  }),
  defineCase({
    name: 'crd: definitions are listed and deleted by label',
    stands:
      'CustomResourceDefinition resources Simple CustomResourceDefinition listing custom resource definition objects works',
    async run(t) {
      const door = t.client.resource(customResourceDefinitions)
      const mark = t.unique('mark')
      const labelSelector = `mark=${mark}`
      t.cleanup(() => door.deleteCollection({ labelSelector }))
      const kinds = [widgetKind(t), widgetKind(t), widgetKind(t)]
      for (const { definition } of kinds)
        await door.create({ ...definition, metadata: { ...definition.metadata, labels: { mark } } })
      const other = widgetKind(t)
      await establish(t, other)
      const { items } = await door.list({ labelSelector })
      assert.deepEqual(
        items.map(({ metadata }) => metadata.name).toSorted(),
        kinds.map(({ definition }) => definition.metadata.name).toSorted(),
      )
      await door.deleteCollection({ labelSelector })
      await t.eventually(async () => (await door.list({ labelSelector })).items.length === 0)
      assert.ok(await door.get(other.definition.metadata.name!))
    },
  }),
  defineCase({
    name: 'crd: its names are accepted and its versions kept in mind',
    stands: docs,
    async run(t) {
      const kind = widgetKind(t)
      await establish(t, kind)
      const { status } = (await t.client
        .resource(customResourceDefinitions)
        .get(`widgets.${kind.group}`)) as KubeObject & {
        status: {
          acceptedNames: { plural: string }
          storedVersions: string[]
          conditions: { type: string; status: string }[]
        }
      }
      assert.equal(status.acceptedNames.plural, 'widgets')
      assert.deepEqual(status.storedVersions, ['v1'])
      assert.ok(status.conditions.some(({ type, status }) => type === 'NamesAccepted' && status === 'True'))
    },
  }),
  ...[
    {
      what: 'a value below its minimum',
      spec: { size: 0 },
      says: 'spec.size in body should be greater than or equal to 1',
    },
    { what: 'a missing field', spec: { colour: 'red' }, says: 'spec.size: Required value' },
    { what: 'a value of another type', spec: { size: 'big' }, says: 'must be of type integer: "string"' },
    {
      what: 'a value that is not among the allowed',
      spec: { size: 1, colour: 'pink' },
      says: 'Unsupported value: "pink": supported values: "red", "green", "blue"',
    },
  ].map(({ what, spec, says }) =>
    defineCase({
      name: `crd: ${what} is refused`,
      stands: `${docs}#validation`,
      async run(t) {
        const kind = widgetKind(t)
        await establish(t, kind)
        const call = (await t.in(kind.ref)).create(widget(kind, 'one', spec as Widget['spec']))
        await t.rejects(call, { code: 422, reason: 'Invalid', messageIncludes: says })
      },
    }),
  ),
  defineCase({
    name: 'crd: unknown fields are pruned, except where they are to be kept',
    stands: `${docs}#field-pruning`,
    async run(t) {
      const kind = widgetKind(t, { free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } })
      await establish(t, kind)
      const { spec } = await (await t.in(kind.ref)).create(
        widget(kind, 'one', { size: 1, unknown: true, free: { anything: [1] } }),
      )
      assert.deepEqual(spec, { size: 1, colour: 'red', free: { anything: [1] } })
    },
  }),
  defineCase({
    name: 'crd: defaults are filled in when written and when read',
    stands: 'CustomResourceDefinition resources custom resource defaulting for requests and from storage works',
    async run(t) {
      const kind = widgetKind(t)
      await establish(t, kind)
      const door = await t.in(kind.ref)
      assert.equal((await door.create(widget(kind, 'one', { size: 1 }))).spec?.colour, 'red')
      const name = `widgets.${kind.group}`
      const versions = structuredClone(kind.definition.spec.versions) as {
        schema: { openAPIV3Schema: { properties: { spec: { properties: Record<string, object> } } } }
      }[]
      versions[0]!.schema.openAPIV3Schema.properties.spec.properties.shape = { type: 'string', default: 'round' }
      await t.client.resource(customResourceDefinitions).patch(name, { type: 'merge', body: { spec: { versions } } })
      assert.equal(await t.eventually(async () => (await door.get('one')).spec?.shape as string | undefined), 'round')
    },
  }),
  defineCase({
    name: 'crd: the status of a definition is read, updated and patched',
    stands:
      'CustomResourceDefinition resources Simple CustomResourceDefinition getting/updating/patching custom resource definition status sub-resource works',
    async run(t) {
      const kind = widgetKind(t)
      await establish(t, kind)
      const door = t.client.resource(customResourceDefinitions)
      const name = kind.definition.metadata.name!
      const types = async () =>
        (await door.getSubresource<Established>(name, 'status')).status?.conditions?.map(({ type }) => type) ?? []
      const told = (type: string) => ({ type, status: 'True', reason: 'Tested', message: 'by the suite' })
      const current = await door.get(name)
      const conditions = [...current.status!.conditions!, told('Updated')]
      await door.updateStatus({ ...current, status: { ...current.status, conditions } })
      assert.ok((await types()).includes('Updated'))
      const body = { status: { conditions: [...conditions, told('Patched')] } }
      await door.patch(name, { type: 'merge', body }, { subresource: 'status' })
      for (const type of ['Established', 'Updated', 'Patched']) assert.ok((await types()).includes(type), type)
    },
  }),
  defineCase({
    name: 'crd: the status subresource is apart from the rest',
    stands: `${docs}#status-subresource`,
    async run(t) {
      const kind = widgetKind(t)
      await establish(t, kind)
      const door = await t.in(kind.ref)
      const made = await door.create({ ...widget(kind, 'one'), status: { phase: 'Early' } })
      assert.equal(made.status, undefined)
      const reported = await door.updateStatus({ ...made, spec: { size: 50 }, status: { phase: 'Done' } })
      assert.deepEqual([reported.spec?.size, reported.status, reported.metadata.generation], [3, { phase: 'Done' }, 1])
      const changed = await door.update({ ...reported, spec: { size: 4 }, status: { phase: 'Lost' } })
      assert.deepEqual([changed.status, changed.metadata.generation], [{ phase: 'Done' }, 2])
    },
  }),
  defineCase({
    name: 'crd: the scale subresource reads and writes where the definition says',
    stands: `${docs}#scale-subresource`,
    async run(t) {
      const kind = widgetKind(t)
      await establish(t, kind)
      const door = await t.in(kind.ref)
      await door.create(widget(kind, 'one', { size: 3 }))
      const path = `/apis/${kind.group}/v1/namespaces/${await t.namespace()}/widgets/one/scale`
      const scale = await t.api<{ kind: string; spec: { replicas: number } }>('GET', path)
      assert.deepEqual([scale.kind, scale.spec.replicas], ['Scale', 3])
      await t.api('PATCH', path, { spec: { replicas: 5 } })
      assert.equal((await door.get('one')).spec?.size, 5)
    },
  }),
  defineCase({
    name: 'crd: a rule decides, also over time',
    stands: ruleDocs,
    async run(t) {
      const even = { rule: 'self % 2 == 0', message: 'must be even' }
      const growing = { rule: 'self >= oldSelf', message: 'must not shrink' }
      const kind = widgetKind(t, { steps: { type: 'integer', 'x-kubernetes-validations': [even, growing] } })
      await establish(t, kind)
      const door = await t.in(kind.ref)
      await t.rejects(door.create(widget(kind, 'odd', { size: 1, steps: 3 })), {
        code: 422,
        messageIncludes: 'spec.steps: Invalid value: 3: must be even',
      })
      const made = await door.create(widget(kind, 'one', { size: 1, steps: 4 }))
      await t.rejects(door.update({ ...made, spec: { size: 1, steps: 2 } }), {
        code: 422,
        messageIncludes: 'must not shrink',
      })
      assert.equal((await door.update({ ...made, spec: { size: 1, steps: 8 } })).spec?.steps, 8)
    },
  }),
  defineCase({
    name: 'crd: a rule that does not compile is refused with the definition',
    stands: ruleDocs,
    async run(t) {
      const kind = widgetKind(t, {
        steps: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self.nothing ==' }] },
      })
      await t.rejects(t.client.resource(customResourceDefinitions).create(kind.definition), {
        code: 422,
        messageIncludes: 'x-kubernetes-validations',
      })
    },
  }),
  defineCase({
    name: 'crd: discovery and OpenAPI know it',
    stands: docs,
    async run(t) {
      const kind = widgetKind(t)
      await establish(t, kind)
      const { resources } = await t.eventually(() =>
        t.api<{ resources: { name: string }[] }>('GET', `/apis/${kind.group}/v1`),
      )
      assert.deepEqual(resources.map(({ name }) => name).toSorted(), ['widgets', 'widgets/scale', 'widgets/status'])
      const names = (text: string) => text.includes(kind.group)
      await t.eventually(async () => names((await t.http({ path: '/apis' })).text))
      await t.eventually(async () => names((await t.http({ path: `/openapi/v3/apis/${kind.group}/v1` })).text))
      await t.eventually(async () => names((await t.http({ path: '/openapi/v2' })).text))
    },
  }),
  defineCase({
    name: 'crd: its removal takes its objects and its paths along',
    stands: `${docs}#delete-a-customresourcedefinition`,
    async run(t) {
      const kind = widgetKind(t)
      await establish(t, kind)
      await (await t.in(kind.ref)).create(widget(kind, 'one'))
      const name = `widgets.${kind.group}`
      const path = `/apis/${kind.group}/v1/namespaces/${await t.namespace()}/widgets`
      await t.client.resource(customResourceDefinitions).delete(name)
      await t.untilGone(customResourceDefinitions, name)
      await t.eventually(async () => (await t.http({ path })).status === 404)
      await t.client.resource(customResourceDefinitions).create(kind.definition)
      await t.until(customResourceDefinitions, name, ({ status }) =>
        status?.conditions?.some((one) => one.type === 'Established' && one.status === 'True'),
      )
      assert.deepEqual(await t.eventually(async () => (await (await t.in(kind.ref)).list()).items), [])
    },
  }),
  defineCase({
    name: 'crd: every served version shows the same objects',
    stands:
      'https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/',
    async run(t) {
      const kind = widgetKind(t)
      const [v1] = kind.definition.spec.versions as [Version]
      kind.definition.spec.versions = [v1, { ...v1, name: 'v1beta1', storage: false }]
      await establish(t, kind)
      await (await t.in(kind.ref)).create(widget(kind, 'one'))
      const beta = await (await t.in({ ...kind.ref, version: 'v1beta1' })).get('one')
      assert.deepEqual([beta.apiVersion, beta.spec?.size], [`${kind.group}/v1beta1`, 3])
    },
  }),
  ...[
    {
      what: 'a name that is not plural and group',
      change: (metadata: { name?: string }) => (metadata.name = 'other.example.com'),
      says: 'metadata.name',
    },
  ].map(({ what, change, says }) =>
    defineCase({
      name: `crd: ${what} is refused`,
      stands: docs,
      async run(t) {
        const { definition } = widgetKind(t)
        change(definition.metadata)
        await t.rejects(t.client.resource(customResourceDefinitions).create(definition), {
          code: 422,
          messageIncludes: says,
        })
      },
    }),
  ),
  defineCase({
    name: 'crd: a schema must be structural',
    stands: `${docs}#specifying-a-structural-schema`,
    async run(t) {
      const kind = widgetKind(t, { untyped: { description: 'what am I?' } })
      await t.rejects(t.client.resource(customResourceDefinitions).create(kind.definition), {
        code: 422,
        messageIncludes: 'type: Required value',
      })
    },
  }),
  defineCase({
    name: 'crd: exactly one version is stored',
    stands: docs,
    async run(t) {
      const kind = widgetKind(t)
      const [v1] = kind.definition.spec.versions as [Version]
      kind.definition.spec.versions = [{ ...v1, storage: false }]
      await t.rejects(t.client.resource(customResourceDefinitions).create(kind.definition), {
        code: 422,
        messageIncludes: 'storage',
      })
    },
  }),
  defineCase({
    name: 'crd: its objects are watched',
    stands: 'CustomResourceDefinition Watch CustomResourceDefinition Watch watch on custom resource definition objects',
    async run(t) {
      const kind = widgetKind(t)
      await establish(t, kind)
      const door = await t.in(kind.ref)
      const watch = await t.watch(`/apis/${kind.group}/v1/namespaces/${await t.namespace()}/widgets?watch=1`)
      const made = await door.create(widget(kind, 'one'))
      await door.update({ ...made, spec: { size: 9 } })
      await door.delete('one')
      const types = [await watch.next(), await watch.next(), await watch.next()].map((event) => event?.type)
      assert.deepEqual(types, ['ADDED', 'MODIFIED', 'DELETED'])
    },
  }),
]
