import assert from 'node:assert/strict'
import { services } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { KubeObject, ResourceRef } from '@keelson/apis/meta/v1/types.ts'
import type { ResourceClient } from '@keelson/client'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'
import {
  type ConversionRequest,
  type ConversionWebhook,
  openConversionWebhook,
  successful,
} from '../runner/conversion-webhook.ts'
import { type CustomKind, customResourceDefinitions, establish } from '../runner/fixtures.ts'

const docs =
  'https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/'
const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

/** `hostPort: a:1` in v1; `host: a` and `port: "1"` in v2. */
interface Endpoint extends KubeObject {
  hostPort?: string
  host?: string
  port?: string
  extra?: string
}

const text = { type: 'string' }
const fieldsOf = {
  v1: { hostPort: text },
  v2: { host: text, port: text },
} as const
type VersionName = keyof typeof fieldsOf

interface Version {
  name: string
  storage: boolean
  [field: string]: unknown
}

function version(name: VersionName, storage: boolean, more: object = {}): Version {
  const schema = { openAPIV3Schema: { type: 'object', properties: fieldsOf[name] } }
  return { name, served: true, storage, schema, ...more }
}

const stored = (storage: VersionName, more: object = {}) =>
  (['v1', 'v2'] as const).map((name) => version(name, name === storage, more))

