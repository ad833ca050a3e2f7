import assert from 'node:assert/strict'
import { deployments } from '@keelson/apis/apps/v1/zz_generated.types.ts'
import { configmaps, services } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { ManagedFieldsEntry, ObjectMeta } from '@keelson/apis/meta/v1/types.ts'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'
import { configMap, deployment, establish, widget, widgetKind } from '../runner/fixtures.ts'

const docs = 'https://kubernetes.io/docs/reference/using-api/server-side-apply/'
const applyType = 'application/apply-patch+yaml'

/** Who owns what, in short: `manager operation[/subresource]`. */
const ownersOf = ({ managedFields = [] }: ObjectMeta) =>
  managedFields.map(
    ({ manager, operation, subresource }) => `${manager} ${operation}${subresource ? `/${subresource}` : ''}`,
  )
const entryOf = ({ managedFields = [] }: ObjectMeta, name: string): ManagedFieldsEntry | undefined =>
  managedFields.find(({ manager }) => manager === name)

const applyAs = async (t: CaseContext, manager: string, body: object, query = '') => {
  const { metadata } = body as { metadata: ObjectMeta }
  const path = `/api/v1/namespaces/${await t.namespace()}/configmaps/${metadata.name ?? 'one'}`
  const headers = { 'content-type': applyType }
  return t.http({ method: 'PATCH', path: `${path}?fieldManager=${manager}${query}`, body, headers })
}

const refusals: { what: string; body?: object | string; query?: string; code: number; says: RegExp }[] = [
  {
    what: 'another kind',
    body: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'one' } },
    code: 400,
    says: /invalid object type: \/v1, Kind=Secret/,
  },
  {
    what: 'managedFields',
    body: configMap('one', {}, { managedFields: [{ manager: 'x' }] }),
    code: 400,
    says: /metadata\.managedFields must be nil/,
  },
  {
    what: 'another name',
    body: configMap('two'),
    code: 400,
    says: /the name of the object \(two\) does not match the name on the URL \(one\)/,
  },
  { what: 'text that is no YAML', body: 'a: b: c', code: 400, says: /error decoding YAML/ },
  {
    what: 'a manager of many characters',
    query: `?fieldManager=${'m'.repeat(200)}`,
    code: 422,
    says: /fieldManager: Too long: may not be more than 128 bytes/,
  },
]

