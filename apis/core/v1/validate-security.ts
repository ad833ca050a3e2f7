import { descendingPath, each, inRange } from '../../meta/v1/field-checks.ts'
import { duplicate, type FieldError, forbidden, invalid, required, tooLong } from '../../meta/v1/field-error.ts'
import type {
  AppArmorProfile,
  Container,
  PodSpec,
  SeccompProfile,
  SecurityContext,
  Sysctl,
} from './zz_generated.types.ts'

/** Errors of the security contexts of pods and containers. */

const maxId = 2 ** 31 - 1
const idErrors = (field: string, id: number | undefined) => inRange(field, id, 0, maxId)

export function podSecurityErrors(field: string, spec: PodSpec): FieldError[] {
  const context = spec.securityContext ?? {}
  const at = `${field}.securityContext`
  return [
    ...idErrors(`${at}.fsGroup`, context.fsGroup),
    ...idErrors(`${at}.runAsUser`, context.runAsUser),
    ...idErrors(`${at}.runAsGroup`, context.runAsGroup),
    ...each(`${at}.supplementalGroups`, context.supplementalGroups, idErrors),
    ...(spec.shareProcessNamespace && spec.hostPID
      ? [invalid(`${at}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled')]
      : []),
    ...sysctlErrors(`${at}.sysctls`, context.sysctls, spec),
    ...seccompErrors(`${at}.seccompProfile`, context.seccompProfile),
    ...appArmorErrors(`${at}.appArmorProfile`, context.appArmorProfile),
    ...hostUsersErrors(field, spec),
  ]
}

export function containerSecurityErrors(
  field: string,
  context: SecurityContext | undefined,
  hostUsers: boolean,
): FieldError[] {
  if (!context) return []
  return [
    ...idErrors(`${field}.runAsUser`, context.runAsUser),
    ...idErrors(`${field}.runAsGroup`, context.runAsGroup),
    ...(hostUsers && context.procMount === 'Unmasked'
      ? [invalid(`${field}.procMount`, 'Unmasked', '`hostUsers` must be false to use `Unmasked`')]
      : []),
    ...seccompErrors(`${field}.seccompProfile`, context.seccompProfile),
    ...escalationErrors(field, context),
    ...appArmorErrors(`${field}.appArmorProfile`, context.appArmorProfile),
  ]
}

function escalationErrors(field: string, context: SecurityContext): FieldError[] {
  if (context.allowPrivilegeEscalation !== false) return []
  const errors: FieldError[] = []
  if (context.privileged) {
    errors.push(invalid(field, context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'))
  }
  if (context.capabilities?.add?.includes('CAP_SYS_ADMIN')) {
    const detail = 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'
    errors.push(invalid(field, context, detail))
  }
  return errors
}

function seccompErrors(field: string, profile: SeccompProfile | undefined): FieldError[] {
  if (!profile) return []
  const { type, localhostProfile } = profile
  const at = `${field}.localhostProfile`
  if (type !== 'Localhost') {
    if (localhostProfile === undefined) return []
    return [invalid(at, profile, 'can only be set when seccomp type is Localhost')]
  }
  if (localhostProfile === undefined) return [required(at, 'must be set when seccomp type is Localhost')]
  return descendingPath(at, localhostProfile)
}

function appArmorErrors(field: string, profile: AppArmorProfile | undefined): FieldError[] {
  if (!profile) return []
  const { type, localhostProfile } = profile
  const at = `${field}.localhostProfile`
  if (type !== 'Localhost') {
    if (localhostProfile === undefined) return []
    return [invalid(at, localhostProfile, 'can only be set when AppArmor type is Localhost')]
  }
  if (!localhostProfile) return [required(at, 'must be set when AppArmor type is Localhost')]
  if (localhostProfile.trim() !== localhostProfile) {
    return [invalid(at, localhostProfile, 'must not be padded with whitespace')]
  }
  return localhostProfile.length > 4095 ? [tooLong(at, 4095)] : []
}

const sysctlSegment = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const sysctlName = `^(${sysctlSegment}[\\./])*${sysctlSegment}$`
const sysctlSyntax = new RegExp(sysctlName)

function sysctlErrors(field: string, sysctls: readonly Sysctl[] | undefined, spec: PodSpec): FieldError[] {
  const seen = new Set<string>()
  return each(field, sysctls, (at, { name }) => {
    if (name === undefined) return []
    const errors: FieldError[] = []
    if (name === '') errors.push(required(`${at}.name`))
    else if (name.length > 253 || !sysctlSyntax.test(name)) {
      errors.push(invalid(`${at}.name`, name, `must have at most 253 characters and match regex ${sysctlName}`))
    } else if (seen.has(name)) errors.push(duplicate(`${at}.name`, name))
    seen.add(name)
    return [...errors, ...hostSysctlErrors(`${at}.name`, name, spec)]
  })
}

const ipcSysctls = /^(kernel\.(sem|shm|msg)|fs\.mqueue\.)/

/** A sysctl of a namespace that the pod shares with its host would change the host. */
function hostSysctlErrors(field: string, name: string, { hostNetwork, hostIPC }: PodSpec): FieldError[] {
  const dotted = name.replaceAll('/', '.')
  if (hostNetwork && dotted.startsWith('net.')) {
    return [invalid(field, name, "may not be specified when 'hostNetwork' is true")]
  }
  return hostIPC && ipcSysctls.test(dotted) ? [invalid(field, name, "may not be specified when 'hostIPC' is true")] : []
}

function hostUsersErrors(field: string, { hostUsers, hostNetwork, hostPID, hostIPC }: PodSpec): FieldError[] {
  if (hostUsers !== false) return []
  const shared = Object.entries({ hostNetwork, HostPID: hostPID, HostIPC: hostIPC }).filter(([, isShared]) => isShared)
  return shared.map(([name]) => forbidden(`${field}.${name}`, 'when `pod.Spec.HostUsers` is false'))
}

/** Windows has its own options, and none of the others. */
export function osErrors(field: string, spec: PodSpec): FieldError[] {
  if (spec.os?.name === 'linux') {
    return contexts(field, spec).flatMap(({ at, context }) =>
      context.windowsOptions
        ? [forbidden(`${at}.windowsOptions`, 'windows options cannot be set for a linux pod')]
        : [],
    )
  }
  if (spec.os?.name !== 'windows') return []
  const ofPod = (['hostUsers', 'hostPID', 'hostIPC', 'shareProcessNamespace'] as const).filter((name) =>
    name === 'hostPID' || name === 'hostIPC' ? spec[name] : spec[name] !== undefined,
  )
  return [
    ...ofPod.map((name) => forbidden(`${field}.${name}`, 'cannot be set for a windows pod')),
    ...contexts(field, spec).flatMap(({ at, context }) =>
      Object.keys(context)
        .filter((name) => linuxOnly.has(name))
        .map((name) => forbidden(`${at}.${name}`, 'cannot be set for a windows pod')),
    ),
  ]
}

const linuxOnly = new Set([
  'allowPrivilegeEscalation',
  'appArmorProfile',
  'capabilities',
  'fsGroup',
  'fsGroupChangePolicy',
  'privileged',
  'procMount',
  'readOnlyRootFilesystem',
  'runAsGroup',
  'runAsUser',
  'seLinuxChangePolicy',
  'seLinuxOptions',
  'seccompProfile',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'sysctls',
])

function contexts(field: string, spec: PodSpec): { at: string; context: Pick<SecurityContext, 'windowsOptions'> }[] {
  const of = (name: 'containers' | 'initContainers' | 'ephemeralContainers') =>
    (spec[name] ?? []).map((container: Container, at) => ({
      at: `${field}.${name}[${at}].securityContext`,
      context: container.securityContext ?? {},
    }))
  const ofPod = { at: `${field}.securityContext`, context: spec.securityContext ?? {} }
  return [ofPod, ...of('initContainers'), ...of('containers'), ...of('ephemeralContainers')]
}
