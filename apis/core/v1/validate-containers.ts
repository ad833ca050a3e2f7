import { descendingPath, each, faults, inRange, named, nonEmpty, present } from '../../meta/v1/field-checks.ts'
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notFound,
  required,
  tooMany,
} from '../../meta/v1/field-error.ts'
import { dnsLabelFaults, portNameFaults } from '../../meta/v1/names.ts'
import { envErrors, envFromErrors } from './validate-env.ts'
import { lifecycleErrors, probeNames, probesErrors } from './validate-probes.ts'
import { resizePolicyErrors, resourceErrors } from './validate-resources.ts'
import { containerSecurityErrors } from './validate-security.ts'
import { mountableVolumes } from './validate-volumes.ts'
import type {
  Container,
  ContainerPort,
  EphemeralContainer,
  PodSpec,
  Volume,
  VolumeDevice,
  VolumeMount,
} from './zz_generated.types.ts'

/** What containers refer to in their pod. */
interface Surroundings {
  spec: PodSpec
  volumes: ReadonlyMap<string, Volume>
  claims: ReadonlySet<string>
}

/** Errors of all containers of a pod. */
export function containersErrors(field: string, spec: PodSpec): FieldError[] {
  const claims = new Set((spec.resourceClaims ?? []).map(({ name }) => name))
  const pod: Surroundings = { spec, volumes: mountableVolumes(spec.volumes), claims }
  return [
    ...regularErrors(`${field}.containers`, pod),
    ...initErrors(`${field}.initContainers`, pod),
    ...ephemeralErrors(`${field}.ephemeralContainers`, pod),
  ]
}

function regularErrors(field: string, pod: Surroundings): FieldError[] {
  const { containers, terminationGracePeriodSeconds } = pod.spec
  if (containers?.length === 0) return [required(field)]
  const names = new Set<string>()
  return [
    ...each(field, containers, (at, container) => [
      ...commonErrors(at, container, pod),
      ...uniqueName(at, container.name, names),
      ...lifecycleErrors(at, container, terminationGracePeriodSeconds),
      ...probesErrors(at, container),
      ...restartRuleErrors(at, container),
    ]),
    ...hostPortErrors(field, containers ?? []),
  ]
}

function initErrors(field: string, pod: Surroundings): FieldError[] {
  const names = new Set((pod.spec.containers ?? []).map(({ name }) => name))
  return each(field, pod.spec.initContainers, (at, container) => [
    ...commonErrors(at, container, pod),
    ...uniqueName(at, container.name, names),
    ...hostPortErrors(field, [container]),
    ...(container.restartPolicy === 'Always'
      ? [...lifecycleErrors(at, container, pod.spec.terminationGracePeriodSeconds), ...probesErrors(at, container)]
      : endlessErrors(at, container)),
    ...restartRuleErrors(at, container),
  ])
}

/** What makes sense only for a container that keeps running. */
function endlessErrors(field: string, container: Container): FieldError[] {
  return (['lifecycle', ...probeNames] as const)
    .filter((name) => container[name] !== undefined)
    .map((name) => forbidden(`${field}.${name}`, 'may not be set for init containers without restartPolicy=Always'))
}

const refusedForEphemeral = [
  'ports',
  'resources',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
] as const

function ephemeralErrors(field: string, pod: Surroundings): FieldError[] {
  const { containers = [], initContainers = [], ephemeralContainers } = pod.spec
  const others = [...containers, ...initContainers].map(({ name }) => name)
  const names = new Set(others)
  return each(field, ephemeralContainers, (at, container) => [
    ...commonErrors(at, container, pod),
    ...imageErrors(at, container),
    ...uniqueName(at, container.name, names),
    ...(container.targetContainerName && !others.includes(container.targetContainerName)
      ? [notFound(`${at}.targetContainerName`, container.targetContainerName)]
      : []),
    ...ephemeralFieldErrors(at, container),
  ])
}

