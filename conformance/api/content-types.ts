import assert from 'node:assert/strict'
import { configmaps, persistentvolumeclaims, serviceaccounts } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'
import { configMap, customResourceDefinitions, establish, runningPod, widget, widgetKind } from '../runner/fixtures.ts'
import { bodyOf, field, Message, numberField, openBody, protobufType, readFrames } from '../runner/protobuf.ts'

const docs = 'https://kubernetes.io/docs/reference/using-api/api-concepts/#alternate-representations-of-resources'
const protobufDocs = 'https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding'
const asProtobuf = { accept: protobufType }
const inProtobuf = { accept: protobufType, 'content-type': protobufType }
const eitherWay = { accept: `${protobufType}, application/json` }
const asMetadata = (kind: string) => ({ accept: `${protobufType};as=${kind};g=meta.k8s.io;v=v1` })

/** The numbers of fields, as Kubernetes' generated.proto files have them. */
const meta = { name: 1, namespace: 3, uid: 5, resourceVersion: 6, creationTimestamp: 8, labels: 11, annotations: 12 }
const status = { status: 2, message: 3, reason: 4, details: 5, code: 6 }
const data = 2

const configMapsOf = async (t: CaseContext) => `/api/v1/namespaces/${await t.namespace()}/configmaps`

/** A ConfigMap as Go writes it: with the texts nobody has set. */
const goConfigMap = (name: string, key: string, value: string) =>
  bodyOf(
    'v1',
    'ConfigMap',
    field(
      1,
      field(1, name),
      field(2, ''),
      field(3, ''),
      field(4, ''),
      field(5, ''),
      field(6, ''),
      numberField(7, 0),
      field(8),
    ),
    field(data, field(1, key), field(2, value)),
  )

async function openProtobufWatch(t: CaseContext, path: string, accept = protobufType) {
  const closing = new AbortController()
  t.cleanup(async () => closing.abort())
  const signal = AbortSignal.any([t.signal, closing.signal])
  const frames = readFrames(await t.client.stream({ method: 'GET', path, accept, signal }))
  return async () => {
    const { value } = await frames.next()
    assert.ok(value, 'the watch ended')
    return { type: value.type, ...openBody(value.body) }
  }
}

