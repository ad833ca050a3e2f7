import { each, nonEmpty, positive } from '../../meta/v1/field-checks.ts'
import { type FieldError, forbidden, invalid, required } from '../../meta/v1/field-error.ts'
import { ageColumn, atMost, column, integer, nameColumn, printer } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import type { HorizontalPodAutoscaler as AutoscalerV1 } from '../v1/zz_generated.types.ts'
import { toV1, toV2 } from './convert.ts'
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerSpec,
  HPAScalingRules,
  MetricSpec,
  MetricStatus,
  MetricTarget,
} from './zz_generated.types.ts'

/** Autoscalers, in both versions: rules think in v2. */
export const horizontalPodAutoscalerRules: Rules<HorizontalPodAutoscaler> = {
  default(autoscaler) {
    const { behavior } = autoscaler.spec ?? {}
    if (!behavior) return
    behavior.scaleUp = withDefaults(behavior.scaleUp, scaleUpDefaults)
    behavior.scaleDown = withDefaults(behavior.scaleDown, scaleDownDefaults)
  },
  prepareCreate(autoscaler) {
    autoscaler.status = { currentReplicas: 0, desiredReplicas: 0 }
    delete autoscaler.metadata.generation
  },
  changesGeneration: () => false,
  validate: (autoscaler) => (autoscaler.spec ? specErrors('spec', asV2(autoscaler).spec) : []),
  convert(autoscaler, toApiVersion) {
    if (autoscaler.apiVersion === toApiVersion) return structuredClone(autoscaler)
    return toApiVersion === 'autoscaling/v1'
      ? (toV1(autoscaler) as unknown as HorizontalPodAutoscaler)
      : toV2(autoscaler as unknown as AutoscalerV1)
  },
  print: printer<HorizontalPodAutoscaler>(
    nameColumn,
    column('Reference', ({ spec }) => `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`),
    column('Targets', targetsText),
    column('MinPods', ({ spec }) => String(spec.minReplicas ?? '<unset>')),
    integer('MaxPods', ({ spec }) => spec.maxReplicas),
    integer('Replicas', ({ status }) => status?.currentReplicas ?? 0),
    ageColumn,
  ),
}

function asV2(autoscaler: HorizontalPodAutoscaler): HorizontalPodAutoscaler {
  return autoscaler.apiVersion === 'autoscaling/v1' ? toV2(autoscaler as unknown as AutoscalerV1) : autoscaler
}

const scaleUpDefaults: HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
}
const scaleDownDefaults: HPAScalingRules = {
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
}

function withDefaults(rules: HPAScalingRules | undefined, defaults: HPAScalingRules): HPAScalingRules {
  return { ...structuredClone(defaults), ...rules }
}

function specErrors(field: string, spec: HorizontalPodAutoscalerSpec): FieldError[] {
  const { minReplicas, maxReplicas, scaleTargetRef, metrics, behavior } = spec
  const errors = [
    ...positive(`${field}.maxReplicas`, maxReplicas),
    ...(minReplicas !== undefined && maxReplicas < minReplicas
      ? [invalid(`${field}.maxReplicas`, maxReplicas, 'must be greater than or equal to `minReplicas`')]
      : []),
    ...nonEmpty(`${field}.scaleTargetRef.kind`, scaleTargetRef?.kind),
    ...nonEmpty(`${field}.scaleTargetRef.name`, scaleTargetRef?.name),
    ...each(`${field}.metrics`, metrics, metricErrors),
    ...scalingErrors(`${field}.behavior.scaleUp`, behavior?.scaleUp),
    ...scalingErrors(`${field}.behavior.scaleDown`, behavior?.scaleDown),
  ]
  if (minReplicas === undefined || minReplicas > 0) return errors
  if (minReplicas < 0)
    return [invalid(`${field}.minReplicas`, minReplicas, 'must be greater than or equal to 0'), ...errors]
  const canWake = metrics?.some(({ type }) => type === 'Object' || type === 'External')
  if (canWake) return errors
  const detail = 'must specify at least one Object or External metric to support scaling to zero replicas'
  return [...errors, forbidden(`${field}.metrics`, detail)]
}

const sourceOf = {
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
  ContainerResource: 'containerResource',
  External: 'external',
} as const

