import { expect, test } from 'vitest'
import { serviceFlags } from './service-flags.ts'

test('services have 10.96.0.0/16 and Kubernetes’ ports', () => {
  expect(serviceFlags({})).toEqual({
    serviceClusterIpRanges: ['10.96.0.0/16'],
    serviceNodePortRange: { first: 30_000, last: 32_767 },
    advertiseAddress: undefined,
  })
})

test('ranges are of one family or of both, and told by their first address', () => {
  const ranges = (text: string) => serviceFlags({ 'service-cluster-ip-range': text }).serviceClusterIpRanges
  expect(ranges('FD00:10:96::7/112')).toEqual(['fd00:10:96::/112'])
  expect(ranges('10.1.2.3/16,fd00::/108')).toEqual(['10.1.0.0/16', 'fd00::/108'])
})

test.each([
  [{ 'service-cluster-ip-range': '10.0.0.0' }, 'must be one range or two'],
  [{ 'service-cluster-ip-range': '' }, 'must be one range or two'],
  [{ 'service-cluster-ip-range': '10.0.0.0/30' }, 'a range of IPv4 must be from /8 to /29'],
  [{ 'service-cluster-ip-range': 'fd00::/48' }, 'a range of IPv6 must be from /64 to /125'],
  [{ 'service-cluster-ip-range': '10.0.0.0/16,10.1.0.0/16' }, 'one range of IPv4 and one of IPv6'],
  [{ 'service-node-port-range': '30000' }, 'must be two ports'],
  [{ 'service-node-port-range': '30001-30000' }, 'must be two ports'],
  [{ 'service-node-port-range': '0-10' }, 'must be two ports'],
  [{ 'service-node-port-range': '1-65536' }, 'must be two ports'],
  [{ 'advertise-address': 'here' }, 'must be an IP address'],
  [{ 'advertise-address': '127.0.0.1' }, 'must be an IP address for other machines'],
])('%o is a mistake', (flags, message) => expect(() => serviceFlags(flags)).toThrow(message))
