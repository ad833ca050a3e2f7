import type { LabelSelector } from '../../meta/v1/types.ts'
import type { Quantity } from '../../meta/v1/zz_generated.types.ts'
import type { HorizontalPodAutoscaler as AutoscalerV1 } from '../v1/zz_generated.types.ts'
import type {
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from './zz_generated.types.ts'

/**
 * Between the versions of autoscalers: v1 knows the use of CPU only, and keeps everything else in annotations.
 * @see https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#api-object
 */
const prefix = 'autoscaling.alpha.kubernetes.io/'
const kept = { metrics: `${prefix}metrics`, behavior: `${prefix}behavior` } as const
const keptOfStatus = { currentMetrics: `${prefix}current-metrics`, conditions: `${prefix}conditions` } as const
const allKept: readonly string[] = [...Object.values(kept), ...Object.values(keptOfStatus)]

const isCpuUse = ({ resource }: { resource?: { name: string } }, use: number | undefined) =>
  resource?.name === 'cpu' && use !== undefined

export function toV1(autoscaler: HorizontalPodAutoscaler): AutoscalerV1 {
  const { spec, status, metadata } = autoscaler
  const cpu = spec.metrics?.find((metric) => isCpuUse(metric, metric.resource?.target.averageUtilization))
  const currentCpu = status?.currentMetrics?.find((one) => isCpuUse(one, one.resource?.current.averageUtilization))
  const { metrics: _, behavior: __, ...otherSpec } = spec
  const { currentMetrics: ___, conditions, currentReplicas = 0, ...otherStatus } = status ?? { desiredReplicas: 0 }
  const annotations = withText(metadata.annotations, {
    [kept.metrics]: spec.metrics?.filter((one) => one !== cpu).map(toV1Metric),
    [kept.behavior]: spec.behavior,
    [keptOfStatus.currentMetrics]: status?.currentMetrics?.filter((one) => one !== currentCpu).map(toV1Status),
    [keptOfStatus.conditions]: conditions,
  })
  const targetCPU = cpu?.resource?.target.averageUtilization
  const currentCPU = currentCpu?.resource?.current.averageUtilization
  return {
    ...autoscaler,
    apiVersion: 'autoscaling/v1',
    metadata: { ...metadata, ...(annotations && { annotations }) },
    spec: { ...otherSpec, ...(targetCPU !== undefined && { targetCPUUtilizationPercentage: targetCPU }) },
    status: {
      ...otherStatus,
      currentReplicas,
      ...(currentCPU !== undefined && { currentCPUUtilizationPercentage: currentCPU }),
    },
  }
}

export function toV2(autoscaler: AutoscalerV1): HorizontalPodAutoscaler {
  const { spec, status, metadata } = autoscaler
  const { targetCPUUtilizationPercentage: target, ...otherSpec } = spec
  const { currentCPUUtilizationPercentage: current, ...otherStatus } = status ?? {
    desiredReplicas: 0,
    currentReplicas: 0,
  }
  const read = <T>(key: string) => parseText<T>(metadata.annotations?.[key])
  const metrics = [
    ...(target === undefined ? [] : [cpuMetric(target)]),
    ...(read<V1Metric[]>(kept.metrics)?.map(fromV1Metric) ?? []),
  ]
  const currentMetrics = [
    ...(current === undefined ? [] : [cpuStatus(current)]),
    ...(read<V1Metric[]>(keptOfStatus.currentMetrics)?.map(fromV1Status) ?? []),
  ]
  const behavior = read<HorizontalPodAutoscaler['spec']['behavior']>(kept.behavior)
  const conditions = read<NonNullable<HorizontalPodAutoscaler['status']>['conditions']>(keptOfStatus.conditions)
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([key]) => !allKept.includes(key))
  const { annotations: _, ...otherMetadata } = metadata
  return {
    ...autoscaler,
    apiVersion: 'autoscaling/v2',
    metadata: { ...otherMetadata, ...(annotations.length > 0 && { annotations: Object.fromEntries(annotations) }) },
    spec: { ...otherSpec, ...(metrics.length > 0 && { metrics }), ...(behavior && { behavior }) },
    status: {
      ...otherStatus,
      ...(currentMetrics.length > 0 && { currentMetrics }),
      ...(conditions && { conditions }),
    },
  }
}

const cpuMetric = (averageUtilization: number): MetricSpec => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
})

const cpuStatus = (averageUtilization: number): MetricStatus => ({
  type: 'Resource',
  resource: { name: 'cpu', current: { averageUtilization } },
})

