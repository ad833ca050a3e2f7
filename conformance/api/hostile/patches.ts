import { type HostileRow, jsonPatch, mergePatch, row, strategicPatch } from './rows.ts'

/** Patches that are none, that do not apply, or that make of an object what it cannot be. */

const patch = (path: string, headers: Record<string, string>, body: unknown) => ({
  method: 'PATCH',
  path,
  headers,
  body,
})
const json = (body: unknown, path = '{cm}/standing') => patch(path, jsonPatch, body)
const merge = (body: unknown, path = '{cm}/standing') => patch(path, mergePatch, body)
const strategic = (body: unknown, path = '{deployments}/standing') => patch(path, strategicPatch, body)

const add = (path: string, value: unknown) => ({ op: 'add', path, value })

const noJsonPatch: [string, unknown][] = [
  ['an object', {}],
  ['text', '"a"'],
  ['a number', '1'],
  ['malformed', '[{"op":'],
  ['empty', ''],
  ['a list of text', ['a']],
  ['a list of lists', [[]]],
  ['a number for op', [{ op: 1, path: '/data/a' }]],
  ['a list for path', [{ op: 'remove', path: ['data'] }]],
  ['an object for from', [{ op: 'move', path: '/data/b', from: {} }]],
]
const inapplicable: [string, unknown[]][] = [
  ['an operation nobody knows', [{ op: 'merge', path: '/data' }]],
  ['an operation in capitals', [{ op: 'ADD', path: '/data/b', value: '1' }]],
  ['an operation __proto__', [{ op: '__proto__', path: '/data' }]],
  ['an operation constructor', [{ op: 'constructor', path: '/data' }]],
  ['no operation', [{}]],
  ['null for an operation', [null]],
  ['no path', [{ op: 'remove' }]],
  ['no from', [{ op: 'copy', path: '/data/b' }]],
  ['a path without slash', [{ op: 'remove', path: 'data' }]],
  ['a path to nowhere', [{ op: 'remove', path: '/data/none' }]],
  ['a parent that is not there', [add('/none/a', '1')]],
  ['a parent that is text', [add('/data/a/b', '1')]],
  ['the whole object', [{ op: 'remove', path: '' }]],
  ['a test that fails', [{ op: 'test', path: '/data/a', value: '2' }]],
  ['a test of another type', [{ op: 'test', path: '/data/a', value: 1 }]],
  ['a test of what is not there', [{ op: 'test', path: '/data/none', value: '1' }]],
  ['a test behind a change', [add('/data/b', '1'), { op: 'test', path: '/data/b', value: '2' }]],
  ['a move of nothing', [{ op: 'move', from: '/data/none', path: '/data/b' }]],
  ['a move into itself', [{ op: 'move', from: '/data', path: '/data/b' }]],
  ['a copy from nowhere', [{ op: 'copy', from: '/none/a', path: '/data/b' }]],
  ['an index past the end', [add('/metadata/finalizers', []), add('/metadata/finalizers/1', 'a/b')]],
  ['an index before the beginning', [add('/metadata/finalizers', []), add('/metadata/finalizers/-2', 'a/b')]],
  ['an index that is no number', [add('/metadata/finalizers', []), add('/metadata/finalizers/first', 'a/b')]],
  [
    'an index with a fraction',
    [add('/metadata/finalizers', ['a/b']), { op: 'remove', path: '/metadata/finalizers/0.5' }],
  ],
  [
    'an index of nothing',
    [add('/metadata/finalizers', []), { op: 'replace', path: '/metadata/finalizers/-', value: 'a/b' }],
  ],
  ['__proto__', [add('/__proto__/polluted', 1)]],
  ['constructor.prototype', [add('/constructor/prototype/polluted', 1)]],
  ['a test of what is inherited', [{ op: 'test', path: '/data/toString/name', value: 'toString' }]],
  [
    'copies without end',
    [
      add('/data/b', 'x'.repeat(2_000)),
      ...Array.from({ length: 2_000 }, (_, n) => ({ op: 'copy', from: '/data/b', path: `/data/c${n}` })),
    ],
  ],
]
/** What is patched into another shape is refused as the patch's fault. */
const misshapen: [string, object][] = [
  ['a number in data', { data: { a: 1 } }],
  ['text for data', { data: 'a' }],
  ['a list for labels', { metadata: { labels: ['a'] } }],
  ['text for metadata', { metadata: 'a' }],
  ['another kind', { kind: 'Secret' }],
  ['another version', { apiVersion: 'v2' }],
  ['base64 that is none', { binaryData: { b: '?' } }],
]
const invalid: [string, object][] = [
  ['a bad label', { metadata: { labels: { 'a b': 'c' } } }],
  ['a bad key', { data: { 'a/b': 'c' } }],
  ['a label __proto__', { metadata: { labels: JSON.parse('{"__proto__":"a"}') } }],
  ['annotations that are too long', { metadata: { annotations: { a: 'x'.repeat(256 * 1024) } } }],
  ['a finalizer that is nobody’s', { metadata: { finalizers: ['mine'] } }],
  [
    'two owners that control it',
    {
      metadata: {
        ownerReferences: ['a', 'b'].map((uid) => ({ apiVersion: 'v1', kind: 'Pod', name: 'a', uid, controller: true })),
      },
    },
  ],
]

