import { expect, test } from 'vitest'
import { parseIp } from '#apis/meta/v1/ip.ts'
import { randomBelow } from './candidates.ts'
import { IpRange } from './ip-range.ts'

test.each([
  ['10.96.0.0/16', 'IPv4', '10.96.0.1', 65_534n],
  ['10.96.7.9/29', 'IPv4', '10.96.7.9', 6n],
  ['10.0.0.0/32', 'IPv4', '10.0.0.1', -1n],
  ['fd00:10:96::/112', 'IPv6', 'fd00:10:96::1', 65_535n],
  ['fd00::/64', 'IPv6', 'fd00::1', (1n << 64n) - 1n],
])('%s has addresses of %s from %s on, %s in number', (cidr, family, first, size) => {
  const range = IpRange.parse(cidr)!
  expect([range.family, range.first, range.size]).toEqual([family, first, size])
})

test.each([
  ['10.96.0.0/24', '10.96.0.1', true],
  ['10.96.0.0/24', '10.96.0.254', true],
  ['10.96.0.0/24', '10.96.0.0', false],
  ['10.96.0.0/24', '10.96.0.255', false],
  ['10.96.0.0/24', '10.96.1.1', false],
  ['10.0.0.0/32', '10.0.0.1', false],
  ['fd00::/120', 'fd00::ff', true],
  ['fd00::/120', 'fd00::', false],
  ['fd00::/120', '10.0.0.1', false],
])('whether a service of %s may have %s: %s', (cidr, ip, want) => {
  expect(IpRange.parse(cidr)!.has(parseIp(ip)!)).toBe(want)
})

test('every address is tried once, and no other', () => {
  const range = IpRange.parse('10.0.0.0/27')!
  const tried = [...range.candidates(randomBelow)]
  expect(new Set(tried).size).toBe(30)
  expect(tried.every((ip) => range.has(parseIp(ip)!))).toBe(true)
  expect(IpRange.parse('no range')).toBeUndefined()
})
