import type { JsonSchema } from '#core/registry/resource.ts'
import { type Figure, figureOf } from './figure.ts'
import { measureRate } from './load.ts'
import { alternate } from './rounds.ts'
import { openSession, request, scratch, startKeelson, type Target } from './servers.ts'

const blocks = Array.from({ length: 16 }, (_, at) => `block${at}`)

/** Rules as people write them: of fields beside each other, of a name, of items and of keys. */
const blockRules = [
  { rule: 'self.min <= self.max', message: 'min must not be above max' },
  { rule: "!has(self.name) || self.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')", message: 'name must be a DNS label' },
  { rule: 'self.ports.all(p, p.port > 0 && p.port < 65536)', messageExpression: "'bad port in ' + self.name" },
  { rule: 'self.labels.all(k, k.size() <= 63)', fieldPath: '.labels', reason: 'FieldValueInvalid' },
]

function block(hasRules: boolean): JsonSchema {
  const port: JsonSchema = { type: 'object', properties: { name: { type: 'string' }, port: { type: 'integer' } } }
  return {
    type: 'object',
    required: ['min', 'max'],
    properties: {
      min: { type: 'integer' },
      max: { type: 'integer' },
      name: { type: 'string', maxLength: 63 },
      ports: { type: 'array', maxItems: 8, items: port },
      labels: { type: 'object', maxProperties: 16, additionalProperties: { type: 'string', maxLength: 63 } },
    },
    ...(hasRules && { 'x-kubernetes-validations': blockRules }),
  }
}

const blockValue = (name: string) => ({
  min: 1,
  max: 10,
  name,
  ports: [
    { name: 'web', port: 8080 },
    { name: 'metrics', port: 9090 },
  ],
  labels: { app: 'bench', tier: 'backend', team: 'platform' },
})

function definition(plural: string, hasRules: boolean): object {
  const kind = plural.slice(0, -1)
  const properties = Object.fromEntries(blocks.map((name) => [name, block(hasRules)]))
  const openAPIV3Schema = { type: 'object', properties: { spec: { type: 'object', properties } } }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.bench.example.com` },
    spec: {
      group: 'bench.example.com',
      scope: 'Namespaced',
      names: { plural, singular: kind, kind: kind[0]!.toUpperCase() + kind.slice(1) },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  }
}

const spec = Object.fromEntries(blocks.map((name) => [name, blockValue(name)]))

const instance = (kind: string, at: number) =>
  Buffer.from(JSON.stringify({ apiVersion: 'bench.example.com/v1', kind, metadata: { name: `bench-${at}` }, spec }))

/** Creates of an object of 3 KB that 64 rules judge, against creates of the same object where there are none. */
export async function rulesBench(durationMs: number): Promise<Figure[]> {
  const { directory, remove } = scratch()
  await using keelson = await startKeelson(directory, ['server'])
  try {
    await define(keelson, definition('plains', false))
    await define(keelson, definition('ruleds', true))
    let created = 0
    const creates = (resource: string, kind: string) => (roundMs: number) =>
      measureRate(keelson, { concurrency: 64, protocol: 'h2', sessions: 8, durationMs: roundMs }, () => ({
        path: `/apis/bench.example.com/v1/namespaces/default/${resource}`,
        body: instance(kind, created++),
      }))
    const round = await alternate(durationMs, creates('plains', 'Plain'), creates('ruleds', 'Ruled'))
    const goal = { atLeastRatio: 1 / 1.3 }
    return [figureOf('create with 64 rules, 3 KB, 64 clients, h2', round, 'the same without rules', goal)]
  } finally {
    remove()
  }
}

async function define(keelson: Target, crd: object): Promise<void> {
  const session = openSession(keelson)
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/json' }
  const { status, body } = await request(session, headers, Buffer.from(JSON.stringify(crd)))
  session.close()
  if (status !== 201) throw new Error(`the definition was answered ${status}: ${body}`)
}
