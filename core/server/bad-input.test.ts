import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestBody, type TestServer } from '#core/testing/test-server.ts'

/** What clients get for requests no client library would send. One server for all: it must be well at the end. */
let server: TestServer

beforeAll(async () => {
  server = await startTestServer(['--log-level', 'error'])
  await server.request('POST', crds, gadgets)
  await server.request('POST', configMaps, configMap('standing'))
  await server.request('POST', gadgetsPath, gadget('standing'))
})

afterAll(async () => {
  const health = await server.request('GET', '/readyz')
  expect(health.status).toBe(200)
  expect(server.stderr()).not.toMatch(/RangeError|TypeError/)
  await server[Symbol.asyncDispose]()
})

const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const configMaps = '/api/v1/namespaces/default/configmaps'
const gadgetsPath = '/apis/bad.example.dev/v1/namespaces/default/gadgets'
const configMap = (name: string, data: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
})
const gadget = (name: unknown, rest: object = {}) => ({
  apiVersion: 'bad.example.dev/v1',
  kind: 'Gadget',
  metadata: { name },
  spec: { size: 1 },
  ...rest,
})
const gadgets = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gadgets.bad.example.dev' },
  spec: {
    group: 'bad.example.dev',
    names: { plural: 'gadgets', kind: 'Gadget' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        deprecated: true,
        deprecationWarning: 'use "gizmos" ü instead',
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        },
        subresources: { status: {}, scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' } },
      },
    ],
  },
}

const json = { 'content-type': 'application/json' }
const merge = { 'content-type': 'application/merge-patch+json' }
const jsonPatch = { 'content-type': 'application/json-patch+json' }
const strategic = { 'content-type': 'application/strategic-merge-patch+json' }
const deep = '['.repeat(100_000) + ']'.repeat(100_000)

interface Case {
  name: string
  method?: string
  target: string
  body?: TestBody
  headers?: Record<string, string>
  status: number
  message?: string | RegExp
}

