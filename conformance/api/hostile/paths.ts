import { type HostileRow, row } from './rows.ts'

/** Paths that lead nowhere, out of where they seem to lead, or to where the method does not. */

/** Not even a group: Kubernetes says so without a Status. */
const unknown = [
  '/api/v2/pods',
  '/api/__proto__/pods',
  '/apis/nope.example.com/v1/things',
  '/apis/__proto__/v1/things',
  '/apis/apps/v9/deployments',
  '/apis/apps/__proto__/deployments',
  '/apis/constructor',
  '/nothing',
  '/__proto__',
  '/openapi/v3/apis/nope/v1',
  '/version/../api/v1/secrets',
]
const nowhere = [
  '/api/v1/nopes',
  '/api/v1/__proto__',
  '/api/v1/constructor',
  '/apis/apps/v1/namespaces/{ns}/toString',
  '/api/v1/namespaces/{ns}/Pods',
  '/api/v1/namespaces/{ns}/pod',
  '{cm}/standing/nope',
  '{cm}/standing/status',
  '{cm}/standing/__proto__',
  '{cm}/standing/constructor',
  '{cm}/standing/status/more',
  '{pods}/standing/nope',
  '{pods}/standing/valueOf',
  '{pods}/standing/status/more',
  '{cm}/a%2fb',
  '{cm}/..%2f..%2fsecrets',
]

/** No object has such a name, however it is written. */
const absentNames = [
  'gone',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'STANDING',
  '%00',
  '%0a',
  '%c3%a4',
  '%20',
  'a%5cb',
  "'%20or%201=1",
  '$(id)',
  '%F0%9F%98%80',
  'x'.repeat(300),
]
const impossibleNames = ['%2e', '%2e%2e', 'a%25b', '%252e%252e%252f']
const unescapable = ['%', '%z', '%zz', '%e4', '%c3%28', '%f0%28%8c%28']

const wrongMethods: [string, string][] = [
  ['PUT', '{cm}'],
  ['PATCH', '{cm}'],
  ['POST', '{cm}/standing'],
  ['POST', '/api/v1/configmaps'],
  ['PUT', '/api/v1/configmaps'],
  ['DELETE', '/api/v1/configmaps'],
  ['DELETE', '/api/v1/namespaces'],
  ['POST', '/api/v1/namespaces/{ns}'],
  ['POST', '/api/v1/namespaces/{ns}/finalize'],
  ['DELETE', '/api/v1/namespaces/{ns}/finalize'],
  ['DELETE', '/api/v1/namespaces/{ns}/status'],
  ['POST', '{pods}/standing/status'],
  ['DELETE', '{pods}/standing/status'],
  ['GET', '{pods}/standing/binding'],
  ['PUT', '{pods}/standing/binding'],
  ['GET', '{pods}/standing/eviction'],
  ['DELETE', '{pods}/standing/eviction'],
  ['POST', '{pods}/standing/ephemeralcontainers'],
  ['POST', '{pods}/standing/resize'],
  ['PUT', '{pods}/standing/log'],
  ['DELETE', '{deployments}/standing/scale'],
  ['POST', '{deployments}/standing/scale'],
  ['GET', '/api/v1/namespaces/{ns}/serviceaccounts/default/token'],
  ['GET', '/api/v1/namespaces/{ns}/bindings'],
  ['GET', '/apis/authentication.k8s.io/v1/tokenreviews'],
  ['GET', '/apis/authorization.k8s.io/v1/subjectaccessreviews'],
  ['DELETE', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'],
  ['PUT', '/apis/authorization.k8s.io/v1/namespaces/{ns}/localsubjectaccessreviews'],
  ['POST', '/api/v1/componentstatuses'],
  ['MKCOL', '{cm}/standing'],
  ['PROPFIND', '{cm}'],
  ['LOCK', '{cm}/standing'],
]

export const rows: HostileRow[] = [
  ...unknown.map((path) => ({ what: path, path, status: 404 })),
  ...nowhere.map((path) => row(path, { path }, 404)),
  ...absentNames.map((name) => row(`an object named ${name.slice(0, 30)}`, { path: `{cm}/${name}` }, 404, 'not found')),
  ...absentNames
    .slice(0, 6)
    .flatMap((name) => [
      row(`a deletion of ${name}`, { method: 'DELETE', path: `{cm}/${name}` }, 404, 'not found'),
      row(`a namespace ${name}`, { path: `/api/v1/namespaces/${name}` }, 404, 'not found'),
    ]),
  ...impossibleNames.map((name) =>
    row(`an object named ${name}`, { path: `{cm}/${name}` }, 400, 'Name parameter invalid'),
  ),
  ...impossibleNames.map((name) => row(`a deletion of ${name}`, { method: 'DELETE', path: `{cm}/${name}` }, 400)),
  ...unescapable.map((name) => ({ what: `a name that is not escaped: ${name}`, path: `{cm}/${name}`, status: 400 })),
  ...wrongMethods.map(([method, path]) =>
    row(`${method} ${path}`, { method, path, ...(method !== 'GET' && { body: {} }) }, 405),
  ),
]
