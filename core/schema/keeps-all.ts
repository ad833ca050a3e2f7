import type { JsonSchema } from '#core/registry/resource.ts'

/** Fields of every object, whatever its schema names. */
const always = new Set(['apiVersion', 'kind', 'metadata'])

/**
 * Whether pruning by one structural schema takes nothing away that another one leaves. When in doubt, it does not say so.
 * @param target @param source both of whole kinds
 */
export function keepsAll(target: JsonSchema, source: JsonSchema): boolean {
  return target === source || keepsFields(target, source, always)
}

function keepsNode(target: JsonSchema, source: JsonSchema): boolean {
  if (target['x-kubernetes-embedded-resource'] !== source['x-kubernetes-embedded-resource'])
    return keepsAnything(target)
  if (source.items && target.items && !keepsNode(target.items, source.items)) return false
  return keepsFields(target, source, source['x-kubernetes-embedded-resource'] ? always : nothing)
}

const nothing: ReadonlySet<string> = new Set()

function keepsFields(target: JsonSchema, source: JsonSchema, implied: ReadonlySet<string>): boolean {
  if (keepsAnything(target)) return true
  if (keepsUnknown(source)) return false
  const { properties = {}, additionalProperties } = source
  for (const [name, field] of Object.entries(properties)) {
    if (!implied.has(name) && !keepsField(target, name, field)) return false
  }
  if (!additionalProperties) return true
  const kept = target.additionalProperties
  if (!kept || (target.properties && Object.keys(target.properties).length > 0)) return false
  return kept === true || (additionalProperties !== true && keepsNode(kept, additionalProperties))
}

function keepsField(target: JsonSchema, name: string, field: JsonSchema): boolean {
  const { properties, additionalProperties } = target
  const kept = properties && Object.hasOwn(properties, name) ? properties[name] : additionalProperties
  if (!kept) return keepsUnknown(target)
  return kept === true || keepsNode(kept, field)
}

/** Fields that are not named stay. */
function keepsUnknown(schema: JsonSchema): boolean {
  return schema['x-kubernetes-preserve-unknown-fields'] === true || Object.keys(schema).length === 0
}

/** Nothing within is looked at. */
function keepsAnything({ properties, additionalProperties, items, ...schema }: JsonSchema): boolean {
  return !properties && !additionalProperties && !items && keepsUnknown(schema)
}
