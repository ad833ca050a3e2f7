import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ProtobufDecoder } from './decode.ts'
import type { Messages } from './messages.ts'
import { ProtobufError } from './wire.ts'

const numbers = new URL('../../../apis/crds/zz_generated.protobuf.json', import.meta.url)
const decoder = new ProtobufDecoder(JSON.parse(readFileSync(numbers, 'utf8')) as Messages)

const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)])
const field = (number: number, content: Buffer | string) => {
  const bytes = Buffer.from(content)
  return Buffer.from([...varint((number << 3) | 2), ...varint(bytes.length), ...bytes])
}
const int = (number: number, value: number) => Buffer.from([...varint(number << 3), ...varint(value)])
const object = (apiVersion: string, kind: string, raw: Buffer) =>
  Buffer.concat([
    Buffer.from('k8s\0'),
    field(1, Buffer.concat([field(1, apiVersion), field(2, kind)])),
    field(2, raw),
    field(3, ''),
    field(4, ''),
  ])
const metadata = (name: string, ...more: Buffer[]) => field(1, Buffer.concat([field(1, name), field(2, ''), ...more]))

test.each([
  {
    name: 'maps, and leaves out strings nobody has set',
    bytes: object(
      'v1',
      'ConfigMap',
      Buffer.concat([metadata('a'), field(2, Buffer.concat([field(1, 'k'), field(2, 'v')]))]),
    ),
    want: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { k: 'v' } },
  },
  {
    name: 'bytes as base64',
    bytes: object(
      'v1',
      'Secret',
      Buffer.concat([metadata('a'), field(2, Buffer.concat([field(1, 'k'), field(2, 'v')]))]),
    ),
    want: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' }, data: { k: 'dg==' } },
  },
  {
    name: 'numbers, booleans and times',
    bytes: object(
      'coordination.k8s.io/v1',
      'Lease',
      Buffer.concat([
        metadata('a', field(8, Buffer.alloc(0))),
        field(
          2,
          Buffer.concat([field(1, 'me'), int(2, 40), field(4, Buffer.concat([int(1, 1_700_000_000), int(2, 5000)]))]),
        ),
      ]),
    ),
    want: {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'a' },
      spec: { holderIdentity: 'me', leaseDurationSeconds: 40, renewTime: '2023-11-14T22:13:20.000005Z' },
    },
  },
  {
    name: 'no zeros that Go would leave out, and those that say something',
    bytes: object(
      'apps/v1',
      'Deployment',
      Buffer.concat([metadata('a', int(7, 0)), field(2, Buffer.concat([int(1, 0), int(5, 0), int(7, 0)]))]),
    ),
    want: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' }, spec: { replicas: 0 } },
  },
  {
    name: 'fields of an inlined message as its parent’s',
    bytes: object(
      'networking.k8s.io/v1',
      'Ingress',
      Buffer.concat([
        metadata('a'),
        field(
          2,
          field(
            3,
            Buffer.concat([
              field(1, 'host'),
              field(2, field(1, field(1, Buffer.concat([field(1, '/'), field(3, 'Exact')])))),
            ]),
          ),
        ),
      ]),
    ),
    want: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'a' },
      spec: { rules: [{ host: 'host', http: { paths: [{ path: '/', pathType: 'Exact' }] } }] },
    },
  },
  {
    name: 'options of a deletion',
    bytes: object('v1', 'DeleteOptions', Buffer.concat([int(1, 0), field(4, 'Foreground')])),
    want: { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, propagationPolicy: 'Foreground' },
  },
])('protobuf decodes $name', ({ bytes, want }) => {
  expect(decoder.decode(bytes)).toEqual(want)
})

test.each([
  { name: 'JSON', bytes: Buffer.from('{}'), want: 'magic number' },
  {
    name: 'a kind nobody knows',
    bytes: object('v1', 'Nothing', Buffer.alloc(0)),
    want: 'v1 Nothing has no protobuf form here',
  },
  { name: 'a cut message', bytes: object('v1', 'ConfigMap', Buffer.from([10, 200])), want: 'ends within' },
])('protobuf refuses $name', ({ bytes, want }) => {
  expect(() => decoder.decode(bytes)).toThrow(want)
})

test('protobuf of any bytes decodes or is refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (raw) => {
      try {
        decoder.decode(object('v1', 'Pod', Buffer.from(raw)))
      } catch (error) {
        expect(error).toBeInstanceOf(ProtobufError)
      }
    }),
  )
})
