import type { Rules } from '../../meta/v1/rules.ts'
import { ingressClassRules, ingressRules } from './ingress-rules.ts'
import { networkPolicyRules } from './networkpolicy-rules.ts'
import { ipAddressRules, serviceCidrRules } from './service-range-rules.ts'

export const networkingRules = new Map<string, unknown>([
  ['networking.k8s.io/ingressclasses', ingressClassRules],
  ['networking.k8s.io/ingresses', ingressRules],
  ['networking.k8s.io/ipaddresses', ipAddressRules],
  ['networking.k8s.io/networkpolicies', networkPolicyRules],
  ['networking.k8s.io/servicecidrs', serviceCidrRules],
]) as ReadonlyMap<string, Rules>
