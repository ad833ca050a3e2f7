import assert from 'node:assert/strict'
import type { KubeObject } from '@keelson/apis/meta/v1/types.ts'
import type { ResourceClient } from '@keelson/client'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'
import { type CustomKind, customResourceDefinitions, establish, widget, widgetKind } from '../runner/fixtures.ts'

const docs = 'https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/'
const official = (test: string) => `CustomResourceValidationRules ${test}`
const ratcheting = (test: string) => `CRDValidationRatcheting ${test}`

type Schema = Record<string, unknown>

const object = (properties: Record<string, Schema>, more: Schema = {}): Schema => ({
  type: 'object',
  properties,
  ...more,
})
const rules = (...list: (string | Schema)[]): Schema => ({
  'x-kubernetes-validations': list.map((rule) => (typeof rule === 'string' ? { rule } : rule)),
})
const int: Schema = { type: 'integer' }
const text = (...list: (string | Schema)[]): Schema => ({
  type: 'string',
  maxLength: 5,
  ...(list.length > 0 && rules(...list)),
})
const sum = rules('self.x + self.y > 0')
const point = object({ x: int, y: int }, sum)

const phase = object({ phase: { type: 'string' } })

/** A kind whose objects have this spec and this status. */
function kindOf(t: CaseContext, spec: Schema, status = phase): CustomKind {
  const kind = widgetKind(t)
  return withSchema(kind, object({ spec, status }))
}

function withSchema(kind: CustomKind, openAPIV3Schema: Schema): CustomKind {
  const [version] = kind.definition.spec.versions as Schema[]
  const { scale: _, ...subresources } = version!.subresources as Schema
  const versions = [{ ...version, subresources, additionalPrinterColumns: [], schema: { openAPIV3Schema } }]
  return { ...kind, definition: { ...kind.definition, spec: { ...kind.definition.spec, versions } } }
}

async function serve(t: CaseContext, spec: Schema, status?: Schema) {
  const kind = kindOf(t, spec, status)
  await establish(t, kind)
  return { kind, door: await t.in(kind.ref) }
}

/** Gives a kind another schema, and waits until objects are judged by it. */
async function evolve(t: CaseContext, kind: CustomKind, spec: Schema): Promise<void> {
  const marker = t.unique('marker')
  const properties = { ...(spec.properties as Schema), marker: { type: 'string', enum: [marker] } }
  const { definition } = withSchema(kind, object({ spec: { ...spec, properties }, status: phase }))
  const body = { spec: { versions: definition.spec.versions } }
  await t.client.resource(customResourceDefinitions).patch(definition.metadata.name!, { type: 'merge', body })
  const door = await t.in(kind.ref)
  const probe = () => door.create(widget(kind, 'probe', { marker: 'another' }), { dryRun: true })
  await t.eventually(() =>
    probe().then(
      () => false,
      (error) => String(error).includes(marker),
    ),
  )
}

const refuses = (t: CaseContext, call: Promise<unknown>, ...details: string[]) =>
  t.rejects(call, { code: 422, reason: 'Invalid' }).then(({ message = '' }) => {
    for (const detail of details) assert.ok(message.includes(detail), `${message} has no ${detail}`)
  })

const refusesDefinition = (t: CaseContext, spec: Schema, ...details: string[]) =>
  refuses(t, t.client.resource(customResourceDefinitions).create(kindOf(t, spec).definition), ...details)

/** Changes a field of the spec of `one`. */
const change = (door: ResourceClient<KubeObject>, spec: Schema, metadata: Schema = {}) =>
  door.patch('one', { type: 'merge', body: { spec, metadata } })

const names = ['field', 'struct.field', 'list[0].field', 'list[1].field', 'map[foo].field', 'map[bar].field']

/** A field by itself, in an object, in a keyed list and in a map. */
const everywhere = (field: Schema): Schema => {
  const inner = object({ field, other: { type: 'string' } })
  const keyed = object({ key: { type: 'string' }, field, other: { type: 'string' } }, { required: ['key'] })
  return object({
    field,
    other: { type: 'string' },
    struct: inner,
    list: {
      type: 'array',
      maxItems: 5,
      items: keyed,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['key'],
    },
    map: { type: 'object', maxProperties: 5, additionalProperties: inner },
  })
}
const filled = (field: string, more: Schema = {}) => ({
  field,
  ...more,
  struct: { field, ...more },
  list: ['foo', 'bar'].map((key) => ({ key, field, ...more })),
  map: { foo: { field, ...more }, bar: { field, ...more } },
})
const lists = (item: Schema): Schema =>
  object({
    atomicArray: { type: 'array', maxItems: 5, items: item },
    setArray: { type: 'array', maxItems: 5, items: item, 'x-kubernetes-list-type': 'set' },
  })

