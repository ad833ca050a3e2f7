import type { ObjectReader } from '#apis/plugin/v1/admission.ts'
import type { Authorizer } from '#apis/plugin/v1/authorizer.ts'
import type { Kinds } from './kinds.ts'

/** What policies and webhooks ask of the server around them. */
export interface Surroundings {
  reader: ObjectReader
  kinds: Kinds
  /** Absent where nobody may be asked what users may do: expressions that do fail. */
  authority?: Authorizer
}
