import type { Rules } from '../../meta/v1/rules.ts'
import { namespaceRules } from './namespace-rules.ts'
import { podRules } from './pod-rules.ts'

/** The rules of the core group's kinds. */
export const coreRules: ReadonlyMap<string, Rules> = new Map<string, unknown>([
  ['core/namespaces', namespaceRules],
  ['core/pods', podRules],
]) as ReadonlyMap<string, Rules>
