import { type HostileRow, row, yaml } from './rows.ts'

/** Texts that are no JSON, and JSON that is no object of the kind. */

const post = (body: unknown, headers?: Record<string, string>) => ({
  method: 'POST',
  path: '{cm}?dryRun=All',
  body,
  ...(headers && { headers }),
})
const postTo = (path: string, body: unknown) => ({ method: 'POST', path: `${path}?dryRun=All`, body })

const broken = [
  '',
  '{',
  '}',
  '[',
  '{"a"',
  '{"a":',
  '{"a":}',
  '{"a":1,}',
  '{,}',
  "{'a':1}",
  '{a:1}',
  '{"a":01}',
  '{"a":+1}',
  '{"a":.5}',
  '{"a":1.}',
  '{"a":1e}',
  '{"a":0x10}',
  '{"a":NaN}',
  '{"a":Infinity}',
  '{"a":undefined}',
  '{"a":nul}',
  '{"a":"\u0001"}',
  '{"a":"\\x41"}',
  '{"a":"\\u12"}',
  '{"a":"b}',
  '{"a":1}{"b":2}',
  '{"a":1} x',
  '{"a":1}]',
  '// a comment\n{}',
  '{} /* a comment */',
  '\u0000',
  '{"a"\u00a0:1}',
  'apiVersion: v1\nkind: ConfigMap\n',
  '<ConfigMap/>',
]

const bytes: [string, Buffer][] = [
  ['a byte order mark', Buffer.from('\ufeff{"metadata":{"name":"one"}}')],
  ['UTF-16', Buffer.from('{"metadata":{"name":"one"}}', 'utf16le')],
  [
    'a gzip of JSON',
    Buffer.from(
      '1f8b0800000000000003ab56ca4d2d494c492c4954b2aa56ca4bcc4d55b2524acd4b55aaad0500a1cf6fe318000000',
      'hex',
    ),
  ],
  ['protobuf said to be JSON', Buffer.from('6b38730012090a0276311203506f64', 'hex')],
  ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00, 0x80])],
]

const notObjects: [string, string][] = [
  ['a list', '[]'],
  ['a list of objects', '[{"metadata":{"name":"one"}}]'],
  ['a number', '7'],
  ['a string', '"ConfigMap"'],
  ['true', 'true'],
  ['nesting without end', `{"metadata":{"name":"one"},"data":${'['.repeat(50_000)}`],
  ['very deep lists', `{"metadata":{"name":"one"},"data":{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`],
  ['very deep objects', `{"metadata":{"name":"one"},"data":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`],
]

/** JSON of the right form with values of the wrong type, for a ConfigMap. */
const wrongTypes: [string, object][] = [
  ['a number for apiVersion', { apiVersion: 1 }],
  ['a list for kind', { kind: [] }],
  ['another kind', { apiVersion: 'v1', kind: 'Secret' }],
  ['a kind nobody knows', { apiVersion: 'v1', kind: '__proto__' }],
  ['another version', { apiVersion: 'v2', kind: 'ConfigMap' }],
  ['another group', { apiVersion: 'apps/v1', kind: 'ConfigMap' }],
  ['a version with too many slashes', { apiVersion: 'a/b/c', kind: 'ConfigMap' }],
  ['text for metadata', { metadata: 'one' }],
  ['a list for metadata', { metadata: ['one'] }],
  ['a number for the name', { metadata: { name: 1 } }],
  ['an object for the name', { metadata: { name: {} } }],
  ['a list for labels', { metadata: { name: 'one', labels: [] } }],
  ['a number for a label', { metadata: { name: 'one', labels: { a: 1 } } }],
  ['true for an annotation', { metadata: { name: 'one', annotations: { a: true } } }],
  ['text for finalizers', { metadata: { name: 'one', finalizers: 'a/b' } }],
  ['numbers for finalizers', { metadata: { name: 'one', finalizers: [1] } }],
  ['an object for owners', { metadata: { name: 'one', ownerReferences: {} } }],
  ['numbers for owners', { metadata: { name: 'one', ownerReferences: [1] } }],
  ['text for controller', { metadata: { name: 'one', ownerReferences: [{ controller: 'yes' }] } }],
  ['text for generation', { metadata: { name: 'one', generation: 'x' } }],
  ['text that is no time', { metadata: { name: 'one', creationTimestamp: 'yesterday' } }],
  ['text for data', { metadata: { name: 'one' }, data: 'a' }],
  ['a list for data', { metadata: { name: 'one' }, data: ['a'] }],
  ['a number in data', { metadata: { name: 'one' }, data: { a: 1 } }],
  ['an object in data', { metadata: { name: 'one' }, data: { a: {} } }],
  ['binary data that is no base64', { metadata: { name: 'one' }, binaryData: { a: '?' } }],
  ['text for immutable', { metadata: { name: 'one' }, immutable: 'true' }],
]