const bodies: Case[] = [
  { name: 'no body', method: 'POST', target: configMaps, body: '', status: 400 },
  { name: 'broken JSON', method: 'POST', target: configMaps, body: '{"a":', status: 400, message: /json parse error/ },
  { name: 'an array', method: 'POST', target: configMaps, body: [], status: 400 },
  { name: 'a number', method: 'POST', target: configMaps, body: '5', status: 400 },
  { name: 'null', method: 'POST', target: configMaps, body: 'null', status: 422 },
  { name: 'a deep array', method: 'POST', target: configMaps, body: deep, status: 400, message: /exceeded max depth/ },
  { name: 'deep data', method: 'POST', target: gadgetsPath, body: `{"spec":{"a":${deep}}}`, status: 400 },
  {
    name: 'a deep patch',
    method: 'PATCH',
    target: `${gadgetsPath}/standing`,
    body: `{"spec":${deep}}`,
    headers: merge,
    status: 400,
  },
  {
    name: 'a huge number',
    method: 'POST',
    target: gadgetsPath,
    body: '{"metadata":{"name":"huge"},"spec":{"a":1e999}}',
    status: 400,
    message: /out of range/,
  },
  {
    name: 'bytes that are no UTF-8',
    method: 'POST',
    target: configMaps,
    body: Buffer.from('{"metadata":{"name":"a\xff"}}', 'latin1'),
    status: 422,
  },
  {
    name: 'broken YAML',
    method: 'POST',
    target: configMaps,
    body: 'a: [',
    headers: { 'content-type': 'application/yaml' },
    status: 400,
    message: /yaml parse error/,
  },
  {
    name: 'a YAML bomb',
    method: 'POST',
    target: configMaps,
    body: yamlBomb(),
    headers: { 'content-type': 'application/yaml' },
    status: 400,
  },
  {
    name: 'two YAML documents',
    method: 'POST',
    target: configMaps,
    body: 'a: 1\n---\nb: 2\n',
    headers: { 'content-type': 'application/yaml' },
    status: 400,
  },
  {
    name: 'a form',
    method: 'POST',
    target: configMaps,
    body: 'a=b',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    status: 415,
  },
  {
    name: 'plain text',
    method: 'POST',
    target: configMaps,
    body: '{}',
    headers: { 'content-type': 'text/plain' },
    status: 415,
  },
  {
    name: 'a patch sent as JSON',
    method: 'PATCH',
    target: `${configMaps}/standing`,
    body: {},
    headers: json,
    status: 415,
  },
  {
    name: 'a strategic merge patch of a custom resource',
    method: 'PATCH',
    target: `${gadgetsPath}/standing`,
    body: {},
    headers: strategic,
    status: 415,
  },
  {
    name: 'more than 3 MiB',
    method: 'POST',
    target: configMaps,
    body: configMap('big', { a: 'x'.repeat(3 * 2 ** 20) }),
    status: 413,
  },
  {
    name: 'a patch that makes more than 3 MiB',
    method: 'PATCH',
    target: `${gadgetsPath}/standing`,
    body: growth(),
    headers: jsonPatch,
    status: 413,
  },
  {
    name: 'another kind',
    method: 'POST',
    target: configMaps,
    body: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } },
    status: 400,
  },
  {
    name: 'another version',
    method: 'POST',
    target: configMaps,
    body: { apiVersion: 'v2', kind: 'ConfigMap', metadata: { name: 'a' } },
    status: 400,
    message: 'the API version in the data (v2) does not match the expected API version (v1)',
  },
  {
    name: 'an apiVersion that is a number',
    method: 'POST',
    target: configMaps,
    body: { apiVersion: 5, kind: 'ConfigMap' },
    status: 400,
  },
  {
    name: 'a field of the wrong type',
    method: 'POST',
    target: configMaps,
    body: { metadata: { name: 'a' }, data: { a: 1 } },
    status: 400,
    message: /cannot unmarshal number into Go struct field ConfigMap.data of type string/,
  },
  { name: 'metadata that is text', method: 'POST', target: configMaps, body: { metadata: 'a' }, status: 400 },
  {
    name: 'no name',
    method: 'POST',
    target: configMaps,
    body: {},
    status: 422,
    message: /name or generateName is required/,
  },
  { name: 'a bad name', method: 'POST', target: configMaps, body: configMap('A_b'), status: 422 },
  {
    name: 'a name with a path in it',
    method: 'POST',
    target: configMaps,
    body: configMap('../../kube-system/a'),
    status: 422,
  },
  {
    name: 'a label named __proto__',
    method: 'POST',
    target: configMaps,
    body: '{"metadata":{"name":"p","labels":{"__proto__":"x"}}}',
    status: 422,
  },
  {
    name: 'another namespace',
    method: 'POST',
    target: configMaps,
    body: { metadata: { name: 'a', namespace: 'b' } },
    status: 400,
  },
  {
    name: 'a namespace that is not there',
    method: 'POST',
    target: '/api/v1/namespaces/nowhere/configmaps',
    body: configMap('a'),
    status: 404,
  },
  {
    name: 'a resourceVersion',
    method: 'POST',
    target: configMaps,
    body: { metadata: { name: 'a', resourceVersion: '1' } },
    status: 400,
  },
  {
    name: 'an unknown field, strictly',
    method: 'POST',
    target: `${configMaps}?fieldValidation=Strict`,
    body: { ...configMap('a'), colour: 'red' },
    status: 400,
    message: /strict decoding error: unknown field "colour"/,
  },
  {
    name: 'fieldValidation nobody knows',
    method: 'POST',
    target: `${configMaps}?fieldValidation=Maybe`,
    body: configMap('a'),
    status: 422,
  },
  {
    name: 'dryRun nobody knows',
    method: 'POST',
    target: `${configMaps}?dryRun=yes`,
    body: configMap('a'),
    status: 422,
  },
  { name: 'a CRD without spec', method: 'POST', target: crds, body: { metadata: { name: 'a.b' } }, status: 422 },
  {
    name: 'a CRD with a list for spec',
    method: 'POST',
    target: crds,
    body: { metadata: { name: 'a.b' }, spec: [] },
    status: 400,
  },
  { name: 'a custom resource named by a number', method: 'POST', target: gadgetsPath, body: gadget(5), status: 400 },
  { name: 'a custom resource named by an object', method: 'POST', target: gadgetsPath, body: gadget({}), status: 400 },
  {
    name: 'a generateName that is a number',
    method: 'POST',
    target: gadgetsPath,
    body: { metadata: { generateName: 5 } },
    status: 400,
  },
  {
    name: 'labels that are text',
    method: 'POST',
    target: gadgetsPath,
    body: { metadata: { name: 'a', labels: 'x' } },
    status: 400,
  },
  {
    name: 'a label that is a number',
    method: 'POST',
    target: gadgetsPath,
    body: { metadata: { name: 'a', labels: { a: 1 } } },
    status: 400,
  },
  {
    name: 'finalizers that are text',
    method: 'POST',
    target: gadgetsPath,
    body: { metadata: { name: 'a', finalizers: 'x' } },
    status: 400,
  },
  {
    name: 'owners that are numbers',
    method: 'POST',
    target: gadgetsPath,
    body: { metadata: { name: 'a', ownerReferences: [1] } },
    status: 400,
  },
  {
    name: 'a JSON patch that is an object',
    method: 'PATCH',
    target: `${configMaps}/standing`,
    body: {},
    headers: jsonPatch,
    status: 400,
  },
  {
    name: 'a JSON patch to nowhere',
    method: 'PATCH',
    target: `${configMaps}/standing`,
    body: [{ op: 'remove', path: '/nowhere' }],
    headers: jsonPatch,
    status: 422,
  },
  {
    name: 'a JSON patch that replaces everything by text',
    method: 'PATCH',
    target: `${configMaps}/standing`,
    body: [{ op: 'replace', path: '', value: 'x' }],
    headers: jsonPatch,
    status: 422,
  },
  {
    name: 'a JSON patch of __proto__',
    method: 'PATCH',
    target: `${configMaps}/standing`,
    body: '[{"op":"add","path":"/__proto__/polluted","value":1}]',
    headers: jsonPatch,
    status: 422,
  },
  {
    name: 'a merge patch that is a list',
    method: 'PATCH',
    target: `${configMaps}/standing`,
    body: [],
    headers: merge,
    status: 400,
  },
  {
    name: 'a patch of the name',
    method: 'PATCH',
    target: `${configMaps}/standing`,
    body: { metadata: { name: 'b' } },
    headers: merge,
    status: 400,
  },
  {
    name: 'a patch of the uid',
    method: 'PATCH',
    target: `${configMaps}/standing`,
    body: { metadata: { uid: 'b' } },
    headers: merge,
    status: 409,
  },
  {
    name: 'a patch of an old state',
    method: 'PATCH',
    target: `${configMaps}/standing`,
    body: { metadata: { resourceVersion: '1' } },
    headers: merge,
    status: 409,
  },
  {
    name: 'a patch that removes metadata',
    method: 'PATCH',
    target: `${gadgetsPath}/standing`,
    body: [{ op: 'remove', path: '/metadata' }],
    headers: jsonPatch,
    status: 422,
  },
  {
    name: 'a replacement without resourceVersion',
    method: 'PUT',
    target: `${gadgetsPath}/standing`,
    body: gadget('standing'),
    status: 422,
    message: /must be specified for an update/,
  },
  {
    name: 'a replacement under another name',
    method: 'PUT',
    target: `${configMaps}/standing`,
    body: configMap('other'),
    status: 400,
  },
  {
    name: 'a replacement of what is not there',
    method: 'PUT',
    target: `${configMaps}/gone`,
    body: configMap('gone'),
    status: 404,
  },
  {
    name: 'deleteOptions of another kind',
    method: 'DELETE',
    target: `${configMaps}/standing`,
    body: { kind: 'Pod' },
    status: 400,
  },
  {
    name: 'dryRun that is no list',
    method: 'DELETE',
    target: `${configMaps}/standing`,
    body: { dryRun: 5 },
    status: 400,
  },
  {
    name: 'preconditions that are text',
    method: 'DELETE',
    target: `${configMaps}/standing`,
    body: { preconditions: 'x' },
    status: 400,
  },
  {
    name: 'another uid to delete',
    method: 'DELETE',
    target: `${configMaps}/standing`,
    body: { preconditions: { uid: 'x' } },
    status: 409,
  },
  {
    name: 'a grace period that is no number',
    method: 'DELETE',
    target: `${configMaps}/standing?gracePeriodSeconds=x`,
    status: 400,
  },
  {
    name: 'a policy nobody knows',
    method: 'DELETE',
    target: `${configMaps}/standing?propagationPolicy=Never`,
    status: 422,
  },
  { name: 'a scale that is a list', method: 'PUT', target: `${gadgetsPath}/standing/scale`, body: [], status: 400 },
  {
    name: 'a scale of another kind',
    method: 'PUT',
    target: `${gadgetsPath}/standing/scale`,
    body: gadget('standing'),
    status: 400,
  },
  {
    name: 'a scale below nothing',
    method: 'PATCH',
    target: `${gadgetsPath}/standing/scale`,
    body: { spec: { replicas: -1 } },
    headers: merge,
    status: 422,
  },
  {
    name: 'a scale patched into text',
    method: 'PATCH',
    target: `${gadgetsPath}/standing/scale`,
    body: [{ op: 'replace', path: '', value: 'x' }],
    headers: jsonPatch,
    status: 422,
  },
  {
    name: 'a review with text for spec',
    method: 'POST',
    target: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: { spec: 'x' },
    status: 400,
  },
  {
    name: 'a review with numbers for groups',
    method: 'POST',
    target: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    body: { spec: { groups: 5, resourceAttributes: {} } },
    status: 400,
  },
  {
    name: 'a token request with text for audiences',
    method: 'POST',
    target: '/api/v1/namespaces/keelson-system/serviceaccounts/scheduler/token',
    body: { spec: { audiences: 'x' } },
    status: 400,
  },
  {
    name: 'a binding with text for target',
    method: 'POST',
    target: '/api/v1/namespaces/default/bindings',
    body: { metadata: { name: 'p' }, target: 'x' },
    status: 400,
  },
]

