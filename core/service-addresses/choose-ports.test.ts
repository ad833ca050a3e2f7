import { expect, test } from 'vitest'
import { choosePorts, portsOf } from './choose-ports.ts'
import type { Spec } from './complete-families.ts'

interface Case {
  name: string
  spec: Spec
  old?: Spec
  /** What is asked for: the number wanted, 0 for any, and the field. */
  asked: [number, string][]
  /** The node ports of the service afterwards. */
  want: (number | undefined)[]
}

const dns = [
  { name: 'tcp', port: 53, protocol: 'TCP' as const },
  { name: 'udp', port: 53, protocol: 'UDP' as const },
]
const web: Spec = { type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }] }
const at = (index: number) => `spec.ports[${index}].nodePort`

const cases: Case[] = [
  { name: 'none for a ClusterIP', spec: { type: 'ClusterIP', ports: [{ port: 80 }] }, asked: [], want: [undefined] },
  { name: 'any', spec: { type: 'NodePort', ports: [{ port: 80 }] }, asked: [[0, at(0)]], want: [1000] },
  { name: 'the one asked for', spec: web, asked: [[30_080, at(0)]], want: [30_080] },
  {
    name: 'one for all protocols of a port',
    spec: { type: 'NodePort', ports: dns },
    asked: [[0, at(0)]],
    want: [1000, 1000],
  },
  {
    name: 'the one that the other protocol asks for',
    spec: { type: 'NodePort', ports: [dns[0]!, { ...dns[1]!, nodePort: 30_053 }] },
    asked: [[30_053, at(0)]],
    want: [30_053, 30_053],
  },
  {
    name: 'two where the protocols ask for two',
    spec: {
      type: 'NodePort',
      ports: [
        { ...dns[0]!, nodePort: 30_052 },
        { ...dns[1]!, nodePort: 30_053 },
      ],
    },
    asked: [
      [30_052, at(0)],
      [30_053, at(1)],
    ],
    want: [30_052, 30_053],
  },
  {
    name: 'none for a load balancer that wants none',
    spec: {
      type: 'LoadBalancer',
      allocateLoadBalancerNodePorts: false,
      ports: [{ port: 80 }, { port: 81, nodePort: 30_081 }],
    },
    asked: [[30_081, at(1)]],
    want: [undefined, 30_081],
  },
  { name: 'none that a service has already', spec: web, old: web, asked: [], want: [30_080] },
  {
    name: 'a further one for a further port',
    spec: { type: 'NodePort', ports: [...web.ports!, { port: 81 }] },
    old: web,
    asked: [[0, at(1)]],
    want: [30_080, 1000],
  },
  {
    name: 'of a service that becomes one with node ports, one for each protocol',
    spec: { type: 'NodePort', ports: dns },
    old: { type: 'ClusterIP', ports: dns },
    asked: [
      [0, at(0)],
      [0, at(1)],
    ],
    want: [1000, 1001],
  },
  {
    name: 'one more for health checks',
    spec: { type: 'LoadBalancer', externalTrafficPolicy: 'Local', ports: [{ port: 80 }] },
    asked: [
      [0, at(0)],
      [0, 'spec.healthCheckNodePort'],
    ],
    want: [1000],
  },
]

test.each(cases)('node ports: $name', async ({ spec, old, asked, want }) => {
  const asks: [number, string][] = []
  const chosen = structuredClone(spec)
  let next = 1000
  await choosePorts(chosen, old, async (wanted, field) => {
    asks.push([wanted, field])
    return wanted || next++
  })
  expect(asks).toEqual(asked)
  expect(chosen.ports?.map(({ nodePort }) => nodePort)).toEqual(want)
})

test('a service has its node ports and that for health checks', () => {
  const spec: Spec = { ...web, type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 30_000 }
  expect([...portsOf(spec)]).toEqual([30_080, 30_000])
  expect([...portsOf({ ...spec, externalTrafficPolicy: 'Cluster' })]).toEqual([30_080])
  expect([...portsOf({ ...spec, type: 'ClusterIP' })]).toEqual([])
})