function ephemeralFieldErrors(field: string, container: EphemeralContainer): FieldError[] {
  const detail = 'cannot be set for an Ephemeral Container'
  const isSet = (value: object | string | undefined) => value !== undefined && Object.keys(value).length > 0
  return [
    ...refusedForEphemeral
      .filter((name) => isSet(container[name]))
      .map((name) => forbidden(`${field}.${name}`, detail)),
    ...each(`${field}.volumeMounts`, container.volumeMounts, (at, mount) =>
      (['subPath', 'subPathExpr'] as const)
        .filter((name) => mount[name])
        .map((name) => forbidden(`${at}.${name}`, detail)),
    ),
  ]
}

function commonErrors(field: string, container: Container, pod: Surroundings): FieldError[] {
  const { volumeMounts, volumeDevices } = container
  return [
    ...named(`${field}.name`, container.name, dnsLabelFaults),
    ...present(`${field}.image`, container.image),
    ...portsErrors(`${field}.ports`, container.ports),
    ...envErrors(`${field}.env`, container.env),
    ...envFromErrors(`${field}.envFrom`, container.envFrom),
    ...mountErrors(`${field}.volumeMounts`, volumeMounts, container, pod.volumes),
    ...deviceErrors(`${field}.volumeDevices`, volumeDevices, container, pod.volumes),
    ...resourceErrors(`${field}.resources`, container.resources, pod.claims),
    ...resizePolicyErrors(`${field}.resizePolicy`, container.resizePolicy, pod.spec.restartPolicy),
    ...containerSecurityErrors(`${field}.securityContext`, container.securityContext, pod.spec.hostUsers !== false),
  ]
}

function uniqueName(field: string, name: string, names: Set<string>): FieldError[] {
  if (!name) return []
  if (names.has(name)) return [duplicate(`${field}.name`, name)]
  names.add(name)
  return []
}

/** Pods, unlike templates, refuse blanks around the name of an image. */
export function imageErrors(field: string, { image = '' }: Container): FieldError[] {
  if (image.trim() === image) return []
  return [invalid(`${field}.image`, image, 'must not have leading or trailing whitespace')]
}

function restartRuleErrors(field: string, { restartPolicy, restartPolicyRules: rules }: Container): FieldError[] {
  if (!rules?.length) return []
  if (!restartPolicy) {
    return [required(`${field}.restartPolicy`, 'must specify restartPolicy when restart rules are used')]
  }
  const at = `${field}.restartPolicyRules`
  return [
    ...(rules.length > 20 ? [tooMany(at, rules.length, 20)] : []),
    ...each(at, rules, (rule, { exitCodes }) => {
      if (!exitCodes) return [required(`${rule}.exitCodes`, 'must be specified')]
      const count = exitCodes.values?.length ?? 0
      return count > 255 ? [tooMany(`${rule}.exitCodes.values`, count, 255)] : []
    }),
  ]
}

function portsErrors(field: string, ports: readonly ContainerPort[] | undefined): FieldError[] {
  const names = new Set<string>()
  return each(field, ports, (at, { name, containerPort, hostPort }) => [
    ...portNameErrors(`${at}.name`, name, names),
    ...(containerPort === 0
      ? [required(`${at}.containerPort`)]
      : inRange(`${at}.containerPort`, containerPort, 1, 65535)),
    ...(hostPort ? inRange(`${at}.hostPort`, hostPort, 1, 65535) : []),
  ])
}

function portNameErrors(field: string, name: string | undefined, names: Set<string>): FieldError[] {
  if (!name) return []
  const errors = faults(field, name, portNameFaults)
  if (errors.length > 0) return errors
  if (names.has(name)) return [duplicate(field, name)]
  names.add(name)
  return []
}

/** Two containers that run side by side cannot have the same port of the host. */
function hostPortErrors(field: string, containers: readonly Container[]): FieldError[] {
  const taken = new Set<string>()
  return each(field, containers, (container, { ports }) =>
    each(`${container}.ports`, ports, (at, { protocol, hostIP = '', hostPort }) => {
      const key = `${protocol ?? 'TCP'}/${hostIP}/${hostPort}`
      if (!hostPort) return []
      if (taken.has(key)) return [duplicate(`${at}.hostPort`, key)]
      taken.add(key)
      return []
    }),
  )
}