export const cases = [
  ...refusals.map(({ what, body = configMap('one'), query = '?fieldManager=first', code, says }) =>
    defineCase({
      name: `apply: ${what} is refused`,
      stands: docs,
      async run(t) {
        const path = `/api/v1/namespaces/${await t.namespace()}/configmaps/one${query}`
        const { status, text } = await t.http({ method: 'PATCH', path, body, headers: { 'content-type': applyType } })
        assert.equal(status, code)
        assert.match(text, says)
      },
    }),
  ),
  defineCase({
    name: 'apply: an unknown field is refused, whatever is there',
    stands: docs,
    async run(t) {
      const { status, text } = await applyAs(t, 'first', { ...configMap('one'), what: 1 })
      assert.equal(status, 500)
      assert.match(text, /failed to create typed patch object .*\.what: field not declared in schema/)
    },
  }),
  defineCase({
    name: 'apply: force is only for apply',
    stands: docs,
    async run(t) {
      const door = await t.in(configmaps)
      await door.create(configMap('one'))
      const path = `/api/v1/namespaces/${await t.namespace()}/configmaps/one?force=true`
      const headers = { 'content-type': 'application/merge-patch+json' }
      const { status, text } = await t.http({ method: 'PATCH', path, body: {}, headers })
      assert.equal(status, 422)
      assert.match(text, /force: Forbidden: may not be specified for non-apply patch/)
    },
  }),
  defineCase({
    name: 'apply: it creates with 201 and changes with 200, and the same again writes nothing',
    stands: docs,
    async run(t) {
      const first = await applyAs(t, 'first', configMap('one', { a: '1' }))
      assert.equal(first.status, 201)
      const again = await applyAs(t, 'first', configMap('one', { a: '1' }))
      assert.equal(again.status, 200)
      assert.deepEqual(again.json(), first.json())
    },
  }),
  defineCase({
    name: 'apply: YAML is read, and a dry run leaves nothing behind',
    stands: docs,
    async run(t) {
      const path = `/api/v1/namespaces/${await t.namespace()}/configmaps/one?fieldManager=first&dryRun=All`
      const body = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\ndata:\n  a: "1"\n'
      const { status, text } = await t.http({ method: 'PATCH', path, body, headers: { 'content-type': applyType } })
      assert.equal(status, 201)
      assert.match(text, /"manager":"first"/)
      await t.rejects((await t.in(configmaps)).get('one'), { code: 404 })
    },
  }),
  defineCase({
    name: 'apply: conflicts name every field and its manager',
    stands: `${docs}#conflicts`,
    async run(t) {
      const door = await t.in(configmaps)
      await door.create(configMap('one', { a: '1', b: '1' }), { fieldManager: 'maker' })
      const one = await applyAs(t, 'second', configMap('one', { a: '2' }))
      assert.equal(one.status, 409)
      assert.match(one.text, /Apply failed with 1 conflict: conflict with \\"maker\\" using v1: .data.a/)
      const two = await applyAs(t, 'second', configMap('one', { a: '2', b: '2' }))
      const { message } = two.json<{ message: string }>()
      assert.equal(message, 'Apply failed with 2 conflicts: conflicts with "maker" using v1:\n- .data.a\n- .data.b')
    },
  }),
  defineCase({
    name: 'apply: force takes a field from its owner, who keeps the others',
    stands: `${docs}#conflicts`,
    async run(t) {
      await applyAs(t, 'first', configMap('one', { a: '1', b: '1' }))
      const { status } = await applyAs(t, 'second', configMap('one', { a: '2' }), '&force=true')
      assert.equal(status, 200)
      const { metadata, data } = await (await t.in(configmaps)).get('one')
      assert.deepEqual(data, { a: '2', b: '1' })
      assert.deepEqual(entryOf(metadata, 'first')?.fieldsV1, { 'f:data': { 'f:b': {} } })
      assert.deepEqual(entryOf(metadata, 'second')?.fieldsV1, { 'f:data': { 'f:a': {} } })
    },
  }),
  defineCase({
    name: 'apply: a value that both apply is both’s, and goes when neither does',
    stands: `${docs}#merge-strategy`,
    async run(t) {
      await applyAs(t, 'first', configMap('one', { a: '1', shared: '1' }))
      await applyAs(t, 'second', configMap('one', { b: '1', shared: '1' }))
      await applyAs(t, 'first', configMap('one', { a: '1' }))
      const door = await t.in(configmaps)
      assert.deepEqual((await door.get('one')).data, { a: '1', b: '1', shared: '1' })
      await applyAs(t, 'second', configMap('one', { b: '1' }))
      assert.deepEqual((await door.get('one')).data, { a: '1', b: '1' })
    },
  }),
  defineCase({
    name: 'apply: sets are shared item by item',
    stands: `${docs}#merge-strategy`,
    async run(t) {
      const withFinalizers = (...finalizers: string[]) => configMap('one', {}, { finalizers })
      t.cleanup(() => applyAs(t, 'first', withFinalizers()).then(() => applyAs(t, 'second', withFinalizers())))
      await applyAs(t, 'first', withFinalizers('example.com/a'))
      await applyAs(t, 'second', withFinalizers('example.com/b'))
      const door = await t.in(configmaps)
      assert.deepEqual((await door.get('one')).metadata.finalizers, ['example.com/a', 'example.com/b'])
      await applyAs(t, 'first', configMap('one'))
      assert.deepEqual((await door.get('one')).metadata.finalizers, ['example.com/b'])
    },
  }),
  defineCase({
    name: 'apply: ports are told apart by number and protocol, which is TCP unless it is said',
    stands: `${docs}#merge-strategy`,
    async run(t) {
      const door = await t.in(services)
      const of = (...ports: object[]) => ({
        type: 'apply' as const,
        body: { apiVersion: 'v1', kind: 'Service', metadata: { name: 'one' }, spec: { clusterIP: 'None', ports } },
      })
      await door.patch('one', of({ port: 53, name: 'tcp' }, { port: 53, protocol: 'UDP', name: 'udp' }), {
        fieldManager: 'first',
      })
      const { spec } = await door.patch('one', of({ port: 53, protocol: 'UDP', name: 'udp' }), {
        fieldManager: 'first',
      })
      assert.deepEqual(
        spec?.ports?.map(({ name }) => name),
        ['udp'],
      )
    },
  }),
  defineCase({
    name: 'apply: an atomic map is owned as a whole',
    stands: `${docs}#merge-strategy`,
    async run(t) {
      const door = await t.in(deployments)
      await door.patch('web', { type: 'apply', body: deployment(t, 'web', 0) }, { fieldManager: 'first' })
      const { metadata } = await door.get('web')
      const fields = entryOf(metadata, 'first')?.fieldsV1 as { 'f:spec': Record<string, object> }
      assert.deepEqual(fields['f:spec']['f:selector'], {})
    },
  }),
  defineCase({
    name: 'apply: the status is applied by itself, and owned by itself',
    stands: `${docs}#field-management`,
    async run(t) {
      const kind = widgetKind(t)
      await establish(t, kind)
      const door = await t.in(kind.ref)
      const { apiVersion, kind: name } = widget(kind, 'one')
      const body = { apiVersion, kind: name, metadata: { name: 'one' }, spec: { size: 2 }, status: { size: 1 } }
      await door.patch('one', { type: 'apply', body }, { fieldManager: 'user' })
      const applied = await door.patch(
        'one',
        { type: 'apply', body },
        { fieldManager: 'controller', subresource: 'status' },
      )
      assert.deepEqual([applied.spec?.size, applied.status?.size], [2, 1])
      assert.deepEqual(ownersOf(applied.metadata).toSorted(), ['controller Apply/status', 'user Apply'])
      assert.deepEqual(entryOf(applied.metadata, 'user')?.fieldsV1, { 'f:spec': { 'f:size': {} } })
      assert.deepEqual(entryOf(applied.metadata, 'controller')?.fieldsV1, { 'f:status': { 'f:size': {} } })
    },
  }),
  defineCase({
    name: 'apply: the scale subresource takes the replicas over, by conflict or by force',
    stands: `${docs}#transferring-ownership`,
    async run(t) {
      const door = await t.in(deployments)
      await door.patch('web', { type: 'apply', body: deployment(t, 'web', 0) }, { fieldManager: 'user' })
      const path = `/apis/apps/v1/namespaces/${await t.namespace()}/deployments/web/scale?fieldManager=autoscaler`
      const body = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'web' }, spec: { replicas: 1 } }
      const headers = { 'content-type': applyType }
      const refused = await t.http({ method: 'PATCH', path, body, headers })
      assert.equal(refused.status, 409)
      assert.match(refused.text, /\.spec\.replicas/)
      assert.equal((await t.http({ method: 'PATCH', path: `${path}&force=true`, body, headers })).status, 200)
      const { metadata, spec } = await door.get('web')
      assert.equal(spec?.replicas, 1)
      const scaler = entryOf(metadata, 'autoscaler')
      assert.deepEqual([scaler?.subresource, scaler?.fieldsV1], ['scale', { 'f:spec': { 'f:replicas': {} } }])
    },
  }),
  defineCase({
    name: 'apply: below unknown fields each field has its owner',
    stands: docs,
    async run(t) {
      const kind = widgetKind(t, { extra: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } })
      await establish(t, kind)
      const door = await t.in(kind.ref)
      const { apiVersion, kind: name } = widget(kind, 'one')
      const of = (extra: object) =>
        ({
          type: 'apply',
          body: { apiVersion, kind: name, metadata: { name: 'one' }, spec: { size: 1, extra } },
        }) as const
      await door.patch('one', of({ a: { b: 1 }, list: [1] }), { fieldManager: 'first' })
      const both = await door.patch('one', of({ a: { c: 2 } }), { fieldManager: 'second' })
      assert.deepEqual(both.spec?.extra, { a: { b: 1, c: 2 }, list: [1] })
      await t.rejects(door.patch('one', of({ list: [2] }), { fieldManager: 'third' }), {
        code: 409,
        messageIncludes: 'conflict with "first": .spec.extra.list',
      })
    },
  }),
  defineCase({
    name: 'field management: an update owns what it changes, and takes it from the applier',
    stands: `${docs}#field-management`,
    async run(t) {
      await applyAs(t, 'first', configMap('one', { a: '1', b: '1' }))
      const door = await t.in(configmaps)
      const { metadata } = await door.patch(
        'one',
        { type: 'merge', body: { data: { a: '2' } } },
        { fieldManager: 'second' },
      )
      assert.deepEqual(entryOf(metadata, 'first')?.fieldsV1, { 'f:data': { 'f:b': {} } })
      const { fieldsV1, operation } = entryOf(metadata, 'second')!
      assert.deepEqual([operation, fieldsV1], ['Update', { 'f:data': { 'f:a': {} } }])
    },
  }),
  defineCase({
    name: 'field management: the manager is what the User-Agent begins with unless it is named',
    stands: `${docs}#managers`,
    async run(t) {
      const path = `/api/v1/namespaces/${await t.namespace()}/configmaps`
      const { metadata } = await t.api('POST', path, configMap('one', { a: '1' }), {
        'user-agent': 'robot/1.2 (linux)',
      })
      assert.deepEqual(ownersOf(metadata), ['robot Update'])
      assert.deepEqual(metadata.managedFields?.[0]?.fieldsV1, { 'f:data': { '.': {}, 'f:a': {} } })
    },
  }),
  defineCase({
    name: 'field management: an empty list of managers clears it, and who applies next finds all owned before him',
    stands: `${docs}#clearing-managedfields`,
    async run(t) {
      const door = await t.in(configmaps)
      await door.create(configMap('one', { a: '1' }), { fieldManager: 'maker' })
      const cleared = await door.patch('one', { type: 'merge', body: { metadata: { managedFields: [{}] } } })
      assert.equal(cleared.metadata.managedFields, undefined)
      await door.patch('one', { type: 'merge', body: { data: { b: '1' } } })
      assert.equal((await door.get('one')).metadata.managedFields, undefined)
      const { status, text } = await applyAs(t, 'first', configMap('one', { a: '2' }))
      assert.equal(status, 409)
      assert.match(text, /conflict with \\"before-first-apply\\" using v1/)
    },
  }),
  defineCase({
    name: 'field management: managers beyond ten become one',
    stands: docs,
    async run(t) {
      const door = await t.in(configmaps)
      await door.create(configMap('one'), { fieldManager: 'maker' })
      for (let at = 0; at < 12; at++) {
        const body = { data: { [`key-${at}`]: '1' } }
        await door.patch('one', { type: 'merge', body }, { fieldManager: `manager-${at}` })
      }
      const { metadata } = await door.get('one')
      assert.equal(metadata.managedFields?.length, 10)
      assert.ok(entryOf(metadata, 'ancient-changes'))
    },
  }),
  defineCase({
    name: 'field management: managers that come back are as they were, and others are not believed',
    stands: docs,
    async run(t) {
      const door = await t.in(configmaps)
      const made = await door.create(configMap('one', { a: '1' }), { fieldManager: 'maker' })
      const same = await door.update(made)
      assert.equal(same.metadata.resourceVersion, made.metadata.resourceVersion)
      const broken = [{ manager: 'x', operation: 'Guess', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: {} }]
      const updated = await door.update({ ...made, metadata: { ...made.metadata, managedFields: broken } })
      assert.deepEqual(ownersOf(updated.metadata), ['maker Update'])
    },
  }),
]
