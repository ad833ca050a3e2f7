import { type HostileRow, jsonPatch, mergePatch, row } from './rows.ts'

/** Replacements, deletions, subresources and questions to the server that are not what they should be. */

const put = (body: unknown, path = '{cm}/standing') => ({ method: 'PUT', path, body })
const remove = (body: unknown, path = '{cm}/standing') => ({ method: 'DELETE', path, body })
const post = (path: string, body: unknown) => ({ method: 'POST', path, body })

const reviews = '/apis/authorization.k8s.io/v1'
const eviction = '{pods}/standing/eviction'
const binding = '{pods}/standing/binding'
const token = '/api/v1/namespaces/{ns}/serviceaccounts/default/token'
const scale = '{deployments}/standing/scale'
const named = { metadata: { name: 'standing' } }

const badOptions: [string, unknown, number][] = [
  ['a list', [], 400],
  ['text', '"a"', 400],
  ['malformed', '{', 400],
  ['of another kind', { kind: 'Pod', apiVersion: 'v1' }, 400],
  ['text for dryRun', { dryRun: 'All' }, 400],
  ['numbers for dryRun', { dryRun: [1] }, 400],
  ['a dry run nobody knows', { dryRun: ['None'] }, 422],
  ['text for preconditions', { preconditions: 'a' }, 400],
  ['a number for the uid', { preconditions: { uid: 1 } }, 400],
  ['another uid', { preconditions: { uid: 'other' } }, 409],
  ['another state', { preconditions: { resourceVersion: '1' } }, 409],
  ['a grace period of a fraction', { gracePeriodSeconds: 0.5 }, 400],
  ['a grace period that is text', { gracePeriodSeconds: '0' }, 400],
  ['text for orphans', { orphanDependents: 'true' }, 400],
  ['a number for the policy', { propagationPolicy: 1 }, 400],
  ['a policy nobody knows', { propagationPolicy: 'constructor' }, 422],
  ['two policies', { propagationPolicy: 'Orphan', orphanDependents: true }, 422],
]

const badScales: [string, unknown, number][] = [
  ['a list', [], 400],
  ['of another kind', { kind: 'Deployment', apiVersion: 'apps/v1' }, 400],
  ['text for replicas', { ...named, spec: { replicas: 'many' } }, 400],
  ['text for the spec', { ...named, spec: 'a' }, 400],
  ['replicas below zero', { ...named, spec: { replicas: -1 } }, 422],
  ['another state', { metadata: { name: 'standing', resourceVersion: '1' }, spec: { replicas: 0 } }, 409],
]

const badTokens: [string, unknown, number][] = [
  ['a list', [], 400],
  ['text for the spec', { spec: 'a' }, 400],
  ['text for audiences', { spec: { audiences: 'a' } }, 400],
  ['text for seconds', { spec: { expirationSeconds: 'a' } }, 400],
  ['too few seconds', { spec: { expirationSeconds: 1 } }, 422],
  ['too many seconds', { spec: { expirationSeconds: 2 ** 33 } }, 422],
  ['a pod that is not there', { spec: { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'gone' } } }, 404],
]

const badQuestions: [string, string, unknown, number][] = [
  ['a list', 'selfsubjectaccessreviews', [], 400],
  ['text for the spec', 'selfsubjectaccessreviews', { spec: 'a' }, 400],
  ['nothing', 'selfsubjectaccessreviews', { spec: {} }, 422],
  ['two things', 'selfsubjectaccessreviews', { spec: { resourceAttributes: {}, nonResourceAttributes: {} } }, 422],
  ['about nobody', 'subjectaccessreviews', { spec: { resourceAttributes: {} } }, 422],
  ['numbers for groups', 'subjectaccessreviews', { spec: { user: 'a', groups: [1], resourceAttributes: {} } }, 400],
]

