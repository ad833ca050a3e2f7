/** What a schema does to custom resources: what it keeps, fills in and refuses, and what its subresources and columns show. */
import assert from 'node:assert/strict'
import type { ResourceClient } from '@keelson/client'
import { type ConformanceCase, defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'
import {
  anything,
  type KindOptions,
  object,
  pathOf,
  type Thing,
  text,
  thing,
  thingKind,
} from '../runner/custom-kind.ts'
import { type CustomKind, customResourceDefinitions, establish } from '../runner/fixtures.ts'

const docs = 'https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/'

interface Made {
  kind: CustomKind
  door: ResourceClient<Thing>
  /** Creates an object of that spec, under a name of its own. */
  make(spec: unknown, more?: object): Promise<Thing>
}

async function established(t: CaseContext, options: KindOptions): Promise<Made> {
  const kind = thingKind(t, options)
  await establish(t, kind)
  const ref = kind.ref as never
  const door: ResourceClient<Thing> = kind.ref.namespaced ? await t.in<Thing>(ref) : t.client.resource<Thing>(ref)
  let serial = 0
  return { kind, door, make: (spec, more = {}) => door.create(thing(kind, `thing-${++serial}`, { spec, ...more })) }
}

/** Refuses with exactly these lines, whatever their order. */
async function refuses(t: CaseContext, call: Promise<unknown>, lines: string[]): Promise<void> {
  const { details } = await t.rejects(call, { code: 422, reason: 'Invalid' })
  assert.deepEqual(details?.causes?.map(({ field, message }) => `${field}: ${message}`).toSorted(), lines.toSorted())
}

const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } }
const embedded = (more: object = {}) =>
  object({ spec: object({ a: text }) }, { 'x-kubernetes-embedded-resource': true, ...more })
const array = (items: object, more: object = {}) => ({ type: 'array', items, ...more })
const wrongType = (at: string, want: string, got: string) =>
  `${at}: Invalid value: "${got}": ${at} in body must be of type ${want}: "${got}"`

