import { dnsLabelFaults } from '../../meta/v1/names.ts'
import { canonicalQuantity, milliOf, parseQuantity } from '../../meta/v1/quantity.ts'
import type { KubeObject, ObjectMeta } from '../../meta/v1/types.ts'
import { labelWarning, nodeLabelWarnings, termWarnings } from './node-label-warnings.ts'
import type {
  Affinity,
  Container,
  ContainerPort,
  EnvVar,
  PersistentVolumeClaimSpec,
  Pod,
  PodAffinityTerm,
  PodSpec,
  PodTemplateSpec,
  TopologySpreadConstraint,
  Volume,
  WeightedPodAffinityTerm,
} from './zz_generated.types.ts'

/**
 * What is allowed in a pod and hardly meant, or goes by another name by now. Nearly every pod has none of it, and every
 * new one is asked: each question looks at what is there and makes nothing of what is not.
 */
export function podWarnings({ metadata, spec }: Pod): string[] {
  return [...nameWarnings(metadata.name, "this is used in the Pod's hostname"), ...specWarnings('', spec, metadata)]
}

/** As `podWarnings`, of the template of a workload. */
export function templateWarnings(field: string, template: PodTemplateSpec | undefined): string[] {
  return template?.spec ? specWarnings(`${field}.`, template.spec, template.metadata ?? {}) : []
}

/** The warnings of a workload: asked again only when what is wanted has changed. */
export function workloadWarnings(object: KubeObject, old: KubeObject | undefined, warnings: () => string[]): string[] {
  return old && old.metadata.generation === object.metadata.generation ? [] : warnings()
}

/** @param use what becomes of the name */
export function nameWarnings(name = '', use = 'this is used in Pod names and hostnames'): string[] {
  const faults = dnsLabelFaults(name)
  if (faults.length === 0) return []
  return [
    `metadata.name: ${use}, which can result in surprising behavior; a DNS label is recommended: [${faults.join(' ')}]`,
  ]
}

/** Of a claim, or of its template. */
export function claimSpecWarnings(field: string, spec: PersistentVolumeClaimSpec | undefined): string[] {
  const { requests, limits } = spec?.resources ?? {}
  return [
    ...fractionWarnings(`${field}.resources.requests`, requests, ['storage']),
    ...fractionWarnings(`${field}.resources.limits`, limits, ['storage']),
  ]
}

/** @param at the path of the pod or template, with a dot behind it when it is not empty */
function specWarnings(at: string, spec: PodSpec, metadata: ObjectMeta): string[] {
  const field = `${at}spec`
  const warnings: string[] = []
  const add = (found: readonly string[]) => {
    if (found.length > 0) warnings.push(...found)
  }
  if (spec.nodeSelector) add(nodeLabelWarnings(`${field}.nodeSelector`, spec.nodeSelector))
  if (spec.affinity) add(nodeAffinityWarnings(`${field}.affinity.nodeAffinity`, spec.affinity))
  if (spec.topologySpreadConstraints)
    add(spreadWarnings(`${field}.topologySpreadConstraints`, spec.topologySpreadConstraints))
  if (metadata.annotations) add(annotationWarnings(`${at}metadata.annotations`, metadata.annotations, spec, at !== ''))
  if (spec.volumes) add(volumeWarnings(`${field}.volumes`, spec.volumes))
  if (spec.hostAliases)
    add(
      repeated(
        spec.hostAliases,
        ({ ip }) => ip,
        (ip, n) => `${field}.hostAliases[${n}].ip: duplicate ip ${JSON.stringify(ip)}`,
      ),
    )
  if (spec.imagePullSecrets) add(pullSecretWarnings(`${field}.imagePullSecrets`, spec.imagePullSecrets))
  if (spec.overhead) add(fractionWarnings(`${field}.overhead`, spec.overhead, byteResources))
  const containers = containersOf(field, spec)
  for (const { path, container } of containers) add(containerWarnings(path, container))
  add(portWarnings(containers))
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    add([`${field}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`])
  }
  if (spec.affinity) add(podAffinityWarnings(`${field}.affinity`, spec.affinity))
  return warnings
}

interface PlacedContainer {
  path: string
  container: Container
}

