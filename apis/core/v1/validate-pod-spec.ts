import { each, faults, inRange, named, optionalFaults } from '../../meta/v1/field-checks.ts'
import { duplicate, type FieldError, forbidden, invalid, required } from '../../meta/v1/field-error.ts'
import { ipErrors } from '../../meta/v1/ip.ts'
import { dnsLabelFaults, dnsSubdomainFaults, labelKeyFaults } from '../../meta/v1/names.ts'
import { validateAnnotations, validateLabels } from '../../meta/v1/validate-object-meta.ts'
import { containersErrors } from './validate-containers.ts'
import { podResourceErrors, resourceErrors } from './validate-resources.ts'
import { affinityErrors, schedulingGateErrors, tolerationErrors, topologySpreadErrors } from './validate-scheduling.ts'
import { osErrors, podSecurityErrors } from './validate-security.ts'
import { volumeErrors } from './validate-volumes.ts'
import type { HostAlias, PodDNSConfig, PodResourceClaim, PodSpec, PodTemplateSpec } from './zz_generated.types.ts'

export interface PodSpecContext {
  /** Empty in templates. */
  podName?: string
  /** True for pods, false for templates, of which less is asked. */
  isPod?: boolean
}

/** Errors of the template of pods that a workload makes. @param field `spec.template` */
export function validatePodTemplate(field: string, template: PodTemplateSpec | undefined): FieldError[] {
  if (!template) return []
  const { labels, annotations } = template.metadata ?? {}
  return [
    ...validateLabels(labels ?? {}, `${field}.labels`),
    ...validateAnnotations(annotations ?? {}, `${field}.annotations`),
    ...podAnnotationErrors(`${field}.annotations`, annotations),
    ...(template.spec ? validatePodSpec(`${field}.spec`, template.spec) : []),
    ...(template.spec?.ephemeralContainers?.length
      ? [forbidden(`${field}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template')]
      : []),
  ]
}

const deletionCost = 'controller.kubernetes.io/pod-deletion-cost'

export function podAnnotationErrors(
  field: string,
  annotations: Readonly<Record<string, string>> | undefined,
): FieldError[] {
  const cost = annotations && Object.hasOwn(annotations, deletionCost) ? annotations[deletionCost]! : '0'
  const value = /^(0|-?[1-9]\d{0,9})$/.test(cost) ? Number(cost) : Number.NaN
  if (value >= -(2 ** 31) && value < 2 ** 31) return []
  return [invalid(`${field}[${deletionCost}]`, cost, 'must be a 32bit integer')]
}

/** Errors of the spec of a pod or of a template. */
export function validatePodSpec(field: string, spec: PodSpec, context: PodSpecContext = {}): FieldError[] {
  return [
    ...volumeErrors(`${field}.volumes`, spec.volumes, context.podName ?? ''),
    ...resourceClaimErrors(`${field}.resourceClaims`, spec.resourceClaims),
    ...containersErrors(field, spec),
    ...podResourceErrors(`${field}.resources`, spec.resources),
    ...hostNetworkErrors(`${field}.containers`, spec, context.isPod ?? false),
    ...validateLabels(spec.nodeSelector ?? {}, `${field}.nodeSelector`),
    ...podSecurityErrors(field, spec),
    ...affinityErrors(`${field}.affinity`, spec.affinity),
    ...dnsErrors(`${field}.dnsConfig`, spec),
    ...each(`${field}.readinessGates`, spec.readinessGates, (at, { conditionType }) =>
      conditionType === undefined ? [] : faults(`${at}.conditionType`, conditionType, labelKeyFaults),
    ),
    ...schedulingGateErrors(`${field}.schedulingGates`, spec.schedulingGates),
    ...topologySpreadErrors(`${field}.topologySpreadConstraints`, spec.topologySpreadConstraints),
    ...nameErrors(field, spec),
    ...inRange(`${field}.activeDeadlineSeconds`, spec.activeDeadlineSeconds, 1, 2 ** 31 - 1),
    ...tolerationErrors(`${field}.tolerations`, spec.tolerations),
    ...each(`${field}.hostAliases`, spec.hostAliases, hostAliasErrors),
    ...resourceErrors(`${field}.overhead`, spec.overhead && { limits: spec.overhead }),
    ...osErrors(field, spec),
  ]
}

function nameErrors(field: string, spec: PodSpec): FieldError[] {
  return [
    ...optionalFaults(`${field}.serviceAccountName`, spec.serviceAccountName, dnsSubdomainFaults),
    ...optionalFaults(`${field}.nodeName`, spec.nodeName, dnsSubdomainFaults),
    ...optionalFaults(`${field}.hostname`, spec.hostname, dnsLabelFaults),
    ...optionalFaults(`${field}.hostnameOverride`, spec.hostnameOverride, dnsSubdomainFaults),
    ...optionalFaults(`${field}.subdomain`, spec.subdomain, dnsLabelFaults),
    ...optionalFaults(`${field}.priorityClassName`, spec.priorityClassName, dnsSubdomainFaults),
    ...(spec.runtimeClassName === undefined
      ? []
      : faults(`${field}.runtimeClassName`, spec.runtimeClassName, dnsSubdomainFaults)),
  ]
}

function hostAliasErrors(field: string, { ip, hostnames }: HostAlias): FieldError[] {
  return [
    ...(ip === undefined ? [] : ipErrors(`${field}.ip`, ip)),
    ...each(`${field}.hostnames`, hostnames, (at, name) => faults(at, name, dnsSubdomainFaults)),
  ]
}

function hostNetworkErrors(field: string, { hostNetwork, containers }: PodSpec, isPod: boolean): FieldError[] {
  if (!hostNetwork) return []
  return each(field, containers, (container, { ports }) =>
    each(`${container}.ports`, ports, (at, { hostPort = 0, containerPort }) => {
      if (hostPort === containerPort || (!isPod && hostPort === 0)) return []
      return [invalid(`${at}.hostPort`, hostPort, 'must match `containerPort` when `hostNetwork` is true')]
    }),
  )
}

const maxSearchText = 2048

function dnsErrors(field: string, { dnsPolicy, dnsConfig }: PodSpec): FieldError[] {
  if (dnsPolicy === 'None') {
    if (!dnsConfig) return [required(field, 'must provide `dnsConfig` when `dnsPolicy` is None')]
    if (!dnsConfig.nameservers?.length) {
      const detail = 'must provide at least one DNS nameserver when `dnsPolicy` is None'
      return [required(`${field}.nameservers`, detail)]
    }
  }
  return dnsConfig ? dnsConfigErrors(field, dnsConfig) : []
}

function dnsConfigErrors(field: string, { nameservers = [], searches = [], options }: PodDNSConfig): FieldError[] {
  const errors: FieldError[] = []
  if (nameservers.length > 3) {
    errors.push(invalid(`${field}.nameservers`, nameservers, 'must not have more than 3 nameservers'))
  }
  errors.push(...each(`${field}.nameservers`, nameservers, ipErrors))
  if (searches.length > 32) {
    errors.push(invalid(`${field}.searches`, searches, 'must not have more than 32 search paths'))
  }
  if (searches.join(' ').length > maxSearchText) {
    const detail = `must not have more than ${maxSearchText} characters (including spaces) in the search list`
    errors.push(invalid(`${field}.searches`, searches, detail))
  }
  return [
    ...errors,
    ...each(`${field}.searches`, searches, searchErrors),
    ...each(`${field}.options`, options, (at, { name }) => (name ? [] : [required(at, 'must not be empty')])),
  ]
}

/** A search domain is a DNS name, of which labels may have `_` and which may end in a dot. */
function searchErrors(field: string, search: string): FieldError[] {
  if (search === '.') return []
  const name = search.replace(/\.$/, '')
  return faults(field, name, (text) => dnsSubdomainFaults(text.replaceAll('_', 'a')))
}

function resourceClaimErrors(field: string, claims: readonly PodResourceClaim[] | undefined): FieldError[] {
  const names = new Set<string>()
  return each(field, claims, (at, claim) => {
    const { name, resourceClaimName, resourceClaimTemplateName } = claim
    const errors = names.has(name) ? [duplicate(`${at}.name`, name)] : named(`${at}.name`, name, dnsLabelFaults)
    names.add(name)
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      const detail = 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'
      errors.push(invalid(at, claim, detail))
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      errors.push(invalid(at, claim, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'))
    }
    return [
      ...errors,
      ...optionalFaults(`${at}.resourceClaimName`, resourceClaimName, dnsSubdomainFaults),
      ...optionalFaults(`${at}.resourceClaimTemplateName`, resourceClaimTemplateName, dnsSubdomainFaults),
    ]
  })
}
