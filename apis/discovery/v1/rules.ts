import { each, faults, immutable, inRange, nonEmpty } from '../../meta/v1/field-checks.ts'
import { duplicate, type FieldError, invalid, required, tooMany } from '../../meta/v1/field-error.ts'
import { parseIp, reachableIpErrors } from '../../meta/v1/ip.ts'
import { dnsLabelFaults, dnsSubdomainFaults, labelKeyFaults } from '../../meta/v1/names.ts'
import { ageColumn, atMost, column, nameColumn, printer } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import type { Endpoint, EndpointPort, EndpointSlice } from './zz_generated.types.ts'

const maxEndpoints = 1000
const maxPorts = 20_000
const maxAddresses = 100

export const endpointSliceRules: Rules<EndpointSlice> = {
  prepareCreate({ metadata }) {
    metadata.generation = 1
  },
  changesGeneration: (slice, old) =>
    (['endpoints', 'ports', 'addressType'] as const).some(
      (field) => immutable(field, slice[field], old[field]).length > 0,
    ),
  validate: (slice) => [...endpointsErrors('endpoints', slice), ...portsErrors('ports', slice.ports)],
  validateUpdate: ({ addressType }, old) => immutable('addressType', addressType, old.addressType),
  print: printer<EndpointSlice>(
    nameColumn,
    column('AddressType', ({ addressType }) => addressType),
    column('Ports', ({ ports }) => atMost(3, (ports ?? []).map(portText), '<unset>')),
    column('Endpoints', ({ endpoints }) =>
      atMost(
        3,
        (endpoints ?? []).flatMap(({ addresses }) => addresses),
        '<unset>',
      ),
    ),
    ageColumn,
  ),
}

export const discoveryRules = new Map<string, unknown>([
  ['discovery.k8s.io/endpointslices', endpointSliceRules],
]) as ReadonlyMap<string, Rules>

const portText = ({ port, name }: EndpointPort) => (port === undefined ? name || '*' : String(port))

function endpointsErrors(field: string, { endpoints = [], addressType }: EndpointSlice): FieldError[] {
  if (endpoints.length > maxEndpoints) return [tooMany(field, endpoints.length, maxEndpoints)]
  return each(field, endpoints, (at, endpoint) => endpointErrors(at, endpoint, addressType))
}

function endpointErrors(field: string, endpoint: Endpoint, addressType: string): FieldError[] {
  const { addresses, nodeName, hostname } = endpoint
  const at = `${field}.addresses`
  return [
    ...(addresses?.length === 0 ? [required(at, 'must contain at least 1 address')] : []),
    ...((addresses?.length ?? 0) > maxAddresses ? [tooMany(at, addresses.length, maxAddresses)] : []),
    ...each(at, addresses, (one, address) => addressErrors(one, address, addressType)),
    ...(nodeName === undefined ? [] : faults(`${field}.nodeName`, nodeName, dnsSubdomainFaults)),
    ...(hostname === undefined ? [] : faults(`${field}.hostname`, hostname, dnsLabelFaults)),
    ...each(`${field}.hints.forZones`, endpoint.hints?.forZones, (zone, { name }) => nonEmpty(`${zone}.name`, name)),
  ]
}

function addressErrors(field: string, address: string, addressType: string): FieldError[] {
  if (addressType === 'FQDN') return faults(field, address, dnsSubdomainFaults)
  const family = parseIp(address)?.family
  if (family === addressType) return reachableIpErrors(field, address)
  return [invalid(field, address, `must be a valid ${addressType} address`)]
}

function portsErrors(field: string, ports: readonly EndpointPort[] | undefined): FieldError[] {
  if ((ports?.length ?? 0) > maxPorts) return [tooMany(field, ports!.length, maxPorts)]
  const names = new Set<string>()
  return each(field, ports, (at, { name = '', port, appProtocol }) => {
    const errors = name ? faults(`${at}.name`, name, dnsLabelFaults) : []
    if (names.has(name)) errors.push(duplicate(`${at}.name`, name))
    names.add(name)
    return [
      ...errors,
      ...inRange(`${at}.port`, port, 1, 65535),
      ...(appProtocol === undefined ? [] : faults(`${at}.appProtocol`, appProtocol, labelKeyFaults)),
    ]
  })
}
