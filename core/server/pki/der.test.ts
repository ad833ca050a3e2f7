import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as der from './der.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

test.each([
  { name: 'a short length', got: der.octetString(Buffer.alloc(2, 1)), want: '04 02 01 01' },
  { name: 'a length of one more byte', got: der.octetString(Buffer.alloc(200)).subarray(0, 3), want: '04 81 c8' },
  { name: 'a length of two more bytes', got: der.octetString(Buffer.alloc(300)).subarray(0, 4), want: '04 82 01 2c' },
  { name: 'zero', got: der.unsignedInteger(Buffer.from([0])), want: '02 01 00' },
  { name: 'no bytes as zero', got: der.unsignedInteger(Buffer.alloc(0)), want: '02 01 00' },
  { name: 'an integer without leading zeros', got: der.unsignedInteger(Buffer.from([0, 0, 5])), want: '02 01 05' },
  { name: 'an integer that would look negative', got: der.unsignedInteger(Buffer.from([0x80])), want: '02 02 00 80' },
  { name: 'no named bits', got: der.namedBits([]), want: '03 01 00' },
  { name: 'named bits', got: der.namedBits([0, 5, 6]), want: '03 02 01 86' },
  { name: 'named bits of the second byte', got: der.namedBits([8]), want: '03 03 07 00 80' },
  { name: 'an object identifier', got: der.objectIdentifier('1.2.840.10045.4.3.2'), want: '06 08 2a8648ce3d040302' },
  { name: 'true', got: der.boolean(true), want: '01 01 ff' },
  {
    name: 'a time before 2050',
    got: der.time(new Date('2049-12-31T23:59:59.9Z')),
    want: '17 0d 3439313233313233353935395a',
  },
  {
    name: 'a time from 2050',
    got: der.time(new Date('2050-01-01T00:00:00Z')),
    want: '18 0f 32303530303130313030303030305a',
  },
])('DER writes $name', ({ got, want }) => expect(got).toEqual(hex(want)))

test('DER lengths say how many bytes follow', () => {
  fc.assert(
    fc.property(fc.nat(70_000), (size) => {
      const bytes = der.octetString(Buffer.alloc(size))
      const first = bytes[1]!
      const extra = first < 0x80 ? 0 : first & 0x7f
      const length = extra === 0 ? first : bytes.readUIntBE(2, extra)
      return length === size && bytes.length === 2 + extra + size
    }),
  )
})
