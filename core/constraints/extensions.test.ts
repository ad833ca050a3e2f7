import { expect, test } from 'vitest'
import type { JsonSchema } from '#core/registry/resource.ts'
import { extensionErrors, extensionsIn } from './extensions.ts'

const root = (property: object, name = 'host'): JsonSchema => ({
  type: 'object',
  properties: { spec: { type: 'object', properties: { [name]: property as JsonSchema } } },
})
const text = { type: 'string' }
const reference = (more: object) => root({ ...text, 'x-keelson-reference': more })
const host = 'properties[spec].properties[host]'

test.each([
  {
    name: 'an unknown scope',
    schema: root({ ...text, 'x-keelson-unique': 'world' }),
    path: 'x-keelson-unique',
    says: 'Unsupported value: "world": supported values: "cluster", "namespace"',
  },
  {
    name: 'a list',
    schema: root({ type: 'array', items: text, 'x-keelson-unique': 'cluster' }),
    path: 'x-keelson-unique',
    says: 'Forbidden: must not be set for a list',
  },
  {
    name: 'an index of an object',
    schema: root({ type: 'object', 'x-keelson-index': true }),
    path: 'x-keelson-index',
    says: 'Forbidden: must not be set for an object',
  },
  {
    name: 'an index that is no yes',
    schema: root({ ...text, 'x-keelson-index': 'yes' }),
    path: 'x-keelson-index',
    says: 'must be true',
  },
  {
    name: 'a reference by number',
    schema: root({ type: 'integer', 'x-keelson-reference': { resource: 'secrets' } }),
    path: 'x-keelson-reference',
    says: 'Forbidden: must be set for a string',
  },
  {
    name: 'a reference to nothing',
    schema: reference({}),
    path: 'x-keelson-reference.resource',
    says: 'Required value',
  },
  {
    name: 'a reference to both',
    schema: reference({ resource: 'secrets', kind: 'Secret' }),
    path: 'x-keelson-reference.resource',
    says: 'Required value',
  },
  {
    name: 'another deletion',
    schema: reference({ resource: 'secrets', onDelete: 'cascade' }),
    path: 'x-keelson-reference.onDelete',
    says: 'Unsupported value: "cascade"',
  },
  {
    name: 'another namespace',
    schema: reference({ resource: 'secrets', namespace: 'default' }),
    path: 'x-keelson-reference.namespace',
    says: 'must be same, cluster or a path',
  },
  {
    name: 'text for a reference',
    schema: reference('secrets' as unknown as object),
    path: 'x-keelson-reference',
    says: 'must be an object',
  },
])('$name is refused', ({ schema, path, says }) => {
  const errors = extensionErrors(schema, { namespaced: true })
  expect(errors.map(({ field }) => field)).toEqual([`${host}.${path}`])
  expect(errors[0]!.message).toContain(says)
  expect(extensionsIn(schema, { namespaced: true })).toBeUndefined()
})

test.each([
  { name: 'at the root', schema: { type: 'object', 'x-keelson-unique': 'cluster' } as JsonSchema, says: 'at the root' },
  {
    name: 'in metadata',
    schema: {
      type: 'object',
      properties: { metadata: { type: 'object', properties: { name: { type: 'string', 'x-keelson-index': true } } } },
    } as JsonSchema,
    says: 'in metadata',
  },
  { name: 'in a branch', schema: root({ ...text, anyOf: [{ 'x-keelson-unique': 'cluster' }] }), says: 'within allOf' },
  {
    name: 'under a name no selector has',
    schema: root({ ...text, 'x-keelson-index': true }, 'a,b=c'),
    says: 'no field selector',
  },
])('no extension may stand $name', ({ schema, says }) => {
  const errors = extensionErrors(schema, { namespaced: true })
  expect(errors).toHaveLength(1)
  expect(errors[0]!.message).toContain(says)
})

test('without namespaces there is nothing to be unique in but the cluster', () => {
  const schema = root({ ...text, 'x-keelson-unique': 'namespace' })
  expect(extensionErrors(schema, { namespaced: true })).toEqual([])
  expect(extensionErrors(schema, { namespaced: false })).toMatchObject([{ reason: 'FieldValueInvalid' }])
})

test('what is right is found, in lists and maps too', () => {
  const schema: JsonSchema = {
    type: 'object',
    properties: {
      hosts: { type: 'array', items: { type: 'string', 'x-keelson-unique': 'cluster', 'x-keelson-index': true } },
      refs: {
        type: 'object',
        additionalProperties: { type: 'string', 'x-keelson-reference': { kind: 'Secret', namespace: '.a.b' } },
      },
    },
  }
  expect(extensionsIn(schema, { namespaced: true })).toEqual({
    unique: [{ place: [{ property: 'hosts' }, 'items'], within: 'cluster' }],
    references: [
      { place: [{ property: 'refs' }, 'values'], group: '', kind: 'Secret', namespace: ['a', 'b'], onDelete: 'ignore' },
    ],
    indexes: [{ place: [{ property: 'hosts' }, 'items'], field: 'hosts[*]' }],
  })
  expect(extensionsIn(root(text), { namespaced: true })).toBeUndefined()
})
