import { isSame } from '../../meta/v1/equality.ts'
import { each } from '../../meta/v1/field-checks.ts'
import { type FieldError, forbidden, invalid } from '../../meta/v1/field-error.ts'
import { dnsSubdomainFaults } from '../../meta/v1/names.ts'
import { compareQuantities } from '../../meta/v1/quantity.ts'
import { qosClassOf } from './pod-qos.ts'
import { amountOf } from './validate-resources.ts'
import type {
  Container,
  ContainerStatus,
  NodeSelector,
  Pod,
  PodSchedulingGate,
  PodSpec,
  ResourceRequirements,
  Toleration,
} from './zz_generated.types.ts'

/** Errors of a change of a pod: hardly anything of it may be changed once it is there. */
export function validatePodUpdate(pod: Pod, old: Pod, subresource: string): FieldError[] {
  switch (subresource) {
    case '':
      return specUpdateErrors(pod.spec, old.spec)
    case 'status':
      return statusUpdateErrors(pod, old)
    case 'ephemeralcontainers':
      return ephemeralUpdateErrors(pod, old)
    case 'resize':
      return resizeErrors(pod, old)
    default:
      return []
  }
}

const mutableFields = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',')

function specUpdateErrors(spec: PodSpec, old: PodSpec): FieldError[] {
  for (const list of ['containers', 'initContainers'] as const) {
    if ((spec[list]?.length ?? 0) !== (old[list]?.length ?? 0)) {
      return [forbidden(`spec.${list}`, 'pod updates may not add or remove containers')]
    }
  }
  const deadline = deadlineErrors(spec, old)
  if (deadline.length > 0 && spec.activeDeadlineSeconds !== undefined) return deadline
  const errors = [
    ...deadline,
    ...tolerationErrors(spec.tolerations, old.tolerations),
    ...gateErrors(spec.schedulingGates, old.schedulingGates),
  ]
  const isGated = (old.schedulingGates?.length ?? 0) > 0
  if (isGated) errors.push(...gatedErrors(spec, old))
  const changed = differingFields(withMutable(spec, old, isGated), old)
  if (changed.length === 0) return errors
  const diff = changed.map((name) => `spec.${name}`).join(', ')
  return [
    ...errors,
    forbidden('spec', `pod updates may not change fields other than ${mutableFields}\nchanged: ${diff}`),
  ]
}

