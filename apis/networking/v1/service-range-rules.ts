import { each, immutable, nonEmpty, optionalFaults } from '../../meta/v1/field-checks.ts'
import { type FieldError, invalid, required } from '../../meta/v1/field-error.ts'
import { cidrErrors, firstOf, formatIp, parseCidr, parseIp } from '../../meta/v1/ip.ts'
import { dnsSubdomainFaults } from '../../meta/v1/names.ts'
import { ageColumn, column, nameColumn, orNone, printer } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import type { KubeObject } from '../../meta/v1/types.ts'
import type { IPAddress, ParentReference, ServiceCIDR } from './zz_generated.types.ts'

/** Addresses of services: what is taken, and the ranges they come from. */
export const ipAddressRules: Rules<IPAddress> = {
  nameFaults: ipFaults,
  prepareCreate: dropGeneration,
  validate: ({ spec }) => (spec?.parentRef ? parentErrors('spec.parentRef', spec.parentRef) : []),
  validateUpdate: ({ spec }, { spec: old }) => immutable('spec.parentRef', spec.parentRef, old.parentRef),
  changesGeneration: () => false,
  print: printer<IPAddress>(
    nameColumn,
    column('ParentRef', ({ spec }) => orNone(spec?.parentRef && parentText(spec.parentRef))),
    ageColumn,
  ),
}

export const serviceCidrRules: Rules<ServiceCIDR> = {
  prepareCreate: dropGeneration,
  validate: ({ spec }) => cidrsErrors('spec.cidrs', spec?.cidrs ?? []),
  validateUpdate: ({ spec }, { spec: old }) => cidrsUpdateErrors('spec.cidrs', spec?.cidrs ?? [], old?.cidrs ?? []),
  changesGeneration: () => false,
  print: printer<ServiceCIDR>(
    nameColumn,
    column('CIDRs', ({ spec }) => (spec?.cidrs ?? []).join(',')),
    ageColumn,
  ),
}

function dropGeneration({ metadata }: KubeObject): void {
  delete metadata.generation
}

/** An address has one name only: its canonical form. */
function ipFaults(name: string): string[] {
  const ip = parseIp(name)
  if (!ip) return ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']
  if (ip.family === 'IPv6' && ip.value >> 32n === 0xffffn) return ['must not be an IPv4-mapped IPv6 address']
  const canonical = formatIp(ip)
  if (name === canonical) return []
  return [ip.family === 'IPv4' ? 'must not have leading 0s' : `must be in canonical form ("${canonical}")`]
}

function parentErrors(field: string, { group, resource, name, namespace }: ParentReference): FieldError[] {
  return [
    ...optionalFaults(`${field}.group`, group, dnsSubdomainFaults),
    ...nonEmpty(`${field}.resource`, resource),
    ...optionalFaults(`${field}.resource`, resource, pathSegmentFaults),
    ...nonEmpty(`${field}.name`, name),
    ...optionalFaults(`${field}.name`, name, pathSegmentFaults),
    ...optionalFaults(`${field}.namespace`, namespace, pathSegmentFaults),
  ]
}

function pathSegmentFaults(text: string): string[] {
  if (text === '.' || text === '..') return [`may not be '${text}'`]
  return ['/', '%'].filter((one) => text.includes(one)).map((one) => `may not contain '${one}'`)
}

function parentText({ group, resource, namespace, name }: ParentReference): string {
  const kind = (group ? `${resource}.${group}` : resource).toLowerCase()
  return namespace ? `${kind}/${namespace}/${name}` : `${kind}/${name}`
}

function cidrsErrors(field: string, cidrs: readonly string[]): FieldError[] {
  if (cidrs.length === 0) return [required(field, 'at least one CIDR required')]
  if (cidrs.length > 2) return [invalid(field, { cidrs }, 'may only hold up to 2 values')]
  const [first, second] = cidrs.map((cidr) => parseCidr(cidr)?.family)
  const errors = each(field, cidrs, blockErrors)
  if (!first || first !== second) return errors
  const detail = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64'
  return [...errors, invalid(field, cidrs, detail)]
}

function blockErrors(field: string, text: string): FieldError[] {
  const block = parseCidr(text)
  if (!block) return cidrErrors(field, text)
  const canonical = `${formatIp(firstOf(block))}/${block.prefixLength}`
  if (text === canonical) return []
  return [
    firstOf(block).value === block.value
      ? invalid(field, text, `must be in canonical form ("${canonical}")`)
      : invalid(field, text, 'must not have bits set beyond the prefix length'),
  ]
}

/** A range of the other family may join; nothing else changes. */
function cidrsUpdateErrors(field: string, cidrs: readonly string[], old: readonly string[]): FieldError[] {
  const fixed = 'field is immutable'
  const changed = (at: string, cidr: string, index: number) =>
    index < old.length && cidr !== old[index] ? [invalid(at, cidr, fixed)] : []
  if (cidrs.length === old.length || (old.length === 1 && cidrs.length === 2)) return each(field, cidrs, changed)
  return [invalid(field, cidrs, fixed)]
}
