import { each, faults, oneOf, optionalFaults, present } from '../../meta/v1/field-checks.ts'
import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../../meta/v1/field-error.ts'
import { cidrErrors, ipErrors, parseIp, reachableIpErrors } from '../../meta/v1/ip.ts'
import {
  dns1035LabelFaults,
  dnsLabelFaults,
  dnsSubdomainFaults,
  labelKeyFaults,
  portNumberFaults,
} from '../../meta/v1/names.ts'
import { ageColumn, column, labelsText, nameColumn, orNone, printer, wide } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import { validateLabels } from '../../meta/v1/validate-object-meta.ts'
import { portErrors } from './validate-probes.ts'
import type { Service, ServicePort, ServiceSpec } from './zz_generated.types.ts'

const maxAffinitySeconds = 86400

export const serviceRules: Rules<Service> = {
  nameFaults: dns1035LabelFaults,
  default({ spec, status }) {
    if (!spec) return
    defaultServiceSpec(spec)
    if (spec.type !== 'LoadBalancer') return
    for (const ingress of status?.loadBalancer?.ingress ?? []) if (ingress.ip) ingress.ipMode ??= 'VIP'
  },
  prepareCreate(service) {
    service.status = { loadBalancer: {} }
    delete service.metadata.generation
    if (service.spec) syncClusterIPs(service.spec)
  },
  prepareUpdate({ spec = {} }, old, subresource) {
    if (subresource !== '') return
    keepAllocated(spec, old.spec ?? {})
    syncClusterIPs(spec, old.spec)
  },
  validate: ({ spec }) => serviceSpecErrors('spec', spec ?? {}),
  validateUpdate: ({ spec }, old) => allocationErrors(spec ?? {}, old.spec ?? {}),
  changesGeneration: () => false,
  returnsDeleted: true,
  warnings: serviceWarnings,
  fields: ({ spec }) => ({ 'spec.clusterIP': spec?.clusterIP ?? '', 'spec.type': spec?.type ?? '' }),
  print: printer<Service>(
    nameColumn,
    column('Type', ({ spec }) => spec?.type ?? ''),
    column('Cluster-IP', ({ spec }) => orNone(spec?.clusterIPs?.[0] ?? spec?.clusterIP)),
    column('External-IP', externalAddress),
    column('Port(s)', ({ spec }) => orNone((spec?.ports ?? []).map(portText).join(','))),
    ageColumn,
    wide('Selector', ({ spec }) => labelsText(spec?.selector)),
  ),
}

function serviceWarnings({ metadata, spec = {} }: Service): string[] {
  const isExternalName = spec.type === 'ExternalName'
  const ignored = (isIgnored: unknown, field: string, when: string) =>
    isIgnored ? [`spec.${field} is ignored ${when}`] : []
  return [
    ...(metadata.annotations?.['service.kubernetes.io/topology-aware-hints'] !== undefined
      ? [
          'annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead',
        ]
      : []),
    ...(!isExternalName && isHeadless(spec)
      ? [
          ...ignored(spec.loadBalancerIP, 'loadBalancerIP', 'for headless services'),
          ...ignored(spec.externalIPs?.length, 'externalIPs', 'for headless services'),
          ...ignored(spec.sessionAffinity !== 'None', 'SessionAffinity', 'for headless services'),
        ]
      : []),
    ...ignored(isExternalName && spec.externalIPs?.length, 'externalIPs', 'when spec.type is "ExternalName"'),
    ...ignored(!isExternalName && spec.externalName, 'externalName', 'when spec.type is not "ExternalName"'),
  ]
}

const isExternallyAccessible = ({ type, externalIPs, clusterIP }: ServiceSpec) =>
  type === 'LoadBalancer' ||
  type === 'NodePort' ||
  (type === 'ClusterIP' && clusterIP !== 'None' && !!externalIPs?.length)

const isHeadless = ({ clusterIP, clusterIPs }: ServiceSpec) => (clusterIPs?.[0] ?? clusterIP) === 'None'

function defaultServiceSpec(spec: ServiceSpec): void {
  spec.type ??= 'ClusterIP'
  spec.sessionAffinity ??= 'None'
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig
  else if (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined) {
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: 10800 } }
  }
  for (const port of spec.ports ?? []) {
    port.protocol ??= 'TCP'
    if (!port.targetPort && port.port !== undefined) port.targetPort = port.port
  }
  if (isExternallyAccessible(spec)) spec.externalTrafficPolicy ??= 'Cluster'
  if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ??= 'Cluster'
  if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true
}