const questions: Case[] = [
  { name: 'an Accept nobody can serve', target: configMaps, headers: { accept: 'image/png' }, status: 406 },
  {
    name: 'a create whose answer nobody can serve',
    method: 'POST',
    target: configMaps,
    body: configMap('unseen'),
    headers: { accept: 'image/png', ...json },
    status: 406,
  },
  { name: 'a label selector that does not parse', target: `${configMaps}?labelSelector=a%20in%20(`, status: 400 },
  { name: 'a field selector that does not parse', target: `${configMaps}?fieldSelector=a`, status: 400 },
  {
    name: 'a field nobody can select',
    target: `${configMaps}?fieldSelector=data.a%3Db`,
    status: 400,
    message: '"data.a" is not a known field selector',
  },
  { name: 'a limit that is no number', target: `${configMaps}?limit=many`, status: 400 },
  { name: 'a continue token nobody gave', target: `${configMaps}?continue=AAAA`, status: 400 },
  { name: 'a resourceVersion nobody gave', target: `${configMaps}?resourceVersion=abc`, status: 400 },
  {
    name: 'a watch from a resourceVersion nobody gave',
    target: `${configMaps}?watch=1&resourceVersion=-1`,
    status: 400,
  },
  { name: 'a timeout that is no number', target: `${configMaps}?watch=1&timeoutSeconds=soon`, status: 400 },
  {
    name: 'a watch as YAML',
    target: `${configMaps}?watch=1`,
    headers: { accept: 'application/yaml;stream=watch' },
    status: 406,
  },
  {
    name: 'includeObject nobody knows',
    target: `${configMaps}?includeObject=Some`,
    headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    status: 400,
  },
  { name: 'an escape that is none', target: `${configMaps}/%zz`, status: 400 },
  { name: 'a slash in disguise', target: '/api/v1/secrets/kube-system%2Fa', status: 404 },
  { name: 'dots in disguise', target: `${configMaps}/%2e%2e`, status: 400 },
  { name: 'a resource nobody has', target: '/api/v1/gizmos', status: 404 },
  { name: 'an object nobody made', target: `${configMaps}/__proto__`, status: 404 },
  { name: 'a resource named constructor', target: '/api/v1/constructor', status: 404 },
  { name: 'a subresource nobody has', target: `${configMaps}/standing/constructor`, status: 404 },
  { name: 'a path behind a subresource', target: `${gadgetsPath}/standing/status/more`, status: 404 },
  { name: 'a verb nobody has', method: 'BREW', target: configMaps, status: 405 },
  { name: 'creating under a name', method: 'POST', target: `${configMaps}/a`, body: configMap('a'), status: 405 },
  { name: 'nodes of a namespace', target: '/api/v1/namespaces/default/nodes', status: 404 },
  { name: 'exec without an upgrade', method: 'POST', target: '/api/v1/namespaces/default/pods/p/exec', status: 400 },
]

