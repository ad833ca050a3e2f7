import assert from 'node:assert/strict'
import { secrets } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { KubeObject } from '@keelson/apis/meta/v1/types.ts'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'
import {
  type CustomKind,
  customResourceDefinitions,
  type Established,
  establish,
  type Widget,
  widget,
  widgetKind,
} from '../runner/fixtures.ts'

const docs = 'docs/guide/crd-constraints.md'
const text = { type: 'string' }
const names = { type: 'array', items: { type: 'object', properties: { name: { ...text, 'x-keelson-index': true } } } }
const properties = {
  host: { ...text, 'x-keelson-unique': 'namespace' },
  zone: { ...text, 'x-keelson-unique': 'cluster' },
  secretName: { ...text, 'x-keelson-reference': { resource: 'secrets', onDelete: 'restrict' } },
  ports: names,
}

const sized = (kind: CustomKind, name: string, spec: Widget['spec']) => widget(kind, name, { size: 1, ...spec })

async function established(t: CaseContext, more: object = properties): Promise<CustomKind> {
  const kind = widgetKind(t, more)
  await establish(t, kind)
  return kind
}

const nameOf = ({ metadata }: KubeObject) => metadata.name

export const cases = [
  defineCase({
    name: 'crd constraints: a unique value has one object in its namespace, and is free with it',
    stands: docs,
    needs: ['keelson'],
    async run(t) {
      const kind = await established(t)
      const door = await t.in(kind.ref)
      await door.create(sized(kind, 'one', { host: 'a.example' }))
      const refused = await t.rejects(door.create(sized(kind, 'two', { host: 'a.example' })), {
        code: 422,
        reason: 'Invalid',
      })
      assert.deepEqual(refused.details?.causes, [
        { reason: 'FieldValueDuplicate', field: 'spec.host', message: 'Duplicate value: "a.example": "one" has it' },
      ])
      await door.delete('one')
      await door.create(sized(kind, 'two', { host: 'a.example' }))
    },
  }),
  defineCase({
    name: 'crd constraints: of many who want a unique value at once one gets it',
    stands: docs,
    needs: ['keelson'],
    async run(t) {
      const kind = await established(t)
      const door = await t.in(kind.ref)
      const outcomes = await Promise.allSettled(
        Array.from({ length: 12 }, (_, at) => door.create(sized(kind, `w-${at}`, { zone: 'z' }))),
      )
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
      assert.equal((await door.list()).items.length, 1)
    },
  }),
  defineCase({
    name: 'crd constraints: a value cannot become unique that objects share',
    stands: docs,
    needs: ['keelson'],
    async run(t) {
      const kind = await established(t, { host: text })
      const door = await t.in(kind.ref)
      for (const name of ['one', 'two']) await door.create(sized(kind, name, { host: 'a' }))
      const definitions = t.client.resource(customResourceDefinitions)
      const live = (await definitions.get(kind.definition.metadata.name!)) as Established & { spec: unknown }
      live.spec = widgetKindLike(kind, properties)
      await t.rejects(definitions.update(live), { code: 422, messageIncludes: `"a" (${await t.namespace()}/one, ` })
      await door.delete('two')
      await definitions.update(live)
      await t.rejects(door.create(sized(kind, 'two', { host: 'a' })), { code: 422 })
    },
  }),
  defineCase({
    name: 'crd constraints: what is referred to must exist, and stays as long as it is',
    stands: docs,
    needs: ['keelson'],
    async run(t) {
      const kind = await established(t)
      const door = await t.in(kind.ref)
      const vault = await t.in(secrets)
      const missing = await t.rejects(door.create(sized(kind, 'one', { secretName: 's' })), { code: 422 })
      assert.deepEqual(
        missing.details?.causes?.map(({ reason, field }) => [reason, field]),
        [['FieldValueNotFound', 'spec.secretName']],
      )
      await vault.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } })
      await door.create(sized(kind, 'one', { secretName: 's' }))
      await t.rejects(vault.delete('s'), {
        code: 409,
        reason: 'Conflict',
        messageIncludes: `in use by widgets.${kind.group} "one"`,
      })
      await door.delete('one')
      await vault.delete('s')
    },
  }),
  defineCase({
    name: 'crd constraints: lists and watches select by what stands in lists',
    stands: docs,
    needs: ['keelson'],
    async run(t) {
      const kind = await established(t)
      const door = await t.in(kind.ref)
      const ports = (...all: string[]) => ({ ports: all.map((name) => ({ name })) })
      await door.create(sized(kind, 'one', ports('http', 'metrics')))
      await door.create(sized(kind, 'two', ports('metrics')))
      await door.create(sized(kind, 'three', {}))
      const select = async (fieldSelector: string) => (await door.list({ fieldSelector })).items.map(nameOf)
      assert.deepEqual(await select('spec.ports[*].name=metrics'), ['one', 'two'])
      assert.deepEqual(await select('spec.ports[*].name!=http'), ['three', 'two'])
      assert.deepEqual(await select('spec.ports[*].name='), ['three'])
      assert.deepEqual(await select('spec.ports[*].name=http,spec.ports[*].name=metrics'), ['one'])
      await t.rejects(door.list({ fieldSelector: 'spec.ports[*].port=1' }), { code: 400 })

      const { metadata } = await door.list()
      const path = `/apis/${kind.group}/v1/namespaces/${await t.namespace()}/widgets`
      const selector = encodeURIComponent('spec.ports[*].name=http')
      const watch = await t.watch(
        `${path}?watch=true&resourceVersion=${metadata?.resourceVersion}&fieldSelector=${selector}`,
      )
      const two = await door.get('two')
      await door.update({ ...two, spec: { ...two.spec, ...ports('metrics', 'http') } })
      const one = await door.get('one')
      await door.update({ ...one, spec: { ...one.spec, ...ports('metrics') } })
      for (const want of ['ADDED two', 'DELETED one']) {
        const { type, object } = (await watch.next())!
        assert.equal(`${type} ${(object as KubeObject).metadata.name}`, want)
      }
    },
  }),
  defineCase({
    name: 'crd constraints: the extensions are kept and published, and wrong ones refused',
    stands: docs,
    needs: ['keelson'],
    async run(t) {
      const wrong = widgetKind(t, { host: { ...text, 'x-keelson-unique': 'world' } })
      const place = 'properties[spec].properties[host].x-keelson-unique'
      await t.rejects(t.client.resource(customResourceDefinitions).create(wrong.definition), {
        code: 422,
        messageIncludes: `${place}: Unsupported value: "world"`,
      })
      const kind = widgetKind(t, properties)
      const made = await t.http({
        method: 'POST',
        path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions?fieldValidation=Strict',
        headers: { 'content-type': 'application/json' },
        body: kind.definition,
      })
      t.cleanup(() => t.client.resource(customResourceDefinitions).delete(kind.definition.metadata.name!))
      assert.deepEqual([made.status, made.headers.warning], [201, undefined])
      await t.eventually(async () => {
        const { text: document } = await t.http({ path: `/openapi/v3/apis/${kind.group}/v1` })
        return document.includes('"x-keelson-unique":"namespace"')
      })
    },
  }),
]

function widgetKindLike(kind: CustomKind, more: object): unknown {
  const spec = structuredClone(kind.definition.spec) as {
    versions: { schema: { openAPIV3Schema: { properties: { spec: { properties: object } } } } }[]
  }
  Object.assign(spec.versions[0]!.schema.openAPIV3Schema.properties.spec.properties, more)
  return spec
}
