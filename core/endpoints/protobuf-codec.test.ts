import { expect, test } from 'vitest'
import { loadBuiltinDefinitions } from '#core/registry/builtin.ts'
import type { ServedVersion } from '#core/registry/registry.ts'
import { encodeBody, hasProtobuf, messageOf, parseProtobuf } from './protobuf-codec.ts'

const { resources: definitions } = await loadBuiltinDefinitions()

test('every built-in kind of Kubernetes, and its list, has a protobuf form', () => {
  const without: string[] = []
  for (const definition of definitions) {
    for (const { name } of definition.versions) {
      const apiVersion = definition.group ? `${definition.group}/${name}` : name
      const served = { apiVersion, resource: { definition } } as unknown as ServedVersion
      if (!hasProtobuf(served)) without.push(`${apiVersion} ${definition.kind}`)
      else if (!definition.keelson?.virtual) expect(messageOf({ apiVersion, kind: definition.listKind })).toBeDefined()
    }
  }
  expect(without).toEqual(['keelson.dev/v1 Plugin'])
})

test.each([
  { name: 'a canonical object', json: { kind: 'Status', apiVersion: 'v1', code: 404 } },
  { name: 'an object that names its kind late', json: { code: 200, apiVersion: 'v1', kind: 'Status' } },
])('$name is encoded as its kind', ({ json }) => {
  expect(parseProtobuf(encodeBody(Buffer.from(JSON.stringify(json))))).toEqual(json)
})

test('the oldest kinds of discovery name no version', () => {
  const body = encodeBody(Buffer.from('{"kind":"APIVersions","versions":["v1"]}'))
  expect(body.toString('hex')).toBe(
    Buffer.from('k8s\0\n\x0f\n\0\x12\x0bAPIVersions\x12\x04\n\x02v1\x1a\0"\0').toString('hex'),
  )
})

test('JSON within protobuf is judged as JSON by itself', () => {
  const body = (data: string) => {
    const revision = { kind: 'ControllerRevision', apiVersion: 'apps/v1', data: 0 }
    return encodeBody(Buffer.from(JSON.stringify(revision).replace(/0}$/, `${data}}`)))
  }
  expect(parseProtobuf(body('{"a":[1]}'))).toMatchObject({ data: { a: [1] } })
  expect(() => parseProtobuf(body('['.repeat(5000) + ']'.repeat(5000)))).toThrow('an embedded object is not JSON')
  expect(() => parseProtobuf(body('1e999'))).toThrow('an embedded object is not JSON')
})

test('what has no protobuf form is refused as a body', () => {
  expect(() => encodeBody(Buffer.from('{"kind":"Table","apiVersion":"meta.k8s.io/v1"}'))).toThrow('no protobuf form')
  expect(() => parseProtobuf(Buffer.from('{}'))).toThrow('the object provided is unrecognized')
})
