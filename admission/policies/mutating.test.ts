import { expect, test } from 'vitest'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { AdmissionRequest } from '#apis/plugin/v1/admission.ts'
import { findStatusError } from '#core/errors/status-error.ts'
import { type AdmissionStep, admissionChain } from '../chain.ts'
import { aboutWidget, on, TestPolicies, widget } from '../testing/policies.ts'

const applying = (expression: string) => ({
  patchType: 'ApplyConfiguration' as const,
  applyConfiguration: { expression },
})
const patching = (expression: string) => ({ patchType: 'JSONPatch' as const, jsonPatch: { expression } })
const labelled = (key: string, value: string) =>
  applying(`Object{metadata: Object.metadata{labels: {"${key}": ${value}}}}`)

/** What the policies make of a request's object, after the steps of `others`. */
async function mutated(policies: TestPolicies, request = aboutWidget(), others: AdmissionStep[] = []) {
  await admissionChain([...others, policies.mutating]).mutate(request)
  return request.object!
}

async function answer(policies: TestPolicies, request = aboutWidget()) {
  try {
    await mutated(policies, request)
  } catch (error) {
    return findStatusError(error)?.status
  }
}

test('mutations are made in order, of what the ones before them made, and defaults come', async () => {
  const policies = new TestPolicies().mutate({
    mutations: [
      applying('Object{spec: Object.spec{size: 1, parts: [Object.spec.parts{name: "a"}]}}'),
      patching('[JSONPatch{op: "replace", path: "/spec/size", value: object.spec.size + 1}]'),
      labelled('colour', 'object.spec.parts[0].colour'),
    ],
  })
  const { spec, metadata } = await mutated(policies)
  expect(spec).toEqual({ size: 2, parts: [{ name: 'a', colour: 'red' }] })
  expect(metadata.labels).toEqual({ colour: 'red' })
})

test('the object stays the same one: who holds it sees the change', async () => {
  const policies = new TestPolicies().mutate({ mutations: [patching('[JSONPatch{op: "remove", path: "/spec"}]')] })
  const object = widget({ size: 1 })
  expect(await mutated(policies, aboutWidget({ object }))).toBe(object)
  expect(object).toEqual({ apiVersion: 'example.com/v1', kind: 'Widget', metadata: object.metadata })
})

test('policies come in the order of their names, whatever the order in which they were made', async () => {
  const append = (letter: string) =>
    labelled('order', `(has(object.metadata.labels) ? object.metadata.labels.order : "") + "${letter}"`)
  const policies = new TestPolicies()
    .mutate({ mutations: [append('b')] }, {}, 'b')
    .mutate({ mutations: [append('c')] }, {}, 'c')
    .mutate({ mutations: [append('a')] }, {}, 'a')
  expect((await mutated(policies)).metadata.labels).toEqual({ order: 'abc' })
})

test('deletions change nothing', async () => {
  const policies = new TestPolicies().mutate({ mutations: [applying('nothing')] })
  const request = aboutWidget({ operation: 'DELETE', object: undefined, oldObject: widget() })
  expect(await answer(policies, request)).toBeUndefined()
})

test('what fails refuses with all that went wrong, unless it is to be ignored', async () => {
  const mutations = [
    applying('Object{spec: Object.spec{size: object.spec.none}}'),
    applying('Object{spec: Object.x{}}'),
  ]
  const status = await answer(new TestPolicies().mutate({ mutations }))
  const first =
    "policy 'p1' with binding 'p1' denied request: expression 'Object{spec: Object.spec{size: object.spec.none}}' resulted in error: no such key: none"
  expect(status).toMatchObject({ code: 403, reason: 'Invalid', message: first })
  expect(status?.details?.causes?.map(({ message }) => message)).toEqual([
    first,
    expect.stringContaining("policy 'p1' with binding 'p1' denied request: type mismatch: unexpected type name"),
  ])
  const ignoring = new TestPolicies().mutate({
    failurePolicy: 'Ignore',
    mutations: [...mutations, labelled('a', '"b"')],
  })
  expect((await mutated(ignoring)).metadata.labels).toEqual({ a: 'b' })
})

test('a policy that cannot be configured refuses as forbidden', async () => {
  const paramKind = { apiVersion: 'v1', kind: 'Nothing' }
  const status = await answer(new TestPolicies().mutate({ paramKind, mutations: [labelled('a', '"b"')] }))
  expect(status).toMatchObject({ code: 403, reason: 'Forbidden' })
  expect(status?.message).toBe(
    `policy "p1" denied request: failed to configure policy: failed to find resource referenced by paramKind: '/v1, Kind=Nothing'`,
  )
})

