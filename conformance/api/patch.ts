import assert from 'node:assert/strict'
import { deployments } from '@keelson/apis/apps/v1/zz_generated.types.ts'
import { configmaps } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { defineCase } from '../runner/case.ts'
import { configMap, deployment, establish, widget, widgetKind } from '../runner/fixtures.ts'

const docs = 'https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply'
const strategicDocs = 'https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/'
const applyDocs = 'https://kubernetes.io/docs/reference/using-api/server-side-apply/'

export const cases = [
  defineCase({
    name: 'patch: a merge patch sets, keeps and removes',
    stands: docs,
    async run(t) {
      const door = await t.in(configmaps)
      await door.create(configMap('one', { a: '1', b: '2' }))
      const { data } = await door.patch('one', { type: 'merge', body: { data: { a: null, c: '3' } } })
      assert.deepEqual(data, { b: '2', c: '3' })
    },
  }),
  defineCase({
    name: 'patch: a JSON patch does its operations in order',
    stands: docs,
    async run(t) {
      const door = await t.in(configmaps)
      await door.create(configMap('one', { a: '1', b: '2' }))
      const { data } = await door.patch('one', {
        type: 'json',
        operations: [
          { op: 'test', path: '/data/a', value: '1' },
          { op: 'replace', path: '/data/a', value: '9' },
          { op: 'move', from: '/data/b', path: '/data/c' },
          { op: 'copy', from: '/data/a', path: '/data/d' },
          { op: 'add', path: '/data/x~1y', value: '~' },
          { op: 'remove', path: '/data/x~1y' },
        ],
      })
      assert.deepEqual(data, { a: '9', c: '2', d: '9' })
    },
  }),
  ...[
    { what: 'a failed test', operations: [{ op: 'test', path: '/data/a', value: '2' }], code: 422 },
    { what: 'a path that is not there', operations: [{ op: 'remove', path: '/data/none' }], code: 422 },
  ].map(({ what, operations, code }) =>
    defineCase({
      name: `patch: ${what} stops a JSON patch`,
      stands: docs,
      async run(t) {
        const door = await t.in(configmaps)
        const made = await door.create(configMap('one', { a: '1' }))
        const { status } = await t.http({
          method: 'PATCH',
          path: `/api/v1/namespaces/${made.metadata.namespace}/configmaps/one`,
          body: operations,
          headers: { 'content-type': 'application/json-patch+json' },
        })
        assert.equal(status, code)
        assert.equal((await door.get('one')).metadata.resourceVersion, made.metadata.resourceVersion)
      },
    }),
  ),
  ...[
    { what: 'an unknown type', type: 'application/guess+json', body: '{}', code: 415 },
    { what: 'malformed JSON', type: 'application/merge-patch+json', body: '{"data":', code: 400 },
    { what: 'an object for a JSON patch', type: 'application/json-patch+json', body: '{}', code: 400 },
    { what: 'an array for a merge patch', type: 'application/merge-patch+json', body: '[1]', code: 400 },
  ].map(({ what, type, body, code }) =>
    defineCase({
      name: `patch: ${what} is refused`,
      stands: docs,
      async run(t) {
        const { metadata } = await (await t.in(configmaps)).create(configMap('one'))
        const path = `/api/v1/namespaces/${metadata.namespace}/configmaps/one`
        assert.equal((await t.http({ method: 'PATCH', path, body, headers: { 'content-type': type } })).status, code)
      },
    }),
  ),
  defineCase({
    name: 'patch: what does not exist is not made by a patch',
    stands: docs,
    async run(t) {
      await t.rejects((await t.in(configmaps)).patch('none', { type: 'merge', body: {} }), { code: 404 })
    },
  }),
  defineCase({
    name: 'patch: a version in the patch must be the current one',
    stands: 'https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions',
    async run(t) {
      const door = await t.in(configmaps)
      const { metadata } = await door.create(configMap('one'))
      const body = { metadata: { resourceVersion: metadata.resourceVersion }, data: { a: '1' } }
      await door.patch('one', { type: 'merge', body })
      await t.rejects(door.patch('one', { type: 'merge', body: { ...body, data: { a: '2' } } }), {
        code: 409,
        reason: 'Conflict',
      })
    },
  }),
  defineCase({
    name: 'patch: a strategic merge finds containers and variables by name',
    stands: strategicDocs,
    async run(t) {
      const door = await t.in(deployments)
      await door.create(deployment(t, 'web', 0))
      const containers = [
        { name: 'main', env: [{ name: 'MORE', value: 'yes' }] },
        { name: 'side', image: 'example.com/side:1' },
      ]
      const { spec } = await door.patch('web', {
        type: 'strategic',
        body: { spec: { template: { spec: { containers } } } },
      })
      const found = spec!.template.spec!.containers
      assert.deepEqual(found.map(({ name }) => name).toSorted(), ['main', 'side'])
      const main = found.find(({ name }) => name === 'main')
      assert.deepEqual(main?.env?.map(({ name }) => name).toSorted(), ['MORE', 'VERSION'])
      assert.equal(main?.image, t.image)
    },
  }),
  defineCase({
    name: 'patch: a strategic merge deletes and replaces where told so',
    stands: strategicDocs,
    async run(t) {
      const door = await t.in(deployments)
      await door.create(deployment(t, 'web', 0))
      const patchMain = (fields: object) =>
        door.patch('web', {
          type: 'strategic',
          body: { spec: { template: { spec: { containers: [{ name: 'main', ...fields }] } } } },
        })
      const replaced = await patchMain({ env: [{ $patch: 'replace' }, { name: 'ONLY', value: '1' }] })
      assert.deepEqual(replaced.spec!.template.spec!.containers[0]!.env, [{ name: 'ONLY', value: '1' }])
      const deleted = await patchMain({ env: [{ name: 'ONLY', $patch: 'delete' }] })
      assert.deepEqual(deleted.spec!.template.spec!.containers[0]!.env ?? [], [])
    },
  }),
  defineCase({
    name: 'patch: custom resources know no strategic merge',
    stands: strategicDocs,
    async run(t) {
      const kind = widgetKind(t)
      await establish(t, kind)
      const door = await t.in(kind.ref)
      await door.create(widget(kind, 'one'))
      await t.rejects(door.patch('one', { type: 'strategic', body: { spec: { size: 4 } } }), {
        code: 415,
        reason: 'UnsupportedMediaType',
      })
    },
  }),
  defineCase({
    name: 'patch: the scale subresource sets the replicas',
    stands: 'Deployment should have a working scale subresource',
    async run(t) {
      const namespace = await t.namespace()
      await (await t.in(deployments)).create(deployment(t, 'web', 0))
      const path = `/apis/apps/v1/namespaces/${namespace}/deployments/web/scale`
      const before = await t.api<{ kind: string; status: { selector: string } }>('GET', path)
      assert.deepEqual([before.kind, before.status.selector], ['Scale', 'app=web'])
      await t.api('PATCH', path, { spec: { replicas: 0, minReadySeconds: 5 } })
      await t.api('PATCH', path, { spec: { replicas: 1 } })
      assert.equal((await (await t.in(deployments)).get('web')).spec?.replicas, 1)
    },
  }),
  defineCase({
    name: 'apply: the first apply makes the object, and its fields are the manager’s',
    stands: applyDocs,
    async run(t) {
      const door = await t.in(configmaps)
      const { metadata, data } = await door.patch(
        'one',
        { type: 'apply', body: configMap('one', { a: '1' }) },
        { fieldManager: 'first' },
      )
      assert.deepEqual(data, { a: '1' })
      const entry = metadata.managedFields?.find(({ manager }) => manager === 'first')
      assert.deepEqual([entry?.operation, entry?.apiVersion, entry?.fieldsType], ['Apply', 'v1', 'FieldsV1'])
      assert.deepEqual(entry?.fieldsV1, { 'f:data': { 'f:a': {} } })
    },
  }),
  defineCase({
    name: 'apply: another manager’s field is a conflict, unless by force',
    stands: `${applyDocs}#conflicts`,
    async run(t) {
      const door = await t.in(configmaps)
      await door.patch('one', { type: 'apply', body: configMap('one', { a: '1' }) }, { fieldManager: 'first' })
      const patch = { type: 'apply', body: configMap('one', { a: '2' }) } as const
      const status = await t.rejects(door.patch('one', patch, { fieldManager: 'second' }), {
        code: 409,
        reason: 'Conflict',
        message: 'Apply failed with 1 conflict: conflict with "first": .data.a',
      })
      assert.deepEqual(status.details?.causes, [
        { reason: 'FieldManagerConflict', message: 'conflict with "first"', field: '.data.a' },
      ])
      const { data } = await door.patch('one', { ...patch, force: true }, { fieldManager: 'second' })
      assert.deepEqual(data, { a: '2' })
    },
  }),
  defineCase({
    name: 'apply: what a manager no longer applies is removed, if nobody else owns it',
    stands: `${applyDocs}#merge-strategy`,
    async run(t) {
      const door = await t.in(configmaps)
      const apply = (manager: string, data: Record<string, string>) =>
        door.patch('one', { type: 'apply', body: configMap('one', data) }, { fieldManager: manager })
      await apply('first', { a: '1', b: '2', c: '3' })
      await apply('second', { b: '2' })
      assert.deepEqual((await apply('first', { a: '1' })).data, { a: '1', b: '2' })
    },
  }),
  defineCase({
    name: 'apply: a manager must give its name',
    stands: applyDocs,
    async run(t) {
      const path = `/api/v1/namespaces/${await t.namespace()}/configmaps/one`
      const headers = { 'content-type': 'application/apply-patch+yaml' }
      const { status, text } = await t.http({ method: 'PATCH', path, body: configMap('one'), headers })
      assert.equal(status, 422)
      assert.match(text, /fieldManager: Required value/)
    },
  }),
  defineCase({
    name: 'apply: lists of keyed items are shared item by item',
    stands: `${applyDocs}#merge-strategy`,
    async run(t) {
      const door = await t.in(deployments)
      const whole = deployment(t, 'web', 0)
      await door.patch('web', { type: 'apply', body: whole }, { fieldManager: 'first' })
      const containers = [{ name: 'main', env: [{ name: 'MORE', value: 'yes' }] }]
      const { apiVersion, kind } = whole
      const body = { apiVersion, kind, metadata: { name: 'web' }, spec: { template: { spec: { containers } } } }
      const { spec } = await door.patch('web', { type: 'apply', body }, { fieldManager: 'second' })
      assert.deepEqual(spec!.template.spec!.containers[0]!.env?.map(({ name }) => name).toSorted(), ['MORE', 'VERSION'])
    },
  }),
  defineCase({
    name: 'apply: writes of other kinds are tracked, too',
    stands: `${applyDocs}#field-management`,
    async run(t) {
      const door = await t.in(configmaps)
      await door.create(configMap('one', { a: '1' }), { fieldManager: 'maker' })
      const { metadata } = await door.patch(
        'one',
        { type: 'merge', body: { data: { b: '2' } } },
        { fieldManager: 'patcher' },
      )
      const owners = metadata.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`)
      assert.deepEqual(owners?.toSorted(), ['maker Update', 'patcher Update'])
    },
  }),
]
