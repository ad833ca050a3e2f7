import type { NetworkInterfaceInfo } from 'node:os'
import { expect, test } from 'vitest'
import { advertiseAddress } from './advertise-address.ts'

const address = (address: string, family: 'IPv4' | 'IPv6', internal = false) =>
  ({ address, family, internal }) as NetworkInterfaceInfo
const interfaces = {
  lo: [address('127.0.0.1', 'IPv4', true), address('::1', 'IPv6', true)],
  eth0: [address('fe80::1', 'IPv6'), address('fd00::7', 'IPv6'), address('192.0.2.7', 'IPv4')],
}

test.each([
  ['what it is told', '192.0.2.9', '127.0.0.1', 'IPv4', '192.0.2.9'],
  ['where it is bound', undefined, '192.0.2.5', 'IPv4', '192.0.2.5'],
  ['the first of the machine', undefined, '0.0.0.0', 'IPv4', '192.0.2.7'],
  ['the first of the other family', undefined, '0.0.0.0', 'IPv6', 'fd00::7'],
  ['none on a loopback address', undefined, '127.0.0.1', 'IPv4', undefined],
  ['none on a name', undefined, 'localhost', 'IPv4', undefined],
] as const)('a server is reached at %s', (_, told, bound, family, want) => {
  expect(advertiseAddress({ told, bound }, family, interfaces)).toBe(want)
})

test('a machine without a network has no address', () => {
  expect(advertiseAddress({ told: undefined, bound: '::' }, 'IPv4', { lo: interfaces.lo })).toBeUndefined()
})