/** clusterIP is the first of clusterIPs. Which families a service has depends on those of the cluster. */
function syncClusterIPs(spec: ServiceSpec, old?: ServiceSpec): void {
  if (spec.clusterIP && (!spec.clusterIPs?.length || isStale(spec, old))) spec.clusterIPs = [spec.clusterIP]
}

/** An older client changes clusterIP and sends the clusterIPs it has read. */
const isStale = (spec: ServiceSpec, old: ServiceSpec | undefined) =>
  old !== undefined && spec.clusterIP !== old.clusterIP && spec.clusterIPs?.join() === old.clusterIPs?.join()

/** Addresses and ports that a client leaves out stay as they were allocated. */
function keepAllocated(spec: ServiceSpec, old: ServiceSpec): void {
  if (spec.type === 'ExternalName') {
    if (old.type === 'ExternalName') return
    // What was allocated goes, unless somebody asks for it by name.
    if (spec.clusterIP === old.clusterIP) delete spec.clusterIP
    if (spec.clusterIPs?.join() === old.clusterIPs?.join()) delete spec.clusterIPs
    delete spec.ipFamilies
    delete spec.ipFamilyPolicy
    return
  }
  if (old.type === 'ExternalName') return
  if (!spec.clusterIP && old.clusterIP) spec.clusterIP = old.clusterIP
  if (!spec.clusterIPs?.length && old.clusterIPs && spec.clusterIP === old.clusterIP) {
    spec.clusterIPs = [...old.clusterIPs]
  }
  if (!spec.ipFamilies?.length && old.ipFamilies) spec.ipFamilies = [...old.ipFamilies]
  spec.ipFamilyPolicy ??= old.ipFamilyPolicy
  if (spec.type !== 'ClusterIP') keepNodePorts(spec, old)
  else dropNodePorts(spec, old)
}

function keepNodePorts(spec: ServiceSpec, old: ServiceSpec): void {
  const taken = new Set((spec.ports ?? []).map((port) => port.nodePort).filter(Boolean))
  const named = new Map(old.ports?.map((port) => [port.name ?? '', port]))
  for (const port of spec.ports ?? []) {
    const before = named.get(port.name ?? '')
    if (port.nodePort || !before?.nodePort || taken.has(before.nodePort)) continue
    port.nodePort = before.nodePort
    taken.add(before.nodePort)
  }
  if (needsHealthCheck(spec) && needsHealthCheck(old)) spec.healthCheckNodePort ||= old.healthCheckNodePort
}

/** A service that no longer has ports on the nodes drops those it had before. */
function dropNodePorts(spec: ServiceSpec, old: ServiceSpec): void {
  if (old.type === 'ClusterIP') return
  const before = new Set((old.ports ?? []).map((port) => port.nodePort))
  for (const port of spec.ports ?? []) if (port.nodePort && before.has(port.nodePort)) delete port.nodePort
  if (spec.externalTrafficPolicy === old.externalTrafficPolicy && !isExternallyAccessible(spec)) {
    delete spec.externalTrafficPolicy
  }
  if (spec.healthCheckNodePort === old.healthCheckNodePort) delete spec.healthCheckNodePort
  if (spec.allocateLoadBalancerNodePorts === old.allocateLoadBalancerNodePorts)
    delete spec.allocateLoadBalancerNodePorts
}

const needsHealthCheck = (spec: ServiceSpec) => spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local'

function serviceSpecErrors(field: string, spec: ServiceSpec): FieldError[] {
  const headless = isHeadless(spec)
  const isExternalName = spec.type === 'ExternalName'
  return [
    ...(headless || isExternalName ? [] : present(`${field}.ports`, spec.ports)),
    ...(headless && (spec.type === 'LoadBalancer' || spec.type === 'NodePort')
      ? [invalid(`${field}.clusterIPs[0]`, 'None', `may not be set to 'None' for ${spec.type} services`)]
      : []),
    ...(isExternalName ? externalNameErrors(field, spec) : clusterIPErrors(field, spec)),
    ...portsErrors(`${field}.ports`, spec),
    ...validateLabels(spec.selector ?? {}, `${field}.selector`),
    ...affinityErrors(`${field}.sessionAffinityConfig`, spec),
    ...each(`${field}.externalIPs`, spec.externalIPs, reachableIpErrors),
    ...loadBalancerErrors(field, spec),
    ...trafficErrors(field, spec),
  ]
}

