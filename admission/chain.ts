import type { Admission, AdmissionRequest, ObjectReader } from '#apis/plugin/v1/admission.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds/default-toleration-seconds.ts'
import { namespaceLifecycle } from './namespace-lifecycle/namespace-lifecycle.ts'
import { priority } from './priority/priority.ts'
import { serviceAccount } from './service-account/service-account.ts'

/** One step of admission. `admit` may change the object, `validate` may not; both refuse with a StatusError. */
export interface AdmissionStep {
  name: string
  admit?(request: AdmissionRequest): Promise<void> | void
  validate?(request: AdmissionRequest): Promise<void> | void
}

/** Every step, in the order in which it sees a write. */
export function builtinSteps(reader: ObjectReader): AdmissionStep[] {
  return [namespaceLifecycle(reader), serviceAccount(reader), priority(reader), defaultTolerationSeconds()]
}

/** Runs the steps one after another: first all that may change the object, then, when it is whole, all that judge it. */
export function admissionChain(steps: readonly AdmissionStep[]): Admission {
  const admitting = steps.filter((step) => step.admit)
  const validating = steps.filter((step) => step.validate)
  return {
    async mutate(request) {
      for (const step of admitting) await step.admit!(request)
    },
    async validate(request) {
      for (const step of validating) await step.validate!(request)
    },
  }
}