test.each([...bodies, ...questions])(
  '$name is refused',
  async ({ method = 'GET', target, body, headers, status, message }) => {
    const answer = await server.request(method, target, body, headers)
    expect({ status: answer.status, text: answer.text.slice(0, 500) }).toMatchObject({ status })
    expect(answer.json()).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code: status })
    if (message) expect(answer.json().message).toMatch(message)
  },
)

test('a path that is nobody’s is not found, in words', async () => {
  for (const target of ['/apis/gizmo.dev/v1/gizmos', '/gizmos']) {
    const { headers, status, text } = await server.request('GET', target)
    expect([status, headers['content-type'], text]).toEqual([404, 'text/plain; charset=utf-8', '404 page not found\n'])
  }
})

test('a create that was refused for its Accept header made nothing', async () => {
  expect((await server.request('GET', `${configMaps}/unseen`)).status).toBe(404)
})

test('unknown fields are dropped with a warning each, and no more warnings than a head can hold', async () => {
  const some = await server.request('POST', configMaps, { ...configMap('warned'), colour: 'red' })
  expect([some.status, some.headers.warning]).toEqual([201, '299 - "unknown field \\"colour\\""'])
  expect(some.json()).not.toHaveProperty('colour')
  const fields = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`field-${at}`, at]))
  const many = await server.request('POST', configMaps, { ...configMap('much-warned'), ...fields })
  expect(many.status).toBe(201)
  expect(String(many.headers.warning).length).toBeLessThan(16_384)
})

