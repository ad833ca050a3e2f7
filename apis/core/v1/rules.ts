import type { Rules } from '../../meta/v1/rules.ts'
import { namespaceRules } from './namespace-rules.ts'

/** The rules of the core group's kinds. */
export const coreRules: ReadonlyMap<string, Rules> = new Map<string, Rules>([['core/namespaces', namespaceRules as Rules]])
