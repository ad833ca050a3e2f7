/** What kubectl makes of the schemas of custom kinds: which objects it sends, and what it explains. */
import assert from 'node:assert/strict'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'
import { object, type Thing, text, thing, thingKind } from '../runner/custom-kind.ts'
import { type CustomKind, establish, widgetKind } from '../runner/fixtures.ts'

const docs = 'https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/'
const needs = ['kubectl'] as const
const free = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

function kindWith(t: CaseContext, schema: object): CustomKind {
  const kind = widgetKind(t)
  const [version] = kind.definition.spec.versions as [{ schema: object; subresources?: object }]
  version.schema = { openAPIV3Schema: schema }
  delete version.subresources
  return kind
}

const textOf = ({ group }: CustomKind, name: string, more: object) =>
  JSON.stringify({ apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name }, ...more })

/** `create` and `apply` of an object, as an exit status each; its schema is there when this is asked. */
async function isTaken(t: CaseContext, kind: CustomKind, more: object): Promise<boolean[]> {
  const results = []
  for (const verb of ['create', 'apply']) {
    const input = textOf(kind, `by-${verb}`, more)
    results.push((await t.kubectl([verb, '-f', '-'], { input, mayFail: true })).exitCode === 0)
  }
  return results
}

/** Resolves once kubectl knows the kind; the documents it reads follow the definition a moment later. */
async function explain(t: CaseContext, kind: CustomKind, what: string, holds: RegExp): Promise<string> {
  return t.eventually(async () => {
    const { stdout } = await t.kubectl(['explain', what, '--api-version', `${kind.group}/v1`])
    return holds.test(stdout) && stdout
  })
}

