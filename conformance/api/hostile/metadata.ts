import { type HostileRow, row } from './rows.ts'

/** Names, labels and all else in metadata that no object may have; and names that mean something in JavaScript. */

const post = (metadata: unknown, rest: object = {}) => ({
  method: 'POST',
  path: '{cm}?dryRun=All',
  body: { metadata, ...rest },
})
const text = (body: string) => ({ method: 'POST', path: '{cm}?dryRun=All', body })

const badNames = [
  'A',
  'a_b',
  'a b',
  '-a',
  'a-',
  '.a',
  'a.',
  'a..b',
  '..',
  '.',
  '/',
  'a/b',
  '../../kube-system/a',
  'ä',
  'a\u0000',
  'a\n',
  '%2f',
  '{}',
  '__proto__',
  'hasOwnProperty',
  'x'.repeat(254),
  '😀',
]
const badPrefixes = ['A', 'a_', '-', '../', '__proto__', ' ']

const badLabels: [string, Record<string, string>][] = [
  ['an empty key', { '': 'a' }],
  ['a key with a space', { 'a b': 'c' }],
  ['a key that begins with a dash', { '-a': 'b' }],
  ['a key with two slashes', { 'a/b/c': 'd' }],
  ['a key without a name', { 'a/': 'b' }],
  ['a key without a prefix', { '/a': 'b' }],
  ['a prefix in capitals', { 'A.com/b': 'c' }],
  ['a key that is too long', { ['a'.repeat(64)]: 'b' }],
  ['a prefix that is too long', { [`${'a'.repeat(254)}/b`]: 'c' }],
  ['a value with a space', { a: 'b c' }],
  ['a value that begins with a dash', { a: '-b' }],
  ['a value with a slash', { a: 'b/c' }],
  ['a value that is too long', { a: 'b'.repeat(64) }],
  ['a value in another script', { a: 'ü' }],
  ['a value with a line break', { a: 'b\n' }],
]

const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid: 'b' }
const badMetadata: [string, object, string][] = [
  ['an annotation without a name', { annotations: { 'a/': 'b' } }, 'metadata.annotations'],
  ['an annotation with a space in its key', { annotations: { 'a b': 'c' } }, 'metadata.annotations'],
  ['annotations that are too long together', { annotations: { a: 'x'.repeat(256 * 1024) } }, 'Too long'],
  ['an owner without uid', { ownerReferences: [{ ...owner, uid: '' }] }, 'uid: Invalid value: "": must not be empty'],
  ['an owner without name', { ownerReferences: [{ ...owner, name: '' }] }, 'name: Invalid value'],
  ['an owner without kind', { ownerReferences: [{ ...owner, kind: '' }] }, 'kind: Invalid value'],
  ['an owner without version', { ownerReferences: [{ ...owner, apiVersion: '' }] }, 'version must not be empty'],
  [
    'two owners that control it',
    {
      ownerReferences: [
        { ...owner, controller: true },
        { ...owner, uid: 'c', controller: true },
      ],
    },
    'Only one reference can have Controller set to true',
  ],
  ['an event for an owner', { ownerReferences: [{ ...owner, kind: 'Event' }] }, 'is disallowed from being an owner'],
  ['a finalizer that is nobody’s', { finalizers: ['mine'] }, 'name is neither a standard finalizer name'],
  ['a finalizer with a space', { finalizers: ['a.com/b c'] }, 'metadata.finalizers'],
  ['finalizers that contradict each other', { finalizers: ['orphan', 'foregroundDeletion'] }, 'cannot be both set'],
]

const badKeys = ['', '.', '..', 'a/b', 'a b', '../a', 'ü', 'a\u0000', 'x'.repeat(254)]

/** Every object of JavaScript has these. */
const inherited = [
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'isPrototypeOf',
  '__proto__',
  '__defineGetter__',
]

export const rows: HostileRow[] = [
  ...badNames.map((name) => row(`the name ${JSON.stringify(name).slice(0, 40)}`, post({ name }), 422, 'metadata.name')),
  ...badPrefixes.map((generateName) =>
    row(`names that begin with ${JSON.stringify(generateName)}`, post({ generateName }), 422, 'metadata.'),
  ),
  ...badLabels.map(([what, labels]) =>
    row(`a label with ${what}`, post({ name: 'one', labels }), 422, 'metadata.labels'),
  ),
  ...badMetadata.map(([what, metadata, message]) => row(what, post({ name: 'one', ...metadata }), 422, message)),
  ...badKeys.map((key) =>
    row(`the key ${JSON.stringify(key).slice(0, 40)}`, post({ name: 'one' }, { data: { [key]: 'a' } }), 422, 'data'),
  ),
  row('a key twice', post({ name: 'one' }, { data: { a: 'b' }, binaryData: { a: 'Yg==' } }), 422),
  row('another namespace', post({ name: 'one', namespace: 'kube-system' }), 400, 'does not match'),
  row(
    'a namespace that is not there',
    { method: 'POST', path: '/api/v1/namespaces/nowhere/configmaps', body: { metadata: { name: 'one' } } },
    404,
    'namespaces "nowhere" not found',
  ),
  row('a label __proto__', text('{"metadata":{"name":"one","labels":{"__proto__":"a"}}}'), 422, 'metadata.labels'),
  row('an annotation __proto__', text('{"metadata":{"name":"one","annotations":{"__proto__":"a"}}}'), 422),
  ...inherited.map((key) => row(`data named ${key}`, text(`{"metadata":{"name":"one"},"data":{"${key}":"a"}}`), 201)),
  ...inherited.map((key) =>
    row(`a field named ${key}`, text(`{"metadata":{"name":"one","${key}":{"a":1}},"${key}":{"b":1}}`), 201),
  ),
  ...inherited
    .filter((key) => !key.startsWith('_'))
    .map((key) => row(`a label named ${key}`, text(`{"metadata":{"name":"one","labels":{"${key}":"a"}}}`), 201)),
]