const at = (body: object) => ({ spec: { template: { spec: body } } })
const badStrategic: [string, unknown, number][] = [
  ['a list', [], 400],
  ['text', '"a"', 400],
  ['malformed', '{"spec":', 400],
  ['text for a list to delete from', { metadata: { '$deleteFromPrimitiveList/finalizers': 'a' } }, 400],
  ['text for an order', at({ '$setElementOrder/containers': 'a' }), 400],
  ['text for keys to retain', { spec: { strategy: { $retainKeys: 'type' } } }, 400],
  [
    'a key that is not to be retained',
    { spec: { strategy: { $retainKeys: ['type'], rollingUpdate: { maxSurge: 1 } } } },
    422,
  ],
  ['an image that is a number', at({ containers: [{ name: 'main', image: 1 }] }), 422],
  ['text for replicas', { spec: { replicas: 'many' } }, 422],
  ['a fraction of replicas', { spec: { replicas: 1.5 } }, 422],
  ['another selector', { spec: { selector: { matchLabels: { app: 'other' } } } }, 422],
  ['replicas below zero', { spec: { replicas: -1 } }, 422],
  ['no template', { spec: { template: null } }, 422],
  ['all containers removed', at({ containers: [{ name: 'main', $patch: 'delete' }] }), 422],
  ['everything replaced by nothing', { $patch: 'replace' }, 422],
]

export const rows: HostileRow[] = [
  ...noJsonPatch.map(([what, body]) => row(`a JSON patch that is ${what}`, json(body), 400)),
  ...inapplicable.map(([what, body]) =>
    row(`a JSON patch with ${what}`, json(body), 422, 'the server rejected our request due to an error in our request'),
  ),
  row(
    'a JSON patch of too many operations',
    json(Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/data/a', value: '1' }))),
    413,
    'The allowed maximum operations in a JSON patch is 10000, got 10001',
  ),
  ...misshapen.map(([what, body]) => row(`a merge patch that makes ${what}`, merge(body), 422)),
  ...misshapen
    .slice(0, 4)
    .map(([what, body]) =>
      row(
        `a JSON patch that makes ${what}`,
        json(Object.entries(body).map(([field, value]) => add(`/${field}`, value))),
        422,
      ),
    ),
  ...invalid.map(([what, body]) => row(`a merge patch that makes ${what}`, merge(body), 422)),
  ...['[]', '"a"', '1', '{"data":', '', 'data: {}'].map((body) =>
    row(`a merge patch that is ${body || 'empty'}`, merge(body), 400),
  ),
  row('a merge patch that is too deep', merge(`{"data":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`), 400),
  row('a merge patch of the name', merge({ metadata: { name: 'other' } }), 400, 'does not match'),
  row('a merge patch of the namespace', merge({ metadata: { namespace: 'other' } }), 400, 'does not match'),
  row('a merge patch of the uid', merge({ metadata: { uid: 'other' } }), 409),
  row(
    'a merge patch of an old state',
    merge({ metadata: { resourceVersion: '1' } }),
    409,
    'the object has been modified',
  ),
  row('a merge patch of what is not there', merge({}, '{cm}/gone'), 404),
  row('a JSON patch of what is not there', json([], '{cm}/gone'), 404),
  row(
    'a merge patch with an unknown field, strictly',
    merge({ dta: {} }, '{cm}/standing?fieldValidation=Strict'),
    422,
    'unknown field "dta"',
  ),
  row(
    'a merge patch with a field twice, strictly',
    merge('{"data":{"a":"1","a":"1"}}', '{cm}/standing?fieldValidation=Strict'),
    422,
    'duplicate field "data.a"',
  ),
  row(
    'a JSON patch with an unknown field, strictly',
    json([{ op: 'test', path: '/data/a', value: '1', why: '' }], '{cm}/standing?fieldValidation=Strict'),
    422,
    'json patch unknown field "[0].why"',
  ),
  ...badStrategic.map(([what, body, status]) => row(`a strategic merge patch: ${what}`, strategic(body), status)),
  row('a strategic merge patch of a custom resource', strategic({}, '{widgets}/standing'), 415),
  row(
    'a patch that changes a pod for good',
    strategic({ spec: { containers: [{ name: 'main', command: ['other'] }] } }, '{pods}/standing'),
    422,
    'pod updates may not change fields other than',
  ),
  row('a patch of a node name', merge({ spec: { nodeName: 'other' } }, '{pods}/standing'), 422),
]