export const rows: HostileRow[] = [
  row('a replacement by nothing', put(''), 400),
  row('a replacement by a list', put([]), 400),
  row('a replacement of another name', put({ metadata: { name: 'other' } }), 400, 'does not match the name on the URL'),
  row('a replacement in another namespace', put({ metadata: { name: 'standing', namespace: 'other' } }), 400),
  row('a replacement by another kind', put({ kind: 'Secret', apiVersion: 'v1', ...named }), 400),
  row('a replacement of another uid', put({ metadata: { name: 'standing', uid: 'other' } }), 409),
  row(
    'a replacement of an old state',
    put({ metadata: { name: 'standing', resourceVersion: '1' } }),
    409,
    'the object has been modified',
  ),
  row('a replacement of what is not there', put({ metadata: { name: 'gone' } }, '{cm}/gone'), 404),
  row('a status of what is not there', put({ metadata: { name: 'gone' } }, '{pods}/gone/status'), 404),
  row(
    'a deployment with another selector',
    put(
      {
        metadata: { name: 'standing' },
        spec: {
          selector: { matchLabels: { a: 'b' } },
          template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'x' }] } },
        },
      },
      '{deployments}/standing',
    ),
    422,
    'field is immutable',
  ),
  ...badOptions.map(([what, body, status]) => row(`DeleteOptions: ${what}`, remove(body), status)),
  ...badOptions
    .slice(0, 5)
    .map(([what, body, status]) => row(`DeleteOptions of a collection: ${what}`, remove(body, '{cm}'), status)),
  row('a deletion of what is not there', remove(undefined, '{cm}/gone'), 404),
  ...badScales.map(([what, body, status]) => row(`a scale: ${what}`, put(body, scale), status)),
  row('a scale patched into text', { method: 'PATCH', path: scale, headers: mergePatch, body: { spec: 'a' } }, 422),
  row(
    'a scale patched below zero',
    { method: 'PATCH', path: scale, headers: mergePatch, body: { spec: { replicas: -1 } } },
    422,
  ),
  row(
    'a scale patched nowhere',
    { method: 'PATCH', path: scale, headers: jsonPatch, body: [{ op: 'remove', path: '/none' }] },
    422,
  ),
  row('a scale of what is not there', { path: '{deployments}/gone/scale' }, 404),
  ...badTokens.map(([what, body, status]) => row(`a token request: ${what}`, post(token, body), status)),
  row('a token of nobody', post('/api/v1/namespaces/{ns}/serviceaccounts/gone/token', {}), 404),
  row('an eviction that is a list', post(eviction, []), 400),
  row('an eviction of another kind', post(eviction, { kind: 'Pod', apiVersion: 'v1', ...named }), 400),
  row('an eviction of another pod', post(eviction, { metadata: { name: 'other' } }), 400, 'does not match'),
  row('an eviction of no pod', post('{pods}/gone/eviction', { metadata: { name: 'gone' } }), 404),
  row('an eviction with bad options', post(eviction, { ...named, deleteOptions: { propagationPolicy: 'Never' } }), 422),
  row(
    'an eviction of another uid',
    post(eviction, { ...named, deleteOptions: { preconditions: { uid: 'other' } } }),
    409,
  ),
  row('a binding that is a list', post(binding, []), 400),
  row('a binding without target', post(binding, named), 422),
  row(
    'a binding of no pod',
    post('{pods}/gone/binding', { metadata: { name: 'gone' }, target: { kind: 'Node', name: 'a' } }),
    404,
  ),
  row('a log of no pod', { path: '{pods}/gone/log' }, 404),
  row('a log of no container', { path: '{pods}/standing/log?container=none' }, 400),
  row('a log of a pod on no node', { path: '{pods}/standing/log' }, 400),
  row('an exec that is no upgrade', post('{pods}/gone/exec?command=id', undefined), 400),
  ...badQuestions.map(([what, resource, body, status]) =>
    row(`a question: ${what}`, post(`${reviews}/${resource}`, body), status),
  ),
  row('a token review that is text', post('/apis/authentication.k8s.io/v1/tokenreviews', '"a"'), 400),
  row('a namespace named like a path', post('/api/v1/namespaces', { metadata: { name: '../a' } }), 422),
  row('a namespace named with dots', post('/api/v1/namespaces', { metadata: { name: 'a.b' } }), 422),
  row('another name for a namespace', put({ metadata: { name: 'other' } }, '/api/v1/namespaces/{ns}/finalize'), 400),
]
