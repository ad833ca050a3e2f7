import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ProtobufWriter } from './protobuf-writer.ts'

type Value = string | boolean | Value[]

/** Reads one message: fields of wire type 0 are booleans, of type 2 whatever `like` has at that place. */
function read(bytes: Buffer, like: readonly Value[]): { field: number; value: Value }[] {
  const fields: { field: number; value: Value }[] = []
  let at = 0
  const varint = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }
  while (at < bytes.length) {
    const tag = varint()
    const expected = like[fields.length]
    if ((tag & 7) === 0) fields.push({ field: tag >>> 3, value: varint() === 1 })
    else {
      const length = varint()
      const body = bytes.subarray(at, at + length)
      at += length
      const value = Array.isArray(expected) ? read(body, expected).map((one) => one.value) : body.toString()
      fields.push({ field: tag >>> 3, value })
    }
  }
  return fields
}

function write(to: ProtobufWriter, values: readonly Value[]): void {
  values.forEach((value, index) => {
    if (typeof value === 'string') to.strings(index + 1, [value])
    else if (typeof value === 'boolean') to.bool(index + 1, value)
    else to.message(index + 1, () => write(to, value))
  })
}

const { tree } = fc.letrec<{ value: Value; tree: Value[] }>((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, fc.string({ unit: 'binary', maxLength: 300 }), fc.constant(true), tie('tree')),
  tree: fc.array(tie('value'), { maxLength: 20 }),
}))

test('what is written can be read, whatever the nesting and however small the start', () => {
  fc.assert(
    fc.property(tree, (values) => {
      const writer = new ProtobufWriter(16)
      write(writer, values)
      const fields = read(writer.finish(), values)
      expect(fields.map(({ value }) => value)).toEqual(values)
      expect(fields.map(({ field }) => field)).toEqual(values.map((_, index) => index + 1))
    }),
  )
})

test('defaults are left out', () => {
  const writer = new ProtobufWriter()
  writer.string(1, '')
  writer.string(2, undefined)
  writer.bool(3, false)
  writer.strings(4, undefined)
  expect(writer.finish()).toHaveLength(0)
})
