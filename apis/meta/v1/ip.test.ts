import fc from 'fast-check'
import { expect, test } from 'vitest'
import { containsBlock, firstOf, formatIp, parseCidr, parseIp } from './ip.ts'

test.each([
  ['10.9.8.7', 'IPv4', 0x0a090807n],
  ['255.255.255.255', 'IPv4', 0xffffffffn],
  ['::', 'IPv6', 0n],
  ['::1', 'IPv6', 1n],
  ['2001:db8::ffff', 'IPv6', 0x20010db800000000000000000000ffffn],
  ['1:2:3:4:5:6:7:8', 'IPv6', 0x00010002000300040005000600070008n],
  ['::ffff:1.2.3.4', 'IPv6', 0xffff01020304n],
])('%s is an address of %s', (text, family, value) => expect(parseIp(text)).toEqual({ family, value }))

test.each([
  '',
  '1.2.3',
  '1.2.3.4.5',
  '256.1.1.1',
  'a.b.c.d',
  ':',
  ':::',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '12345::',
  '1.2.3.4::',
  '1:2:3:4:5:6:7::8:9',
])('"%s" is no address', (text) => expect(parseIp(text)).toBeUndefined())

test.each(['', '10.0.0.0', '10.0.0.0/', '10.0.0.0/33', '10.0.0.0/8/8', '::/129', '::/-1', 'x/8'])(
  '"%s" is no block',
  (text) => expect(parseCidr(text)).toBeUndefined(),
)

test.each([
  ['10.0.0.0/8', '10.1.0.0/16', true],
  ['10.0.0.0/8', '10.0.0.0/8', true],
  ['10.1.0.0/16', '10.0.0.0/8', false],
  ['10.0.0.0/8', '11.0.0.0/16', false],
  ['0.0.0.0/0', '::/0', false],
  ['fd00::/8', 'fd12::/64', true],
])('that %s contains %s is %s', (outer, inner, want) => {
  expect(containsBlock(parseCidr(outer)!, parseCidr(inner)!)).toBe(want)
})

test('an address is written in its canonical form', () => {
  const family = 'IPv6'
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constant(0n), fc.bigInt(0n, 0xffffn)), { minLength: 8, maxLength: 8 }),
      (groups) => {
        const value = groups.reduce((sum, group) => (sum << 16n) | group, 0n)
        const text = formatIp({ family, value })
        expect(parseIp(text)).toEqual({ family, value })
        expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`)
      },
    ),
  )
  fc.assert(
    fc.property(fc.ipV4(), (text) => {
      expect(formatIp(parseIp(text)!)).toBe(text)
    }),
  )
})

test.each([
  ['10.1.2.3/8', '10.0.0.0'],
  ['10.1.2.3/32', '10.1.2.3'],
  ['fd00::ffff/120', 'fd00::ff00'],
  ['::1/0', '::'],
])('the first address of %s is %s', (cidr, first) => expect(formatIp(firstOf(parseCidr(cidr)!))).toBe(first))
