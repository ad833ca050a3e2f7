import type { Service, ServiceSpec } from '#apis/core/v1/zz_generated.types.ts'
import { type FieldError, invalid } from '#apis/meta/v1/field-error.ts'
import { parseIp } from '#apis/meta/v1/ip.ts'
import type { IpFamily } from './ip-range.ts'

export type Spec = NonNullable<Service['spec']>

/**
 * Fills in the IP families of a service and its policy about them, from what it says, what it had, and what families the
 * cluster has, the first of which is the default. Addresses that a service gives up are taken out.
 * @returns what of the service contradicts itself or the cluster
 * @see https://kubernetes.io/docs/concepts/services-networking/dual-stack/#services
 */
export function completeFamilies(spec: Spec, old: Spec | undefined, cluster: readonly IpFamily[]): FieldError[] {
  if (spec.type === 'ExternalName' || (old && staysPreferred(spec, old))) return []
  const isFree = isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0
  spec.ipFamilyPolicy ??= old?.ipFamilyPolicy ?? (isFree ? 'RequireDualStack' : 'SingleStack')
  const contradictions = [
    ...(old ? giveUpSecond(spec, old) : []),
    ...tooManyErrors(spec),
    ...inferFamilies(spec, cluster),
  ]
  if (contradictions.length > 0) return contradictions
  // Whoever provides the endpoints of such a service may do so in any family.
  const possible = isFree ? both : cluster
  const errors = isFree ? [] : clusterErrors(spec, cluster)
  if (errors.length === 0) spec.ipFamilies = familiesOf(spec, cluster[0]!, possible)
  return errors
}

export const isHeadless = ({ clusterIPs }: ServiceSpec) => clusterIPs?.[0] === 'None'

const both: readonly IpFamily[] = ['IPv4', 'IPv6']
const policyField = 'spec.ipFamilyPolicy'

function familiesOf({ ipFamilies = [], ipFamilyPolicy }: Spec, first: IpFamily, possible: readonly IpFamily[]) {
  const families = ipFamilies.length > 0 ? [...ipFamilies] : [first]
  const other = possible.find((family) => family !== families[0])
  if (ipFamilyPolicy !== 'SingleStack' && families.length === 1 && other) families.push(other)
  return families
}

/** A service that takes what the cluster has keeps what it has got when the cluster changes. */
function staysPreferred(spec: Spec, old: Spec): boolean {
  const policies = [spec.ipFamilyPolicy, old.ipFamilyPolicy ?? 'PreferDualStack']
  return (
    spec.type === old.type &&
    policies.every((policy) => policy === 'PreferDualStack') &&
    isSame(spec.clusterIPs, old.clusterIPs) &&
    isSame(spec.ipFamilies, old.ipFamilies)
  )
}

const isSame = (some: readonly string[] = [], others: readonly string[] = []) => some.join() === others.join()

/** To give up the second address, a service says so by its policy. */
function giveUpSecond(spec: Spec, old: Spec): FieldError[] {
  const { clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec
  if (ipFamilyPolicy === 'SingleStack') {
    if (isSame(clusterIPs, old.clusterIPs) && clusterIPs.length > 1) spec.clusterIPs = clusterIPs.slice(0, 1)
    if (isSame(ipFamilies, old.ipFamilies) && ipFamilies.length > 1) spec.ipFamilies = ipFamilies.slice(0, 1)
    return []
  }
  const isReduced = (now: readonly string[], before: readonly string[] = []) =>
    now.length > 0 && now.length < before.length
  return [
    ...(isReduced(clusterIPs, old.clusterIPs)
      ? [invalid(policyField, ipFamilyPolicy, "must be 'SingleStack' to release the secondary cluster IP")]
      : []),
    ...(isReduced(ipFamilies, old.ipFamilies)
      ? [invalid(policyField, ipFamilyPolicy, "must be 'SingleStack' to release the secondary IP family")]
      : []),
  ]
}

function tooManyErrors({ ipFamilyPolicy, clusterIPs = [], ipFamilies = [] }: Spec): FieldError[] {
  if (ipFamilyPolicy !== 'SingleStack') return []
  const refused = (what: string) =>
    invalid(
      policyField,
      ipFamilyPolicy,
      `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`,
    )
  return [
    ...(clusterIPs.length === 2 ? [refused('cluster IPs')] : []),
    ...(ipFamilies.length === 2 ? [refused('IP families')] : []),
  ]
}

/** Addresses that a client asks for say which families it wants. */
function inferFamilies(spec: Spec, cluster: readonly IpFamily[]): FieldError[] {
  const { clusterIPs = [] } = spec
  const families = [...(spec.ipFamilies ?? [])]
  const errors: FieldError[] = []
  for (const [at, ip] of clusterIPs.entries()) {
    const family = parseIp(ip)?.family
    if (!family || at < families.length) continue
    if (cluster.includes(family)) families.push(family)
    else errors.push(invalid(`spec.clusterIPs[${at}]`, clusterIPs, `${family} is not configured on this cluster`))
  }
  if (families.length > 0) spec.ipFamilies = families
  return errors
}

function clusterErrors({ ipFamilyPolicy, ipFamilies = [] }: Spec, cluster: readonly IpFamily[]): FieldError[] {
  return [
    ...(ipFamilyPolicy === 'RequireDualStack' && cluster.length < 2
      ? [invalid(policyField, ipFamilyPolicy, 'this cluster is not configured for dual-stack services')]
      : []),
    ...ipFamilies.flatMap((family, at) =>
      cluster.some((one) => one === family)
        ? []
        : [invalid(`spec.ipFamilies[${at}]`, family, 'not configured on this cluster')],
    ),
  ]
}
