import type { Admission, AdmissionRequest, ObjectReader } from '#apis/plugin/v1/admission.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds/default-toleration-seconds.ts'
import { limitRanger } from './limit-ranger/limit-ranger.ts'
import { namespaceLifecycle } from './namespace-lifecycle/namespace-lifecycle.ts'
import { priority } from './priority/priority.ts'
import { serviceAccount } from './service-account/service-account.ts'

/** One step of admission. `admit` may change the object, `validate` may not; both refuse with a StatusError. */
export interface AdmissionStep {
  name: string
  admit?(request: AdmissionRequest): Promise<void> | void
  validate?(request: AdmissionRequest): Promise<void> | void
}

/**
 * The steps that need nothing but to read, in the order in which they see a write. `resource-quota/`, which writes as well,
 * comes after these and after all others.
 */
export function builtinSteps(reader: ObjectReader): AdmissionStep[] {
  return [
    namespaceLifecycle(reader),
    limitRanger(reader),
    serviceAccount(reader),
    priority(reader),
    defaultTolerationSeconds(),
  ]
}

/** Runs the steps one after another: first all that may change the object, then, when it is whole, all that judge it. */
export function admissionChain(steps: readonly AdmissionStep[]): Admission {
  const admitting = steps.filter((step) => step.admit)
  const validating = steps.filter((step) => step.validate)
  return {
    mutate: (request) => inTurn(admitting, (step) => step.admit!(request)),
    validate: (request) => inTurn(validating, (step) => step.validate!(request)),
  }
}

/** One after another; without leaving this turn as long as none of them has to wait for anything. */
function inTurn(
  steps: readonly AdmissionStep[],
  run: (step: AdmissionStep) => Promise<void> | void,
  from = 0,
): Promise<void> | void {
  for (let at = from; at < steps.length; at++) {
    const waiting = run(steps[at]!)
    if (waiting) return waiting.then(() => inTurn(steps, run, at + 1))
  }
}