const shapes: ConformanceCase[] = [
  defineCase({
    name: 'custom: unknown fields are pruned at any depth, but not where they are kept',
    stands: `${docs}#field-pruning`,
    async run(t) {
      const inner = object({ known: text, open: { ...anything, properties: { narrow: object({ a: text }) } } })
      const { make } = await established(t, {
        spec: { list: array(inner), map: { type: 'object', additionalProperties: inner }, any: array(anything) },
      })
      const value = { known: 'a', unknown: 'b', open: { c: [{ d: 1 }], narrow: { a: 'x', b: 'y' } } }
      const kept = { known: 'a', open: { c: [{ d: 1 }], narrow: { a: 'x' } } }
      const made = await make({ list: [value], map: { one: value }, any: [{ e: { f: 1 } }], unknown: {} })
      assert.deepEqual(made.spec, { list: [kept], map: { one: kept }, any: [{ e: { f: 1 } }] })
    },
  }),
  defineCase({
    name: 'custom: a kind that keeps unknown fields at its root keeps them, but not within what it knows',
    stands: `${docs}#controlling-pruning`,
    async run(t) {
      const { make } = await established(t, { root: { ...anything, properties: { spec: object({ a: text }) } } })
      const made = await make({ a: 'x', b: 'y' }, { other: { c: 1 }, status: { d: [2] } })
      assert.deepEqual([made.spec, made.other, made.status], [{ a: 'x' }, { c: 1 }, { d: [2] }])
    },
  }),
  defineCase({
    name: 'custom: a resource within another keeps what resources have, and its own fields',
    stands: `${docs}#rawextension`,
    async run(t) {
      const { make } = await established(t, { spec: { pod: embedded(), free: embedded({ ...anything }) } })
      const one = {
        ...pod,
        metadata: { name: 'a', labels: { b: 'c' }, unknown: 'd' },
        spec: { a: 'x', unknown: 'y' },
        unknown: 'z',
      }
      const made = await make({ pod: one, free: one })
      const metadata = { name: 'a', labels: { b: 'c' } }
      assert.deepEqual(made.spec, {
        pod: { ...pod, metadata, spec: { a: 'x' } },
        free: { ...one, metadata, spec: { a: 'x' } },
      })
    },
  }),
  defineCase({
    name: 'custom: a resource within another says what it is',
    stands: `${docs}#rawextension`,
    async run(t) {
      const { make } = await established(t, { spec: { pod: embedded() } })
      await refuses(t, make({ pod: {} }), ['spec.pod.apiVersion: Required value', 'spec.pod.kind: Required value'])
      const status = await t.rejects(
        make({ pod: { apiVersion: 'a/b/c', kind: '', metadata: { name: '..', labels: { 'a b': 'c' } } } }),
        { code: 422 },
      )
      assert.deepEqual(status.details?.causes?.map(({ field }) => field).toSorted(), [
        'spec.pod.apiVersion',
        'spec.pod.kind',
        'spec.pod.metadata.labels',
        'spec.pod.metadata.name',
      ])
      await t.rejects(make({ pod: { ...pod, metadata: { name: 5 } } }), {
        code: 400,
        messageIncludes:
          'spec.pod.metadata: Invalid value: {"name":5}: json: cannot unmarshal number into Go struct field ObjectMeta.name',
      })
      await t.rejects(make({ pod: { ...pod, kind: 5 } }), {
        code: 400,
        messageIncludes: 'spec.pod.kind: Invalid value: 5: must be a string',
      })
    },
  }),
  defineCase({
    name: 'custom: an integer or a text is either',
    stands: `${docs}#intorstring`,
    async run(t) {
      const port = {
        'x-kubernetes-int-or-string': true,
        anyOf: [{ type: 'integer' }, { type: 'string' }],
        pattern: '^[a-z]+$',
        maximum: 10,
      }
      const { make } = await established(t, { spec: { port } })
      assert.deepEqual((await make({ port: 8 })).spec, { port: 8 })
      assert.deepEqual((await make({ port: 'http' })).spec, { port: 'http' })
      await t.rejects(make({ port: 80 }), { messageIncludes: 'should be less than or equal to 10' })
      await t.rejects(make({ port: '8' }), { messageIncludes: "should match '^[a-z]+$'" })
      await t.rejects(make({ port: 1.5 }), { messageIncludes: 'must be of type integer,string: "number"' })
      await t.rejects(make({ port: true }), { messageIncludes: 'must be of type integer,string: "boolean"' })
    },
  }),
  defineCase({
    name: 'custom: null is kept where it may be, stands for the default, or for nothing',
    stands: `${docs}#defaulting-and-nullable`,
    async run(t) {
      const { make } = await established(t, {
        spec: {
          kept: { ...text, nullable: true },
          keptBesideDefault: { ...text, nullable: true, default: 'x' },
          filled: { ...text, default: 'y' },
          gone: text,
          inner: object({ a: { ...text, default: 'z' } }, { default: {} }),
        },
      })
      const nothing = { kept: null, keptBesideDefault: null, filled: null, gone: null, inner: null }
      assert.deepEqual((await make(nothing)).spec, {
        kept: null,
        keptBesideDefault: null,
        filled: 'y',
        inner: { a: 'z' },
      })
    },
  }),
  defineCase({
    name: 'custom: defaults are filled in within lists, maps and other defaults, on write and on read',
    stands: `${docs}#defaulting`,
    async run(t) {
      const item = object({ a: text, b: { ...text, default: 'b' } })
      const fields = {
        list: array(item),
        map: { type: 'object', additionalProperties: item },
        deep: object({ deeper: object({ c: { type: 'integer', default: 5 } }, { default: {} }) }, { default: {} }),
      }
      const { kind, door, make } = await established(t, { spec: fields })
      const filled = { list: [{ a: 'x', b: 'b' }, { b: 'b' }], map: { one: { b: 'b' } }, deep: { deeper: { c: 5 } } }
      const made = await make({ list: [{ a: 'x' }, {}], map: { one: {} } })
      assert.deepEqual(made.spec, filled)
      const [version] = kind.definition.spec.versions as [object]
      const schema = { openAPIV3Schema: object({ spec: object({ ...fields, late: { ...text, default: 'l' } }) }) }
      await t.client.resource(customResourceDefinitions).patch(kind.definition.metadata.name!, {
        type: 'merge',
        body: { spec: { versions: [{ ...version, schema }] } },
      })
      const after = await t.eventually(async () => {
        const read = await door.get(made.metadata.name!)
        return (read.spec as { late?: string }).late !== undefined && read
      })
      assert.deepEqual(after.spec, { ...filled, late: 'l' })
      assert.equal(after.metadata.resourceVersion, made.metadata.resourceVersion)
      const { items } = await door.list()
      assert.deepEqual(
        items.map(({ spec }) => (spec as { late?: string }).late),
        ['l'],
      )
    },
  }),
  defineCase({
    name: 'custom: what a schema does not know any more is not shown, and gone with the next write',
    stands: `${docs}#field-pruning`,
    async run(t) {
      const { kind, door, make } = await established(t, { spec: { kept: text, gone: text } })
      const made = await make({ kept: 'a', gone: 'b' })
      const [version] = kind.definition.spec.versions as [object]
      const versions = (properties: object) => [
        { ...version, schema: { openAPIV3Schema: object({ spec: object(properties) }) } },
      ]
      const define = (properties: object) =>
        t.client.resource(customResourceDefinitions).patch(kind.definition.metadata.name!, {
          type: 'merge',
          body: { spec: { versions: versions(properties) } },
        })
      const shows = (spec: object) =>
        t.eventually(async () => {
          assert.deepEqual((await door.get(made.metadata.name!)).spec, spec)
          return true
        })
      await define({ kept: text })
      await shows({ kept: 'a' })
      await define({ kept: text, gone: text })
      await shows({ kept: 'a', gone: 'b' })
      await define({ kept: text })
      await shows({ kept: 'a' })
      await door.patch(made.metadata.name!, { type: 'merge', body: { metadata: { labels: { l: 'm' } } } })
      await define({ kept: text, gone: text })
      await shows({ kept: 'a' })
    },
  }),
  defineCase({
    name: 'custom: lists that are sets and maps hold nothing twice',
    stands: 'https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy',
    async run(t) {
      const listType = 'x-kubernetes-list-type'
      const port = object(
        { number: { type: 'integer' }, protocol: { ...text, default: 'TCP' } },
        { required: ['number'] },
      )
      const { make, door } = await established(t, {
        spec: {
          set: array(text, { [listType]: 'set' }),
          objects: array({ ...anything, 'x-kubernetes-map-type': 'atomic' }, { [listType]: 'set' }),
          ports: array(port, { [listType]: 'map', 'x-kubernetes-list-map-keys': ['number', 'protocol'] }),
          plain: array(text),
        },
      })
      const twice = {
        set: ['a', 'b', 'a'],
        objects: [
          { a: 1, b: 2 },
          { b: 2, a: 1 },
        ],
        ports: [{ number: 1 }, { number: 1, protocol: 'UDP' }, { number: 1, protocol: 'TCP' }],
        plain: ['a', 'a'],
      }
      await refuses(t, make(twice), [
        'spec.set[2]: Duplicate value: "a"',
        'spec.objects[1]: Duplicate value: {"a":1,"b":2}',
        'spec.ports[2]: Duplicate value: {"number":1,"protocol":"TCP"}',
      ])
      const made = await make({ set: ['a'], ports: [{ number: 1 }, { number: 1, protocol: 'UDP' }], plain: ['a', 'a'] })
      const body = { spec: { set: ['a', 'a'] } }
      await t.rejects(door.patch(made.metadata.name!, { type: 'merge', body }), {
        code: 422,
        messageIncludes: 'spec.set[1]',
      })
    },
  }),
  defineCase({
    name: 'custom: values are judged by all, any, one and none of several schemas',
    stands: `${docs}#validation`,
    async run(t) {
      const number = { type: 'integer' }
      const { make } = await established(t, {
        spec: {
          all: { ...number, allOf: [{ minimum: 2 }, { maximum: 4 }] },
          any: { ...text, anyOf: [{ pattern: '^a' }, { maxLength: 1 }] },
          one: object({ x: text, y: text }, { oneOf: [{ required: ['x'] }, { required: ['y'] }] }),
          none: { ...text, not: { enum: ['forbidden'] } },
        },
      })
      assert.ok(await make({ all: 3, any: 'b', one: { x: '' }, none: 'allowed' }))
      await t.rejects(make({ all: 5 }), { messageIncludes: 'must validate all the schemas (allOf)' })
      await t.rejects(make({ any: 'bb' }), { messageIncludes: 'must validate at least one schema (anyOf)' })
      await t.rejects(make({ one: { x: '', y: '' } }), {
        messageIncludes: 'must validate one and only one schema (oneOf). Found 2 valid alternatives',
      })
      await t.rejects(make({ one: {} }), { messageIncludes: '(oneOf). Found none valid' })
      await t.rejects(make({ none: 'forbidden' }), { messageIncludes: 'must not validate the schema (not)' })
    },
  }),
  defineCase({
    name: 'custom: every fault of an object is told at its place',
    stands: `${docs}#validation`,
    async run(t) {
      const { make } = await established(t, {
        spec: {
          a: { type: 'integer', minimum: 1, exclusiveMinimum: true },
          b: array(text, { maxItems: 1 }),
          c: { type: 'object', additionalProperties: { type: 'boolean' } },
          d: { ...text, maxLength: 2 },
          e: { type: 'number', multipleOf: 0.5 },
        },
      })
      await refuses(t, make({ a: 1, b: ['x', 'y'], c: { 'k.l': 'no' }, d: 'abc', e: 0.7 }), [
        'spec.a: Invalid value: 1: spec.a in body should be greater than 1',
        'spec.b: Too many: 2: must have at most 1 items',
        wrongType('spec.c.k.l', 'boolean', 'string'),
        'spec.d: Too long: may not be more than 2 bytes',
        'spec.e: Invalid value: 0.7: spec.e in body should be a multiple of 0.5',
      ])
    },
  }),
]