test('a deprecation warning cannot break the head it is sent in', async () => {
  const answer = await server.request('GET', `${gadgetsPath}/standing`)
  expect([answer.status, answer.headers.warning]).toEqual([200, '299 - "use \\"gizmos\\" ü instead"'])
})

test('keys that objects inherit are keys like others', async () => {
  const body = '{"metadata":{"name":"keys"},"data":{"constructor":"a","toString":"b"}}'
  expect((await server.request('POST', configMaps, body)).json()).toMatchObject({
    data: { constructor: 'a', toString: 'b' },
  })
  const free = '{"metadata":{"name":"keys"},"spec":{"__proto__":{"size":2},"constructor":{"prototype":{"x":1}}}}'
  const made = await server.request('POST', gadgetsPath, free)
  expect(made.status).toBe(201)
  expect(made.text).toContain('"spec":{"__proto__":{"size":2},"constructor":{"prototype":{"x":1}}}')
  const patch = '{"spec":{"__proto__":{"size":3}}}'
  const patched = await server.request('PATCH', `${gadgetsPath}/keys`, patch, merge)
  expect(patched.text).toContain('"__proto__":{"size":3}')
})

/** Each alias stands for nine of the one before. */
function yamlBomb(): string {
  const lines = ['a0: &a0 x']
  for (let at = 1; at < 12; at++)
    lines.push(
      `a${at}: &a${at} [${Array(9)
        .fill(`*a${at - 1}`)
        .join(', ')}]`,
    )
  return lines.join('\n')
}

/** Adds a little more than 3 MiB in two steps that are each allowed. */
function growth() {
  const value = 'x'.repeat(1_100_000)
  return [
    { op: 'add', path: '/spec/a', value },
    { op: 'copy', from: '/spec/a', path: '/spec/b' },
    { op: 'copy', from: '/spec/a', path: '/spec/c' },
  ]
}
