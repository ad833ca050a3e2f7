import { expect, test } from 'vitest'
import { endpointSliceOf, endpointsOf } from './kubernetes-endpoints.ts'

const a = { ip: '192.0.2.1', port: 6443 }
const b = { ip: '192.0.2.2', port: 6443 }
const other = { ip: '192.0.2.1', port: 7443 }
const https = (port: number) => [{ name: 'https', port, protocol: 'TCP' }]

test('servers on one port are one subset, in the same order whoever tells of them', () => {
  const subsets = [{ addresses: [{ ip: a.ip }, { ip: b.ip }], ports: https(6443) }]
  expect(endpointsOf([b, a]).subsets).toEqual(subsets)
  expect(endpointsOf([a, b]).subsets).toEqual(subsets)
})

test('those on another port are told apart', () => {
  expect(endpointsOf([other, a]).subsets).toEqual([
    { addresses: [{ ip: a.ip }], ports: https(6443) },
    { addresses: [{ ip: other.ip }], ports: https(7443) },
  ])
  expect(endpointSliceOf([other, a])).toMatchObject({ endpoints: [{ addresses: [a.ip] }], ports: https(6443) })
})

test('a slice has one family', () => {
  const slice = endpointSliceOf([{ ip: 'fd00::1', port: 6443 }, a, b])
  expect(slice).toMatchObject({ addressType: 'IPv4', ports: https(6443) })
  expect(slice.endpoints).toEqual([a, b].map(({ ip }) => ({ addresses: [ip], conditions: { ready: true } })))
})

test('no server, no endpoints', () => {
  expect(endpointsOf([]).subsets).toBeUndefined()
  expect(endpointSliceOf([])).toMatchObject({ endpoints: [], ports: [] })
})
