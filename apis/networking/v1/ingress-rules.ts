import { each, faults, named, nonEmpty, optionalFaults } from '../../meta/v1/field-checks.ts'
import { type FieldError, forbidden, invalid, required } from '../../meta/v1/field-error.ts'
import { parseIp } from '../../meta/v1/ip.ts'
import {
  dns1035LabelFaults,
  dnsSubdomainFaults,
  portNameFaults,
  portNumberFaults,
  wildcardSubdomainFaults,
} from '../../meta/v1/names.ts'
import { ageColumn, atMost, column, nameColumn, orNone, printer } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressClass,
  IngressRule,
  IngressTLS,
} from './zz_generated.types.ts'

const legacyClass = 'kubernetes.io/ingress.class'

export const ingressRules: Rules<Ingress> = {
  prepareCreate(ingress) {
    ingress.status = { loadBalancer: {} }
  },
  warnings: ({ metadata }, old) =>
    !old && metadata.annotations?.[legacyClass] !== undefined
      ? [`annotation "${legacyClass}" is deprecated, please use 'spec.ingressClassName' instead`]
      : [],
  validate({ metadata, spec = {} }) {
    const { rules, defaultBackend, tls, ingressClassName } = spec
    const legacy = metadata.annotations?.[legacyClass]
    return [
      ...(!rules?.length && !defaultBackend
        ? [invalid('spec', rules ?? [], 'either `defaultBackend` or `rules` must be specified')]
        : []),
      ...(defaultBackend ? backendErrors('spec.defaultBackend', defaultBackend) : []),
      ...each('spec.rules', rules, ruleErrors),
      ...each('spec.tls', tls, tlsErrors),
      ...(ingressClassName === undefined ? [] : faults('spec.ingressClassName', ingressClassName, dnsSubdomainFaults)),
      ...(!metadata.resourceVersion && legacy && ingressClassName !== undefined && legacy !== ingressClassName
        ? [
            invalid(
              `metadata.annotations[${legacyClass}]`,
              legacy,
              'must match `ingressClassName` when both are specified',
            ),
          ]
        : []),
    ]
  },
  print: printer<Ingress>(
    nameColumn,
    column('Class', ({ spec, metadata }) => orNone(spec?.ingressClassName ?? metadata.annotations?.[legacyClass])),
    column('Hosts', ({ spec }) => atMost(3, hostsOf(spec?.rules), '*')),
    column('Address', ({ status }) =>
      (status?.loadBalancer?.ingress ?? [])
        .map(({ ip, hostname }) => ip || hostname || '')
        .filter(Boolean)
        .join(','),
    ),
    column('Ports', ({ spec }) => (spec?.tls?.length ? '80, 443' : '80')),
    ageColumn,
  ),
}

export const ingressClassRules: Rules<IngressClass> = {
  validate({ spec = {} }) {
    const { controller, parameters } = spec
    const errors = controller ? [] : [required('spec.controller')]
    if (controller && controller.length > 250) {
      errors.push(invalid('spec.controller', controller, 'must be no more than 250 characters'))
    }
    if (controller && !controller.includes('/')) {
      errors.push(invalid('spec.controller', controller, 'must be a domain-prefixed path (such as "acme.io/foo")'))
    }
    if (!parameters) return errors
    const at = 'spec.parameters'
    const { scope, namespace } = parameters
    if (scope === 'Cluster' && namespace !== undefined) {
      errors.push(forbidden(`${at}.namespace`, "`parameters.scope` is set to 'Cluster'"))
    }
    if (scope === 'Namespace' && !namespace)
      errors.push(required(`${at}.namespace`, "`parameters.scope` is set to 'Namespace'"))
    return [...errors, ...nonEmpty(`${at}.kind`, parameters.kind), ...nonEmpty(`${at}.name`, parameters.name)]
  },
  validateUpdate: ({ spec }, { spec: old }) =>
    spec?.controller === old?.controller ? [] : [invalid('spec.controller', spec?.controller, 'field is immutable')],
  print: printer<IngressClass>(
    nameColumn,
    column('Controller', ({ spec }) => spec?.controller ?? ''),
    column('Parameters', ({ spec }) => orNone(parametersText(spec?.parameters))),
    ageColumn,
  ),
}

function parametersText(parameters: NonNullable<IngressClass['spec']>['parameters']): string | undefined {
  if (!parameters) return undefined
  const { apiGroup, kind, name } = parameters
  return apiGroup ? `${kind}.${apiGroup}/${name}` : `${kind}/${name}`
}

function hostsOf(rules: readonly IngressRule[] | undefined): string[] {
  const hosts = (rules ?? []).map(({ host }) => host || '*')
  return hosts.every((host) => host === '*') ? ['*'] : hosts
}

function ruleErrors(field: string, { host, http }: IngressRule): FieldError[] {
  return [
    ...(host ? hostErrors(`${field}.host`, host) : []),
    ...(http?.paths?.length === 0 ? [required(`${field}.http.paths`)] : []),
    ...each(`${field}.http.paths`, http?.paths, pathErrors),
  ]
}

function hostErrors(field: string, host: string): FieldError[] {
  if (parseIp(host)) return [invalid(field, host, 'must be a DNS name, not an IP address')]
  return faults(field, host, host.includes('*') ? wildcardSubdomainFaults : dnsSubdomainFaults)
}

const refusedInPaths = ['//', '/./', '/../', '%2f', '%2F']
const refusedAtEnd = ['/..', '/.']

function pathErrors(field: string, { path = '', pathType, backend }: HTTPIngressPath): FieldError[] {
  const at = `${field}.path`
  const isExact = pathType === 'Exact' || pathType === 'Prefix'
  const errors: FieldError[] = []
  if ((isExact || path) && pathType && !path.startsWith('/')) errors.push(invalid(at, path, 'must be an absolute path'))
  if (isExact && path) {
    for (const part of refusedInPaths)
      if (path.includes(part)) errors.push(invalid(at, path, `must not contain '${part}'`))
    for (const end of refusedAtEnd) if (path.endsWith(end)) errors.push(invalid(at, path, `cannot end with '${end}'`))
  }
  return [...errors, ...(backend ? backendErrors(`${field}.backend`, backend) : [])]
}

function backendErrors(field: string, { service, resource }: IngressBackend): FieldError[] {
  if (service && resource) return [invalid(field, '', 'cannot set both resource and service backends')]
  if (resource)
    return [...nonEmpty(`${field}.resource.kind`, resource.kind), ...nonEmpty(`${field}.resource.name`, resource.name)]
  if (!service) return [invalid(field, '', 'resource or service backend is required')]
  const { name, number } = service.port ?? {}
  const errors = named(`${field}.service.name`, service.name, dns1035LabelFaults)
  if (name && number) return [...errors, invalid(field, '', 'cannot set both port name & port number')]
  if (name) return [...errors, ...faults(`${field}.service.port.name`, name, portNameFaults)]
  if (!number) return [...errors, required(field, 'port name or number is required')]
  return [...errors, ...portNumberFaults(number).map((fault) => invalid(`${field}.service.port.number`, number, fault))]
}

function tlsErrors(field: string, { hosts, secretName }: IngressTLS): FieldError[] {
  return [
    ...each(`${field}.hosts`, hosts, (at, host) =>
      faults(at, host, host.includes('*') ? wildcardSubdomainFaults : dnsSubdomainFaults),
    ),
    ...optionalFaults(`${field}.secretName`, secretName, dnsSubdomainFaults),
  ]
}
