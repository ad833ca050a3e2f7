import type { Rules } from '../../meta/v1/rules.ts'
import { horizontalPodAutoscalerRules } from './horizontalpodautoscaler-rules.ts'

export const autoscalingRules = new Map<string, unknown>([
  ['autoscaling/horizontalpodautoscalers', horizontalPodAutoscalerRules],
]) as ReadonlyMap<string, Rules>
