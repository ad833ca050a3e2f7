import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import type { FieldError } from '#apis/meta/v1/field-error.ts'
import { specErrors } from './definition-errors.ts'

type Spec = CustomResourceDefinition['spec']

/** What was found out beforehand, of specs that nobody changes any more. */
const known = new WeakMap<Spec, FieldError[]>()

export function noteSpecErrors({ spec }: CustomResourceDefinition, errors: FieldError[]): void {
  known.set(spec, errors)
}

/** As `specErrors`, without asking twice. */
export function judgedSpecErrors(crd: CustomResourceDefinition, old?: CustomResourceDefinition): FieldError[] {
  return known.get(crd.spec) ?? specErrors(crd, old)
}