function mountErrors(
  field: string,
  mounts: readonly VolumeMount[] | undefined,
  container: Container,
  volumes: ReadonlyMap<string, Volume>,
): FieldError[] {
  const paths = new Set<string>()
  const devices = container.volumeDevices ?? []
  return each(field, mounts, (at, mount) => {
    const { name, mountPath } = mount
    const errors = [...nonEmpty(`${at}.name`, name)]
    if (name !== undefined && !volumes.has(name)) errors.push(notFound(`${at}.name`, name))
    errors.push(...nonEmpty(`${at}.mountPath`, mountPath))
    if (paths.has(mountPath)) errors.push(invalid(`${at}.mountPath`, mountPath, 'must be unique'))
    paths.add(mountPath)
    if (devices.some((device) => device.name === name)) {
      errors.push(invalid(`${at}.name`, name, 'must not already exist in volumeDevices'))
    }
    if (devices.some((device) => device.devicePath === mountPath)) {
      errors.push(invalid(`${at}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices'))
    }
    const isOfImage = volumes.get(name)?.image !== undefined
    return [...errors, ...subPathErrors(field, at, mount, isOfImage), ...propagationErrors(field, mount, container)]
  })
}

/** Kubernetes reports what is wrong inside a path at the list, not at its item. */
function subPathErrors(
  field: string,
  at: string,
  { subPath, subPathExpr }: VolumeMount,
  isOfImage: boolean,
): FieldError[] {
  const errors: FieldError[] = []
  if (isOfImage) {
    for (const [name, path] of Object.entries({ subPath, subPathExpr })) {
      if (path) errors.push(invalid(`${at}.${name}`, path, 'not allowed in image volume sources'))
    }
  }
  if (subPath && subPathExpr) {
    errors.push(invalid(`${at}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'))
  }
  return [
    ...errors,
    ...descendingPath(`${field}.subPath`, subPath),
    ...descendingPath(`${field}.subPathExpr`, subPathExpr),
  ]
}

function propagationErrors(field: string, mount: VolumeMount, { securityContext }: Container): FieldError[] {
  const { mountPropagation, recursiveReadOnly, readOnly } = mount
  const errors: FieldError[] = []
  if (mountPropagation === 'Bidirectional' && !securityContext?.privileged) {
    const detail = 'Bidirectional mount propagation is available only to privileged containers'
    errors.push(forbidden(`${field}.mountPropagation`, detail))
  }
  if (!recursiveReadOnly || recursiveReadOnly === 'Disabled') return errors
  const at = `${field}.recursiveReadOnly`
  if (!readOnly) errors.push(forbidden(at, 'may only be specified when readOnly is true'))
  if (mountPropagation && mountPropagation !== 'None') {
    errors.push(forbidden(at, 'may only be specified when mountPropagation is None or not specified'))
  }
  return errors
}

function deviceErrors(
  field: string,
  devices: readonly VolumeDevice[] | undefined,
  { volumeMounts = [] }: Container,
  volumes: ReadonlyMap<string, Volume>,
): FieldError[] {
  const names = new Set<string>()
  const paths = new Set<string>()
  return each(field, devices, (at, { name, devicePath }) => {
    const errors = nonEmpty(`${at}.name`, name)
    if (name && names.has(name)) errors.push(invalid(`${at}.name`, name, 'must be unique'))
    names.add(name)
    errors.push(...blockVolumeErrors(`${at}.name`, name, volumes))
    errors.push(...nonEmpty(`${at}.devicePath`, devicePath))
    if (paths.has(devicePath)) errors.push(invalid(`${at}.devicePath`, devicePath, 'must be unique'))
    if (devicePath?.split('/').includes('..')) {
      errors.push(invalid(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')"))
    }
    paths.add(devicePath)
    if (volumeMounts.some((mount) => mount.name === name)) {
      errors.push(invalid(`${at}.name`, name, 'must not already exist in volumeMounts'))
    }
    if (volumeMounts.some((mount) => mount.mountPath === devicePath)) {
      errors.push(invalid(`${at}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts'))
    }
    return errors
  })
}

function blockVolumeErrors(
  field: string,
  name: string | undefined,
  volumes: ReadonlyMap<string, Volume>,
): FieldError[] {
  if (name === undefined) return []
  const volume = volumes.get(name)
  if (!volume) return [notFound(field, name)]
  if (volume.persistentVolumeClaim || volume.ephemeral) return []
  const detail = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'
  return [invalid(field, name, detail)]
}
