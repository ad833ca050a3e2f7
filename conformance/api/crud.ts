import assert from 'node:assert/strict'
import { type Deployment, deployments } from '@keelson/apis/apps/v1/zz_generated.types.ts'
import { configmaps, type Secret, secrets, services } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { ObjectMeta } from '@keelson/apis/meta/v1/types.ts'
import { findApiError } from '@keelson/client'
import { defineCase } from '../runner/case.ts'
import { configMap, deployment } from '../runner/fixtures.ts'

const concepts = 'https://kubernetes.io/docs/reference/using-api/api-concepts/'
const metadataDocs = 'https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/'

const badMetadata: { what: string; metadata: ObjectMeta; field: string; says: string }[] = [
  {
    what: 'an upper-case name',
    metadata: { name: 'Upper' },
    field: 'metadata.name',
    says: 'a lowercase RFC 1123 subdomain',
  },
  { what: 'an endless name', metadata: { name: 'a'.repeat(254) }, field: 'metadata.name', says: '' },
  {
    what: 'a bad label key',
    metadata: { name: 'one', labels: { 'bad key': 'x' } },
    field: 'metadata.labels',
    says: 'Invalid value: "bad key"',
  },
  {
    what: 'a bad label value',
    metadata: { name: 'one', labels: { key: '-x-' } },
    field: 'metadata.labels',
    says: 'Invalid value: "-x-"',
  },
  {
    what: 'a bad annotation key',
    metadata: { name: 'one', annotations: { 'a/b/c': 'x' } },
    field: 'metadata.annotations',
    says: 'Invalid value: "a/b/c"',
  },
  {
    what: 'a bad finalizer',
    metadata: { name: 'one', finalizers: ['not qualified!'] },
    field: 'metadata.finalizers',
    says: '',
  },
  {
    what: 'an owner without a name',
    metadata: { name: 'one', ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: '', uid: 'x' }] },
    field: 'metadata.ownerReferences',
    says: '',
  },
]