/** Of each format a text that is of it and, unless any text is, one that is not. */
const formats: Record<string, [good: string[], bad?: string[]]> = {
  bsonobjectid: [['507f1f77bcf86cd799439011'], ['507f1f77']],
  uri: [
    ['https://a.b/c', '/path', 'mailto:a@b'],
    ['a b', ''],
  ],
  email: [
    ['a@b.c', 'Some One <a@b.c>'],
    ['a', 'a@'],
  ],
  hostname: [
    ['a.b-c', 'a'],
    ['a..b', 'a b'],
  ],
  ipv4: [['1.2.3.4'], ['1.2.3', '1.2.3.256', '::1']],
  ipv6: [
    ['::1', 'fe80::1'],
    ['1.2.3.4', ':::'],
  ],
  cidr: [
    ['10.0.0.0/8', 'fd00::/8'],
    ['10.0.0.0', '10.0.0.0/33'],
  ],
  mac: [['01:23:45:67:89:ab', '01-23-45-67-89-ab', '0123.4567.89ab'], ['01:23:45']],
  uuid: [['A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'], ['a0eebc99']],
  uuid3: [['bcd02e22-68f0-3046-a512-327cca9def8f'], ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']],
  uuid4: [['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'], ['bcd02e22-68f0-3046-a512-327cca9def8f']],
  uuid5: [['9b3304e3-2b7f-5ddb-9e50-5b8d29dee3ab'], ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']],
  isbn: [['0321751043', '978-0321751041'], ['0321751044']],
  isbn10: [['0321751043'], ['978-0321751041']],
  isbn13: [['978-0321751041'], ['0321751043']],
  creditcard: [['4111-1111-1111-1111'], ['4111-1111-1111-1112']],
  ssn: [['111-11-1111', '111 11 1111'], ['111-11-11111']],
  hexcolor: [
    ['#FFFFFF', 'fff'],
    ['#FFFF', 'white'],
  ],
  rgbcolor: [
    ['rgb(100,100,100)', 'rgb(0, 1, 255)'],
    ['rgb(1,2)', 'rgb(256,1,1)'],
  ],
  byte: [['aGVsbG8='], ['a', '*']],
  password: [['anything at all', '']],
  date: [['2024-02-29'], ['2023-02-29', '24-02-03']],
  duration: [
    ['1h30m', '22 ns', '3 days', '-1.5s'],
    ['1', 'soon'],
  ],
  datetime: [['2014-12-15T19:30:20.000Z'], ['2014-12-15']],
  'date-time': [['2014-12-15T19:30:20+02:00'], ['2014-12-15 19:30']],
  'k8s-short-name': [['a-1'], ['A', 'a.b', '-a']],
  'k8s-long-name': [['a.b-c'], ['A.b', 'a..b']],
  'nobody-knows': [['anything at all']],
}

const formatCase = defineCase({
  name: 'custom: texts are of the formats that they shall be of, and those that nobody knows are any',
  stands: `${docs}#validation`,
  async run(t) {
    const names = Object.keys(formats)
    const fields = Object.fromEntries(names.map((format, at) => [`f${at}`, { ...text, format }]))
    const { kind } = await established(t, { spec: fields })
    const place = `${await pathOf(t, kind)}?dryRun=All`
    const rows = names.flatMap((format, at) => {
      const [good, bad = []] = formats[format]!
      return [
        ...good.map((value) => ({ format, at, value, status: 201 })),
        ...bad.map((value) => ({ format, at, value, status: 422 })),
      ]
    })
    const wrong: string[] = []
    await Promise.all(
      rows.map(async ({ format, at, value, status }) => {
        const body = thing(kind, `one-${at}`, { spec: { [`f${at}`]: value } })
        const answer = await t.http({ method: 'POST', path: place, body })
        const says = status === 201 || answer.text.includes(`must be of type ${format}`)
        if (answer.status !== status || !says)
          wrong.push(`${format} ${value}: ${answer.status} ${answer.text.slice(0, 200)}`)
      }),
    )
    assert.deepEqual(wrong, [])
  },
})

const replicas = object({ replicas: { type: 'integer' }, selector: text })
const scaled = {
  root: object({ spec: replicas, status: replicas }),
  version: {
    subresources: {
      status: {},
      scale: {
        specReplicasPath: '.spec.replicas',
        statusReplicasPath: '.status.replicas',
        labelSelectorPath: '.status.selector',
      },
    },
  },
}

interface Scale {
  metadata: { resourceVersion: string }
  spec: { replicas?: number }
  status: { replicas: number; selector?: string }
}

const subresources: ConformanceCase[] = [
  defineCase({
    name: 'custom: a generation is a change of anything but metadata, and of the status where it is no subresource',
    stands: `${docs}#status-subresource`,
    async run(t) {
      const root = object({ spec: object({ a: text }), status: object({ b: text }) })
      for (const [version, generations] of [
        [{ subresources: { status: {} } }, [1, 1, 2, 2]],
        [{}, [1, 1, 2, 3]],
      ] as const) {
        const { door, make } = await established(t, { root, version })
        const made = await make({ a: 'x' })
        const name = made.metadata.name!
        const patch = (body: object) => door.patch(name, { type: 'merge', body })
        const labelled = await patch({ metadata: { labels: { l: 'm' } } })
        const changed = await patch({ spec: { a: 'y' } })
        const reported = await patch({ status: { b: 'z' } })
        const seen = [made, labelled, changed, reported].map(({ metadata }) => metadata.generation)
        assert.deepEqual(seen, generations)
      }
    },
  }),
  defineCase({
    name: 'custom: what is no subresource is not found',
    stands: `${docs}#subresources`,
    async run(t) {
      const { kind, make } = await established(t, {})
      const { metadata } = await make({})
      for (const name of ['status', 'scale', 'other']) {
        const { status } = await t.http({ path: `${await pathOf(t, kind)}/${metadata.name}/${name}` })
        assert.equal(status, 404, name)
      }
    },
  }),
  defineCase({
    name: 'custom: a status is judged by its schema, and the rest is left as it is',
    stands: `${docs}#status-subresource`,
    async run(t) {
      const root = object({ spec: object({ a: text }), status: object({ b: { type: 'integer' } }) })
      const { kind, make } = await established(t, { root, version: { subresources: { status: {} } } })
      const made = await make({ a: 'x' })
      const path = `${await pathOf(t, kind)}/${made.metadata.name}/status`
      const refused = await t.http({ method: 'PUT', path, body: { ...made, status: { b: 'no' } } })
      assert.equal(refused.status, 422)
      assert.ok(refused.text.includes('must be of type integer'), refused.text)
      const body = {
        ...made,
        spec: { a: 'other' },
        metadata: { ...made.metadata, labels: { l: 'm' } },
        status: { b: 1, c: 2 },
      }
      const { spec, status, metadata } = await t.api<Thing>('PUT', path, body)
      assert.deepEqual([spec, status, metadata.labels], [{ a: 'x' }, { b: 1 }, undefined])
    },
  }),
  defineCase({
    name: 'custom: a scale shows replicas and selector, and changes the replicas',
    stands: `${docs}#scale-subresource`,
    async run(t) {
      const { kind, door, make } = await established(t, scaled)
      const made = await make({ replicas: 3 })
      const name = made.metadata.name!
      await door.updateStatus({ ...made, status: { replicas: 2, selector: 'app=x' } })
      const path = `${await pathOf(t, kind)}/${name}/scale`
      const shown = await t.api<Scale>('GET', path)
      assert.deepEqual([shown.spec, shown.status], [{ replicas: 3 }, { replicas: 2, selector: 'app=x' }])
      const changed = await t.api<Scale>('PUT', path, { ...shown, spec: { replicas: 5 } })
      assert.equal(changed.spec.replicas, 5)
      const after = await door.get(name)
      assert.deepEqual([after.spec, after.metadata.generation], [{ replicas: 5 }, 2])
      assert.equal((await t.http({ method: 'PUT', path, body: { ...shown, spec: { replicas: 6 } } })).status, 409)
      assert.equal((await t.http({ method: 'PUT', path, body: { ...changed, spec: { replicas: -1 } } })).status, 422)
      const none = await make({})
      const nothing = `${await pathOf(t, kind)}/${none.metadata.name}/scale`
      const answer = await t.http({ path: nothing })
      assert.equal(answer.status, 500)
      assert.ok(answer.text.includes('the spec replicas field \\".spec.replicas\\" does not exist'), answer.text)
      const patched = await t.api<Scale>('PATCH', nothing, { spec: { replicas: 1 } })
      assert.equal(patched.spec.replicas, 1)
    },
  }),
  defineCase({
    name: 'custom: what a scale shows must be what a scale can show',
    stands: `${docs}#scale-subresource`,
    async run(t) {
      const open = { ...scaled, root: { ...anything } }
      const { door, make } = await established(t, open)
      const at = '.spec.replicas: Invalid value'
      await refuses(t, make({ replicas: -1 }), [`${at}: -1: should be a non-negative integer`])
      await refuses(t, make({ replicas: 2 ** 31 }), [`${at}: 2147483648: should be less than or equal to 2147483647`])
      await refuses(t, make({ replicas: 'x' }), [
        `${at}: 0: .spec.replicas accessor error: x is of the type string, expected int64`,
      ])
      const made = await make({ replicas: 1 })
      const bad = door.updateStatus({ ...made, status: { replicas: -1 } })
      await refuses(t, bad, ['.status.replicas: Invalid value: -1: should be a non-negative integer'])
    },
  }),
]

interface Table {
  columnDefinitions: { name: string; type: string; format: string; priority: number; description: string }[]
  rows: { cells: unknown[] }[]
}
const tableOf = (t: CaseContext, path: string) =>
  t.api<Table>('GET', path, undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' })

const column = (name: string, type: string, jsonPath: string, more: object = {}) => ({ name, type, jsonPath, ...more })

const lists: ConformanceCase[] = [
  defineCase({
    name: 'custom: columns show values of their type, and nothing where there is none',
    stands: `${docs}#additional-printer-columns`,
    async run(t) {
      const { kind, make } = await established(t, {
        spec: { any: anything },
        version: {
          additionalPrinterColumns: [
            column('Text', 'string', '.spec.any.text'),
            column('List', 'string', '.spec.any.list'),
            column('Whole', 'integer', '.spec.any.whole', { format: 'int32', priority: 1 }),
            column('Number', 'number', '.spec.any.number', { description: 'A number.' }),
            column('Truth', 'boolean', '.spec.any.truth'),
            column('Past', 'date', '.spec.any.past'),
            column('Found', 'string', '.spec.any.items[?(@.name=="b")].value'),
            column('Last', 'string', '.spec.any.items[-1:].name'),
            column('Dotted', 'string', '.metadata.labels.a\\.b'),
          ],
        },
      })
      const any = {
        text: 'x',
        list: ['a', 'b'],
        whole: 3,
        number: 1.5,
        truth: true,
        past: '2001-01-01T00:00:00Z',
        items: [
          { name: 'a', value: 'A' },
          { name: 'b', value: 'B' },
        ],
      }
      await make({ any }, { metadata: { name: 'full', labels: { 'a.b': 'c' } } })
      await make({ any: { text: 5, whole: 'x', number: 'x', truth: 'x', past: 'x' } }, { metadata: { name: 'none' } })
      const { columnDefinitions, rows } = await tableOf(t, await pathOf(t, kind))
      assert.deepEqual(columnDefinitions.map(({ name, type, priority }) => [name, type, priority]).slice(0, 4), [
        ['Name', 'string', 0],
        ['Text', 'string', 0],
        ['List', 'string', 0],
        ['Whole', 'integer', 1],
      ])
      assert.equal(columnDefinitions[4]?.description, 'A number.')
      const [full, none] = rows.map(({ cells }) => cells)
      assert.match(String(full?.[6]), /^\d+y$/)
      assert.deepEqual(full?.toSpliced(6, 1), ['full', 'x', '["a","b"]', 3, 1.5, true, 'B', 'b', 'c'])
      assert.deepEqual(none, ['none', '5', null, null, null, null, '<invalid>', null, null, null])
    },
  }),
  defineCase({
    name: 'custom: a column that cannot be read ends the row, and one through everything holds nobody up',
    stands: `${docs}#additional-printer-columns`,
    async run(t) {
      const paths = ['.spec.name', '..*..*..*..*..*..name', '.spec.items[?(@.name==', '.spec.name']
      const { kind, make } = await established(t, {
        spec: { name: text, any: anything },
        version: { additionalPrinterColumns: paths.map((path, at) => column(`C${at}`, 'string', path)) },
      })
      let tree: unknown = 'x'
      for (let depth = 0; depth < 8; depth++) tree = { a: tree, b: tree }
      await make({ name: 'n', any: tree })
      const { columnDefinitions, rows } = await tableOf(t, await pathOf(t, kind))
      assert.deepEqual(
        columnDefinitions.map(({ name }) => name),
        ['Name', 'C0', 'C1'],
      )
      assert.equal(rows[0]?.cells[1], 'n')
    },
  }),
  defineCase({
    name: 'custom: without columns the age is shown',
    stands: `${docs}#additional-printer-columns`,
    async run(t) {
      const { kind, make } = await established(t, {})
      await make({})
      const { columnDefinitions, rows } = await tableOf(t, await pathOf(t, kind))
      assert.deepEqual(
        columnDefinitions.map(({ name }) => name),
        ['Name', 'Age'],
      )
      assert.match(String(rows[0]?.cells[1]), /^\d+s$/)
    },
  }),
  defineCase({
    name: 'custom: objects are listed, watched and deleted by the fields that are selectable',
    stands: `${docs}#crd-selectable-fields`,
    async run(t) {
      const { kind, make } = await established(t, {
        spec: { color: text, size: { type: 'integer' }, hot: { type: 'boolean' }, other: text },
        version: { selectableFields: ['color', 'size', 'hot'].map((name) => ({ jsonPath: `.spec.${name}` })) },
      })
      const path = await pathOf(t, kind)
      const watch = await t.watch(`${path}?watch=1&fieldSelector=${encodeURIComponent('spec.color=blue')}`)
      const make3 = (name: string, spec: object) => make(spec, { metadata: { name } })
      await make3('a', { color: 'blue', size: 1, hot: true })
      await make3('b', { color: 'red', size: 1 })
      await make3('c', { color: 'blue', size: 2, hot: false })
      const named = async (selector: string) => {
        const { items } = await t.api<{ items: Thing[] }>(
          'GET',
          `${path}?fieldSelector=${encodeURIComponent(selector)}`,
        )
        return items.map(({ metadata }) => metadata.name).join('')
      }
      assert.equal(await named('spec.color=blue'), 'ac')
      assert.equal(await named('spec.color!=blue'), 'b')
      assert.equal(await named('spec.color=blue,spec.size=2'), 'c')
      assert.equal(await named('spec.hot=true'), 'a')
      assert.equal(await named('spec.hot='), 'b')
      assert.equal(await named('metadata.name=b,spec.size=1'), 'b')
      const refused = await t.http({ path: `${path}?fieldSelector=spec.other%3Dx` })
      assert.equal(refused.status, 400)
      assert.ok(refused.text.includes('field label not supported: spec.other'), refused.text)
      await t.api('PATCH', `${path}/a`, { spec: { color: 'red' } })
      await t.api('DELETE', `${path}?fieldSelector=spec.color%3Dblue`)
      const events = []
      for (let at = 0; at < 4; at++) events.push(await watch.next())
      assert.deepEqual(
        events.map((event) => `${event?.type} ${(event?.object as unknown as Thing | undefined)?.metadata.name}`),
        ['ADDED a', 'ADDED c', 'DELETED a', 'DELETED c'],
      )
    },
  }),
  defineCase({
    name: 'custom: metadata is that of any object',
    stands: docs,
    async run(t) {
      const { kind, door } = await established(t, {})
      const create = (metadata: object) => door.create({ ...thing(kind, 'x'), metadata } as Thing)
      await t.rejects(create({ name: 'Upper' }), {
        code: 422,
        messageIncludes: 'metadata.name: Invalid value: "Upper"',
      })
      await t.rejects(create({ name: 'a', labels: { 'b c': 'd' } }), { code: 422, messageIncludes: 'metadata.labels' })
      await t.rejects(create({}), { code: 422, messageIncludes: 'name or generateName is required' })
      assert.match((await create({ generateName: 'some-' })).metadata.name!, /^some-.{5}$/)
      const made = await create({ name: 'one' })
      await t.rejects(door.update({ ...made, metadata: { name: 'one' } }), {
        code: 422,
        messageIncludes: 'metadata.resourceVersion: Invalid value: 0: must be specified for an update',
      })
    },
  }),
  defineCase({
    name: 'custom: finalizers without a domain are taken with a warning',
    stands: docs,
    async run(t) {
      const { kind } = await established(t, {})
      const path = `${await pathOf(t, kind)}?dryRun=All`
      const warning = async (finalizer: string) => {
        const body = { ...thing(kind, 'one'), metadata: { name: 'one', finalizers: [finalizer] } }
        return String((await t.http({ method: 'POST', path, body })).headers.warning ?? '')
      }
      assert.ok((await warning('cleanup')).includes('prefer a domain-qualified finalizer name to avoid'))
      assert.ok(
        (await warning('example.com')).includes('prefer a domain-qualified finalizer name including a path (/)'),
      )
      assert.equal(await warning('example.com/cleanup'), '')
    },
  }),
]

export const cases = [...shapes, formatCase, ...subresources, ...lists]