function metricErrors(field: string, metric: MetricSpec): FieldError[] {
  const name = sourceOf[metric.type]
  if (!name) return []
  const source = metric[name]
  if (!source) return [required(`${field}.${name}`, 'must populate information for the given metric source')]
  const others = Object.values(sourceOf).filter((other) => other !== name && metric[other])
  const at = `${field}.${name}`
  return [
    ...others.map((other) => forbidden(`${field}.${other}`, 'must populate the given metric source only')),
    ...('metric' in source ? nonEmpty(`${at}.metric.name`, source.metric?.name) : []),
    ...('name' in source ? nonEmpty(`${at}.name`, source.name) : []),
    ...('container' in source ? nonEmpty(`${at}.container`, source.container) : []),
    ...(source.target ? targetErrors(`${at}.target`, source.target, metric.type) : []),
  ]
}

function targetErrors(field: string, target: MetricTarget, type: MetricSpec['type']): FieldError[] {
  const { averageUtilization, averageValue, value } = target
  const errors = positive(`${field}.averageUtilization`, averageUtilization)
  const isOfResource = type === 'Resource' || type === 'ContainerResource'
  if (isOfResource) {
    if (averageUtilization === undefined && averageValue === undefined) {
      const detail = 'must set either a target raw value or a target utilization'
      errors.push(required(`${field}.averageUtilization`, detail))
    } else if (averageUtilization !== undefined && averageValue !== undefined) {
      const detail = 'may not set both a target raw value and a target utilization'
      errors.push(forbidden(`${field}.averageValue`, detail))
    }
  } else if (type === 'Pods' && averageValue === undefined) {
    errors.push(required(`${field}.averageValue`, 'must specify a positive target averageValue'))
  } else if (type !== 'Pods' && averageValue === undefined && value === undefined) {
    const detail = 'must set either a target value for metric or a per-pod target'
    errors.push(required(`${field}.averageValue`, detail))
  }
  return errors
}

const maxWindowSeconds = 3600
const maxPeriodSeconds = 1800

function scalingErrors(field: string, rules: HPAScalingRules | undefined): FieldError[] {
  if (!rules) return []
  const { stabilizationWindowSeconds: window, policies } = rules
  const errors: FieldError[] = []
  if (window !== undefined && window < 0) {
    errors.push(invalid(`${field}.stabilizationWindowSeconds`, window, 'must be greater than or equal to zero'))
  }
  if (window !== undefined && window > maxWindowSeconds) {
    const detail = `must be less than or equal to ${maxWindowSeconds}`
    errors.push(invalid(`${field}.stabilizationWindowSeconds`, window, detail))
  }
  if (policies?.length === 0) errors.push(required(`${field}.policies`, 'must specify at least one Policy'))
  return errors.concat(
    each(`${field}.policies`, policies, (at, { value, periodSeconds }) => [
      ...positive(`${at}.value`, value, 'must be greater than zero'),
      ...positive(`${at}.periodSeconds`, periodSeconds, 'must be greater than zero'),
      ...(periodSeconds > maxPeriodSeconds
        ? [invalid(`${at}.periodSeconds`, periodSeconds, `must be less than or equal to ${maxPeriodSeconds}`)]
        : []),
    ]),
  )
}

function targetsText(autoscaler: HorizontalPodAutoscaler): string {
  const { spec, status } = asV2(autoscaler)
  const texts = (spec.metrics ?? []).map((metric, at) => metricText(metric, status?.currentMetrics?.[at]))
  return atMost(2, texts, '<none>', ', ')
}

function metricText(metric: MetricSpec, status: MetricStatus | undefined): string {
  const name = sourceOf[metric.type]
  const target = metric[name]?.target
  const current = status?.[name]?.current
  const label = metric.resource?.name ?? metric.containerResource?.name
  const text = (() => {
    if (target?.averageUtilization !== undefined) {
      const use = current?.averageUtilization
      return `${use === undefined ? '<unknown>' : `${use}%`}/${target.averageUtilization}%`
    }
    if (target?.averageValue !== undefined) {
      const suffix = metric.type === 'External' || metric.type === 'Object' ? ' (avg)' : ''
      return `${current?.averageValue ?? '<unknown>'}/${target.averageValue}${suffix}`
    }
    return `${current?.value ?? '<unknown>'}/${target?.value ?? ''}`
  })()
  return label ? `${label}: ${text}` : text
}
