import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { findStatusError } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { admin, openTestRegistry, type TestRegistry } from '#core/testing/test-registry.ts'
import { loadBuiltinDefinitions } from './builtin.ts'
import type { Resource } from './registry.ts'
import type { JsonSchema, ResourceDefinition } from './resource.ts'

/**
 * Objects of every built-in kind that are nearly right: fields of the schema, some missing, some with values nobody
 * expects. Whatever comes of them, it is an answer and not a fault of the server.
 */
const { types, resources } = await loadBuiltinDefinitions()
const stored = resources.filter(({ keelson }) => keelson?.virtual === undefined && keelson?.storedAs === undefined)

let registry: TestRegistry
beforeAll(async () => {
  registry = await openTestRegistry()
})
afterAll(() => registry[Symbol.asyncDispose]())

const odd = fc.constantFrom<unknown>(
  null,
  '',
  '-',
  'a',
  'A b',
  '1',
  -1,
  0,
  1,
  2 ** 31,
  2 ** 53,
  0.5,
  true,
  [],
  {},
  [null],
  [{}],
  [''],
  { '': null },
  '__proto__',
)
const texts = fc.constantFrom(
  '',
  'a',
  'b',
  'web',
  'a.b/c',
  '1',
  '50%',
  '100m',
  '1Gi',
  'TCP',
  '10.0.0.1',
  '2030-01-01T00:00:00Z',
  'x'.repeat(300),
)
const numbers = fc.constantFrom(-1, 0, 1, 2, 80, 65_536, 2 ** 31 - 1)

const resolved = (schema: JsonSchema): JsonSchema => (schema.$ref ? types[schema.$ref.split('/').at(-1)!]! : schema)

function anyValueOf(schema: JsonSchema, depth: number): fc.Arbitrary<unknown> {
  const right = rightValueOf(schema, depth)
  return fc.oneof({ arbitrary: right, weight: 400 }, { arbitrary: odd, weight: 1 })
}

function rightValueOf(schema: JsonSchema, depth: number): fc.Arbitrary<unknown> {
  if (schema.$ref) return rightValueOf(resolved(schema), depth)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (schema['x-kubernetes-int-or-string']) return fc.oneof(texts, numbers)
  switch (schema.type) {
    case 'string':
      return texts
    case 'integer':
    case 'number':
      return numbers
    case 'boolean':
      return fc.boolean()
    case 'array':
      return depth <= 0 ? fc.constant([]) : fc.array(anyValueOf(schema.items ?? {}, depth - 1), { maxLength: 2 })
    case 'object':
      return objectOf(schema, depth)
    default:
      return odd
  }
}

function objectOf({ properties, additionalProperties, required }: JsonSchema, depth: number): fc.Arbitrary<unknown> {
  if (depth <= 0) return fc.constant({})
  if (!properties) {
    const values = typeof additionalProperties === 'object' ? anyValueOf(additionalProperties, depth - 1) : odd
    return fc.dictionary(texts, values, { maxKeys: 2 })
  }
  const model = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [
      name,
      required?.includes(name)
        ? anyValueOf(schema, depth - 1)
        : fc.option(anyValueOf(schema, depth - 1), { nil: undefined, freq: 1 }),
    ]),
  )
  return fc.record(model).map((object) => JSON.parse(JSON.stringify(object)))
}

let counter = 0

function objectsOf({ group, kind, namespaced, versions, storageVersion }: ResourceDefinition) {
  const version = versions.find((one) => one.name === storageVersion)!
  const schema = resolved(version.schema)
  const { metadata: _metadata, kind: _kind, apiVersion: _apiVersion, ...properties } = schema.properties ?? {}
  return objectOf({ ...schema, properties }, 7).map((fields) => ({
    apiVersion: group ? `${group}/${storageVersion}` : storageVersion,
    kind,
    ...(fields as object),
    metadata: { name: `fuzz-${++counter}`, ...(namespaced && { namespace: 'default' }) },
  }))
}

/** @returns the object, or undefined when it was refused @throws whatever is no proper refusal */
async function attempt(act: () => Promise<Buffer>): Promise<UnstructuredObject | undefined> {
  try {
    return reviveObject(await act())
  } catch (error) {
    const code = findStatusError(error)?.status.code
    if (code === undefined || code >= 500) throw error
    return undefined
  }
}

/** Writes an object through everything that reads it: create, an update by the other, each subresource, a table's row. */
async function write(resource: Resource, first: UnstructuredObject, second: UnstructuredObject): Promise<void> {
  const served = resource.storage
  const { store } = registry
  const namespace = first.metadata.namespace ?? ''
  const made = await attempt(() => store.create(served, namespace, structuredClone(first), admin))
  if (!made) return
  const at = { namespace, name: made.metadata.name ?? '' }
  const replacement = { ...second, metadata: { ...made.metadata } }
  for (const subresource of ['', ...(served.definition.subresources.status ? ['status'] : [])]) {
    await attempt(() => store.update(served, at, subresource, () => withVersion(replacement, resource, at), admin))
  }
  const entry = resource.cache.get(at.namespace ? `${at.namespace}/${at.name}` : at.name)!
  resource.rules.print?.row(reviveObject(entry.bytes), Date.now())
  entry.facts(resource.cache.extract)
  await attempt(async () => (await store.delete(served, at, {}, admin)).bytes)
}

function withVersion(object: UnstructuredObject, { cache }: Resource, at: { namespace: string; name: string }) {
  const { revision } = cache.get(at.namespace ? `${at.namespace}/${at.name}` : at.name)!
  return { ...structuredClone(object), metadata: { ...object.metadata, resourceVersion: String(revision) } }
}

test.each(stored.map((definition) => ({ name: `${definition.resource}.${definition.group || 'core'}`, definition })))(
  'no object makes the server fail: $name',
  async ({ definition }) => {
    const resource = registry.registry.get(definition.group, definition.resource)!
    const objects = objectsOf(definition)
    await fc.assert(
      fc.asyncProperty(objects, objects, (first, second) =>
        write(resource, first as UnstructuredObject, second as UnstructuredObject),
      ),
      { numRuns: 40 },
    )
  },
  60_000,
)

test('the fuzz reaches the store', () => {
  expect(counter).toBeGreaterThan(1_000)
})