test('each object that configures a policy changes the object in turn', async () => {
  const policies = new TestPolicies().mutate(
    {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      mutations: [applying('Object{metadata: Object.metadata{labels: params.data}}')],
    },
    { paramRef: { selector: {}, parameterNotFoundAction: 'Allow' } },
  )
  for (const name of ['a', 'b']) {
    policies.reader.add('configmaps', {
      apiVersion: 'v1',
      metadata: { name, namespace: 'default' },
      data: { [name]: 'yes' },
    })
  }
  expect((await mutated(policies)).metadata.labels).toEqual({ a: 'yes', b: 'yes' })
})

test.each([{ isSlow: false }, { isSlow: true }])(
  'objects are converted to the version of the rule and back: %j',
  async (how) => {
    const policies = new TestPolicies(how).mutate({
      matchConstraints: { resourceRules: [on('example.com', 'widgets', ['v1'])], matchPolicy: 'Equivalent' },
      mutations: [labelled('first', 'object.apiVersion'), labelled('second', 'object.metadata.labels.first')],
    })
    const { apiVersion, metadata } = await mutated(
      policies,
      aboutWidget({ object: { ...widget(), apiVersion: 'example.com/v2' } }),
    )
    expect([apiVersion, metadata.labels]).toEqual([
      'example.com/v2',
      { first: 'example.com/v1', second: 'example.com/v1' },
    ])
  },
)

/** Counts its calls, and appends to a label what it sees. */
function counting(): AdmissionStep & { seen: string[] } {
  const seen: string[] = []
  return {
    name: 'counting',
    seen,
    admit: ({ object }: AdmissionRequest) => void seen.push(Object.keys(object?.metadata.labels ?? {}).join()),
  }
}

test('the steps before see an object again that was changed, and only then', async () => {
  const step = counting()
  await mutated(new TestPolicies().mutate({ mutations: [labelled('a', '"b"')] }), aboutWidget(), [step])
  expect(step.seen).toEqual(['', 'a'])
  const same = counting()
  const object = widget({}, { labels: { a: 'b' } })
  await mutated(new TestPolicies().mutate({ mutations: [labelled('a', '"b"')] }), aboutWidget({ object }), [same])
  expect(same.seen).toEqual(['a'])
})

const counted = (key: string) =>
  labelled(
    key,
    `string(has(object.metadata.labels) && "${key}" in object.metadata.labels ? int(object.metadata.labels.${key}) + 1 : 1)`,
  )

test('a policy sees an object again where it asks for that, and something changed it', async () => {
  const policies = new TestPolicies()
    .mutate({ reinvocationPolicy: 'IfNeeded', mutations: [counted('again')] })
    .mutate({ reinvocationPolicy: 'Never', mutations: [counted('once')] })
  expect((await mutated(policies)).metadata.labels).toEqual({ again: '2', once: '1' })
})

test('conditions decide anew each time', async () => {
  const copies = (from: string, to: string) => ({
    reinvocationPolicy: 'IfNeeded' as const,
    matchConditions: [{ name: 'one', expression: `"${from}" in object.metadata.labels` }],
    mutations: [labelled(to, `object.metadata.labels.${from}`)],
  })
  const policies = new TestPolicies().mutate(copies('b', 'c')).mutate(copies('a', 'b'))
  const made = async (labels: object) =>
    (await mutated(policies, aboutWidget({ object: widget({}, { labels }) }))).metadata.labels
  expect(await made({ a: 'x', b: 'y' })).toEqual({ a: 'x', b: 'x', c: 'x' })
  // One that was not for the object the first time is not asked a second time.
  expect(await made({ a: 'x' })).toEqual({ a: 'x', b: 'x' })
})

test('a kind that nobody knows cannot be changed', async () => {
  const policies = new TestPolicies().mutate({
    matchConstraints: { resourceRules: [on('*', '*')] },
    mutations: [labelled('a', '"b"')],
  })
  const object = { apiVersion: 'example.com/v1', kind: 'Unknown', metadata: {} } as UnstructuredObject
  expect(await answer(policies, aboutWidget({ object, kind: 'Unknown' }))).toMatchObject({ code: 503 })
})
