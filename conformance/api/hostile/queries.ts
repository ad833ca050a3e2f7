import { type HostileRow, mergePatch, row } from './rows.ts'

/** Parameters, selectors and tokens that say nothing, or what does not go together. */

const get = (query: string) => ({ path: `{cm}?${query}` })
const post = (query: string) => ({ method: 'POST', path: `{cm}?${query}`, body: { metadata: { name: 'one' } } })
const put = (query: string) => ({
  method: 'PUT',
  path: `{cm}/standing?${query}`,
  body: { metadata: { name: 'standing' } },
})
const patch = (query: string) => ({ method: 'PATCH', path: `{cm}/standing?${query}`, body: {}, headers: mergePatch })
const remove = (query: string) => ({ method: 'DELETE', path: `{cm}/standing?${query}` })
const selecting = (parameter: string, selector: string) => get(`${parameter}=${encodeURIComponent(selector)}`)

const badLabelSelectors = [
  '=',
  '==',
  '!',
  '!=a',
  'a in',
  'a in (',
  'a in (b',
  'a in (b,c',
  'a in b',
  'a notin',
  'a notin (b',
  'a b',
  'a=b=c',
  'a=b,=',
  'a,,b',
  ',',
  '(a)',
  'a>b',
  'a<x',
  'a>1.5',
  'a$b=c',
  'a/b/c=d',
  '-a=b',
  'a=-b',
  'a=b c',
  '__proto__=a',
  '!__proto__',
  'a in (b))',
  `${'a'.repeat(64)}=b`,
  `a=${'b'.repeat(64)}`,
  'ü=a',
  'a=\u0000',
  '*',
]
const badFieldSelectors = [
  'a',
  '=',
  'metadata.name',
  'metadata.name=a,b',
  'spec.nodeName=a',
  'status.phase=a',
  'metadata.labels=a',
  '__proto__=a',
  'constructor=a',
  'data=a',
  'metadata.uid=a',
  'metadata.name=a\\',
  'metadata.name=a\\b',
  'metadata.name=a=b',
]

const token = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const badTokens: [string, string][] = [
  ['no base64', '!!!!'],
  ['one letter', 'a'],
  ['text', token('hello')],
  ['a list', token([])],
  ['null', token(null)],
  ['nothing in it', token({})],
  ['another version', token({ v: 'meta.k8s.io/v2', rv: 5, start: 'a' })],
  ['a revision that is text', token({ v: 'meta.k8s.io/v1', rv: 'x', start: 'a' })],
  ['no revision', token({ v: 'meta.k8s.io/v1', start: 'a' })],
  ['no start', token({ v: 'meta.k8s.io/v1', rv: 5 })],
  ['a start that is a number', token({ v: 'meta.k8s.io/v1', rv: 5, start: 1 })],
  ['a start outside', token({ v: 'meta.k8s.io/v1', rv: 5, start: '../../secrets/a' })],
  ['a start elsewhere', token({ v: 'meta.k8s.io/v1', rv: 5, start: 'kube-system/a' })],
  ['a revision below zero', token({ v: 'meta.k8s.io/v1', rv: -5, start: 'a' })],
  ['__proto__', token('{"__proto__":{"v":"meta.k8s.io/v1","rv":5,"start":"a"}}')],
  ['many bytes', 'A'.repeat(5_000)],
]

const badNumbers = ['x', '1.5', '0x10', '1e3', 'NaN', '9223372036854775808', '--1', '١']

export const rows: HostileRow[] = [
  ...badLabelSelectors.map((selector) =>
    row(`the label selector ${JSON.stringify(selector).slice(0, 30)}`, selecting('labelSelector', selector), 400),
  ),
  ...badFieldSelectors.map((selector) =>
    row(`the field selector ${JSON.stringify(selector)}`, selecting('fieldSelector', selector), 400),
  ),
  ...['labelSelector=a+in+(', 'fieldSelector=a', 'labelSelector=%3D'].flatMap((query) => [
    row(`a watch of ${query}`, get(`watch=true&${query}`), 400),
    row(`a deletion of ${query}`, { method: 'DELETE', path: `{cm}?${query}` }, 400),
  ]),
  ...badTokens.map(([what, value]) =>
    row(`a token with ${what}`, get(`limit=1&continue=${encodeURIComponent(value)}`), 400),
  ),
  ...badNumbers.map((value) => row(`limit=${value}`, get(`limit=${encodeURIComponent(value)}`), 400)),
  ...badNumbers.map((value) => row(`timeoutSeconds=${value}`, get(`timeoutSeconds=${encodeURIComponent(value)}`), 400)),
  ...['x', '-1', '1.5', '0x10', 'latest'].map((value) =>
    row(`resourceVersion=${value}`, get(`resourceVersion=${value}`), 400),
  ),
  row('a match without a version', get('resourceVersionMatch=Exact'), 422, 'resourceVersionMatch'),
  row('a match nobody knows', get('resourceVersion=1&resourceVersionMatch=Almost'), 422, 'resourceVersionMatch'),
  row('an exact match of any version', get('resourceVersion=0&resourceVersionMatch=Exact'), 422),
  row('a match for a watch', get('watch=true&resourceVersion=1&resourceVersionMatch=Exact'), 422),
  row('initial events for a list', get('sendInitialEvents=true'), 422, 'sendInitialEvents'),
  row('initial events without a match', get('watch=true&sendInitialEvents=true'), 422),
  ...[post, put, patch, remove].map((request) =>
    row('dryRun=yes', request('dryRun=yes'), 422, 'dryRun: Unsupported value'),
  ),
  row('a dry run and a real one', post('dryRun=All&dryRun=None'), 422, 'dryRun'),
  ...[post, put, patch].map((request) =>
    row('fieldValidation=Maybe', request('fieldValidation=Maybe'), 422, 'fieldValidation: Unsupported value: "Maybe"'),
  ),
  row('a grace period that is no number', remove('gracePeriodSeconds=soon'), 400),
  row('a grace period with a fraction', remove('gracePeriodSeconds=1.5'), 400),
  row('a propagation nobody knows', remove('propagationPolicy=Never'), 422, 'propagationPolicy'),
  row('a propagation named __proto__', remove('propagationPolicy=__proto__'), 422, 'propagationPolicy'),
  row('two policies', remove('propagationPolicy=Orphan&orphanDependents=true'), 422, 'cannot be both set'),
  row('parameters nobody knows', get('__proto__=a&constructor=b&limit[]=1&%00=c'), 200),
  row('a query without names', get('&&=&=a&?&'), 200),
  row('a query with broken escapes', get('pretty=%zz&%'), 200),
  row('a very long query', get(`pretty=${'x'.repeat(8_000)}`), 200),
]