function withText(
  annotations: Readonly<Record<string, string>> | undefined,
  values: Readonly<Record<string, unknown>>,
): Record<string, string> | undefined {
  const texts = Object.entries(values)
    .filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0))
    .map(([key, value]) => [key, JSON.stringify(value)] as const)
  if (!annotations && texts.length === 0) return undefined
  return Object.fromEntries([...Object.entries(annotations ?? {}), ...texts])
}

/** Annotations are free text: what cannot be read says nothing. */
function parseText<T>(text: string | undefined): T | undefined {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}

/** A metric in the structure of v1: flat, with its names before its numbers. */
interface V1Source {
  name?: string
  container?: string
  metricName?: string
  selector?: LabelSelector
  metricSelector?: LabelSelector
  target?: { kind: string; name: string; apiVersion?: string }
  targetValue?: Quantity
  averageValue?: Quantity
  targetAverageValue?: Quantity
  targetAverageUtilization?: number
  currentValue?: Quantity
  currentAverageValue?: Quantity
  currentAverageUtilization?: number
}
interface V1Metric {
  type: MetricSpec['type']
  resource?: V1Source
  containerResource?: V1Source
  pods?: V1Source
  object?: V1Source
  external?: V1Source
}

const namesOf = (source: NamedSource): V1Source => {
  const { name, container, metric, describedObject } = source
  return {
    ...(name && { name }),
    ...(container && { container }),
    ...(metric && { metricName: metric.name }),
    ...(metric?.selector && { selector: metric.selector }),
    ...(describedObject && { target: describedObject }),
  }
}

interface NamedSource {
  name?: string
  container?: string
  metric?: { name: string; selector?: LabelSelector }
  describedObject?: { kind: string; name: string; apiVersion?: string }
}

const kinds = ['resource', 'containerResource', 'pods', 'object', 'external'] as const

function toV1Metric(spec: MetricSpec): V1Metric {
  const metric: V1Metric = { type: spec.type }
  for (const kind of kinds) {
    const source = spec[kind]
    if (!source) continue
    const { value, averageValue, averageUtilization } = source.target
    metric[kind] = external(kind, {
      ...namesOf(source),
      ...(value !== undefined && { targetValue: value }),
      ...(averageValue !== undefined && { [kind === 'object' ? 'averageValue' : 'targetAverageValue']: averageValue }),
      ...(averageUtilization !== undefined && { targetAverageUtilization: averageUtilization }),
    })
  }
  return metric
}

function toV1Status(status: MetricStatus): V1Metric {
  const metric: V1Metric = { type: status.type }
  for (const kind of kinds) {
    const source = status[kind]
    if (!source) continue
    const { value, averageValue, averageUtilization } = source.current
    metric[kind] = external(kind, {
      ...namesOf(source),
      ...(value !== undefined && { currentValue: value }),
      ...(averageValue !== undefined && { currentAverageValue: averageValue }),
      ...(averageUtilization !== undefined && { currentAverageUtilization: averageUtilization }),
    })
  }
  return metric
}

/** External metrics call their selector by another name. */
function external(kind: string, { selector, ...source }: V1Source): V1Source {
  if (!selector) return source
  return kind === 'external' ? { ...source, metricSelector: selector } : { ...source, selector }
}

function fromV1Metric(metric: V1Metric): MetricSpec {
  return expand(metric, (source) => ({ target: targetOf(source) })) as unknown as MetricSpec
}

function fromV1Status(metric: V1Metric): MetricStatus {
  return expand(metric, (source) => ({ current: currentOf(source) })) as unknown as MetricStatus
}

function expand(metric: V1Metric, numbersOf: (source: V1Source) => object): Record<string, unknown> {
  const expanded: Record<string, unknown> = { type: metric.type }
  for (const kind of kinds) {
    const source = metric[kind]
    if (!source) continue
    const { name, container, metricName, selector = source.metricSelector, target } = source
    expanded[kind] = {
      ...(name && { name }),
      ...(container && { container }),
      ...(metricName && { metric: { name: metricName, ...(selector && { selector }) } }),
      ...(target && { describedObject: target }),
      ...numbersOf(source),
    }
  }
  return expanded
}

function targetOf({ targetValue, averageValue, targetAverageValue, targetAverageUtilization }: V1Source): MetricTarget {
  if (targetAverageUtilization !== undefined)
    return { type: 'Utilization', averageUtilization: targetAverageUtilization }
  const average = averageValue ?? targetAverageValue
  return average === undefined
    ? { type: 'Value', value: targetValue! }
    : { type: 'AverageValue', averageValue: average }
}

function currentOf(source: V1Source): MetricValueStatus {
  const { currentValue: value, currentAverageValue: averageValue, currentAverageUtilization: use } = source
  return {
    ...(value !== undefined && { value }),
    ...(averageValue !== undefined && { averageValue }),
    ...(use !== undefined && { averageUtilization: use }),
  }
}