function externalNameErrors(field: string, spec: ServiceSpec): FieldError[] {
  const refused = (name: 'clusterIPs' | 'ipFamilies' | 'ipFamilyPolicy') =>
    spec[name]?.length ? [forbidden(`${field}.${name}`, 'may not be set for ExternalName services')] : []
  const host = (spec.externalName ?? '').replace(/\.$/, '')
  return [
    ...refused('clusterIPs'),
    ...refused('ipFamilies'),
    ...refused('ipFamilyPolicy'),
    ...(host ? faults(`${field}.externalName`, host, dnsSubdomainFaults) : [required(`${field}.externalName`)]),
  ]
}

function clusterIPErrors(field: string, spec: ServiceSpec): FieldError[] {
  const { clusterIP = '', clusterIPs = [], ipFamilies = [] } = spec
  const errors: FieldError[] = []
  if (!clusterIP && clusterIPs.length > 0) {
    errors.push(invalid(`${field}.clusterIPs`, clusterIPs, 'must be empty when `clusterIP` is not specified'))
  } else if (clusterIP !== (clusterIPs[0] ?? '')) {
    errors.push(invalid(`${field}.clusterIPs`, clusterIPs, 'first value must match `clusterIP`'))
  }
  if (clusterIPs.length > 2) errors.push(invalid(`${field}.clusterIPs`, clusterIPs, 'may only hold up to 2 values'))
  for (const [at, ip] of clusterIPs.entries()) {
    if (ip === 'None') {
      if (at > 0 || clusterIPs.length > 1) {
        errors.push(invalid(`${field}.clusterIPs[${at}]`, ip, "'None' must be the first and only value"))
      }
    } else errors.push(...ipErrors(`${field}.clusterIPs[${at}]`, ip))
  }
  if (errors.length > 0) return errors
  const [first, second] = clusterIPs.map((ip) => parseIp(ip)?.family)
  if (second && first === second) {
    const detail = 'may specify no more than one IP for each IP family, i.e 192.168.0.0 and 2001:db8::1'
    errors.push(invalid(`${field}.clusterIPs`, clusterIPs, detail))
  }
  return [...errors, ...familyErrors(field, clusterIPs, ipFamilies)]
}

function familyErrors(field: string, clusterIPs: readonly string[], families: readonly string[]): FieldError[] {
  const errors = each(`${field}.ipFamilies`, families, (at, family, index) =>
    family === ''
      ? [notSupported(at, family, ['IPv4', 'IPv6'])]
      : families.indexOf(family) < index
        ? [duplicate(at, family)]
        : [],
  )
  return errors.concat(
    each(`${field}.clusterIPs`, clusterIPs, (at, ip, index) => {
      const family = parseIp(ip)?.family
      const wanted = families[index]
      if (!family || !wanted || family === wanted) return []
      return [invalid(at, ip, `expected an ${wanted} value as indicated by \`ipFamilies[${index}]\``)]
    }),
  )
}