export const cases = [
  defineCase({
    name: 'rules: an object that they hold of is created, another is not',
    stands: [
      official(
        'MUST NOT fail validation for create of a custom resource that satisfies the x-kubernetes-validations rules',
      ),
      official(
        'MUST fail validation for create of a custom resource that does not satisfy the x-kubernetes-validations rules',
      ),
    ],
    async run(t) {
      const health = object({ health: { type: 'string' } }, rules("self.health == 'ok' || self.health == 'unhealthy'"))
      const { kind, door } = await serve(t, point, health)
      assert.equal((await door.create(widget(kind, 'one', { x: 1, y: 0 }))).spec?.x, 1)
      await refuses(
        t,
        door.create(widget(kind, 'two', { x: 0, y: 0 })),
        'spec: Invalid value',
        'failed rule: self.x + self.y > 0',
      )
      await refuses(t, change(door, { x: 0 }), 'failed rule: self.x + self.y > 0')
    },
  }),
  defineCase({
    name: 'rules: those that do not compile are refused with the definition, which says where and why',
    stands: [
      official(
        'MUST fail create of a custom resource definition that contains a x-kubernetes-validations rule that refers to a property that do not exist',
      ),
      official(
        'MUST fail create of a custom resource definition that contains an x-kubernetes-validations rule that contains a syntax error',
      ),
    ],
    async run(t) {
      const ruled = (...list: (string | Schema)[]) => object({ x: int }, rules(...list))
      await refusesDefinition(
        t,
        ruled('self.z == 100'),
        'properties[spec].x-kubernetes-validations[0].rule',
        "undefined field 'z'",
      )
      await refusesDefinition(t, ruled('true', 'self = 42'), 'x-kubernetes-validations[1].rule', 'Syntax error')
      await refusesDefinition(t, ruled('self.x'), 'must evaluate to a bool')
      await refusesDefinition(t, ruled(' '), 'rule: Required value')
      await refusesDefinition(t, ruled({ rule: 'true', messageExpression: 'self.x' }), 'must evaluate to a string')
      await refusesDefinition(t, ruled({ rule: 'true', message: 'a\nb' }), 'must not contain line breaks')
      await refusesDefinition(t, ruled({ rule: 'true', reason: 'Because' }), 'reason: Unsupported value: "Because"')
      await refusesDefinition(
        t,
        ruled({ rule: 'true', fieldPath: '.y' }),
        'fieldPath: Invalid value: ".y": must be a valid path',
      )
    },
  }),
  defineCase({
    name: 'rules: those that may cost too much are refused with the definition',
    stands: [
      official(
        'MUST fail create of a custom resource definition that contains an x-kubernetes-validations rule that exceeds the estimated cost limit',
      ),
      `${docs}#resource-use-by-validation-functions`,
    ],
    async run(t) {
      const items = { type: 'string' }
      const inner = { type: 'array', items, ...rules("self.all(s, s == 'string constant')") }
      const advice = 'try simplifying the rule, or adding maxItems, maxProperties, and maxLength'
      const path =
        'properties[spec].properties[x].items.x-kubernetes-validations[0].rule: Forbidden: estimated rule cost'
      await refusesDefinition(
        t,
        object({ x: { type: 'array', items: inner } }),
        path,
        'exceeds budget by factor of more than 100x',
        advice,
      )
      const costly = Array.from({ length: 30 }, (_, at) => `self.all(s, s.contains('${at}'))`)
      const list = { type: 'array', maxItems: 30, items, ...rules(...costly) }
      const total = 'estimated rule cost total for entire OpenAPIv3 schema exceeds budget'
      await refusesDefinition(t, object({ x: list }), 'contributed to estimated rule cost total', total)
      await serve(t, object({ x: { type: 'array', maxItems: 10, items: { ...inner, maxItems: 10, items: text() } } }))
    },
  }),
  defineCase({
    name: 'rules: an object on which one costs too much is refused',
    stands: official(
      'MUST fail create of a custom resource that exceeds the runtime cost limit for x-kubernetes-validations rule execution',
    ),
    async run(t) {
      const pairs = rules('self.all(x, self.all(y, x == y))')
      const { kind, door } = await serve(t, object({ large: { type: 'array', maxItems: 725, items: int, ...pairs } }))
      const large = Array.from({ length: 725 }, () => 20)
      await refuses(t, door.create(widget(kind, 'one', { large })), 'spec.large', 'call cost exceeds limit')
      await door.create(widget(kind, 'two', { large: large.slice(0, 100) }))
    },
  }),
  defineCase({
    name: 'rules: a change is judged beside what was there',
    stands: [
      official(
        'MUST fail update of a custom resource that does not satisfy a x-kubernetes-validations transition rule',
      ),
      `${docs}#transition-rules`,
    ],
    async run(t) {
      const grows = { ...int, ...rules({ rule: 'self > oldSelf', message: 'must grow' }) }
      const keyed = object({ key: { type: 'string' }, num: grows }, { required: ['key'] })
      const list = {
        type: 'array',
        items: keyed,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['key'],
      }
      const map = { type: 'object', additionalProperties: grows }
      const { kind, door } = await serve(t, object({ num: grows, list, map }))
      const item = (key: string, num: number) => ({ key, num })
      await door.create(widget(kind, 'one', { num: 10, list: [item('a', 1), item('b', 2)], map: { a: 1 } }))
      await refuses(
        t,
        change(door, { num: 9, list: [item('a', 5), item('b', 6)], map: { a: 5 } }),
        'spec.num: Invalid value: 9: must grow',
      )
      const more = { num: 11, map: { a: 2, b: 0 } }
      await refuses(
        t,
        change(door, { ...more, list: [item('b', 2), item('a', 5)] }),
        'spec.list[0].num: Invalid value: 2: must grow',
      )
      const list2 = [item('c', 0), item('b', 3), item('a', 2)]
      await refuses(
        t,
        change(door, { ...more, list: list2, map: { a: 1 } }),
        'spec.map[a]: Invalid value: 1: must grow',
      )
      await change(door, { ...more, list: list2 })
      const atomic = { type: 'array', maxItems: 5, items: grows }
      await refusesDefinition(
        t,
        object({ atomic }),
        'oldSelf cannot be used on the uncorrelatable portion of the schema',
      )
    },
  }),
  defineCase({
    name: 'rules: faults are told in the words, for the reason and at the place that they ask for',
    stands: [`${docs}#the-messageexpression-field`, `${docs}#field-optional-oldself`, `${docs}#validation-rules`],
    async run(t) {
      const limits = object({ max: int, 'a-b': int })
      const spec = object(
        { limits, x: int, unit: text() },
        rules(
          { rule: 'self.x < self.limits.max', messageExpression: "'x must be below max, in ' + self.unit" },
          { rule: 'self.x != 7', message: 'seven', reason: 'FieldValueForbidden', fieldPath: '.limits.max' },
          { rule: 'self.x != 8', message: 'eight', reason: 'FieldValueRequired', fieldPath: ".limits['a-b']" },
          { rule: 'self.x != 6', message: 'six', messageExpression: "['a'][self.x]" },
          { rule: 'self.limits.a__dash__b != 3', message: 'three' },
        ),
      )
      const { kind, door } = await serve(t, spec)
      const of = (x: number, b = 1) =>
        door.create(widget(kind, 'one', { x, unit: 'ms', limits: { max: 9, 'a-b': b } }), { dryRun: true })
      await refuses(t, of(10), 'spec: Invalid value: x must be below max, in ms')
      await refuses(t, of(7), 'spec.limits.max: Forbidden: seven')
      await refuses(t, of(8), 'spec.limits.a-b: Required value: eight')
      await refuses(t, of(6), 'spec: Invalid value: six')
      await refuses(t, of(1, 3), 'spec: Invalid value: three')
      const status = await t.rejects(of(7), { code: 422 })
      assert.deepEqual(
        status.details?.causes?.map(({ reason, field }) => [reason, field]),
        [['FieldValueForbidden', 'spec.limits.max']],
      )
      const failing = door.create(widget(kind, 'one', { x: 1 }), { dryRun: true })
      await refuses(t, failing, 'no such key: limits evaluating rule: self.x < self.limits.max')
    },
  }),
  defineCase({
    name: 'rules: they see times, sets and keyed lists as what these are',
    stands: `${docs}#type-system-integration`,
    async run(t) {
      const time = { type: 'string', format: 'date-time' }
      const set = { type: 'array', maxItems: 5, items: text(), 'x-kubernetes-list-type': 'set' }
      const entry = object({ key: text(), n: int }, { required: ['key'] })
      const list = {
        type: 'array',
        maxItems: 5,
        items: entry,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['key'],
      }
      const spec = object(
        { from: time, to: time, ratio: { type: 'number' }, port: { 'x-kubernetes-int-or-string': true }, set, list },
        rules(
          "self.from + duration('1h') == self.to",
          'self.ratio / 2.0 < 1.0',
          "type(self.port) == int ? self.port > 0 : self.port == 'http'",
          { rule: 'self.set == oldSelf.set && self.list == oldSelf.list', message: 'must stay' },
        ),
      )
      const { kind, door } = await serve(t, spec)
      const value = {
        from: '2020-01-01T00:00:00Z',
        to: '2020-01-01T02:00:00+01:00',
        ratio: 1,
        port: 'http',
        set: ['a', 'b'],
      }
      const items = [
        { key: 'a', n: 1 },
        { key: 'b', n: 2 },
      ]
      await door.create(widget(kind, 'one', { ...value, list: items }))
      await change(door, { set: ['b', 'a'], list: items.toReversed(), ratio: 1.5, port: 80 })
      await refuses(t, change(door, { set: ['b'] }), 'must stay')
      await refuses(t, change(door, { list: [{ key: 'a', n: 2 }, items[1]] }), 'must stay')
      await refuses(t, change(door, { port: 'https', ratio: 2 }), 'self.ratio / 2.0 < 1.0', 'type(self.port)')
    },
  }),
  defineCase({
    name: 'rules: the status is judged when it is written',
    stands: `${docs}#status-subresource`,
    async run(t) {
      const status = object({ done: int }, rules({ rule: 'self.done >= 0', message: 'must not be negative' }))
      const whole = rules({
        rule: '!has(self.status) || self.status.done <= self.spec.total',
        message: 'more than there is',
      })
      const kind = withSchema(widgetKind(t), { ...object({ spec: object({ total: int }), status }), ...whole })
      await establish(t, kind)
      const door = await t.in(kind.ref)
      const made = await door.create(widget(kind, 'one', { total: 3 }))
      const report = (done: number) => door.updateStatus({ ...made, status: { done } })
      await refuses(t, report(-1), 'status: Invalid value: must not be negative')
      await refuses(t, report(4), 'more than there is')
      assert.deepEqual((await report(3)).status, { done: 3 })
      await refuses(t, change(door, { total: 2 }), 'more than there is')
    },
  }),
  defineCase({
    name: 'rules: they wait until the object is of the right shape',
    stands: `${docs}#validation-rules`,
    async run(t) {
      const { kind, door } = await serve(t, { ...point, required: ['x'] })
      await refuses(
        t,
        door.create(widget(kind, 'one', { x: 'one', y: 1 })),
        'some validation rules were not checked because the object was invalid',
      )
      await refuses(
        t,
        door.create(widget(kind, 'one', { y: 1 })),
        'spec.x: Required value',
        'some validation rules were not checked',
      )
    },
  }),
  defineCase({
    name: 'rules: a definition keeps those it has while its schema stays as it is',
    stands: `${docs}#validation-rules`,
    async run(t) {
      const { kind } = await serve(t, point)
      const name = kind.definition.metadata.name!
      const door = t.client.resource(customResourceDefinitions)
      const { metadata } = await door.patch(name, { type: 'merge', body: { metadata: { labels: { seen: 'yes' } } } })
      assert.equal(metadata.labels?.seen, 'yes')
      const { definition } = withSchema(kind, object({ spec: object({ x: int }, sum) }))
      const body = { spec: { versions: definition.spec.versions } }
      await refuses(t, door.patch(name, { type: 'merge', body }), "undefined field 'y'")
    },
  }),
  defineCase({
    name: 'ratcheting: a schema that became stricter does not hold up a change elsewhere',
    stands: [
      ratcheting('MUST NOT fail to update a resource due to JSONSchema errors on unchanged correlatable fields'),
      ratcheting('MUST fail to update a resource due to JSONSchema errors on changed fields'),
    ],
    async run(t) {
      const { kind, door } = await serve(t, everywhere({ type: 'string' }))
      await door.create(widget(kind, 'one', filled('bad')))
      await evolve(t, kind, everywhere({ type: 'string', enum: ['good'] }))
      await change(door, {}, { labels: { a: 'b' } })
      await change(door, { other: 'new', map: { foo: { other: 'new' } }, list: filled('bad', { other: 'new' }).list })
      await refuses(
        t,
        change(door, filled('worse')),
        ...names.map((name) => `spec.${name.replace(/\[([a-z]+)\]/, '.$1')}: `),
      )
      await change(door, filled('good'))
      await refuses(t, change(door, filled('bad')), 'spec.field')
    },
  }),
  defineCase({
    name: 'ratcheting: a status is written whatever became of the rest',
    stands: `${docs}#validation-ratcheting`,
    async run(t) {
      const { kind, door } = await serve(t, everywhere({ type: 'string' }))
      const made = await door.create(widget(kind, 'one', filled('bad')))
      const strict = everywhere({ type: 'string', enum: ['good'] })
      await evolve(t, kind, { ...strict, required: ['more'], not: { required: ['field'] } })
      const reported = await door.updateStatus({ ...made, status: { phase: 'Done' } })
      assert.deepEqual(reported.status, { phase: 'Done' })
      await refuses(t, door.updateStatus({ ...reported, status: { phase: 1 } }), 'status.phase: Invalid value')
      await refuses(t, change(door, { other: 'new' }), 'spec.more: Required value')
    },
  }),
  defineCase({
    name: 'ratcheting: what cannot be followed counts again when anything about it changes',
    stands: [
      ratcheting('MUST fail to update a resource due to JSONSchema errors on unchanged uncorrelatable fields'),
      ratcheting('MUST fail to update a resource due to CRD Validation Rule errors on unchanged uncorrelatable fields'),
    ],
    async run(t) {
      const { kind, door } = await serve(t, lists({ type: 'string' }))
      await door.create(widget(kind, 'one', { atomicArray: ['bad'], setArray: ['bad'] }))
      const more = { atomicArray: ['bad', 'good'], setArray: ['bad', 'good'] }
      await evolve(t, kind, lists({ type: 'string', enum: ['good'] }))
      await change(door, {}, { labels: { a: 'b' } })
      await refuses(t, change(door, more), 'spec.atomicArray[0]', 'spec.setArray[0]')
      await evolve(t, kind, lists(text("self == 'good'")))
      await change(door, {}, { labels: { a: 'c' } })
      await refuses(t, change(door, more), 'spec.atomicArray[0]', 'spec.setArray[0]')
    },
  }),
  defineCase({
    name: 'ratcheting: a new rule does not hold up a change elsewhere, and is told as a warning',
    stands: [
      ratcheting(
        'MUST NOT fail to update a resource due to CRD Validation Rule errors on unchanged correlatable fields',
      ),
      ratcheting('MUST fail to update a resource due to CRD Validation Rule errors on changed fields'),
    ],
    async run(t) {
      const { kind, door } = await serve(t, everywhere({ type: 'string' }))
      await door.create(widget(kind, 'one', filled('bad')))
      await evolve(t, kind, everywhere(text("self == 'good'")))
      await change(door, filled('bad', { other: 'new' }))
      const path = `/apis/${kind.group}/v1/namespaces/${await t.namespace()}/widgets/one`
      const body = JSON.stringify({ metadata: { labels: { a: 'b' } } })
      const headers = { 'content-type': 'application/merge-patch+json' }
      const { status, headers: told } = await t.http({ method: 'PATCH', path, body, headers })
      assert.equal(status, 200)
      assert.match(String(told.warning), /spec\.field: Invalid value: \\?"bad\\?": failed rule: self == 'good'/)
      await refuses(
        t,
        change(door, filled('worse')),
        ...names.map((name) => `spec.${name}: Invalid value: "worse": failed rule`),
      )
      await change(door, filled('good'))
    },
  }),
  defineCase({
    name: 'ratcheting: rules about a change are asked of every change',
    stands: ratcheting('MUST NOT ratchet errors raised by transition rules'),
    async run(t) {
      const { kind, door } = await serve(t, everywhere({ type: 'string' }))
      await door.create(widget(kind, 'one', filled('bad')))
      await evolve(t, kind, everywhere(text('self != oldSelf')))
      await refuses(t, change(door, {}, { labels: { a: 'b' } }), ...names.map((name) => `spec.${name}: `))
    },
  }),
  defineCase({
    name: 'ratcheting: a rule may ask for what is new, too',
    stands: ratcheting(
      'MUST evaluate a CRD Validation Rule with oldSelf = nil for new values when optionalOldSelf is true',
    ),
    async run(t) {
      const rule = { rule: "oldSelf.hasValue() ? self != oldSelf.value() : self != 'bad'", optionalOldSelf: true }
      const { kind, door } = await serve(t, everywhere(text(rule)))
      await refuses(t, door.create(widget(kind, 'one', filled('bad'))), ...names.map((name) => `spec.${name}: `))
      await door.create(widget(kind, 'one', filled('foo')))
      await refuses(t, change(door, {}, { labels: { a: 'b' } }), ...names.map((name) => `spec.${name}: `))
      await change(door, filled('new'))
    },
  }),
]
