import type { ContainerPort } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { expect, test } from 'vitest'
import { spec, view } from '../testing/views.ts'
import { refusalOf } from './admission.ts'

const allocatable = { cpu: '2', memory: '1Gi', pods: '3' }
const asking = (cpu: string, phase: 'Running' | 'Succeeded' = 'Running') =>
  view({ spec: { containers: [spec('main', { resources: { requests: { cpu } } })] }, status: { phase } }).pod
const publishing = (port: Partial<ContainerPort>, hostNetwork = false) =>
  view({ spec: { hostNetwork, containers: [spec('main', { ports: [{ containerPort: 80, ...port }] })] } }).pod

test.each([
  { name: 'what fits', pod: asking('1'), others: [asking('1')], want: undefined },
  { name: 'what fits beside what has ended', pod: asking('2'), others: [asking('1', 'Succeeded')], want: undefined },
  { name: 'too much', pod: asking('1500m'), others: [asking('1')], want: 'OutOfcpu' },
  { name: 'too many', pod: asking('0'), others: [asking('0'), asking('0'), asking('0')], want: 'OutOfpods' },
  { name: 'a free port', pod: publishing({ hostPort: 80 }), others: [publishing({ hostPort: 81 })], want: undefined },
  {
    name: 'a taken port',
    pod: publishing({ hostPort: 80 }),
    others: [publishing({ hostPort: 80 })],
    want: 'NodePorts',
  },
  {
    name: 'the port at another address',
    pod: publishing({ hostPort: 80, hostIP: '127.0.0.1' }),
    others: [publishing({ hostPort: 80, hostIP: '127.0.0.2' })],
    want: undefined,
  },
  {
    name: 'the port for another protocol',
    pod: publishing({ hostPort: 80, protocol: 'UDP' }),
    others: [publishing({ hostPort: 80 })],
    want: undefined,
  },
  {
    name: 'the port of a pod on the host network',
    pod: publishing({ hostPort: 80 }),
    others: [publishing({}, true)],
    want: 'NodePorts',
  },
])('$name: $want', ({ pod, others, want }) => expect(refusalOf(pod, others, allocatable)?.reason).toBe(want))