export const cases = [
  defineCase({
    name: 'kubectl custom kinds: only what fits the schema is sent or taken',
    stands: 'CustomResourcePublishOpenAPI works for CRD with validation schema',
    needs,
    async run(t) {
      await t.namespace()
      const kind = kindWith(t, {
        type: 'object',
        description: 'A thing for tests.',
        properties: {
          spec: {
            type: 'object',
            properties: {
              bars: {
                type: 'array',
                description: 'What it is made of.',
                items: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
              },
            },
          },
        },
      })
      await establish(t, kind)
      await explain(t, kind, 'widgets', /A thing for tests\./)
      await explain(t, kind, 'widgets.spec.bars', /What it is made of\./)
      const unknown = await t.kubectl(['explain', 'widgets.spec.nothing', '--api-version', `${kind.group}/v1`], {
        mayFail: true,
      })
      assert.match(unknown.stderr, /field "?nothing"? does not exist/)
      assert.deepEqual(await isTaken(t, kind, { spec: { bars: [{ name: 'a' }] } }), [true, true])
      assert.deepEqual(await isTaken(t, kind, { spec: { bars: [{ name: 'a', colour: 'x' }] } }), [false, false])
      assert.deepEqual(await isTaken(t, kind, { spec: { bars: [{}] } }), [false, false])
    },
  }),
  defineCase({
    name: 'kubectl custom kinds: one without a schema takes anything, and is explained',
    stands: 'CustomResourcePublishOpenAPI works for CRD without validation schema',
    needs,
    async run(t) {
      await t.namespace()
      const kind = kindWith(t, free)
      await establish(t, kind)
      await explain(t, kind, 'widgets', /^DESCRIPTION:$/m)
      assert.deepEqual(await isTaken(t, kind, { any: { thing: [1] } }), [true, true])
    },
  }),
  defineCase({
    name: 'kubectl custom kinds: one that keeps unknown fields at its root takes them',
    stands: 'CustomResourcePublishOpenAPI works for CRD preserving unknown fields at the schema root',
    needs,
    async run(t) {
      await t.namespace()
      const kind = kindWith(t, { ...free, properties: { spec: { type: 'object' } } })
      await establish(t, kind)
      await explain(t, kind, 'widgets', /^KIND:\s+Widget$/m)
      assert.deepEqual(await isTaken(t, kind, { any: { thing: [1] } }), [true, true])
    },
  }),
  defineCase({
    name: 'kubectl custom kinds: one that keeps unknown fields in an object inside it takes them there',
    stands: 'CustomResourcePublishOpenAPI works for CRD preserving unknown fields in an embedded object',
    needs,
    async run(t) {
      await t.namespace()
      const kind = kindWith(t, { type: 'object', properties: { spec: { ...free, description: 'Anything.' } } })
      await establish(t, kind)
      await explain(t, kind, 'widgets.spec', /Anything\./)
      assert.deepEqual(await isTaken(t, kind, { spec: { any: { thing: [1] } } }), [true, true])
    },
  }),
  defineCase({
    name: 'kubectl custom kinds: they go by their short name, their singular and their categories',
    stands: `${docs}#categories`,
    needs,
    async run(t) {
      await t.namespace()
      const kind = thingKind(t, { names: { shortNames: [t.unique('th')], categories: ['all', t.unique('stuff')] } })
      await establish(t, kind)
      const { shortNames, categories } = kind.definition.spec.names as { shortNames: string[]; categories: string[] }
      await (await t.in<Thing>(kind.ref as never)).create(thing(kind, 'one'))
      // kubectl asks what there is no more often than every few seconds, unless a name is new to it.
      const found = (what: string) =>
        t.eventually(async () => {
          const { stdout } = await t.kubectl(['get', what, '-o', 'name'], { mayFail: true })
          return stdout.includes(`thing.${kind.group}/one`)
        })
      for (const what of [shortNames[0]!, `thing.${kind.group}`, `things.v1.${kind.group}`, categories[1]!, 'all']) {
        await found(what)
      }
    },
  }),
  defineCase({
    name: 'kubectl custom kinds: columns of a lower rank are shown when more is asked for',
    stands: `${docs}#priority`,
    needs,
    async run(t) {
      await t.namespace()
      const column = (name: string, type: string, jsonPath: string, priority = 0) => ({
        name,
        type,
        jsonPath,
        priority,
      })
      const kind = thingKind(t, {
        spec: { size: { type: 'integer' }, open: { type: 'boolean' }, since: text, note: text },
        version: {
          additionalPrinterColumns: [
            column('Size', 'integer', '.spec.size'),
            column('Open', 'boolean', '.spec.open'),
            column('Since', 'date', '.spec.since'),
            column('Note', 'string', '.spec.note', 1),
          ],
        },
      })
      await establish(t, kind)
      const spec = { size: 3, open: true, since: '2001-01-01T00:00:00Z', note: 'hello' }
      await (await t.in<Thing>(kind.ref as never)).create(thing(kind, 'one', { spec }))
      const shown = async (...more: string[]) => {
        const { stdout } = await t.kubectl(['get', `things.${kind.group}`, ...more])
        return stdout
          .trim()
          .split('\n')
          .map((line) =>
            line
              .trim()
              .split(/\s+/)
              .join(' ')
              .replace(/\d+y\S*/, 'AGE'),
          )
      }
      assert.deepEqual(await shown(), ['NAME SIZE OPEN SINCE', 'one 3 true AGE'])
      assert.deepEqual(await shown('-o', 'wide'), ['NAME SIZE OPEN SINCE NOTE', 'one 3 true AGE hello'])
    },
  }),
  defineCase({
    name: 'kubectl custom kinds: one is scaled, and its status written apart',
    stands: `${docs}#scale-subresource`,
    needs,
    kubectlSince: 24,
    async run(t) {
      await t.namespace()
      const replicas = object({ replicas: { type: 'integer' } })
      const scale = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' }
      const kind = thingKind(t, {
        root: object({ spec: replicas, status: replicas }),
        version: { subresources: { status: {}, scale } },
      })
      await establish(t, kind)
      const door = await t.in<Thing>(kind.ref as never)
      await door.create(thing(kind, 'one', { spec: { replicas: 1 } }))
      const name = `things.${kind.group}/one`
      await t.kubectl(['scale', name, '--replicas=4', '--current-replicas=1'])
      await t.kubectl(['patch', name, '--subresource=status', '--type=merge', '-p', '{"status":{"replicas":2}}'])
      const { spec, status } = await door.get('one')
      assert.deepEqual([spec, status], [{ replicas: 4 }, { replicas: 2 }])
      const { exitCode } = await t.kubectl(['scale', name, '--replicas=5', '--current-replicas=1'], { mayFail: true })
      assert.notEqual(exitCode, 0)
    },
  }),
  defineCase({
    name: 'kubectl custom kinds: the whole of one is explained, with what its author says of it',
    stands: `${docs}#publish-validation-schema-in-openapi`,
    needs,
    async run(t) {
      await t.namespace()
      const port = object({ number: { type: 'integer', description: 'Where it listens.' } }, { required: ['number'] })
      const kind = thingKind(t, {
        root: object(
          {
            spec: object(
              {
                ports: { type: 'array', description: 'Its doors.', items: port },
                labels: { type: 'object', additionalProperties: text },
                mode: { ...text, enum: ['open', 'closed'], default: 'open' },
              },
              { description: 'What is wanted.' },
            ),
          },
          { description: 'A thing for tests.' },
        ),
      })
      await establish(t, kind)
      const explained = async (what: string, ...more: string[]) =>
        t.eventually(async () => {
          const { stdout } = await t.kubectl(['explain', what, '--api-version', `${kind.group}/v1`, ...more])
          return /thing for tests|What is wanted|Its doors|Where it listens/.test(stdout) && stdout
        })
      const whole = await explained('things', '--recursive')
      const lines = whole.split('\n').map((line) => line.trim().replace(/\s+/g, ' '))
      for (const [field, type] of [
        ['ports', '[]Object'],
        ['number', 'integer'],
        ['labels', 'map[string]string'],
        ['mode', 'string'],
      ]) {
        assert.ok(
          lines.some((line) => line.startsWith(`${field} <${type}>`)),
          `${field} ${type} in ${whole}`,
        )
      }
      assert.match(await explained('things.spec'), /What is wanted\./)
      assert.match(await explained('things.spec.ports'), /Its doors\./)
      assert.match(await explained('things.spec.ports.number'), /Where it listens\./)
    },
  }),
  defineCase({
    name: 'kubectl crd constraints: a definition with extensions is applied, its fields are selected by, and refusals are shown',
    stands: 'docs/guide/crd-constraints.md',
    needs: ['kubectl', 'keelson'],
    async run(t) {
      await t.namespace()
      const door = { name: { ...text, 'x-keelson-index': true } }
      const kind = widgetKind(t, {
        host: { ...text, 'x-keelson-unique': 'cluster' },
        ports: { type: 'array', items: object(door) },
      })
      await establish(t, kind)
      // As a client that is asked to refuse what it does not know.
      const again = await t.kubectl(['apply', '-f', '-'], { input: JSON.stringify(kind.definition) })
      assert.doesNotMatch(again.stderr, /unknown field/)
      const resource = `widgets.v1.${kind.group}`
      const spec = { size: 1, host: 'a', ports: [{ name: 'http' }] }
      await t.eventually(async () => {
        const made = await t.kubectl(['apply', '-f', '-'], { input: textOf(kind, 'one', { spec }), mayFail: true })
        return made.exitCode === 0
      })
      const named = await t.kubectl(['get', resource, '-o', 'name', '--field-selector', 'spec.ports[*].name=http'])
      assert.equal(named.stdout.trim(), `widget.${kind.group}/one`)
      const none = await t.kubectl(['get', resource, '-o', 'name', '--field-selector', 'spec.ports[*].name=x'])
      assert.equal(none.stdout, '')
      const refused = await t.kubectl(['apply', '-f', '-'], { input: textOf(kind, 'two', { spec }), mayFail: true })
      assert.match(refused.stderr, /The Widget "two" is invalid: spec\.host: Duplicate value: "a": "one" has it/)
    },
  }),
]
