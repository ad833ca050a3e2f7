/** What kubectl makes of the schemas of custom kinds: which objects it sends, and what it explains. */
import assert from 'node:assert/strict'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'
import { type CustomKind, establish, widgetKind } from '../runner/fixtures.ts'

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
]