export const cases = [
  defineCase({
    name: 'crud: a created object has uid, version, time and namespace',
    stands: metadataDocs,
    async run(t) {
      const { metadata } = await (await t.in(configmaps)).create(configMap('one'))
      assert.match(metadata.uid ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
      assert.match(metadata.resourceVersion ?? '', /^[1-9]\d*$/)
      assert.match(metadata.creationTimestamp ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      assert.equal(metadata.namespace, await t.namespace())
    },
  }),
  defineCase({
    name: 'crud: a ConfigMap is created, read, listed, changed and deleted',
    stands: 'ConfigMap should run through a ConfigMap lifecycle',
    async run(t) {
      const door = await t.in(configmaps)
      const made = await door.create(configMap('one', { a: '1' }))
      assert.deepEqual((await door.get('one')).data, { a: '1' })
      const changed = await door.update({ ...made, data: { a: '2' } })
      assert.notEqual(changed.metadata.resourceVersion, made.metadata.resourceVersion)
      assert.equal(changed.metadata.uid, made.metadata.uid)
      const { kind, items } = await door.list()
      assert.equal(kind, 'ConfigMapList')
      assert.deepEqual(items.find(({ metadata }) => metadata.name === 'one')?.data, { a: '2' })
      await door.delete('one')
      await t.rejects(door.get('one'), { code: 404 })
    },
  }),
  defineCase({
    name: 'crud: generateName appends five characters',
    stands: `${concepts}#generated-values`,
    async run(t) {
      const door = await t.in(configmaps)
      const names = await Promise.all(
        [1, 2].map(
          async () =>
            (await door.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'made-' } })).metadata
              .name,
        ),
      )
      for (const name of names) assert.match(name ?? '', /^made-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
      assert.notEqual(names[0], names[1])
    },
  }),
  defineCase({
    name: 'crud: a name is taken once',
    stands: concepts,
    async run(t) {
      const door = await t.in(configmaps)
      await door.create(configMap('one'))
      await t.rejects(door.create(configMap('one')), {
        code: 409,
        reason: 'AlreadyExists',
        message: 'configmaps "one" already exists',
      })
    },
  }),
  defineCase({
    name: 'crud: what does not exist is not found, by name and kind',
    stands: concepts,
    async run(t) {
      const status = await t.rejects((await t.in(deployments)).get('none'), {
        code: 404,
        reason: 'NotFound',
        message: 'deployments.apps "none" not found',
      })
      assert.deepEqual(status.details, { name: 'none', group: 'apps', kind: 'deployments' })
      await t.rejects((await t.in(configmaps)).delete('none'), { code: 404, message: 'configmaps "none" not found' })
    },
  }),
  defineCase({
    name: 'crud: an update of an older version is a conflict',
    stands: `${concepts}#resource-versions`,
    async run(t) {
      const door = await t.in(configmaps)
      const old = await door.create(configMap('one'))
      await door.update({ ...old, data: { a: '1' } })
      await t.rejects(door.update({ ...old, data: { a: '2' } }), {
        code: 409,
        reason: 'Conflict',
        message:
          'Operation cannot be fulfilled on configmaps "one": the object has been modified; please apply your changes to the latest version and try again',
      })
    },
  }),
  defineCase({
    name: 'crud: an update without a version replaces whatever is there',
    stands: concepts,
    async run(t) {
      const door = await t.in(configmaps)
      await door.create(configMap('one', { a: '1' }))
      assert.deepEqual((await door.update(configMap('one', { b: '2' }))).data, { b: '2' })
    },
  }),
  defineCase({
    name: 'crud: an update that changes nothing keeps the version',
    stands: `${concepts}#resource-versions`,
    async run(t) {
      const door = await t.in(configmaps)
      const made = await door.create(configMap('one', { a: '1' }))
      assert.equal((await door.update(made)).metadata.resourceVersion, made.metadata.resourceVersion)
    },
  }),
  defineCase({
    name: 'crud: an update with another uid is a conflict',
    stands: concepts,
    async run(t) {
      const door = await t.in(configmaps)
      const made = await door.create(configMap('one'))
      const { resourceVersion: _, ...metadata } = made.metadata
      const other = { ...made, metadata: { ...metadata, uid: '00000000-0000-0000-0000-000000000000' } }
      await t.rejects(door.update(other), {
        code: 409,
        reason: 'Conflict',
        messageIncludes: 'Precondition failed: UID in precondition',
      })
    },
  }),
  defineCase({
    name: 'crud: the name in the body must be that of the path',
    stands: concepts,
    async run(t) {
      const namespace = await t.namespace()
      await (await t.in(configmaps)).create(configMap('one'))
      const path = `/api/v1/namespaces/${namespace}/configmaps/one`
      const { status, json } = await t.http({ method: 'PUT', path, body: configMap('two') })
      assert.equal(status, 400)
      assert.match(
        json<{ message: string }>().message,
        /the name of the object \(two.*\) does not match the name on the URL \(one.*\)/,
      )
    },
  }),
  defineCase({
    name: 'crud: the namespace in the body must be that of the path',
    stands: concepts,
    async run(t) {
      const path = `/api/v1/namespaces/${await t.namespace()}/configmaps`
      const { status, json } = await t.http({
        method: 'POST',
        path,
        body: configMap('one', {}, { namespace: 'default' }),
      })
      assert.equal(status, 400)
      assert.equal(
        json<{ message: string }>().message,
        'the namespace of the provided object does not match the namespace sent on the request',
      )
    },
  }),
  defineCase({
    name: 'crud: a new object brings no version',
    stands: concepts,
    async run(t) {
      await t.rejects((await t.in(configmaps)).create(configMap('one', {}, { resourceVersion: '1' })), {
        code: 400,
        message: 'resourceVersion should not be set on objects to be created',
      })
    },
  }),
  defineCase({
    name: 'crud: a dry run answers as the real thing and leaves nothing',
    stands: `${concepts}#dry-run`,
    async run(t) {
      const door = await t.in(configmaps)
      const { metadata } = await door.create(configMap('one'), { dryRun: true })
      assert.ok(metadata.uid)
      await t.rejects(door.get('one'), { code: 404 })
      await door.create(configMap('one', { a: '1' }))
      await door.update(configMap('one', { a: '2' }), { dryRun: true })
      await door.delete('one', { dryRun: ['All'] })
      assert.deepEqual((await door.get('one')).data, { a: '1' })
    },
  }),
  defineCase({
    name: 'crud: a dry run of half a server is refused',
    stands: `${concepts}#dry-run`,
    async run(t) {
      const path = `/api/v1/namespaces/${await t.namespace()}/configmaps?dryRun=Half`
      const { status, text } = await t.http({ method: 'POST', path, body: configMap('one') })
      assert.equal(status, 422)
      assert.match(text, /dryRun: Unsupported value/)
    },
  }),
  defineCase({
    name: 'crud: a deletion keeps to its preconditions',
    stands: 'https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/delete-options/',
    async run(t) {
      const door = await t.in(configmaps)
      const { metadata } = await door.create(configMap('one'))
      const uid = '00000000-0000-0000-0000-000000000000'
      await t.rejects(door.delete('one', { preconditions: { uid } }), {
        code: 409,
        messageIncludes: `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid})`,
      })
      await t.rejects(door.delete('one', { preconditions: { resourceVersion: '1' } }), {
        code: 409,
        messageIncludes: 'the ResourceVersion in the precondition (1) does not match the ResourceVersion in record',
      })
      await door.delete('one', { preconditions: { uid: metadata.uid!, resourceVersion: metadata.resourceVersion! } })
      await t.rejects(door.get('one'), { code: 404 })
    },
  }),
  defineCase({
    name: 'crud: the generation counts changes of the spec only',
    stands: metadataDocs,
    async run(t) {
      const door = await t.in(deployments)
      const patch = (body: object, subresource?: string): Promise<Deployment> =>
        door.patch('web', { type: 'merge', body }, subresource ? { subresource } : {})
      const generations = [
        await door.create(deployment(t, 'web', 0)),
        await patch({ metadata: { labels: { a: 'b' } } }),
        await patch({ spec: { minReadySeconds: 1 } }),
        await patch({ status: { collisionCount: 3 } }, 'status'),
      ]
      assert.deepEqual(
        generations.map(({ metadata }) => metadata.generation),
        [1, 1, 2, 2],
      )
    },
  }),
  defineCase({
    name: 'crud: the main resource does not change the status, nor the status subresource the spec',
    stands:
      'https://github.com/kubernetes/community/blob/main/contributors/devel/sig-architecture/api-conventions.md#spec-and-status',
    async run(t) {
      const door = await t.in(deployments)
      await door.create({ ...deployment(t, 'web', 0), status: { collisionCount: 7 } })
      assert.equal((await door.get('web')).status?.collisionCount, undefined)
      await door.patch(
        'web',
        { type: 'merge', body: { spec: { minReadySeconds: 9 }, status: { collisionCount: 7 } } },
        { subresource: 'status' },
      )
      const { spec, status } = await door.get('web')
      assert.deepEqual([spec?.minReadySeconds ?? 0, status?.collisionCount], [0, 7])
    },
  }),
  defineCase({
    name: 'crud: an immutable ConfigMap stays as it is',
    stands: 'ConfigMap should be immutable if `immutable` field is set',
    async run(t) {
      const door = await t.in(configmaps)
      const made = await door.create({ ...configMap('one', { a: '1' }), immutable: true })
      await t.rejects(door.update({ ...made, data: { a: '2' } }), {
        code: 422,
        messageIncludes: 'data: Forbidden: field is immutable when `immutable` is set',
      })
      await t.rejects(door.update({ ...made, immutable: false }), { code: 422 })
    },
  }),
  defineCase({
    name: 'crud: the text of a Secret is stored as its data, and its type is fixed',
    stands: 'Secrets should patch a secret',
    async run(t) {
      const door = await t.in(secrets)
      const secret: Secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'one' }, stringData: { a: 'hi' } }
      const made = await door.create(secret)
      assert.deepEqual([made.data, made.stringData, made.type], [{ a: 'aGk=' }, undefined, 'Opaque'])
      await t.rejects(door.update({ ...made, type: 'example.com/other' }), {
        code: 422,
        messageIncludes: 'type: Invalid value: "example.com/other": field is immutable',
      })
    },
  }),
  defineCase({
    name: 'crud: a collection is deleted by label',
    stands: 'ConfigMap should run through a ConfigMap lifecycle',
    async run(t) {
      const door = await t.in(configmaps)
      for (const [name, tier] of [
        ['a', 'x'],
        ['b', 'x'],
        ['c', 'y'],
      ] as const)
        await door.create(configMap(name, {}, { labels: { tier } }))
      await door.deleteCollection({ labelSelector: 'tier=x' })
      const left = (await door.list({ labelSelector: 'tier' })).items.map(({ metadata }) => metadata.name)
      assert.deepEqual(left, ['c'])
    },
  }),
  defineCase({
    name: 'crud: a delete answers with a Status that names the object',
    stands: concepts,
    async run(t) {
      const { metadata } = await (await t.in(configmaps)).create(configMap('one'))
      const answer = await t.api<{ kind: string; status: string; details: object }>(
        'DELETE',
        `/api/v1/namespaces/${metadata.namespace}/configmaps/one`,
      )
      assert.deepEqual([answer.kind, answer.status], ['Status', 'Success'])
      assert.deepEqual(answer.details, { name: 'one', kind: 'configmaps', uid: metadata.uid })
    },
  }),
  ...badMetadata.map(({ what, metadata, field, says }) =>
    defineCase({
      name: `crud: ${what} is refused`,
      stands: 'https://kubernetes.io/docs/concepts/overview/working-with-objects/names/',
      async run(t) {
        const status = await t.rejects((await t.in(configmaps)).create(configMap('', {}, metadata)), {
          code: 422,
          reason: 'Invalid',
          messageIncludes: says,
        })
        assert.ok(
          status.details?.causes?.some((cause) => cause.field?.startsWith(field)),
          JSON.stringify(status.details),
        )
      },
    }),
  ),
  defineCase({
    name: 'crud: a name is required',
    stands: concepts,
    async run(t) {
      const path = `/api/v1/namespaces/${await t.namespace()}/configmaps`
      const { status, text } = await t.http({ method: 'POST', path, body: { apiVersion: 'v1', kind: 'ConfigMap' } })
      assert.equal(status, 422)
      assert.match(text, /name or generateName is required/)
    },
  }),
  defineCase({
    name: 'crud: a Service gets its defaults and an address',
    stands: 'Services should serve a basic endpoint from pods',
    async run(t) {
      const { spec } = await (await t.in(services)).create({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web' },
        spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
      })
      assert.deepEqual(
        [spec?.type, spec?.sessionAffinity, spec?.ports?.[0]?.protocol, spec?.ports?.[0]?.targetPort],
        ['ClusterIP', 'None', 'TCP', 80],
      )
      assert.match(spec?.clusterIP ?? '', /^[0-9a-f.:]+$/)
      assert.equal(spec?.clusterIPs?.[0], spec?.clusterIP)
    },
  }),
  defineCase({
    name: 'crud: of many writers with the same version one wins',
    stands: `${concepts}#resource-versions`,
    async run(t) {
      const door = await t.in(configmaps)
      const made = await door.create(configMap('one'))
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, (_, at) =>
          door.update({ ...made, data: { winner: String(at) } }).then(
            () => 'won',
            (error) => findApiError(error)?.status.reason,
          ),
        ),
      )
      assert.deepEqual(outcomes.toSorted(), [...Array(9).fill('Conflict'), 'won'])
    },
  }),
]
