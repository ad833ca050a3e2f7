import type { AdmissionRequest } from '#apis/plugin/v1/admission.ts'

const own = new Set([
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
])

/** Policies do not apply to themselves: one that refuses everything can still be taken away. */
export function isExempt({ group, resource }: AdmissionRequest): boolean {
  return group === 'admissionregistration.k8s.io' && own.has(resource)
}
