import type { Metrics } from './metrics.ts'

const latencyBounds = [0.0000005, 0.001, 0.01, 0.1, 1]

interface Observation {
  policy: string
  binding: string
  action: string
  errorType: string
  seconds: number
}

/** What ValidatingAdmissionPolicies decided, as Kubernetes counts it. */
export function validatingPolicyMetrics(metrics: Metrics): { observe(observation: Observation): void } {
  const labels = ['policy', 'policy_binding', 'error_type', 'enforcement_action']
  const name = 'apiserver_validating_admission_policy_check'
  const checks = metrics.counter(`${name}_total`, 'Decisions of policies, by what was done about them.', labels)
  const latency = metrics.histogram(`${name}_duration_seconds`, 'How long policies took.', labels, latencyBounds)
  return {
    observe({ policy, binding, errorType, action, seconds }) {
      checks.with(policy, binding, errorType, action).inc()
      latency.with(policy, binding, errorType, action).observe(seconds)
    },
  }
}

/** What MutatingAdmissionPolicies changed. */
export function mutatingPolicyMetrics(metrics: Metrics): { observe(observation: Observation): void } {
  const labels = ['policy', 'policy_binding', 'error_type']
  const name = 'apiserver_mutating_admission_policy_check'
  const checks = metrics.counter(`${name}_total`, 'Mutations of policies.', labels)
  const latency = metrics.histogram(`${name}_duration_seconds`, 'How long mutations took.', labels, latencyBounds)
  return {
    observe({ policy, binding, errorType, seconds }) {
      checks.with(policy, binding, errorType).inc()
      latency.with(policy, binding, errorType).observe(seconds)
    },
  }
}
