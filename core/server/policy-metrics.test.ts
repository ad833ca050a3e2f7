import { expect, test } from 'vitest'
import { Metrics } from './metrics.ts'
import { mutatingPolicyMetrics, validatingPolicyMetrics } from './policy-metrics.ts'

test('evaluations are counted by policy, binding and what became of them', () => {
  const metrics = new Metrics()
  const seen = { policy: 'p', binding: 'b', action: 'deny', errorType: 'invalid_error', seconds: 0.0001 }
  validatingPolicyMetrics(metrics).observe(seen)
  mutatingPolicyMetrics(metrics).observe({ ...seen, action: '', errorType: 'no_error' })
  const lines = metrics.text().split('\n')
  expect(lines).toContain(
    'apiserver_validating_admission_policy_check_total{policy="p",policy_binding="b",error_type="invalid_error",enforcement_action="deny"} 1',
  )
  expect(lines).toContain(
    'apiserver_mutating_admission_policy_check_duration_seconds_count{policy="p",policy_binding="b",error_type="no_error"} 1',
  )
})
