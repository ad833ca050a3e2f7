import { type HostileRow, jsonPatch, row } from './rows.ts'

/** Media types and other headers that nobody serves, or that try to be something else. */

const asking = (accept: string) => ({ path: '{cm}/standing', headers: { accept } })
const listing = (accept: string) => ({ path: '{cm}', headers: { accept } })
const sending = (type: string, body: unknown = '{"metadata":{"name":"one"}}') => ({
  method: 'POST',
  path: '{cm}?dryRun=All',
  headers: { 'content-type': type },
  body,
})
const patching = (type: string) => ({
  method: 'PATCH',
  path: '{cm}/standing',
  headers: { 'content-type': type },
  body: '{}',
})

const unserved = [
  'image/png',
  'text/html',
  'text/csv',
  'application/xml',
  'application/octet-stream',
  'application/jso',
  '__proto__',
  'constructor',
  'application/__proto__',
  'application/json;as=Tree;v=v1;g=meta.k8s.io',
  'application/json;as=Table;v=v9;g=meta.k8s.io',
  'application/json;as=Table;v=v1;g=example.com',
  'application/json;as=__proto__;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadata;v=v2;g=meta.k8s.io',
]
const unreadable = [
  'text/plain',
  'text/html',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=a',
  'application/xml',
  'application/octet-stream',
  'application/jsonx',
  'application/json-patch+json',
  'application/merge-patch+json',
  '__proto__',
  'constructor',
  '/',
]
const unpatchable = [
  'application/json',
  'application/yaml',
  'text/plain',
  'application/vnd.kubernetes.protobuf',
  'application/__proto__+json',
  'constructor',
  'application/json-patch',
  'merge-patch+json',
]

export const rows: HostileRow[] = [
  ...unserved.map((accept) => row(`Accept: ${accept}`, asking(accept), 406)),
  ...unserved.slice(0, 4).map((accept) => row(`a list as ${accept}`, listing(accept), 406)),
  row(
    'a create whose answer nobody can write',
    { ...sending('application/json'), headers: { accept: 'image/png' } },
    406,
  ),
  row('an empty Accept', asking(''), 200),
  row('many types of which one is served', asking('image/png, text/html;q=0.9, application/json;q=0.1'), 200),
  row('an Accept of nothing but commas', asking(',,,application/json,,'), 200),
  ...unreadable.map((type) => row(`Content-Type: ${type}`, sending(type), 415)),
  ...unpatchable.map((type) => row(`a patch of type ${type}`, patching(type), 415)),
  row('JSON with parameters', sending('application/json; charset=utf-16; __proto__=a'), 201),
  row('JSON in capitals', sending('APPLICATION/JSON'), 201),
  row('a JSON patch of another method', { ...sending('application/json'), headers: jsonPatch }, 415),
  row('another method in a header', { path: '{cm}/standing', headers: { 'x-http-method-override': 'DELETE' } }, 200),
  row('a URL in a header', { path: '{cm}/standing', headers: { 'x-original-url': '/api/v1/secrets' } }, 200),
  row('many cookies', { path: '{cm}/standing', headers: { cookie: '__proto__=a; '.repeat(300) } }, 200),
  row('a range', { path: '{cm}/standing', headers: { range: 'bytes=0-0' } }, 200),
  row('a method for another server', { path: '{cm}/standing', headers: { 'max-forwards': '0', via: '1.1 a' } }, 200),
]