const pod = (spec: unknown) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'one' }, spec })
const wrongPods: [string, unknown][] = [
  ['text for the spec', pod('x')],
  ['an object for containers', pod({ containers: {} })],
  ['numbers for containers', pod({ containers: [1] })],
  ['a number for the image', pod({ containers: [{ name: 'a', image: 1 }] })],
  ['text for a port', pod({ containers: [{ name: 'a', image: 'x', ports: [{ containerPort: '80' }] }] })],
  ['a port with a fraction', pod({ containers: [{ name: 'a', image: 'x', ports: [{ containerPort: 80.5 }] }] })],
  ['text for seconds', pod({ terminationGracePeriodSeconds: '30', containers: [] })],
  ['text for true', pod({ hostNetwork: 'true', containers: [] })],
  ['a number for a map', pod({ nodeSelector: 1, containers: [] })],
  ['a list for a quantity', pod({ containers: [{ name: 'a', image: 'x', resources: { limits: { cpu: [] } } }] })],
  [
    'text that is no quantity',
    pod({ containers: [{ name: 'a', image: 'x', resources: { limits: { cpu: 'much' } } }] }),
  ],
  ['an object for an environment', pod({ containers: [{ name: 'a', image: 'x', env: {} }] })],
]
const hugeNumbers = ['2147483648', '-2147483649', '1e300', '9223372036854775808', '1e20', '99999999999999999999999999']

const wrongYaml: [string, string][] = [
  ['a list that does not end', 'a: ['],
  ['a tab for indentation', 'a:\n\tb: 1'],
  ['an alias of nothing', 'a: *b'],
  ['a scalar', 'just text'],
  ['a list', '- a\n- b'],
  ['a mapping in a scalar', 'a: b: c'],
  ['aliases of aliases of aliases', yamlBomb()],
  ['very deep lists', '['.repeat(5_000) + ']'.repeat(5_000)],
  ['true for a string', 'metadata: {name: one}\ndata: {a: yes}'],
]

function yamlBomb(): string {
  const levels = Array.from({ length: 9 }, (_, n) => `l${n + 1}: &l${n + 1} [${Array(9).fill(`*l${n}`).join()}]`)
  return ['l0: &l0 [x]', ...levels].join('\n')
}

const twice = '{"metadata":{"name":"one"},"data":{"a":"1","a":"2"}}'

export const rows: HostileRow[] = [
  ...broken.map((body) => row(`the body ${JSON.stringify(body)}`, post(body), 400)),
  ...bytes.map(([what, body]) => row(what, post(body), 400)),
  ...notObjects.map(([what, body]) => row(`${what} for a body`, post(body), 400)),
  ...wrongTypes.map(([what, body]) => row(what, post(body), 400)),
  ...wrongPods.map(([what, body]) => row(`a pod with ${what}`, postTo('{pods}', body), 400)),
  ...hugeNumbers.map((number) =>
    row(
      `${number} replicas`,
      postTo('{deployments}', `{"metadata":{"name":"one"},"spec":{"replicas":${number}}}`),
      400,
    ),
  ),
  ...wrongYaml.map(([what, body]) => row(`YAML: ${what}`, post(body, yaml), 400)),
  row('null for a body', post('null'), 422, 'name or generateName is required'),
  row('no name', post('{}'), 422, 'name or generateName is required'),
  row('fields in capitals', post({ Metadata: { Name: 'one' } }), 422, 'name or generateName is required'),
  row('a name that is no UTF-8', post(Buffer.from('{"metadata":{"name":"a\xff"}}', 'latin1')), 422),
  row('a body of 3 MiB and more', post({ metadata: { name: 'one' }, data: { a: 'x'.repeat(3 * 2 ** 20) } }), 413),
  row(
    'more data than a ConfigMap holds',
    post({ metadata: { name: 'one' }, data: { a: 'x'.repeat(2 ** 20 + 1) } }),
    422,
    'Too long',
  ),
  row(
    'an unknown field, strictly',
    { method: 'POST', path: '{cm}?fieldValidation=Strict', body: { metadata: { name: 'one' }, dta: {} } },
    400,
    'strict decoding error: unknown field "dta"',
  ),
  row(
    'a field that comes twice, strictly',
    { method: 'POST', path: '{cm}?fieldValidation=Strict', body: twice },
    400,
    'strict decoding error: duplicate field "data.a"',
  ),
  row(
    'a key that comes twice in YAML, strictly',
    {
      method: 'POST',
      path: '{cm}?fieldValidation=Strict',
      body: 'metadata: {name: one}\ndata:\n  a: "1"\n  a: "2"\n',
      headers: yaml,
    },
    400,
    'line 4: key "a" already set in map',
  ),
  row(
    'a field __proto__, strictly',
    {
      method: 'POST',
      path: '{cm}?fieldValidation=Strict',
      body: '{"metadata":{"name":"one"},"__proto__":{"data":{}}}',
    },
    400,
    'strict decoding error: unknown field "__proto__"',
  ),
]
