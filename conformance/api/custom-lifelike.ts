/** Definitions as large and as intricate as those that people install, with the objects their users write. */
import assert from 'node:assert/strict'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'
import { pathOf, type Thing, thing, thingKind } from '../runner/custom-kind.ts'
import { type CustomKind, establish } from '../runner/fixtures.ts'
import {
  type Components,
  certificate,
  composition,
  deep,
  inlined,
  type Lifelike,
  large,
  monitor,
  type Schema,
  workflow,
} from '../testing/lifelike-definitions.ts'

const docs = 'https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/'

/** The pod template of this cluster, whatever version it is of. */
async function podTemplate(t: CaseContext): Promise<Schema> {
  const { components } = await t.api<{ components: { schemas: Components } }>('GET', '/openapi/v3/api/v1')
  return inlined(components.schemas, 'io.k8s.api.core.v1.PodTemplateSpec')
}

function kindOf(t: CaseContext, { names, scope, schema, columns, subresources }: Lifelike): CustomKind {
  const version = { subresources, additionalPrinterColumns: columns }
  return thingKind(t, { names, scope, root: schema, version })
}

const at = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((inner, name) => (inner as Schema | undefined)?.[name], value)

async function checkObject(t: CaseContext, kind: CustomKind, lifelike: Lifelike): Promise<void> {
  const path = await pathOf(t, kind)
  const made = await t.api<Thing>('POST', path, thing(kind, 'one', lifelike.object))
  for (const [field, value] of Object.entries(lifelike.becomes)) assert.deepEqual(at(made, field), value, field)
  const accept = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }
  const { rows } = await t.api<{ rows: { cells: unknown[] }[] }>('GET', path, undefined, accept)
  assert.deepEqual(rows[0]?.cells.slice(0, -1), ['one', ...lifelike.cells])
}

/** As kubectl finds it: the schema of the kind in the document of its group, and in it the field. */
async function checkPublished(t: CaseContext, kind: CustomKind, { explained }: Lifelike): Promise<void> {
  interface Published {
    components: { schemas: Record<string, Schema & { 'x-kubernetes-group-version-kind'?: { kind: string }[] }> }
  }
  const schema = await t.eventually(async () => {
    const { components } = await t.api<Published>('GET', `/openapi/v3/apis/${kind.group}/v1`)
    return Object.values(components.schemas).find(
      (one) => one['x-kubernetes-group-version-kind']?.[0]?.kind === kind.ref.kind,
    )
  })
  let found: Schema | undefined = schema
  for (const name of explained.path.split('.')) {
    const { items, properties } = found as { items?: Schema; properties?: Record<string, Schema> }
    found = (properties ?? (items?.properties as Record<string, Schema>))?.[name]
    assert.ok(found, `${name} of ${explained.path}`)
  }
  assert.equal(found.description, explained.says)
}

const kinds: [what: string, make: (t: CaseContext) => Promise<Lifelike> | Lifelike][] = [
  ['certificates', certificate],
  ['monitoring servers with whole pods in them', async (t) => monitor(await podTemplate(t))],
  ['workflows', async (t) => workflow(await podTemplate(t))],
  ['compositions', composition],
  ['a schema of a megabyte', async (t) => large(await podTemplate(t), 1_000_000)],
  ['forty levels', () => deep(40)],
]

export const cases = [
  ...kinds.map(([what, make]) =>
    defineCase({
      name: `lifelike: ${what} are defined, made, listed and published`,
      stands: docs,
      async run(t) {
        const lifelike = await make(t)
        const kind = kindOf(t, lifelike)
        await establish(t, kind)
        await checkObject(t, kind, lifelike)
        await checkPublished(t, kind, lifelike)
      },
    }),
  ),
  defineCase({
    name: 'lifelike: kubectl explains a field deep within whole pods',
    stands: docs,
    needs: ['kubectl'],
    async run(t) {
      await t.namespace()
      const kind = kindOf(t, monitor(await podTemplate(t)))
      await establish(t, kind)
      const { stdout } = await t.eventually(async () => {
        const args = ['explain', 'monitors.spec.podTemplate.spec.containers.ports', '--api-version', `${kind.group}/v1`]
        const result = await t.kubectl(args, { mayFail: true })
        return result.exitCode === 0 && result
      })
      assert.match(stdout, /containerPort/)
    },
  }),
]