function portsErrors(field: string, spec: ServiceSpec): FieldError[] {
  const names = new Set<string>()
  const nodePorts = new Set<string>()
  const ports = new Set<string>()
  const repeated = (seen: Set<string>, key: string) => seen.size === seen.add(key).size
  const errors = each(field, spec.ports, (at, port) => [
    ...portNameErrors(`${at}.name`, port.name, (spec.ports?.length ?? 0) > 1, names),
    ...(port.port === undefined
      ? []
      : portNumberFaults(port.port).map((fault) => invalid(`${at}.port`, port.port, fault))),
    ...portErrors(`${at}.targetPort`, port.targetPort),
    ...(port.appProtocol === undefined ? [] : faults(`${at}.appProtocol`, port.appProtocol, labelKeyFaults)),
    ...(spec.type === 'ClusterIP' && port.nodePort
      ? [forbidden(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'")]
      : []),
  ])
  return [
    ...errors,
    ...each(field, spec.ports, (at, { protocol, nodePort }) =>
      nodePort && repeated(nodePorts, `${protocol}/${nodePort}`) ? [duplicate(`${at}.nodePort`, nodePort)] : [],
    ),
    ...each(field, spec.ports, (at, { protocol, port }) =>
      repeated(ports, `${protocol}/${port}`) ? [duplicate(at, { port, protocol })] : [],
    ),
  ]
}

function portNameErrors(
  field: string,
  name: string | undefined,
  isRequired: boolean,
  names: Set<string>,
): FieldError[] {
  if (!name) return isRequired ? [required(field)] : []
  const errors = faults(field, name, dnsLabelFaults)
  if (names.has(name)) errors.push(duplicate(field, name))
  names.add(name)
  return errors
}

function affinityErrors(field: string, { sessionAffinity, sessionAffinityConfig }: ServiceSpec): FieldError[] {
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds
  if (sessionAffinity !== 'ClientIP' || seconds === undefined) return []
  if (seconds > 0 && seconds <= maxAffinitySeconds) return []
  const detail = `must be greater than 0 and less than ${maxAffinitySeconds}`
  return [invalid(`${field}.clientIP.timeoutSeconds`, seconds, detail)]
}

function loadBalancerErrors(field: string, spec: ServiceSpec): FieldError[] {
  const { loadBalancerSourceRanges: ranges, loadBalancerClass, allocateLoadBalancerNodePorts } = spec
  const only = (name: string) => forbidden(`${field}.${name}`, "may only be used when `type` is 'LoadBalancer'")
  const errors = each(`${field}.LoadBalancerSourceRanges`, ranges, (at, range) => cidrErrors(at, range.trim()))
  if (spec.type !== 'LoadBalancer') {
    if (ranges?.length) errors.unshift(only('LoadBalancerSourceRanges'))
    if (allocateLoadBalancerNodePorts !== undefined) errors.push(only('allocateLoadBalancerNodePorts'))
    if (loadBalancerClass !== undefined) errors.push(only('loadBalancerClass'))
    return errors
  }
  return [...errors, ...optionalFaults(`${field}.loadBalancerClass`, loadBalancerClass, labelKeyFaults)]
}

function trafficErrors(field: string, spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = []
  if (spec.externalTrafficPolicy && !isExternallyAccessible(spec)) {
    const detail = 'may only be set for externally-accessible services'
    errors.push(invalid(`${field}.externalTrafficPolicy`, spec.externalTrafficPolicy, detail))
  }
  if (spec.healthCheckNodePort && !needsHealthCheck(spec)) {
    const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
    errors.push(invalid(`${field}.healthCheckNodePort`, spec.healthCheckNodePort, detail))
  }
  const distributions = ['PreferClose', 'PreferSameZone', 'PreferSameNode']
  return [...errors, ...oneOf(`${field}.trafficDistribution`, spec.trafficDistribution, distributions)]
}

/** What a service has got, others rely on: it stays, unless the service becomes or was an alias. */
function allocationErrors(spec: ServiceSpec, old: ServiceSpec): FieldError[] {
  if (spec.type === 'ExternalName' || old.type === 'ExternalName') return []
  const errors: FieldError[] = []
  const before = old.clusterIPs?.[0]
  if (before && spec.clusterIPs?.[0] !== before) {
    errors.push(invalid('spec.clusterIPs[0]', spec.clusterIPs, 'may not change once set'))
  }
  const second = old.clusterIPs?.[1]
  if (second && spec.clusterIPs?.[1] && spec.clusterIPs[1] !== second) {
    errors.push(invalid('spec.clusterIPs[1]', spec.clusterIPs, 'may not change once set'))
  }
  if (old.ipFamilies?.[0] && spec.ipFamilies?.[0] !== old.ipFamilies[0]) {
    errors.push(invalid('spec.ipFamilies[0]', spec.ipFamilies, 'may not change once set'))
  }
  const isLoadBalancer = spec.type === 'LoadBalancer' && old.type === 'LoadBalancer'
  if (isLoadBalancer && spec.loadBalancerClass !== old.loadBalancerClass) {
    errors.push(invalid('spec.loadBalancerClass', spec.loadBalancerClass, 'may not change once set'))
  }
  if (needsHealthCheck(spec) && needsHealthCheck(old) && spec.healthCheckNodePort !== old.healthCheckNodePort) {
    errors.push(forbidden('spec.healthCheckNodePort', 'field is immutable'))
  }
  return errors
}

function portText({ port, nodePort, protocol }: ServicePort): string {
  return nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`
}

function externalAddress({ spec = {}, status }: Service): string {
  if (spec.type === 'ExternalName') return orNone(spec.externalName)
  const ips = spec.externalIPs ?? []
  if (spec.type !== 'LoadBalancer') return orNone(ips.join(','))
  const given = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '')
  return [...given.filter(Boolean), ...ips].join(',') || '<pending>'
}
