import { readFile } from 'node:fs/promises'
import type { Rules } from '#apis/meta/v1/rules.ts'
import { rules } from '#apis/rules.ts'
import { withDeclarativeConversion } from './custom/conversion-rules.ts'
import { customResourceDefinitionRules } from './custom/rules.ts'
import type { SchemaTypes } from './registry.ts'
import type { ResourceDefinition } from './resource.ts'

const file = new URL('../../apis/crds/zz_generated.definitions.json', import.meta.url)

/** The built-in kinds, and the named types their schemas share. */
export async function loadBuiltinDefinitions(): Promise<{ types: SchemaTypes; resources: ResourceDefinition[] }> {
  return JSON.parse(await readFile(file, 'utf8'))
}

const definitions = 'apiextensions.k8s.io/customresourcedefinitions'

/** The rules of the built-in kinds, those of the one kind that the server itself implements included. */
export const builtinRules: ReadonlyMap<string, Rules> = new Map(rules).set(
  definitions,
  customResourceDefinitionRules as unknown as Rules,
)

/** The same as a server is told to have them. @param options.ttlSeconds how long what comes and goes (Events) is to be kept */
export function builtinRulesWith(options: { ttlSeconds: number; declarativeConversion: boolean }): typeof builtinRules {
  const { ttlSeconds } = options
  const told = new Map(
    Array.from(builtinRules, ([of, rules]) => [of, rules.ttlSeconds ? { ...rules, ttlSeconds } : rules]),
  )
  const custom = withDeclarativeConversion(customResourceDefinitionRules, options.declarativeConversion)
  return told.set(definitions, custom as unknown as Rules)
}