function containersOf(field: string, spec: PodSpec): PlacedContainer[] {
  return (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((list) =>
    ((spec[list] ?? []) as Container[]).map((container, n) => ({ path: `${field}.${list}[${n}]`, container })),
  )
}

function nodeAffinityWarnings(field: string, { nodeAffinity }: Affinity): string[] {
  const required = nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  const preferred = nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  return [
    ...required.flatMap((term, n) =>
      termWarnings(`${field}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${n}]`, term),
    ),
    ...preferred.flatMap(({ preference }, n) =>
      termWarnings(`${field}.preferredDuringSchedulingIgnoredDuringExecution[${n}].preference`, preference),
    ),
  ]
}

const matchesNoPod = 'a null labelSelector results in matching no pod'

function spreadWarnings(field: string, constraints: readonly TopologySpreadConstraint[]): string[] {
  return constraints.flatMap(({ topologyKey, labelSelector }, n) => {
    const warning = labelWarning(topologyKey)
    return [
      ...(warning ? [`${field}[${n}].topologyKey: ${topologyKey} is ${warning}`] : []),
      ...(labelSelector ? [] : [`${field}[${n}].labelSelector: ${matchesNoPod}`]),
    ]
  })
}

function podAffinityWarnings(field: string, affinity: Affinity): string[] {
  const of = (list: readonly PodAffinityTerm[] | undefined, at: string) =>
    (list ?? []).flatMap((term, n) => (term.labelSelector ? [] : [`${at}[${n}].labelSelector: ${matchesNoPod}`]))
  const ofWeighted = (list: readonly WeightedPodAffinityTerm[] | undefined, at: string) =>
    (list ?? []).flatMap(({ podAffinityTerm }, n) =>
      podAffinityTerm?.labelSelector ? [] : [`${at}[${n}].podAffinityTerm.labelSelector: ${matchesNoPod}`],
    )
  return (['podAffinity', 'podAntiAffinity'] as const).flatMap((side) => {
    const { requiredDuringSchedulingIgnoredDuringExecution: required } = affinity[side] ?? {}
    const { preferredDuringSchedulingIgnoredDuringExecution: preferred } = affinity[side] ?? {}
    return [
      ...of(required, `${field}.${side}.requiredDuringSchedulingIgnoredDuringExecution`),
      ...ofWeighted(preferred, `${field}.${side}.preferredDuringSchedulingIgnoredDuringExecution`),
    ]
  })
}

const uselessAnnotations = [
  { key: 'scheduler.alpha.kubernetes.io/critical-pod', since: 'v1.16', use: 'priorityClassName' },
  { key: 'security.alpha.kubernetes.io/sysctls', since: 'v1.11', use: 'sysctls' },
  { key: 'security.alpha.kubernetes.io/unsafe-sysctls', since: 'v1.11', use: 'sysctls' },
]

function annotationWarnings(
  field: string,
  annotations: Readonly<Record<string, string>>,
  spec: PodSpec,
  isTemplate: boolean,
): string[] {
  const has = (key: string) => Object.hasOwn(annotations, key)
  const useless = (key: string, since: string, use: string) =>
    has(key) ? [`${field}[${key}]: non-functional in ${since}+; use the "${use}" field instead`] : []
  const { seccompProfile, appArmorProfile } = spec.securityContext ?? {}
  return [
    ...uselessAnnotations.flatMap(({ key, since, use }) => useless(key, since, use)),
    ...(seccompProfile ? [] : useless('seccomp.security.alpha.kubernetes.io/pod', 'v1.27', 'seccompProfile')),
    ...containersOf('', spec).flatMap(({ container: { name, securityContext } }) => {
      const appArmor = `container.apparmor.security.beta.kubernetes.io/${name}`
      const isOutdated = isTemplate && !appArmorProfile && !securityContext?.appArmorProfile && has(appArmor)
      return [
        ...(securityContext?.seccompProfile
          ? []
          : useless(`container.seccomp.security.alpha.kubernetes.io/${name}`, 'v1.27', 'seccompProfile')),
        ...(isOutdated
          ? [`${field}[${appArmor}]: deprecated since v1.30; use the "appArmorProfile" field instead`]
          : []),
      ]
    }),
  ]
}

const outdatedVolumes = new Map<keyof Volume, string>([
  ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
])

function volumeWarnings(field: string, volumes: readonly Volume[]): string[] {
  const warnings = volumes.flatMap((volume, n) =>
    Object.keys(volume).flatMap((source) => {
      const warning = outdatedVolumes.get(source as keyof Volume)
      if (warning) return [`${field}[${n}].${source === 'storageos' ? 'storageOS' : source}: ${warning}`]
      if (source !== 'ephemeral') return []
      return claimSpecWarnings(
        `${field}[${n}].ephemeral.volumeClaimTemplate.spec`,
        volume.ephemeral?.volumeClaimTemplate?.spec,
      )
    }),
  )
  return [...warnings, ...tokenPathWarnings(field, volumes)]
}

/** Files that a token of the service account hides. */
function tokenPathWarnings(field: string, volumes: readonly Volume[]): string[] {
  const warnings: string[] = []
  const tokens: string[] = []
  for (const { projected } of volumes) {
    for (const { serviceAccountToken } of projected?.sources ?? []) {
      if (serviceAccountToken) tokens.push(serviceAccountToken.path)
    }
  }
  if (tokens.length === 0) return warnings
  const check = (path: string | undefined, at: () => string) => {
    if (path === undefined || !tokens.includes(path)) return
    warnings.push(`${at()}: has duplicated path with ServiceAccountToken ${JSON.stringify(path)}`)
  }
  for (const [n, { projected }] of volumes.entries()) {
    const at = (name: string) => `${field}[${n}].projected.sources.${name}`
    for (const { configMap, secret, downwardAPI, clusterTrustBundle } of projected?.sources ?? []) {
      configMap?.items?.forEach(({ path }, item) => void check(path, () => at(`configMap[${item}]`)))
      secret?.items?.forEach(({ path }, item) => void check(path, () => at(`secrets[${item}]`)))
      downwardAPI?.items?.forEach(({ path }, item) => void check(path, () => at(`downwardAPI[${item}]`)))
      check(clusterTrustBundle?.path, () => at('ClusterTrustBundle'))
    }
  }
  return warnings
}

function pullSecretWarnings(field: string, secrets: readonly { name?: string }[]): string[] {
  return [
    ...repeated(
      secrets,
      ({ name }) => name ?? '',
      (name, n) => `${field}[${n}].name: duplicate name ${JSON.stringify(name)}`,
    ),
    ...secrets.flatMap(({ name }, n) => (name ? [] : [`${field}[${n}].name: invalid empty name ""`])),
  ]
}

/** One warning for each item whose id another had before. */
function repeated<T>(
  items: readonly T[],
  idOf: (item: T) => string,
  warning: (id: string, at: number) => string,
): string[] {
  if (items.length < 2) return []
  const seen = new Set<string>()
  return items.flatMap((item, at) => {
    const id = idOf(item)
    if (seen.has(id)) return [warning(id, at)]
    seen.add(id)
    return []
  })
}

const byteResources = ['memory', 'ephemeral-storage']

function fractionWarnings(
  field: string,
  amounts: Readonly<Record<string, string | number>> | undefined,
  names: readonly string[],
): string[] {
  const warnings: string[] = []
  if (!amounts) return warnings
  for (const name of names) {
    const amount = Object.hasOwn(amounts, name) ? amounts[name]! : 0
    if (!mayBeFraction(amount) || milliOf(parseQuantity(amount)) % 1000 === 0) continue
    const shown = JSON.stringify(canonicalQuantity(amount))
    warnings.push(`${field}[${name}]: fractional byte value ${shown} is invalid, must be an integer`)
  }
  return warnings
}

const mayBeFraction = (amount: string | number) =>
  typeof amount === 'number' ? !Number.isInteger(amount) : /[.mune]/.test(amount)

function containerWarnings(field: string, { env, resources }: Container): string[] {
  if (!env && !resources) return []
  const { limits, requests } = resources ?? {}
  return [
    ...(limits ? fractionWarnings(`${field}.resources.limits`, limits, byteResources) : []),
    ...(requests ? fractionWarnings(`${field}.resources.requests`, requests, byteResources) : []),
    ...envWarnings(`${field}.env`, env ?? []),
  ]
}

/** A variable may be set again from its former value, but not merely replaced. */
function envWarnings(field: string, env: readonly EnvVar[]): string[] {
  if (env.length < 2) return []
  const seen = new Set<string>()
  return env.flatMap(({ name, value = '', valueFrom }, n) => {
    const isFirst = !seen.has(name)
    seen.add(name)
    const former = `$(${name})`
    if (isFirst || (!valueFrom && value !== former && value.includes(former))) return []
    return [
      `${field}[${n}]: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`,
    ]
  })
}

interface PlacedPort {
  path: string
  port: ContainerPort
}

function portWarnings(containers: readonly PlacedContainer[]): string[] {
  // One port meets no other.
  if (!needsLook(containers)) return []
  const ports = containers.flatMap(({ path, container }) =>
    (container.ports ?? []).map((port, n) => ({ path: `${path}.ports[${n}]`, port })),
  )
  const others = new Map<string, PlacedPort[]>()
  return ports.flatMap((placed) => {
    const { port, path } = placed
    const { name = '', containerPort, protocol = 'TCP', hostIP, hostPort = 0 } = port
    const shown = `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`
    const key = `${containerPort}/${protocol}`
    const before = others.get(key) ?? []
    others.set(key, [...before, placed])
    return [
      ...(hostIP && !hostPort ? [`${path}: hostIP set without hostPort: ${shown}`] : []),
      ...before.flatMap((other) =>
        portConflict(port, other.port).map((what) => `${path}: ${what} port definition with ${other.path}`),
      ),
    ]
  })
}

function needsLook(containers: readonly PlacedContainer[]): boolean {
  let count = 0
  for (const { container } of containers) {
    for (const { hostIP } of container.ports ?? []) if (hostIP || ++count > 1) return true
  }
  return false
}

function portConflict(port: ContainerPort, other: ContainerPort): string[] {
  const [ip, otherIp] = [port.hostIP ?? '', other.hostIP ?? '']
  const [at, otherAt] = [port.hostPort ?? 0, other.hostPort ?? 0]
  if (ip === otherIp && at === otherAt) return ['duplicate']
  if (!at || !otherAt) return ['overlapping']
  return at === otherAt && (!ip || !otherIp) ? ['dangerously ambiguous'] : []
}
