import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import type { FieldError } from '#apis/meta/v1/field-error.ts'
import type { Extensions } from '#core/constraints/extensions.ts'
import { specErrors } from './definition-errors.ts'
import { extensionsOfStored, formatsIn, type SchemaFacts, schemaFactsOf } from './schema-facts.ts'

type Spec = CustomResourceDefinition['spec']

/** What walks through the schemas of a definition find: its faults, and what is asked of it when it has none. */
export interface Judgement {
  errors: FieldError[]
  /** Absent where there are errors. */
  facts?: SchemaFacts
  /** The same of the definition before an update. */
  factsBefore?: SchemaFacts
}

/** @param old before an update */
export function judge(crd: CustomResourceDefinition, old?: CustomResourceDefinition): Judgement {
  const errors = specErrors(crd, old)
  if (errors.length > 0) return { errors }
  return { errors, facts: schemaFactsOf(crd.spec), ...(old && { factsBefore: schemaFactsOf(old.spec) }) }
}

/** What was found out beforehand, of specs that nobody changes any more. */
const knownErrors = new WeakMap<Spec, FieldError[]>()
const knownFacts = new WeakMap<Spec, SchemaFacts>()

export function noteJudgement(
  { errors, facts, factsBefore }: Judgement,
  crd: CustomResourceDefinition,
  old?: CustomResourceDefinition,
): void {
  knownErrors.set(crd.spec, errors)
  if (facts) knownFacts.set(crd.spec, facts)
  if (factsBefore && old) knownFacts.set(old.spec, factsBefore)
}

/** As `specErrors`, without asking twice. */
export function judgedSpecErrors(crd: CustomResourceDefinition, old?: CustomResourceDefinition): FieldError[] {
  return knownErrors.get(crd.spec) ?? specErrors(crd, old)
}

/** As `formatsIn`, without asking twice. */
export function judgedFormats({ spec }: Pick<CustomResourceDefinition, 'spec'>): readonly string[] {
  return knownFacts.get(spec)?.formats ?? formatsIn(spec)
}

/** As `extensionsOfStored`, without asking twice. */
export function judgedExtensions({ spec }: Pick<CustomResourceDefinition, 'spec'>): Extensions | undefined {
  const known = knownFacts.get(spec)
  return known ? known.extensions : extensionsOfStored(spec)
}
