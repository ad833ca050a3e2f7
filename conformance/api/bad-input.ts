import assert from 'node:assert/strict'
import { configmaps } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { defineCase } from '../runner/case.ts'
import { configMap } from '../runner/fixtures.ts'

const validationDocs =
  'https://kubernetes.io/docs/reference/using-api/api-concepts/#validation-for-unrecognized-or-duplicate-fields'
const concepts = 'https://kubernetes.io/docs/reference/using-api/api-concepts/'

const unknownField = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' }, dta: { a: '1' } }

const badBodies: { what: string; body: string | Buffer; code: number; type?: string }[] = [
  { what: 'malformed JSON', body: '{"kind": "ConfigMap",', code: 400 },
  { what: 'an empty body', body: '', code: 400 },
  { what: 'an array', body: '[]', code: 400 },
  { what: 'a number', body: '7', code: 400 },
  {
    what: 'another kind',
    body: JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'one' } }),
    code: 400,
  },
  {
    what: 'another version',
    body: JSON.stringify({ apiVersion: 'v7', kind: 'ConfigMap', metadata: { name: 'one' } }),
    code: 400,
  },
  { what: 'a field of another type', body: JSON.stringify({ metadata: { name: 'one' }, data: 'text' }), code: 400 },
  { what: 'metadata of another type', body: JSON.stringify({ metadata: 'one' }), code: 400 },
  { what: 'labels of another type', body: JSON.stringify({ metadata: { name: 'one', labels: { a: 1 } } }), code: 400 },
  { what: 'bytes that are no text', body: Buffer.from([0xff, 0xfe, 0x00, 0x80]), code: 400 },
  { what: 'a media type nobody knows', body: '{}', type: 'text/plain', code: 415 },
  { what: 'nesting without end', body: `{"metadata":{"name":"one"},"data":${'['.repeat(50_000)}`, code: 400 },
]

