import { each, keyOf } from '../../meta/v1/field-checks.ts'
import { duplicate, type FieldError, forbidden, invalid } from '../../meta/v1/field-error.ts'
import { cidrErrors, parseCidr } from '../../meta/v1/ip.ts'
import { ageColumn, column, nameColumn, orNone, printer, wide } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import { quantityErrors } from './validate-resources.ts'
import { taintErrors } from './validate-scheduling.ts'
import type { Node, NodeAddress } from './zz_generated.types.ts'

export const nodeRules: Rules<Node> = {
  statusOnCreate: true,
  default({ spec, status }) {
    if (status?.capacity) status.allocatable ??= { ...status.capacity }
    if (!spec) return
    if (spec.podCIDR && !spec.podCIDRs?.length) spec.podCIDRs = [spec.podCIDR]
    else if (!spec.podCIDR && spec.podCIDRs?.length) spec.podCIDR = spec.podCIDRs[0]
  },
  prepareCreate({ metadata }) {
    delete metadata.generation
  },
  changesGeneration: () => false,
  validate: ({ spec, status }) => [
    ...taintErrors('metadata.taints', spec?.taints),
    ...podCidrErrors('spec.podCIDRs', spec?.podCIDRs),
    ...(['capacity', 'allocatable'] as const).flatMap((list) =>
      Object.entries(status?.[list] ?? {}).flatMap(([name, quantity]) =>
        quantityErrors(`status.${list}.${name}`, name, quantity),
      ),
    ),
  ],
  validateUpdate: (node, old) => [...identityErrors(node, old), ...addressErrors(node)],
  warnings: ({ spec }, old) => [
    ...(spec?.externalID && !old ? ['spec.externalID: this field is deprecated, and is unused by Kubernetes'] : []),
    ...(spec?.configSource ? ['spec.configSource: the spec.configSource field is removed'] : []),
  ],
  fields: ({ spec }) => ({ 'spec.unschedulable': String(spec?.unschedulable ?? false) }),
  print: printer<Node>(
    nameColumn,
    column('Status', statusText),
    column('Roles', ({ metadata }) => orNone(rolesOf(metadata.labels ?? {}).join(','))),
    ageColumn,
    column('Version', ({ status }) => status?.nodeInfo?.kubeletVersion ?? ''),
    wide('Internal-IP', (node) => addressOf(node, 'InternalIP')),
    wide('External-IP', (node) => addressOf(node, 'ExternalIP')),
    wide('OS-Image', ({ status }) => status?.nodeInfo?.osImage || '<unknown>'),
    wide('Kernel-Version', ({ status }) => status?.nodeInfo?.kernelVersion || '<unknown>'),
    wide('Container-Runtime', ({ status }) => status?.nodeInfo?.containerRuntimeVersion || '<unknown>'),
  ),
}

function podCidrErrors(field: string, cidrs: readonly string[] | undefined): FieldError[] {
  if (!cidrs?.length) return []
  const errors = each(field, cidrs, cidrErrors)
  const families = cidrs.map((cidr) => parseCidr(cidr)?.family)
  if (new Set(families).size < families.length) {
    errors.push(invalid(field, cidrs, 'may specify no more than one CIDR for each IP family'))
  }
  return errors.concat(
    each(field, cidrs, (at, cidr, index) => (cidrs.indexOf(cidr) < index ? [duplicate(at, cidr)] : [])),
  )
}

/** What others have taken a node by is set once. */
function identityErrors({ spec = {} }: Node, { spec: old = {} }: Node): FieldError[] {
  const errors: FieldError[] = []
  if (old.podCIDRs?.length && old.podCIDRs.join() !== (spec.podCIDRs ?? []).join()) {
    errors.push(forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'))
  }
  if (old.providerID && old.providerID !== spec.providerID) {
    errors.push(forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid'))
  }
  if ((old.externalID ?? '') !== (spec.externalID ?? ''))
    errors.push(forbidden('spec.externalID', 'may not be updated'))
  return errors
}

function addressErrors({ status }: Node): FieldError[] {
  const seen = new Set<string>()
  return each('status.addresses', status?.addresses, (at, address) => {
    const key = keyOf(address.type, address.address)
    if (seen.has(key)) return [duplicate(at, address)]
    seen.add(key)
    return []
  })
}

function statusText({ spec, status }: Node): string {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  const word = ready ? (ready.status === 'True' ? 'Ready' : 'NotReady') : 'Unknown'
  return spec?.unschedulable ? `${word},SchedulingDisabled` : word
}

const rolePrefix = 'node-role.kubernetes.io/'

function rolesOf(labels: Readonly<Record<string, string>>): string[] {
  const roles = new Set<string>()
  for (const [key, value] of Object.entries(labels)) {
    if (key.startsWith(rolePrefix) && key.length > rolePrefix.length) roles.add(key.slice(rolePrefix.length))
    else if (key === 'kubernetes.io/role' && value) roles.add(value)
  }
  return [...roles].sort()
}

function addressOf({ status }: Node, type: NodeAddress['type']): string {
  return orNone(status?.addresses?.find((one) => one.type === type)?.address)
}