/** `spec` with those fields put back that may change. */
function withMutable(spec: PodSpec, old: PodSpec, isGated: boolean): PodSpec {
  const withImages = (containers: Container[] | undefined, before: Container[] | undefined) =>
    containers?.map((container, at) => ({ ...container, image: before![at]!.image }))
  const wasNegative = (old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1
  const { nodeAffinity: _, ...podAffinities } = spec.affinity ?? {}
  return {
    ...spec,
    containers: withImages(spec.containers, old.containers) ?? [],
    initContainers: withImages(spec.initContainers, old.initContainers),
    activeDeadlineSeconds: old.activeDeadlineSeconds,
    schedulingGates: old.schedulingGates,
    tolerations: old.tolerations,
    ...(wasNegative && { terminationGracePeriodSeconds: old.terminationGracePeriodSeconds }),
    ...(isGated && {
      nodeSelector: old.nodeSelector,
      affinity: { ...podAffinities, nodeAffinity: old.affinity?.nodeAffinity },
    }),
  }
}

function differingFields(spec: PodSpec, old: PodSpec): (keyof PodSpec)[] {
  const fields = new Set([...Object.keys(spec), ...Object.keys(old)]) as Set<keyof PodSpec>
  return [...fields].filter((field) => !isSame({ [field]: spec[field] }, { [field]: old[field] }))
}

function deadlineErrors(
  { activeDeadlineSeconds: seconds }: PodSpec,
  { activeDeadlineSeconds: before }: PodSpec,
): FieldError[] {
  const field = 'spec.activeDeadlineSeconds'
  if (before === undefined) return []
  if (seconds === undefined) return [invalid(field, seconds, 'must not update from a positive integer to nil value')]
  return seconds > before ? [invalid(field, seconds, 'must be less than or equal to previous value')] : []
}

function tolerationErrors(tolerations: Toleration[] = [], old: Toleration[] = []): FieldError[] {
  const withoutSeconds = ({ tolerationSeconds: _, ...others }: Toleration) => others
  const isKept = (one: Toleration) => tolerations.some((other) => isSame(withoutSeconds(one), withoutSeconds(other)))
  if (old.every(isKept)) return []
  return [forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds')]
}

function gateErrors(gates: PodSchedulingGate[] = [], old: PodSchedulingGate[] = []): FieldError[] {
  const names = new Set(old.map(({ name }) => name))
  return each('spec.schedulingGates', gates, (at, { name }) =>
    names.has(name)
      ? []
      : [forbidden(`${at}.name`, `only deletion is allowed, but found new scheduling gate '${name}'`)],
  )
}

/** A pod that waits at a gate may be narrowed down to fewer nodes. */
function gatedErrors(spec: PodSpec, old: PodSpec): FieldError[] {
  const errors: FieldError[] = []
  const kept = Object.entries(old.nodeSelector ?? {})
  if (!kept.every(([key, value]) => spec.nodeSelector?.[key] === value)) {
    const detail = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)'
    errors.push(invalid('spec.nodeSelector', spec.nodeSelector, detail))
  }
  const before = old.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  const after = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return [...errors, ...narrowedErrors(after, before)]
}

function narrowedErrors(after: NodeSelector | undefined, before: NodeSelector | undefined): FieldError[] {
  if (!before) return []
  const at = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution'
  const terms = after?.nodeSelectorTerms ?? []
  if (terms.length !== before.nodeSelectorTerms.length) {
    const detail = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed'
    return [invalid(`${at}.nodeSelectorTerms`, terms, detail)]
  }
  return each(`${at}.nodeSelectorTerms`, terms, (field, term, index) => {
    const old = before.nodeSelectorTerms[index]!
    const isNarrower = (['matchExpressions', 'matchFields'] as const).every((list) =>
      isSame(term[list]?.slice(0, old[list]?.length ?? 0), old[list]),
    )
    if (isNarrower) return []
    return [invalid(field, term, 'only additions are allowed (no mutations or deletions)')]
  })
}

function statusUpdateErrors({ status = {} }: Pod, old: Pod): FieldError[] {
  const before = old.status ?? {}
  const { nominatedNodeName } = status
  const nominated =
    nominatedNodeName && nominatedNodeName !== before.nominatedNodeName
      ? dnsSubdomainFaults(nominatedNodeName).map((fault) =>
          invalid('status.nominatedNodeName', nominatedNodeName, fault),
        )
      : []
  const qos =
    status.qosClass === before.qosClass ? [] : [invalid('status.qosClass', status.qosClass, 'field is immutable')]
  const sidecars = new Set(
    (old.spec.initContainers ?? []).filter((one) => one.restartPolicy === 'Always').map((one) => one.name),
  )
  const { restartPolicy } = old.spec
  return [
    ...nominated,
    ...qos,
    ...revivalErrors('status.containerStatuses', status.containerStatuses, before.containerStatuses, restartPolicy),
    ...revivalErrors(
      'status.initContainerStatuses',
      status.initContainerStatuses,
      before.initContainerStatuses?.filter(({ name }) => !sidecars.has(name)),
      restartPolicy,
    ),
    ...revivalErrors(
      'status.ephemeralContainerStatuses',
      status.ephemeralContainerStatuses,
      before.ephemeralContainerStatuses,
      'Never',
    ),
  ]
}

/** What has ended for good does not run again. */
function revivalErrors(
  field: string,
  statuses: readonly ContainerStatus[] = [],
  old: readonly ContainerStatus[] = [],
  restartPolicy: string | undefined,
): FieldError[] {
  if (restartPolicy === 'Always') return []
  return each(field, old, (at, { name, state }) => {
    if (!state?.terminated || (state.terminated.exitCode !== 0 && restartPolicy === 'OnFailure')) return []
    const isRevived = statuses.some((one) => one.name === name && !one.state?.terminated)
    return isRevived ? [forbidden(`${at}.state`, 'may not be transitioned to non-terminated state')] : []
  })
}

function ephemeralUpdateErrors({ spec }: Pod, old: Pod): FieldError[] {
  if (isMirror(old)) return [forbidden('', 'static pods do not support ephemeral containers')]
  const field = 'spec.ephemeralContainers'
  const containers = spec.ephemeralContainers ?? []
  return (old.spec.ephemeralContainers ?? []).flatMap((before) => {
    const after = containers.find(({ name }) => name === before.name)
    if (!after) return [forbidden(field, `existing ephemeral containers "${before.name}" may not be removed\n`)]
    if (isSame(after, before)) return []
    return [forbidden(field, `existing ephemeral containers "${before.name}" may not be changed\n`)]
  })
}

const isMirror = ({ metadata }: Pod) => metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined

function resizeErrors({ spec }: Pod, old: Pod): FieldError[] {
  if (isMirror(old)) return [forbidden('', 'static pods cannot be resized')]
  if (old.spec.os?.name === 'windows') return [forbidden('', 'windows pods cannot be resized')]
  const errors: FieldError[] = []
  if (qosClassOf(spec) !== qosClassOf(old.spec)) {
    errors.push(invalid('spec', qosClassOf(spec), 'Pod QOS Class may not change as a result of resizing'))
  }
  for (const list of ['containers', 'initContainers'] as const) {
    errors.push(
      ...each(`spec.${list}`, spec[list], (at, container, index) => {
        const before = old.spec[list]![index]!
        if (list === 'initContainers' && before.restartPolicy !== 'Always') return fixedErrors(container, before)
        return containerResizeErrors(`${at}.resources`, container, before, list)
      }),
    )
  }
  return errors
}

function fixedErrors(container: Container, before: Container): FieldError[] {
  if (isSame(container, before)) return []
  return [forbidden('spec', 'resources for non-sidecar init containers are immutable')]
}

function containerResizeErrors(field: string, container: Container, before: Container, list: string): FieldError[] {
  const [resources, old] = [container.resources ?? {}, before.resources ?? {}]
  const errors: FieldError[] = []
  for (const part of ['requests', 'limits'] as const) {
    const removed = Object.keys(old[part] ?? {}).some((name) => resources[part]?.[name] === undefined)
    if (removed) errors.push(forbidden(`${field}.${part}`, `resource ${part} cannot be removed`))
  }
  if (!isSame({ resources: fixedResources(resources) }, { resources: fixedResources(old) })) {
    const whose = list === 'initContainers' ? ' for sidecar containers' : ''
    errors.push(forbidden('spec', `only cpu and memory resources${whose} are mutable`))
  }
  return [...errors, ...memoryLimitErrors(`${field}.limits[memory]`, container, old)]
}

function fixedResources({ limits = {}, requests = {}, claims }: ResourceRequirements): ResourceRequirements {
  const without = ({ cpu: _, memory: __, ...others }: Record<string, string | number>) => others
  return { limits: without(limits), requests: without(requests), ...(claims && { claims }) }
}

/** A running process cannot be given less memory than it may have taken already. */
function memoryLimitErrors(
  field: string,
  { resources, resizePolicy }: Container,
  old: ResourceRequirements,
): FieldError[] {
  const policy = resizePolicy?.find(({ resourceName }) => resourceName === 'memory')?.restartPolicy
  if (policy === 'RestartContainer') return []
  const [limit, before] = [amountOf(resources?.limits?.memory), amountOf(old.limits?.memory)]
  if (limit && !before)
    return [forbidden(field, 'memory limits cannot be added unless resizePolicy is RestartContainer')]
  if (!limit || !before || compareQuantities(limit, before) >= 0) return []
  return [forbidden(field, 'memory limits cannot be decreased unless resizePolicy is RestartContainer')]
}