export const cases = [
  defineCase({
    name: 'field validation: an unknown field is warned of',
    stands: 'FieldValidation should detect unknown metadata fields in both the root and embedded object of a CR',
    async run(t) {
      const path = `/api/v1/namespaces/${await t.namespace()}/configmaps`
      const { status, headers } = await t.http({ method: 'POST', path, body: unknownField })
      assert.equal(status, 201)
      assert.equal(headers.warning, '299 - "unknown field \\"dta\\""')
    },
  }),
  defineCase({
    name: 'field validation: Strict refuses, Ignore is silent',
    stands: validationDocs,
    async run(t) {
      const path = `/api/v1/namespaces/${await t.namespace()}/configmaps?fieldValidation=`
      const strict = await t.http({ method: 'POST', path: `${path}Strict`, body: unknownField })
      assert.equal(strict.status, 400)
      assert.match(strict.json<{ message: string }>().message, /strict decoding error: unknown field "dta"/)
      const ignored = await t.http({ method: 'POST', path: `${path}Ignore`, body: unknownField })
      assert.deepEqual([ignored.status, ignored.headers.warning], [201, undefined])
    },
  }),
  defineCase({
    name: 'field validation: a field that comes twice is told',
    stands: validationDocs,
    async run(t) {
      const path = `/api/v1/namespaces/${await t.namespace()}/configmaps?fieldValidation=Strict`
      const body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"one"},"data":{"a":"1"},"data":{"a":"2"}}'
      const { status, text } = await t.http({ method: 'POST', path, body })
      assert.equal(status, 400)
      assert.match(text, /duplicate field \\"data\\"/)
    },
  }),
  defineCase({
    name: 'field validation: nested unknown fields are told by their path',
    stands: 'FieldValidation should detect unknown and duplicate fields of a typed object',
    async run(t) {
      const path = `/apis/apps/v1/namespaces/${await t.namespace()}/deployments?fieldValidation=Strict`
      const template = {
        metadata: { labels: { a: 'b' } },
        spec: { containers: [{ name: 'main', image: 'x', imge: 'y' }] },
      }
      const body = {
        metadata: { name: 'one' },
        spec: { paused: true, selector: { matchLabels: { a: 'b' } }, template, replcas: 1 },
      }
      const { status, text } = await t.http({ method: 'POST', path, body })
      assert.equal(status, 400)
      assert.match(text, /unknown field \\"spec.replcas\\"/)
      assert.match(text, /unknown field \\"spec.template.spec.containers\[0\].imge\\"/)
    },
  }),
  ...badBodies.map(({ what, body, code, type }) =>
    defineCase({
      name: `bad input: ${what} is refused`,
      stands: concepts,
      async run(t) {
        const path = `/api/v1/namespaces/${await t.namespace()}/configmaps`
        const { status, json } = await t.http({
          method: 'POST',
          path,
          body,
          headers: type ? { 'content-type': type } : {},
        })
        assert.equal(status, code)
        assert.equal(json<{ kind: string }>().kind, 'Status')
      },
    }),
  ),
  defineCase({
    name: 'bad input: a body beyond three megabytes is refused',
    stands: concepts,
    async run(t) {
      const path = `/api/v1/namespaces/${await t.namespace()}/configmaps`
      const body = configMap('one', { big: 'x'.repeat(3.5 * 2 ** 20) })
      const { status, json } = await t.http({ method: 'POST', path, body })
      assert.equal(status, 413)
      assert.equal(json<{ reason: string }>().reason, 'RequestEntityTooLarge')
    },
  }),
  defineCase({
    name: 'bad input: a ConfigMap holds a megabyte and no more',
    stands: 'https://kubernetes.io/docs/concepts/configuration/configmap/#motivation',
    async run(t) {
      const call = (await t.in(configmaps)).create(configMap('one', { big: 'x'.repeat(2 ** 20 + 1) }))
      await t.rejects(call, { code: 422, messageIncludes: 'Too long: may not be more than 1048576 bytes' })
    },
  }),
  defineCase({
    name: 'bad input: names that mean something to JavaScript are names',
    stands: concepts,
    async run(t) {
      const path = `/api/v1/namespaces/${await t.namespace()}/configmaps`
      const body =
        '{"metadata":{"name":"constructor","labels":{"prototype":"x"}},"data":{"__proto__":"a","constructor":"b","toString":"c"}}'
      assert.equal((await t.http({ method: 'POST', path, body })).status, 201)
      const { text } = await t.http({ path: `${path}/constructor` })
      const data = new Map(Object.entries((JSON.parse(text) as { data: Record<string, string> }).data))
      assert.deepEqual([...data.keys()].toSorted(), ['__proto__', 'constructor', 'toString'])
      const { status } = await t.http({
        method: 'PATCH',
        path: `${path}/constructor`,
        body: '{"data":{"__proto__":null,"valueOf":"d"}}',
        headers: { 'content-type': 'application/merge-patch+json' },
      })
      assert.equal(status, 200)
      const after = (await t.http({ path: `${path}/constructor` })).text
      assert.deepEqual(Object.keys((JSON.parse(after) as { data: object }).data).toSorted(), [
        'constructor',
        'toString',
        'valueOf',
      ])
      assert.equal((await t.http({ path: `${path}/valueof` })).status, 404)
      assert.equal(
        (await t.http({ path: `${path}?labelSelector=prototype%3Dx` })).json<{ items: unknown[] }>().items.length,
        1,
      )
    },
  }),
  ...['..%2f..%2fsecrets', '%2e%2e', 'a%2fb', '%00', '%'].map((name) =>
    defineCase({
      name: `bad input: the path segment ${name} leads nowhere`,
      stands: concepts,
      async run(t) {
        const { status } = await t.http({ path: `/api/v1/namespaces/${await t.namespace()}/configmaps/${name}` })
        assert.ok(status >= 300 && status < 500, String(status))
      },
    }),
  ),
  ...['limit=many', 'timeoutSeconds=soon', 'resourceVersionMatch=Exact', 'resourceVersion=-1'].map((query) =>
    defineCase({
      name: `bad input: the query ${query} is refused`,
      stands: concepts,
      async run(t) {
        const { status } = await t.http({ path: `/api/v1/namespaces/${await t.namespace()}/configmaps?${query}` })
        assert.ok(status === 400 || status === 422 || status === 403, String(status))
      },
    }),
  ),
  defineCase({
    name: 'bad input: the connection outlives it',
    stands: concepts,
    async run(t) {
      const path = `/api/v1/namespaces/${await t.namespace()}/configmaps`
      for (const body of ['{', '\0', '"']) await t.http({ method: 'POST', path, body })
      assert.equal((await t.http({ method: 'POST', path, body: configMap('one') })).status, 201)
    },
  }),
]
