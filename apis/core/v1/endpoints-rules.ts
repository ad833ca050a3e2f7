import { each, faults, inRange, named } from '../../meta/v1/field-checks.ts'
import { type FieldError, required } from '../../meta/v1/field-error.ts'
import { reachableIpErrors } from '../../meta/v1/ip.ts'
import { dnsLabelFaults, dnsSubdomainFaults, labelKeyFaults } from '../../meta/v1/names.ts'
import { ageColumn, atMost, column, nameColumn, printer } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import type { EndpointAddress, EndpointPort, EndpointSubset, Endpoints } from './zz_generated.types.ts'

export const endpointsRules: Rules<Endpoints> = {
  validate: ({ subsets }) =>
    each('subsets', subsets, (at, { addresses, notReadyAddresses, ports }) => [
      ...(addresses?.length || notReadyAddresses?.length
        ? []
        : [required(at, 'must specify `addresses` or `notReadyAddresses`')]),
      ...each(`${at}.addresses`, addresses, addressErrors),
      ...each(`${at}.notReadyAddresses`, notReadyAddresses, addressErrors),
      ...each(`${at}.ports`, ports, (field, port) => portErrors(field, port, ports!.length > 1)),
    ]),
  print: printer<Endpoints>(
    nameColumn,
    column('Endpoints', ({ subsets }) => atMost(3, (subsets ?? []).flatMap(endpointTexts))),
    ageColumn,
  ),
}

function addressErrors(field: string, { ip, hostname, nodeName }: EndpointAddress): FieldError[] {
  return [
    ...(ip === undefined ? [] : reachableIpErrors(`${field}.ip`, ip)),
    ...(hostname ? faults(`${field}.hostname`, hostname, dnsLabelFaults) : []),
    ...(nodeName === undefined ? [] : faults(`${field}.nodeName`, nodeName, dnsSubdomainFaults)),
  ]
}

function portErrors(field: string, { name, port, appProtocol }: EndpointPort, isNameRequired: boolean): FieldError[] {
  return [
    ...(name || !isNameRequired
      ? named(`${field}.name`, name || undefined, dnsLabelFaults)
      : [required(`${field}.name`)]),
    ...inRange(`${field}.port`, port, 1, 65535),
    ...(appProtocol === undefined ? [] : faults(`${field}.appProtocol`, appProtocol, labelKeyFaults)),
  ]
}

function endpointTexts({ addresses = [], ports = [] }: EndpointSubset): string[] {
  if (ports.length === 0) return addresses.map(({ ip }) => ip)
  return ports.flatMap(({ port }) =>
    addresses.map(({ ip }) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)),
  )
}
