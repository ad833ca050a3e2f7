import { portErrors } from '../../core/v1/validate-probes.ts'
import { each, labelSelectorErrors } from '../../meta/v1/field-checks.ts'
import { type FieldError, forbidden, invalid, required } from '../../meta/v1/field-error.ts'
import { cidrErrors, containsBlock, parseCidr } from '../../meta/v1/ip.ts'
import { ageColumn, column, nameColumn, printer, selectorText } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from './zz_generated.types.ts'

export const networkPolicyRules: Rules<NetworkPolicy> = {
  default({ spec }) {
    if (!spec) return
    for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
      for (const port of rule.ports ?? []) port.protocol ??= 'TCP'
    }
    // A policy without types is one for what comes in, and for what goes out when it says something about it.
    if (!spec.policyTypes?.length) spec.policyTypes = spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress']
  },
  validate({ spec = {} }) {
    return [
      ...labelSelectorErrors('spec.podSelector', spec.podSelector),
      ...each('spec.ingress', spec.ingress, (at, { ports, from }) => [
        ...each(`${at}.ports`, ports, policyPortErrors),
        ...each(`${at}.from`, from, peerErrors),
      ]),
      ...each('spec.egress', spec.egress, (at, { ports, to }) => [
        ...each(`${at}.ports`, ports, policyPortErrors),
        ...each(`${at}.to`, to, peerErrors),
      ]),
      ...((spec.policyTypes?.length ?? 0) > 2
        ? [invalid('spec.policyTypes', spec.policyTypes, 'may not specify more than two policyTypes')]
        : []),
    ]
  },
  print: printer<NetworkPolicy>(
    nameColumn,
    column('Pod-Selector', ({ spec }) => selectorText(spec?.podSelector)),
    ageColumn,
  ),
}

function policyPortErrors(field: string, { port, endPort }: NetworkPolicyPort): FieldError[] {
  const errors = portErrors(`${field}.port`, port)
  if (endPort === undefined) return errors
  const at = `${field}.endPort`
  if (port === undefined) return [...errors, invalid(at, endPort, 'may not be specified when `port` is not specified')]
  if (typeof port === 'string')
    return [...errors, invalid(at, endPort, 'may not be specified when `port` is non-numeric')]
  if (endPort < port) errors.push(invalid(at, endPort, 'must be greater than or equal to `port`'))
  return [...errors, ...portErrors(at, endPort)]
}

function peerErrors(field: string, { podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer): FieldError[] {
  const errors = [
    ...labelSelectorErrors(`${field}.podSelector`, podSelector),
    ...labelSelectorErrors(`${field}.namespaceSelector`, namespaceSelector),
    ...(ipBlock ? blockErrors(`${field}.ipBlock`, ipBlock) : []),
  ]
  if (!podSelector && !namespaceSelector && !ipBlock) return [...errors, required(field, 'must specify a peer')]
  if (ipBlock && (podSelector || namespaceSelector)) {
    errors.push(forbidden(field, 'may not specify both ipBlock and another peer'))
  }
  return errors
}

function blockErrors(field: string, { cidr, except }: IPBlock): FieldError[] {
  if (cidr === undefined) return []
  if (cidr === '') return [required(`${field}.cidr`)]
  const outer = parseCidr(cidr)
  return [
    ...cidrErrors(`${field}.cidr`, cidr),
    ...each(`${field}.except`, except, (at, exception) => {
      const inner = parseCidr(exception)
      if (!inner) return cidrErrors(at, exception)
      const isWithin = outer && containsBlock(outer, inner) && inner.prefixLength > outer.prefixLength
      return isWithin || !outer ? [] : [invalid(at, exception, 'must be a strict subset of `cidr`')]
    }),
  ]
}