function endpointKind(t: CaseContext, versions: Version[], conversion: object = { strategy: 'None' }): CustomKind {
  const group = `${t.unique('group')}.example.com`
  return {
    group,
    ref: { group, version: 'v1', resource: 'endpoints', kind: 'Endpoint', namespaced: true },
    definition: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `endpoints.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural: 'endpoints', singular: 'endpoint', kind: 'Endpoint', listKind: 'EndpointList' },
        conversion,
        versions,
      },
    },
  }
}

function door(t: CaseContext, { ref }: CustomKind, name: VersionName): Promise<ResourceClient<Endpoint>> {
  return t.in<Endpoint>({ ...(ref as ResourceRef<Endpoint>), version: name })
}

const endpoint = ({ group }: CustomKind, of: VersionName, name: string, fields: Partial<Endpoint>): Endpoint => ({
  apiVersion: `${group}/${of}`,
  kind: 'Endpoint',
  metadata: { name },
  ...fields,
})

/** As the sample webhook of Kubernetes does it. */
function convert(object: KubeObject, apiVersion: string): KubeObject {
  const { hostPort, host, port, ...kept } = object as Endpoint
  if (apiVersion.endsWith('/v2')) {
    const [first, second] = (hostPort ?? '').split(':')
    return { ...kept, apiVersion, host: first, port: second } as Endpoint
  }
  return { ...kept, apiVersion, hostPort: `${host}:${port}` } as Endpoint
}

interface Served {
  kind: CustomKind
  webhook: ConversionWebhook
}

/** A kind whose two versions a webhook converts, stored as v1. */
async function withWebhook(t: CaseContext, versions: Version[] = stored('v1')): Promise<Served> {
  const webhook = await openConversionWebhook(convert)
  t.cleanup(async () => webhook[Symbol.asyncDispose]())
  const kind = endpointKind(t, versions, byWebhook(webhook, { url: `${webhook.url}/crdconvert` }))
  await establish(t, kind)
  return { kind, webhook }
}

const byWebhook = ({ caBundle }: ConversionWebhook, place: object) => ({
  strategy: 'Webhook',
  webhook: { clientConfig: { ...place, caBundle }, conversionReviewVersions: ['v1', 'v1beta1'] },
})

/** Changes the definition's versions; resolves when they are served. */
async function setVersions(t: CaseContext, { definition }: CustomKind, versions: Version[]): Promise<void> {
  await t.api('PATCH', `${path}/${definition.metadata.name}`, { spec: { versions } })
}

async function storedVersions(t: CaseContext, { definition }: CustomKind): Promise<string[]> {
  const { status } = await t.api<{ status: { storedVersions: string[] } }>('GET', `${path}/${definition.metadata.name}`)
  return status.storedVersions
}

const asV2 = { host: 'localhost', port: '8080' }
const shown = ({ hostPort, host, port }: Endpoint) => JSON.parse(JSON.stringify({ hostPort, host, port }))

export const cases = [
  defineCase({
    name: 'versions: an object is read and written in each version that is served',
    stands: docs,
    async run(t) {
      const same = stored('v1').map((one) => ({ ...one, schema: version('v2', false).schema }))
      const kind = endpointKind(t, same)
      await establish(t, kind)
      const [v1, v2] = [await door(t, kind, 'v1'), await door(t, kind, 'v2')]
      await v1.create(endpoint(kind, 'v1', 'one', asV2))
      const read = await v2.get('one')
      assert.deepEqual([read.apiVersion, shown(read)], [`${kind.group}/v2`, asV2])
      const changed = await v2.update({ ...read, port: '9090' })
      assert.equal(changed.apiVersion, `${kind.group}/v2`)
      const again = await v1.get('one')
      assert.deepEqual([again.apiVersion, again.port], [`${kind.group}/v1`, '9090'])
      const { items, ...list } = await v2.list()
      assert.deepEqual([list.apiVersion, items[0]?.apiVersion], [`${kind.group}/v2`, `${kind.group}/v2`])
    },
  }),
  defineCase({
    name: 'versions: without conversion what a version does not know is not shown in it',
    stands: docs,
    async run(t) {
      const kind = endpointKind(t, stored('v1'))
      await establish(t, kind)
      const v1 = await door(t, kind, 'v1')
      await v1.create(endpoint(kind, 'v1', 'one', { hostPort: 'localhost:8080' }))
      assert.deepEqual(shown(await (await door(t, kind, 'v2')).get('one')), {})
      assert.deepEqual(shown(await v1.get('one')), { hostPort: 'localhost:8080' })
    },
  }),
  defineCase({
    name: 'versions: defaults of the stored version are filled in whichever version is read',
    stands: `${docs}#versioning`,
    async run(t) {
      const port = { type: 'string', default: '80' }
      const schema = { openAPIV3Schema: { type: 'object', properties: { host: text, port } } }
      const kind = endpointKind(t, [{ ...version('v1', true), schema }, version('v2', false)])
      await establish(t, kind)
      const made = await (await door(t, kind, 'v2')).create(endpoint(kind, 'v2', 'one', { host: 'a' }))
      assert.equal(made.port, '80')
    },
  }),
  defineCase({
    name: 'versions: a version that is not served is not found, and is stored all the same',
    stands: docs,
    async run(t) {
      const versions = [version('v1', true, { served: false }), version('v2', false)]
      const kind = endpointKind(t, versions)
      const v2Ref = { ...kind, ref: { ...kind.ref, version: 'v2' } }
      await establish(t, v2Ref)
      const namespace = await t.namespace()
      await (await door(t, kind, 'v2')).create(endpoint(kind, 'v2', 'one', asV2))
      const { status } = await t.http({ path: `/apis/${kind.group}/v1/namespaces/${namespace}/endpoints/one` })
      assert.equal(status, 404)
      assert.deepEqual(await storedVersions(t, kind), ['v1'])
    },
  }),
  defineCase({
    name: 'versions: a deprecated version says so with every answer',
    stands: `${docs}#version-deprecation`,
    async run(t) {
      const old = version('v1', false, { deprecated: true })
      const older = { ...version('v1', false), name: 'v1beta1', deprecated: true, deprecationWarning: 'use v2 at once' }
      const kind = endpointKind(t, [older, old, version('v2', true)])
      await establish(t, kind)
      const warningOf = async (name: string) =>
        (await t.http({ path: `/apis/${kind.group}/${name}/endpoints` })).headers.warning
      assert.equal(await warningOf('v1beta1'), '299 - "use v2 at once"')
      assert.equal(await warningOf('v1'), `299 - "${kind.group}/v1 Endpoint is deprecated"`)
      assert.equal(await warningOf('v2'), undefined)
    },
  }),
  defineCase({
    name: 'versions: a webhook converts from v1 to v2',
    stands: 'CustomResourceConversionWebhook should be able to convert from CR v1 to CR v2',
    needs: ['neighbour'],
    async run(t) {
      const { kind } = await withWebhook(t)
      await (await door(t, kind, 'v1')).create(endpoint(kind, 'v1', 'one', { hostPort: 'localhost:8080' }))
      assert.deepEqual(shown(await (await door(t, kind, 'v2')).get('one')), asV2)
    },
  }),
  defineCase({
    name: 'versions: objects that are stored in several versions are listed in each',
    stands: 'CustomResourceConversionWebhook should be able to convert a non homogeneous list of CRs',
    needs: ['neighbour'],
    async run(t) {
      const { kind, webhook } = await withWebhook(t)
      const [v1, v2] = [await door(t, kind, 'v1'), await door(t, kind, 'v2')]
      await v1.create(endpoint(kind, 'v1', 'one', { hostPort: 'localhost:8080' }))
      await setVersions(t, kind, stored('v2'))
      await v2.create(endpoint(kind, 'v2', 'two', asV2))
      assert.deepEqual((await v1.list()).items.map(shown), [
        { hostPort: 'localhost:8080' },
        { hostPort: 'localhost:8080' },
      ])
      assert.deepEqual((await v2.list()).items.map(shown), [asV2, asV2])
      assert.deepEqual(await storedVersions(t, kind), ['v1', 'v2'])
      assert.ok(
        webhook.reviews.every((count) => count === 1),
        'what is in the wanted version is not sent',
      )
    },
  }),
  defineCase({
    name: 'versions: a webhook is called as a service',
    stands: docs,
    needs: ['neighbour'],
    async run(t) {
      const webhook = await openConversionWebhook(convert)
      t.cleanup(async () => webhook[Symbol.asyncDispose]())
      const { port } = webhook
      const place = { service: { namespace: 'default', name: 'conversion-webhook', path: '/crdconvert', port } }
      const door1 = t.client.resource(services).in('default')
      await door1.create({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'conversion-webhook' },
        spec: { type: 'ExternalName', externalName: 'localhost' },
      })
      t.cleanup(() => door1.delete('conversion-webhook'))
      const kind = endpointKind(t, stored('v1'), byWebhook(webhook, place))
      await establish(t, kind)
      await (await door(t, kind, 'v1')).create(endpoint(kind, 'v1', 'one', { hostPort: 'localhost:8080' }))
      assert.deepEqual(shown(await (await door(t, kind, 'v2')).get('one')), asV2)
    },
  }),
  defineCase({
    name: 'versions: a list is converted together, and each object once',
    stands: docs,
    needs: ['neighbour'],
    async run(t) {
      const { kind, webhook } = await withWebhook(t)
      const [v1, v2] = [await door(t, kind, 'v1'), await door(t, kind, 'v2')]
      const names = Array.from({ length: 20 }, (_, at) => `e${at}`)
      await Promise.all(names.map((name) => v1.create(endpoint(kind, 'v1', name, { hostPort: `${name}:1` }))))
      assert.equal(webhook.reviews.length, 0)
      const { items } = await v2.list()
      assert.deepEqual(items.map(({ host }) => host).toSorted(), names.toSorted())
      const sent = webhook.reviews.reduce((all, count) => all + count, 0)
      assert.equal(sent, names.length)
      assert.equal(webhook.reviews.length, 1)
    },
  }),
  defineCase({
    name: 'versions: a watch tells of every change in its version',
    stands: docs,
    needs: ['neighbour'],
    async run(t) {
      const { kind } = await withWebhook(t)
      const [v1, v2] = [await door(t, kind, 'v1'), await door(t, kind, 'v2')]
      await v1.create(endpoint(kind, 'v1', 'one', { hostPort: 'a:1' }))
      const watch = await t.watch(`/apis/${kind.group}/v2/namespaces/${await t.namespace()}/endpoints?watch=true`)
      const next = async () => {
        const event = (await watch.next())!
        return [event.type, event.object.apiVersion, event.object.host]
      }
      const apiVersion = `${kind.group}/v2`
      assert.deepEqual(await next(), ['ADDED', apiVersion, 'a'])
      const read = await v1.get('one')
      await v1.update({ ...read, hostPort: 'b:1' })
      assert.deepEqual(await next(), ['MODIFIED', apiVersion, 'b'])
      await v2.delete('one')
      assert.deepEqual(await next(), ['DELETED', apiVersion, 'b'])
    },
  }),
  defineCase({
    name: 'versions: a watch goes on from a revision in another version',
    stands: docs,
    needs: ['neighbour'],
    async run(t) {
      const { kind } = await withWebhook(t)
      const v1 = await door(t, kind, 'v1')
      const { metadata } = await v1.list()
      await v1.create(endpoint(kind, 'v1', 'one', { hostPort: 'a:1' }))
      const query = `watch=true&resourceVersion=${metadata.resourceVersion}`
      const watch = await t.watch(`/apis/${kind.group}/v2/namespaces/${await t.namespace()}/endpoints?${query}`)
      const { type, object } = (await watch.next())!
      assert.deepEqual([type, object.host], ['ADDED', 'a'])
    },
  }),
  defineCase({
    name: 'versions: field selectors of a version select by its fields',
    stands:
      'CustomResourceFieldSelectors CustomResourceFieldSelectors MUST list and watch custom resources matching the field selector',
    needs: ['neighbour'],
    async run(t) {
      const fields = (...paths: string[]) => ({ selectableFields: paths.map((jsonPath) => ({ jsonPath })) })
      const { kind } = await withWebhook(t, [
        version('v1', true, fields('.hostPort')),
        version('v2', false, fields('.host', '.port')),
      ])
      const [v1, v2] = [await door(t, kind, 'v1'), await door(t, kind, 'v2')]
      const base = `/apis/${kind.group}/v2/namespaces/${await t.namespace()}/endpoints`
      const watch = await t.watch(`${base}?watch=true&fieldSelector=host%3Da`)
      for (const [name, hostPort] of [
        ['one', 'a:1'],
        ['two', 'b:1'],
        ['three', 'a:2'],
      ] as const)
        await v1.create(endpoint(kind, 'v1', name, { hostPort }))
      const named = ({ items }: { items: KubeObject[] }) => items.map(({ metadata }) => metadata.name)
      assert.deepEqual(named(await v2.list({ fieldSelector: 'host=a' })), ['one', 'three'])
      assert.deepEqual(named(await v2.list({ fieldSelector: 'host=a,port=2' })), ['three'])
      assert.deepEqual(named(await v1.list({ fieldSelector: 'hostPort=b:1' })), ['two'])
      await t.rejects(v1.list({ fieldSelector: 'host=a' }), { code: 400, message: 'field label not supported: host' })
      const page = await v2.list({ fieldSelector: 'host=a', limit: 1 })
      assert.deepEqual(named(page), ['one'])
      const rest = await v2.list({ fieldSelector: 'host=a', limit: 1, continue: page.metadata.continue! })
      assert.deepEqual(named(rest), ['three'])
      await v1.update({ ...(await v1.get('one')), hostPort: 'c:1' })
      const events = [await watch.next(), await watch.next(), await watch.next()]
      assert.deepEqual(
        events.map((event) => [event!.type, event!.object.metadata.name, event!.object.host]),
        [
          ['ADDED', 'one', 'a'],
          ['ADDED', 'three', 'a'],
          ['DELETED', 'one', 'a'],
        ],
      )
    },
  }),
  defineCase({
    name: 'versions: a patch of one version changes the object of another',
    stands: docs,
    needs: ['neighbour'],
    async run(t) {
      const { kind } = await withWebhook(t)
      const [v1, v2] = [await door(t, kind, 'v1'), await door(t, kind, 'v2')]
      await v1.create(endpoint(kind, 'v1', 'one', { hostPort: 'a:1' }))
      assert.deepEqual(shown(await v2.patch('one', { type: 'merge', body: { port: '2' } })), { host: 'a', port: '2' })
      assert.equal((await v1.get('one')).hostPort, 'a:2')
    },
  }),
  defineCase({
    name: 'versions: what was applied in one version conflicts in another, and can be given up there',
    stands: 'https://kubernetes.io/docs/reference/using-api/server-side-apply/',
    needs: ['neighbour'],
    async run(t) {
      const { kind } = await withWebhook(t)
      const base = `/apis/${kind.group}`
      const at = `namespaces/${await t.namespace()}/endpoints/one`
      const apply = (of: VersionName, manager: string, fields: Partial<Endpoint>) =>
        t.http({
          method: 'PATCH',
          path: `${base}/${of}/${at}?fieldManager=${manager}`,
          headers: { 'content-type': 'application/apply-patch+yaml' },
          body: endpoint(kind, of, 'one', fields),
        })
      assert.equal((await apply('v2', 'first', { host: 'a', port: '1' })).status, 201)
      const refused = await apply('v1', 'second', { hostPort: 'b:1' })
      assert.equal(refused.status, 409)
      assert.match(refused.text, /conflict with \\"first\\"/)
      const same = await apply('v1', 'second', { hostPort: 'a:1' })
      assert.equal(same.status, 200, same.text)
      // The same manager in another version is the same owner.
      assert.equal((await apply('v1', 'first', { hostPort: 'a:1' })).status, 200)
      const { metadata } = await (await door(t, kind, 'v1')).get('one')
      assert.deepEqual(
        metadata.managedFields?.map(({ manager, apiVersion }) => [manager, apiVersion]),
        [
          ['first', `${kind.group}/v1`],
          ['second', `${kind.group}/v1`],
        ],
      )
    },
  }),
  defineCase({
    name: 'versions: an object is shown as a row of the columns of its version',
    stands: docs,
    needs: ['neighbour'],
    async run(t) {
      const column = (name: string) => ({
        additionalPrinterColumns: [{ name, type: 'string', jsonPath: `.${name}` }],
      })
      const { kind } = await withWebhook(t, [
        version('v1', true, column('hostPort')),
        version('v2', false, column('host')),
      ])
      await (await door(t, kind, 'v1')).create(endpoint(kind, 'v1', 'one', { hostPort: 'a:1' }))
      const table = await t.api<{ rows: { cells: string[] }[] }>(
        'GET',
        `/apis/${kind.group}/v2/namespaces/${await t.namespace()}/endpoints`,
        undefined,
        { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
      )
      assert.deepEqual(table.rows[0]!.cells, ['one', 'a'])
    },
  }),
  defineCase({
    name: 'versions: what is written after the storage version changed is stored in the new one',
    stands: `${docs}#upgrade-existing-objects-to-a-new-stored-version`,
    needs: ['neighbour'],
    async run(t) {
      const { kind, webhook } = await withWebhook(t)
      const [v1, v2] = [await door(t, kind, 'v1'), await door(t, kind, 'v2')]
      const made = await v1.create(endpoint(kind, 'v1', 'one', { hostPort: 'a:1' }))
      const untouched = await v1.update(made)
      assert.equal(untouched.metadata.resourceVersion, made.metadata.resourceVersion)
      await setVersions(t, kind, stored('v2'))
      assert.deepEqual(await storedVersions(t, kind), ['v1', 'v2'])
      // An update that changes nothing is written all the same, in the new version.
      const rewritten = await v1.update(await v1.get('one'))
      assert.notEqual(rewritten.metadata.resourceVersion, made.metadata.resourceVersion)
      assert.equal(rewritten.metadata.generation, made.metadata.generation)
      webhook.reviews.length = 0
      await v2.get('one')
      assert.equal(webhook.reviews.length, 0, 'it is read without conversion')
    },
  }),
  defineCase({
    name: 'versions: a stored version leaves the definition only when it has left its status',
    stands: `${docs}#upgrade-existing-objects-to-a-new-stored-version`,
    async run(t) {
      const kind = endpointKind(t, stored('v1'))
      await establish(t, kind)
      const door = t.client.resource(customResourceDefinitions)
      const name = kind.definition.metadata.name!
      await setVersions(t, kind, stored('v2'))
      const drop = () => door.patch(name, { type: 'merge', body: { spec: { versions: [version('v2', true)] } } })
      await t.rejects(drop(), {
        code: 422,
        messageIncludes:
          'status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; v1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1 and removes v1 from status.storedVersions',
      })
      await t.api('PATCH', `${path}/${name}/status`, { status: { storedVersions: ['v2'] } })
      assert.deepEqual(await storedVersions(t, kind), ['v2'])
      await drop()
    },
  }),
  ...(
    [
      {
        what: 'answers with 500',
        answer: () => 500,
        says: 'failed: an error on the server ("the webhook is not well") has prevented the request from succeeding',
      },
      {
        what: 'says that it failed',
        answer: ({ uid }) => ({
          kind: 'ConversionReview',
          apiVersion: 'apiextensions.k8s.io/v1',
          response: { uid, result: { status: 'Failure', message: 'port is missing' } },
        }),
        says: 'failed: port is missing',
      },
      {
        what: 'answers another question',
        answer: () => successful('another', []),
        says: 'failed: expected response.uid=',
      },
      {
        what: 'says nothing',
        answer: () => ({ kind: 'ConversionReview', apiVersion: 'apiextensions.k8s.io/v1' }),
        says: 'failed: no response provided',
      },
      {
        what: 'answers with another kind',
        answer: () => ({ kind: 'Status', apiVersion: 'v1' }),
        says: 'failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got /v1, Kind=Status',
      },
      { what: 'loses objects', answer: ({ uid }) => successful(uid, []), says: 'returned 0 objects, expected 1' },
      {
        what: 'does not convert',
        answer: ({ uid, objects }) => successful(uid, objects),
        says: 'returned invalid object at index 0: invalid groupVersion (expected ',
      },
      {
        what: 'changes the name',
        answer: (review) => changed(review, { name: 'another' }),
        says: 'returned invalid object: must have the same name: one != another',
      },
      {
        what: 'changes the uid',
        answer: (review) => changed(review, { uid: 'another' }),
        says: 'returned invalid object: must have the same UID: ',
      },
      {
        what: 'gives labels that are none',
        answer: (review) => changed(review, { labels: { a: 1 as unknown as string } }),
        says: 'returned invalid metadata: metadata.labels[a] must be a string, but is int64 in converted object',
      },
    ] as { what: string; answer: ConversionWebhook['answer']; says: string }[]
  ).map(({ what, answer, says }) =>
    defineCase({
      name: `versions: a webhook that ${what} fails the request`,
      stands: docs,
      needs: ['neighbour'],
      async run(t) {
        const { kind, webhook } = await withWebhook(t)
        const [v1, v2] = [await door(t, kind, 'v1'), await door(t, kind, 'v2')]
        await v1.create(endpoint(kind, 'v1', 'one', { hostPort: 'a:1' }))
        webhook.answer = answer
        const message = `conversion webhook for ${kind.group}/v1, Kind=Endpoint ${says}`
        await t.rejects(v2.get('one'), { code: 500, messageIncludes: message })
        await t.rejects(v2.list(), { code: 500, messageIncludes: message })
        assert.equal((await v1.get('one')).hostPort, 'a:1')
      },
    }),
  ),
  defineCase({
    name: 'versions: a webhook that cannot be reached, or is not to be trusted, fails the request',
    stands: docs,
    needs: ['neighbour'],
    async run(t) {
      const { kind, webhook } = await withWebhook(t)
      const [v1, v2] = [await door(t, kind, 'v1'), await door(t, kind, 'v2')]
      await v1.create(endpoint(kind, 'v1', 'one', { hostPort: 'a:1' }))
      const definition = `${path}/${kind.definition.metadata.name}`
      const place = (clientConfig: object) =>
        t.api('PATCH', definition, { spec: { conversion: { webhook: { clientConfig } } } })
      await place({ url: `https://localhost:${webhook.port}`, caBundle: null })
      await t.rejects(v2.get('one'), {
        code: 500,
        messageIncludes: `failed: Post "https://localhost:${webhook.port}/?timeout=30s": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
      })
      await webhook[Symbol.asyncDispose]()
      await t.rejects(v2.get('one'), { code: 500, messageIncludes: 'connect: connection refused' })
    },
  }),
  defineCase({
    name: 'versions: a webhook that is trusted does not lose its certificate by an edit',
    stands: docs,
    async run(t) {
      const { kind } = await withWebhook(t)
      const conversion = { webhook: { clientConfig: { caBundle: 'Cg==' } } }
      const call = t.client
        .resource(customResourceDefinitions)
        .patch(kind.definition.metadata.name!, { type: 'merge', body: { spec: { conversion } } })
      await t.rejects(call, {
        code: 422,
        messageIncludes: 'spec.conversion.webhookClientConfig.caBundle: Invalid value: ',
      })
    },
  }),
  defineCase({
    name: 'versions: metadata is what the server wrote, but for labels and annotations',
    stands: docs,
    needs: ['neighbour'],
    async run(t) {
      const { kind, webhook } = await withWebhook(t)
      const made = await (await door(t, kind, 'v1')).create(endpoint(kind, 'v1', 'one', { hostPort: 'a:1' }))
      webhook.answer = (review) =>
        changed(review, {
          labels: { of: 'webhook' },
          generation: 99,
          creationTimestamp: null as never,
          finalizers: ['x.y/z'],
        })
      const { metadata } = await (await door(t, kind, 'v2')).get('one')
      assert.deepEqual(metadata.labels, { of: 'webhook' })
      const { generation, creationTimestamp, finalizers } = made.metadata
      assert.deepEqual(
        [metadata.generation, metadata.creationTimestamp, metadata.finalizers],
        [generation, creationTimestamp, finalizers],
      )
    },
  }),
  ...[
    {
      what: 'without a webhook',
      webhook: undefined,
      says: 'spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook',
    },
    {
      what: 'with a webhook at a plain address',
      webhook: { clientConfig: { url: 'http://x.example.com' }, conversionReviewVersions: ['v1'] },
      says: `spec.conversion.webhookClientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme; desired format: https://host[/path]`,
    },
    {
      what: 'with a webhook at two places',
      webhook: {
        clientConfig: { url: 'https://x.example.com', service: { name: 'a', namespace: 'b' } },
        conversionReviewVersions: ['v1'],
      },
      says: 'spec.conversion.webhookClientConfig: Required value: exactly one of url or service is required',
    },
    {
      what: 'with no version of reviews that is known',
      webhook: { clientConfig: { url: 'https://x.example.com' }, conversionReviewVersions: ['v7'] },
      says: 'spec.conversion.conversionReviewVersions: Invalid value: ["v7"]: must include at least one of v1, v1beta1',
    },
  ].map(({ what, webhook, says }) =>
    defineCase({
      name: `versions: a definition ${what} is refused`,
      stands: docs,
      async run(t) {
        const kind = endpointKind(t, stored('v1'), { strategy: 'Webhook', ...(webhook && { webhook }) })
        const call = t.client.resource(customResourceDefinitions).create(kind.definition)
        await t.rejects(call, { code: 422, reason: 'Invalid', messageIncludes: says })
      },
    }),
  ),
]

/** Converted, but with other metadata. */
function changed({ uid, desiredAPIVersion, objects }: ConversionRequest, metadata: Partial<KubeObject['metadata']>) {
  const converted = objects.map((object) => {
    const one = convert(object, desiredAPIVersion)
    return { ...one, metadata: { ...one.metadata, ...metadata } }
  })
  return successful(uid, converted)
}
