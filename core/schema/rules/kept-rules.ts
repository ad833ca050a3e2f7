import { createHash } from 'node:crypto'
import type { JsonSchema } from '#core/registry/resource.ts'
import type { CompiledRule } from './rule.ts'

/**
 * Equal schemas have the same rules, compiled once: those of a definition when it is checked and when the first object is
 * written, those of its versions, and of what a schema says in many places. The most recently used are kept for whoever
 * comes next.
 */
const maxKept = 256
const kept = new Map<string, readonly CompiledRule[]>()

/**
 * @param as what values of the schema are: of the same schema, the whole of a resource is another type than an object
 * @param compile called when the rules are not at hand; what does not compile is not kept, since its faults name its place
 */
export function compiledOnce(
  schema: JsonSchema,
  as: 'resource' | 'metadata' | 'value',
  compile: () => readonly CompiledRule[],
): readonly CompiledRule[] {
  const key = createHash('sha256').update(as).update(JSON.stringify(schema)).digest('base64')
  const known = kept.get(key)
  const rules = known ?? compile()
  if (rules.some(({ fault, messageFault }) => fault || messageFault)) return rules
  if (known) kept.delete(key)
  else if (kept.size >= maxKept) kept.delete(kept.keys().next().value!)
  kept.set(key, rules)
  return rules
}
