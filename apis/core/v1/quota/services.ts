import { one, zero } from '../amounts.ts'
import type { Service } from '../zz_generated.types.ts'
import type { Evaluator } from './evaluator.ts'

const names: ReadonlySet<string> = new Set([
  'services',
  'count/services',
  'services.nodeports',
  'services.loadbalancers',
])

/** Services count, and those among them that take ports of every node or a load balancer. */
export const serviceEvaluator: Evaluator = {
  // A service may change its type.
  changedBy: [''],
  counts: (name) => names.has(name),
  usage(object) {
    const service = object as unknown as Service
    return new Map([
      ['services', one],
      ['count/services', one],
      ['services.nodeports', { ...one, nano: one.nano * BigInt(nodePorts(service)) }],
      ['services.loadbalancers', service.spec?.type === 'LoadBalancer' ? one : zero],
    ])
  },
}

/** How many ports of nodes it has or is going to be given. */
function nodePorts({ spec }: Service): number {
  const ports = spec?.ports ?? []
  if (spec?.type === 'NodePort') return ports.length
  if (spec?.type !== 'LoadBalancer') return 0
  return spec.allocateLoadBalancerNodePorts === false ? ports.filter((port) => port.nodePort).length : ports.length
}
