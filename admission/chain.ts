import type { Admission, AdmissionRequest, ObjectReader } from '#apis/plugin/v1/admission.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds/default-toleration-seconds.ts'
import { after, inTurn } from './in-turn.ts'
import { limitRanger } from './limit-ranger/limit-ranger.ts'
import { namespaceLifecycle } from './namespace-lifecycle/namespace-lifecycle.ts'
import { priority } from './priority/priority.ts'
import { serviceAccount } from './service-account/service-account.ts'

/** One step of admission. `admit` may change the object, `validate` may not; both refuse with a StatusError. */
export interface AdmissionStep {
  name: string
  admit?(request: AdmissionRequest): Promise<void> | void
  /** Of a step that may change an object in any way: has all that admit look at it once more when it did. */
  again?: {
    /** Asked once all have admitted. */
    isNeeded(request: AdmissionRequest): boolean
    /** Stands for `admit` the second time. */
    admit(request: AdmissionRequest): Promise<void> | void
  }
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
  const repeating = admitting.filter((step) => step.again)
  const validating = steps.filter((step) => step.validate)
  const repeat = (request: AdmissionRequest) => {
    if (repeating.some((step) => step.again!.isNeeded(request))) {
      return inTurn(admitting, (step) => (step.again ? step.again.admit(request) : step.admit!(request)))
    }
  }
  return {
    mutate: (request) =>
      after(
        inTurn(admitting, (step) => step.admit!(request)),
        () => repeat(request),
      ),
    validate: (request) => inTurn(validating, (step) => step.validate!(request)),
  }
}