export const cases = [
  defineCase({
    name: 'content types: an object in protobuf, to the byte',
    stands: protobufDocs,
    async run(t) {
      const { metadata } = await (await t.in(configmaps)).create(configMap('one', { a: 'b', text: '\n'.repeat(300) }))
      const {
        status: code,
        headers,
        bytes,
      } = await t.http({ path: `${await configMapsOf(t)}/one`, headers: asProtobuf })
      assert.deepEqual([code, headers['content-type']], [200, protobufType])
      const { apiVersion, kind, message } = openBody(bytes)
      assert.deepEqual([apiVersion, kind], ['v1', 'ConfigMap'])
      const raw = new Message(bytes.subarray(4)).bytes(2)
      assert.equal(bytes.toString('hex'), bodyOf('v1', 'ConfigMap', raw).toString('hex'))
      const { name, namespace, uid, resourceVersion } = metadata
      assert.deepEqual(
        [meta.name, meta.namespace, meta.uid, meta.resourceVersion].map((number) => message.at(1).text(number)),
        [name, namespace, uid, resourceVersion],
      )
      const seconds = Date.parse(metadata.creationTimestamp!) / 1000
      assert.equal(message.at(1, meta.creationTimestamp).number(1), seconds)
      assert.deepEqual(message.map(data), { a: 'b', text: '\n'.repeat(300) })
    },
  }),
  defineCase({
    name: 'content types: a list in protobuf, page by page',
    stands: protobufDocs,
    async run(t) {
      const maps = await t.in(configmaps)
      const names = ['list-a', 'list-b', 'list-c']
      for (const name of names)
        await maps.create(configMap(name, { size: 'x'.repeat(1000) }, { labels: { list: 'yes' } }))
      const found: string[] = []
      for (let token = ''; ; ) {
        const path = `${await configMapsOf(t)}?labelSelector=list&limit=2&continue=${token}`
        const { apiVersion, kind, message } = openBody((await t.http({ path, headers: asProtobuf })).bytes)
        assert.deepEqual([apiVersion, kind], ['v1', 'ConfigMapList'])
        assert.match(message.at(1).text(2), /^\d+$/)
        for (const item of message.all(2)) {
          found.push(item.at(1).text(meta.name))
          assert.deepEqual(item.map(data), { size: 'x'.repeat(1000) })
        }
        token = message.at(1).text(3)
        if (!token) break
      }
      assert.deepEqual(found, names)
    },
  }),
  defineCase({
    name: 'content types: a watch in protobuf, frame by frame',
    stands: protobufDocs,
    async run(t) {
      const maps = await t.in(configmaps)
      await maps.create(configMap('seen', { a: '1' }, { labels: { watched: 'yes' } }))
      const query =
        'watch=1&labelSelector=watched&allowWatchBookmarks=1&sendInitialEvents=1&resourceVersionMatch=NotOlderThan'
      const next = await openProtobufWatch(t, `${await configMapsOf(t)}?${query}`)
      const added = await next()
      assert.deepEqual([added.type, added.kind, added.message.map(data)], ['ADDED', 'ConfigMap', { a: '1' }])
      const bookmark = await next()
      assert.deepEqual([bookmark.type, bookmark.kind], ['BOOKMARK', 'ConfigMap'])
      assert.deepEqual(bookmark.message.at(1).map(meta.annotations), { 'k8s.io/initial-events-end': 'true' })
      await maps.patch('seen', { type: 'merge', body: { data: { a: '2' } } })
      const modified = await next()
      assert.deepEqual([modified.type, modified.message.map(data)], ['MODIFIED', { a: '2' }])
      await maps.delete('seen')
      const deleted = await next()
      assert.deepEqual([deleted.type, deleted.message.at(1).text(meta.name)], ['DELETED', 'seen'])
    },
  }),
  defineCase({
    name: 'content types: a watch says what it is answered in',
    stands: protobufDocs,
    async run(t) {
      const path = `${await configMapsOf(t)}?watch=1&timeoutSeconds=1&resourceVersion=0&labelSelector=nothing`
      const { headers } = await t.http({ path, headers: { accept: `${protobufType};stream=watch` } })
      assert.equal(headers['content-type'], `${protobufType};stream=watch`)
    },
  }),
  defineCase({
    name: 'content types: a watch in YAML is not acceptable',
    stands: docs,
    async run(t) {
      const path = `${await configMapsOf(t)}?watch=1`
      const { status: code, text } = await t.http({ path, headers: { accept: 'application/yaml' } })
      assert.equal(code, 406)
      assert.match(text, /application\/json;stream=watch, application\/vnd.kubernetes.protobuf;stream=watch/)
    },
  }),
  defineCase({
    name: 'content types: writes in protobuf are answered in it',
    stands: protobufDocs,
    async run(t) {
      const path = await configMapsOf(t)
      const created = await t.http({ method: 'POST', path, headers: inProtobuf, body: goConfigMap('made', 'k', 'v') })
      assert.equal(created.status, 201)
      assert.deepEqual(openBody(created.bytes).message.map(data), { k: 'v' })
      const one = `${path}/made`
      const updated = await t.http({
        method: 'PUT',
        path: one,
        headers: inProtobuf,
        body: goConfigMap('made', 'k', 'w'),
      })
      assert.deepEqual([updated.status, openBody(updated.bytes).message.map(data)], [200, { k: 'w' }])
      const patched = await t.http({
        method: 'PATCH',
        path: one,
        headers: { ...asProtobuf, 'content-type': 'application/strategic-merge-patch+json' },
        body: { data: { l: 'x' } },
      })
      assert.deepEqual([patched.status, openBody(patched.bytes).message.map(data)], [200, { k: 'w', l: 'x' }])
      const { data: stored, metadata } = await (await t.in(configmaps)).get('made')
      assert.deepEqual([stored, metadata.generateName, metadata.labels], [{ k: 'w', l: 'x' }, undefined, undefined])
    },
  }),
  defineCase({
    name: 'content types: options of a deletion in protobuf count',
    stands: protobufDocs,
    async run(t) {
      await (await t.in(configmaps)).create(configMap('doomed'))
      const path = `${await configMapsOf(t)}/doomed`
      const remove = (uid: string) => {
        const body = bodyOf('v1', 'DeleteOptions', field(2, field(1, uid)), field(4, 'Background'))
        return t.http({ method: 'DELETE', path, headers: inProtobuf, body })
      }
      const refused = await remove('another')
      assert.deepEqual([refused.status, openBody(refused.bytes).message.text(status.reason)], [409, 'Conflict'])
      const uid = (await (await t.in(configmaps)).get('doomed')).metadata.uid!
      const { apiVersion, kind, message } = openBody((await remove(uid)).bytes)
      assert.deepEqual([apiVersion, kind, message.text(status.status)], ['v1', 'Status', 'Success'])
    },
  }),
  defineCase({
    name: 'content types: a failure is told in protobuf',
    stands: protobufDocs,
    async run(t) {
      const {
        status: code,
        headers,
        bytes,
      } = await t.http({ path: `${await configMapsOf(t)}/none`, headers: asProtobuf })
      assert.deepEqual([code, headers['content-type']], [404, protobufType])
      const { apiVersion, kind, message } = openBody(bytes)
      assert.deepEqual([apiVersion, kind], ['v1', 'Status'])
      assert.deepEqual(
        [status.status, status.message, status.reason].map((number) => message.text(number)),
        ['Failure', 'configmaps "none" not found', 'NotFound'],
      )
      assert.equal(message.number(status.code), 404)
      assert.deepEqual([message.at(status.details).text(1), message.at(status.details).text(3)], ['none', 'configmaps'])
    },
  }),
  defineCase({
    name: 'content types: bytes, quantities, ports and empty texts have their forms',
    stands: protobufDocs,
    async run(t) {
      const claims = await t.in(persistentvolumeclaims)
      await claims.create({
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'claim' },
        spec: {
          accessModes: ['ReadWriteOnce'],
          storageClassName: '',
          resources: { requests: { storage: '1Gi' } },
        },
      })
      const namespace = await t.namespace()
      const path = `/api/v1/namespaces/${namespace}/persistentvolumeclaims`
      const { bytes } = await t.http({ path: `${path}/claim`, headers: asProtobuf })
      const spec = openBody(bytes).message.at(2)
      // An empty class is not the same as none.
      assert.deepEqual([spec.has(5), spec.text(5)], [true, ''])
      assert.deepEqual(
        spec
          .at(2)
          .all(2)
          .map((entry) => [entry.text(1), entry.at(2).text(1)]),
        [['storage', '1Gi']],
      )
      const copy = bodyOf(
        'v1',
        'PersistentVolumeClaim',
        field(1, field(1, 'copy')),
        field(2, openBody(bytes).message.bytes(2)),
      )
      const answer = await t.http({ method: 'POST', path, headers: inProtobuf, body: copy })
      assert.equal(answer.status, 201, answer.text)
      assert.equal((await claims.get('copy')).spec?.storageClassName, '')
      const secrets = `/api/v1/namespaces/${namespace}/secrets`
      const secret = bodyOf(
        'v1',
        'Secret',
        field(1, field(1, 'bytes')),
        field(2, field(1, 'k'), field(2, Buffer.from([0, 255]))),
      )
      const made = await t.http({ method: 'POST', path: secrets, headers: inProtobuf, body: secret })
      assert.equal(openBody(made.bytes).message.at(2).bytes(2).toString('hex'), '00ff')
      assert.deepEqual((await t.api<{ data: unknown }>('GET', `${secrets}/bytes`)).data, { k: 'AP8=' })
    },
  }),
  defineCase({
    name: 'content types: metadata alone, in protobuf',
    stands: 'https://kubernetes.io/docs/reference/using-api/api-concepts/#partial-object-metadata',
    async run(t) {
      const kind = widgetKind(t)
      await establish(t, kind)
      await (await t.in(kind.ref)).create(widget(kind, 'one'))
      const path = `/apis/${kind.group}/v1/namespaces/${await t.namespace()}/widgets`
      const one = openBody((await t.http({ path: `${path}/one`, headers: asMetadata('PartialObjectMetadata') })).bytes)
      assert.deepEqual([one.apiVersion, one.kind], ['meta.k8s.io/v1', 'PartialObjectMetadata'])
      assert.deepEqual([one.message.at(1).text(meta.name), one.message.has(2)], ['one', false])
      const all = openBody((await t.http({ path, headers: asMetadata('PartialObjectMetadataList') })).bytes)
      assert.equal(all.kind, 'PartialObjectMetadataList')
      assert.deepEqual(
        all.message.all(2).map((item) => item.at(1).text(meta.name)),
        ['one'],
      )
      const next = await openProtobufWatch(t, `${path}?watch=1`, asMetadata('PartialObjectMetadata').accept)
      const { type, kind: shown, message } = await next()
      assert.deepEqual([type, shown, message.at(1).text(meta.name)], ['ADDED', 'PartialObjectMetadata', 'one'])
    },
  }),
  defineCase({
    name: 'content types: custom objects have no protobuf form',
    stands: protobufDocs,
    async run(t) {
      const kind = widgetKind(t)
      await establish(t, kind)
      await (await t.in(kind.ref)).create(widget(kind, 'one', { size: 4 }))
      const path = `/apis/${kind.group}/v1/namespaces/${await t.namespace()}/widgets`
      for (const at of [path, `${path}/one`]) {
        const { status: code, bytes } = await t.http({ path: at, headers: asProtobuf })
        const { message } = openBody(bytes)
        assert.deepEqual([code, message.text(status.reason)], [406, 'NotAcceptable'])
        assert.match(message.text(status.message), /^only the following media types are accepted: application\/json, /)
        const fallback = await t.http({ path: at, headers: eitherWay })
        assert.deepEqual([fallback.status, fallback.headers['content-type']], [200, 'application/json'])
      }
      const body = bodyOf(`${kind.group}/v1`, 'Widget', field(1, field(1, 'two')))
      assert.equal(
        (await t.http({ method: 'POST', path, headers: { 'content-type': protobufType }, body })).status,
        400,
      )
      const scale = openBody((await t.http({ path: `${path}/one/scale`, headers: asProtobuf })).bytes)
      assert.deepEqual([scale.apiVersion, scale.kind, scale.message.at(2).number(1)], ['autoscaling/v1', 'Scale', 4])
    },
  }),
  defineCase({
    name: 'content types: definitions of custom kinds in protobuf',
    stands: protobufDocs,
    async run(t) {
      const kind = widgetKind(t)
      const { name } = kind.definition.metadata
      t.cleanup(() => t.client.resource(customResourceDefinitions).delete(name!))
      await t.client.resource(customResourceDefinitions).create(kind.definition)
      const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`
      const { message } = openBody((await t.http({ path, headers: asProtobuf })).bytes)
      const version = message.at(2).all(7)[0]!
      const properties = version.at(4, 1).all(29)
      const schemaOf = (of: Message[], property: string) => of.find((entry) => entry.text(1) === property)!.at(2)
      const size = schemaOf(schemaOf(properties, 'spec').all(29), 'size')
      assert.deepEqual([version.text(1), version.number(2), size.text(5)], ['v1', 1, 'integer'])
      assert.deepEqual([size.bytes(11).readDoubleLE(), size.bytes(9).readDoubleLE()], [1, 100])
      const colour = schemaOf(schemaOf(properties, 'spec').all(29), 'colour')
      assert.deepEqual(
        [colour.at(8).text(1), colour.all(20).map((one) => one.text(1))],
        ['"red"', ['"red"', '"green"', '"blue"']],
      )
    },
  }),
  defineCase({
    name: 'content types: tables have no protobuf form',
    stands: docs,
    async run(t) {
      const path = await configMapsOf(t)
      const table = `${protobufType};as=Table;g=meta.k8s.io;v=v1`
      assert.equal((await t.http({ path, headers: { accept: table } })).status, 406)
      const accept = `${table}, application/json;as=Table;g=meta.k8s.io;v=v1`
      const answer = await t.http({ path, headers: { accept } })
      assert.deepEqual([answer.headers['content-type'], answer.json().kind], ['application/json', 'Table'])
    },
  }),
  defineCase({
    name: 'content types: questions and subresources in protobuf',
    stands: protobufDocs,
    async run(t) {
      const attributes = field(1, field(2, 'get'), field(5, 'pods'))
      const review = await t.http({
        method: 'POST',
        path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        headers: inProtobuf,
        body: bodyOf('authorization.k8s.io/v1', 'SelfSubjectAccessReview', field(1), field(2, attributes)),
      })
      const { kind, message } = openBody(review.bytes)
      assert.deepEqual([review.status, kind, message.at(3).number(1)], [201, 'SelfSubjectAccessReview', 1])
      await (await t.in(serviceaccounts)).create({
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'robot' },
      })
      const namespace = await t.namespace()
      const token = await t.http({
        method: 'POST',
        path: `/api/v1/namespaces/${namespace}/serviceaccounts/robot/token`,
        headers: inProtobuf,
        body: bodyOf('authentication.k8s.io/v1', 'TokenRequest', field(2, numberField(4, 3600))),
      })
      const request = openBody(token.bytes)
      assert.deepEqual([token.status, request.kind], [201, 'TokenRequest'])
      assert.match(request.message.at(3).text(1), /^[\w-]+\.[\w-]+\.[\w-]+$/)
      const pod = runningPod(t, 'evicted', { schedulerName: 'nobody' })
      await t.api('POST', `/api/v1/namespaces/${namespace}/pods`, pod)
      const evicted = await t.http({
        method: 'POST',
        path: `/api/v1/namespaces/${namespace}/pods/evicted/eviction`,
        headers: inProtobuf,
        body: bodyOf(
          'policy/v1',
          'Eviction',
          field(1, field(1, 'evicted'), field(3, namespace)),
          field(2, numberField(1, 0)),
        ),
      })
      assert.deepEqual([evicted.status, openBody(evicted.bytes).kind], [201, 'Status'])
    },
  }),
  defineCase({
    name: 'content types: discovery in protobuf',
    stands: protobufDocs,
    async run(t) {
      const read = async (path: string, accept = protobufType) =>
        openBody((await t.http({ path, headers: { accept } })).bytes)
      const versions = await read('/api')
      assert.deepEqual([versions.kind, versions.message.text(1)], ['APIVersions', 'v1'])
      const groups = await read('/apis')
      assert.equal(groups.kind, 'APIGroupList')
      assert.ok(groups.message.all(1).some((group) => group.text(1) === 'apps'))
      const resources = await read('/api/v1')
      assert.equal(resources.kind, 'APIResourceList')
      const pods = resources.message.all(2).find((one) => one.text(1) === 'pods')!
      assert.deepEqual([pods.text(3), pods.number(2), pods.at(4).has(1)], ['Pod', 1, true])
      const as = `${protobufType};g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList`
      const aggregated = await read('/apis', as)
      assert.deepEqual([aggregated.apiVersion, aggregated.kind], ['apidiscovery.k8s.io/v2', 'APIGroupDiscoveryList'])
      assert.ok(aggregated.message.all(2).some((group) => group.at(1).text(meta.name) === 'apps'))
    },
  }),
  defineCase({
    name: 'content types: YAML for objects, lists and failures',
    stands: docs,
    async run(t) {
      await (await t.in(configmaps)).create(configMap('one', { a: 'yes', b: '007' }))
      const path = await configMapsOf(t)
      const read = (at: string) => t.http({ path: at, headers: { accept: 'application/yaml' } })
      const one = await read(`${path}/one`)
      assert.deepEqual([one.status, one.headers['content-type']], [200, 'application/yaml'])
      assert.match(one.text, /^kind: ConfigMap$/m)
      // Texts that older readers would take for something else are quoted.
      assert.match(one.text, /^ {2}a: "yes"\n {2}b: "007"$/m)
      assert.match(one.text, /^ {2}creationTimestamp: "\d{4}-/m)
      const all = await read(path)
      assert.match(all.text, /^items:\n *- /m)
      const none = await read(`${path}/none`)
      assert.deepEqual([none.status, none.headers['content-type']], [404, 'application/yaml'])
      assert.match(none.text, /^reason: NotFound$/m)
    },
  }),
  defineCase({
    name: 'content types: CBOR is off, as it is by default',
    stands: 'https://kubernetes.io/docs/reference/using-api/api-concepts/#cbor-encoding',
    async run(t) {
      const path = await configMapsOf(t)
      const read = await t.http({ path, headers: { accept: 'application/cbor' } })
      assert.deepEqual([read.status, read.json().reason], [406, 'NotAcceptable'])
      const either = await t.http({ path, headers: { accept: 'application/cbor, application/json' } })
      assert.equal(either.headers['content-type'], 'application/json')
      const headers = { 'content-type': 'application/cbor' }
      const written = await t.http({ method: 'POST', path, headers, body: Buffer.from([0xa0]) })
      assert.deepEqual([written.status, written.json().reason], [415, 'UnsupportedMediaType'])
      const applied = await t.http({
        method: 'PATCH',
        path: `${path}/one?fieldManager=me`,
        headers: { 'content-type': 'application/apply-patch+cbor' },
        body: Buffer.from([0xa0]),
      })
      assert.equal(applied.status, 415)
    },
  }),
]
