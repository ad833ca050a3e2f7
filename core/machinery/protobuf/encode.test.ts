import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { objectOf } from './arbitrary.fixture.ts'
import { ProtobufDecoder } from './decode.ts'
import { ProtobufEncoder } from './encode.ts'
import { type Messages, MessageTable } from './messages.ts'

const numbers = new URL('../../../apis/crds/zz_generated.protobuf.json', import.meta.url)
const messages = JSON.parse(readFileSync(numbers, 'utf8')) as Messages
const table = new MessageTable(messages)
const encoder = new ProtobufEncoder(table)
const decoder = new ProtobufDecoder(table)
const core = 'k8s.io.api.core.v1'
const apiextensions = 'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1'

const encode = (message: string, value: unknown) => encoder.encode(message, Buffer.from(JSON.stringify(value)))
/** Bytes as hexadecimal digits, and texts as they are. */
const bytes = (...parts: (number | string)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part]))))

test.each([
  { name: 'text', message: `${core}.ConfigMapKeySelector`, value: { key: 'k' }, want: bytes(0x12, 1, 'k') },
  {
    name: 'fields of an inlined message as one message',
    message: `${core}.ConfigMapKeySelector`,
    value: { name: 'n', key: 'k', optional: false },
    want: bytes(0x0a, 3, 0x0a, 1, 'n', 0x12, 1, 'k', 0x18, 0),
  },
  {
    name: 'fields inlined twice over',
    message: 'k8s.io.api.admissionregistration.v1.NamedRuleWithOperations',
    value: { resourceNames: ['a'], operations: ['*'], apiGroups: [''] },
    want: bytes(0x0a, 1, 'a', 0x12, 7, 0x0a, 1, '*', 0x12, 2, 0x0a, 0),
  },
  {
    name: 'a field number above fifteen',
    message: `${core}.Container`,
    value: { stdin: true, terminationMessagePolicy: 'x' },
    want: bytes(0x80, 0x01, 1, 0xa2, 0x01, 1, 'x'),
  },
  {
    name: 'a number that is negative in ten bytes',
    message: `${core}.PodSpec`,
    value: { priority: -1 },
    want: bytes(0xc8, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1),
  },
  {
    name: 'a number beyond 32 bits',
    message: `${core}.PodSpec`,
    value: { activeDeadlineSeconds: 2 ** 40 + 1 },
    want: bytes(0x28, 0x81, 0x80, 0x80, 0x80, 0x80, 0x20),
  },
  {
    name: 'quantities as text in a message, in a map',
    message: `${core}.ResourceRequirements`,
    value: { limits: { cpu: '1' } },
    want: bytes(0x0a, 10, 0x0a, 3, 'cpu', 0x12, 3, 0x0a, 1, '1'),
  },
  {
    name: 'a port that is a number with all its fields',
    message: `${core}.TCPSocketAction`,
    value: { port: 80 },
    want: bytes(0x0a, 6, 0x08, 0, 0x10, 80, 0x1a, 0),
  },
  {
    name: 'a port that is a name',
    message: `${core}.TCPSocketAction`,
    value: { port: 'web' },
    want: bytes(0x0a, 9, 0x08, 1, 0x10, 0, 0x1a, 3, 'web'),
  },
  {
    name: 'a time as seconds and nanoseconds',
    message: `${core}.ContainerStateRunning`,
    value: { startedAt: '2023-11-14T22:13:20Z' },
    want: bytes(0x0a, 8, 0x08, 0x80, 0xe2, 0xcf, 0xaa, 0x06, 0x10, 0),
  },
  {
    name: 'a time with a fraction and an offset',
    message: 'k8s.io.api.coordination.v1.LeaseSpec',
    value: { renewTime: '2023-11-14T23:13:20.000005+01:00' },
    want: bytes(0x22, 9, 0x08, 0x80, 0xe2, 0xcf, 0xaa, 0x06, 0x10, 0x88, 0x27),
  },
  {
    name: 'base64 as bytes',
    message: `${core}.Secret`,
    value: { data: { k: 'dg==' } },
    want: bytes(0x12, 6, 0x0a, 1, 'k', 0x12, 1, 'v'),
  },
  {
    name: 'JSON within as it stands',
    message: 'k8s.io.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry',
    value: { fieldsV1: { 'f:a"]': [{}, null] } },
    want: bytes(0x3a, 22, 0x0a, 20, '{"f:a\\"]":[{},null]}'),
  },
  {
    name: 'what is set, be it empty or zero',
    message: `${core}.PersistentVolumeClaimSpec`,
    value: { storageClassName: '', volumeName: '' },
    want: bytes(0x2a, 0, 0x1a, 0),
  },
  {
    name: 'nothing for null, other types, unknown fields, and empty lists and maps',
    message: `${core}.Pod`,
    value: {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: null,
      status: 'x',
      spec: { containers: [], nodeSelector: {}, hostNetwork: 1, priority: 'x', hostname: {}, '': [[{}]], toString: 1 },
    },
    want: bytes(0x12, 0),
  },
  {
    name: 'names with escapes',
    message: `${core}.ConfigMap`,
    value: { '\n"metadata': { name: 'x' }, immutable: true },
    want: bytes(0x20, 1),
  },
  {
    name: 'schemas in the place of booleans',
    message: `${apiextensions}.JSONSchemaProps`,
    value: { additionalProperties: { type: 'string' }, additionalItems: true },
    want: bytes(0xf2, 1, 12, 0x08, 1, 0x12, 8, 0x2a, 6, 'string', 0x8a, 2, 2, 0x08, 1),
  },
])('protobuf encodes $name', ({ message, value, want }) => {
  expect(encode(message, value).toString('hex')).toBe(want.toString('hex'))
})

test.each([1, 126, 127, 128, 129, 16_383, 16_384, 70_000, 2_100_000])('protobuf holds texts of %i bytes', (length) => {
  for (const character of ['a', '\n', '"', '\\', 'é']) {
    const value = { data: { [character.repeat(Math.min(length, 200))]: character.repeat(length), b: '1' } }
    expect(decoder.message(`${core}.ConfigMap`, Buffer.from(encode(`${core}.ConfigMap`, value)))).toEqual(value)
  }
})

test('protobuf of any object decodes to the object', () => {
  const names = Object.keys(messages)
  fc.assert(
    fc.property(
      fc.constantFrom(...names).chain((name) => fc.tuple(fc.constant(name), objectOf(table, name, 6))),
      ([name, value]) => {
        const decoded = decoder.message(name, Buffer.from(encode(name, value)))
        expect(JSON.stringify(decoded)).toBe(JSON.stringify(value))
      },
    ),
    { numRuns: 500 },
  )
})

test('protobuf of every message decodes to the object', () => {
  for (const name of Object.keys(messages)) {
    for (const value of fc.sample(objectOf(table, name, 3), { numRuns: 2, seed: 1 })) {
      const decoded = decoder.message(name, Buffer.from(encode(name, value)))
      expect(JSON.stringify(decoded), name).toBe(JSON.stringify(value))
    }
  }
})

test('protobuf of any JSON is written or refused, and leaves the encoder in order', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), (json) => {
      try {
        encoder.encode(`${core}.Pod`, Buffer.from(json))
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
      expect(encode(`${core}.ConfigMap`, { immutable: true })).toEqual(bytes(0x20, 1))
    }),
  )
})
