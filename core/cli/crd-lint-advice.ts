import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import type { JsonSchema } from '#core/registry/resource.ts'
import { isObject } from '#core/schema/json.ts'
import { at, keyed, propertiesOf } from '#core/schema/schema-places.ts'
import type { Remark } from './crd-lint-finding.ts'

/** What nobody refuses and will hurt later. @param crd valid */
export function adviceOn({ spec }: CustomResourceDefinition): Remark[] {
  return spec.versions.flatMap((version, index) => {
    const schema = version.schema?.openAPIV3Schema as JsonSchema | undefined
    if (!schema) return []
    const path = `spec.versions[${index}].schema.openAPIV3Schema`
    const remarks = [...unboundedUnderRules(schema, path), ...undescribed(schema, path), ...openRoot(schema, path)]
    if (schema.properties?.status && !version.subresources?.status) remarks.push(statusWithoutSubresource(path))
    return remarks
  })
}

function statusWithoutSubresource(path: string): Remark {
  return {
    severity: 'warning',
    path: keyed(path, 'properties', 'status'),
    message:
      'there is a status, but no status subresource: whoever writes the spec overwrites it, and writing it is a new generation',
  }
}

function openRoot(schema: JsonSchema, path: string): Remark[] {
  if (!schema['x-kubernetes-preserve-unknown-fields']) return []
  const message =
    'any field is kept: misspelled ones are not found, and fields that come later may hold anything already'
  return [{ severity: 'warning', path: at(path, 'x-kubernetes-preserve-unknown-fields'), message }]
}

/** A rule is charged for the largest object allowed: a field that is added to it later may be one too many. */
function unboundedUnderRules(schema: JsonSchema, path: string): Remark[] {
  const remarks: Remark[] = []
  const visit = (one: JsonSchema, onePath: string, rules: readonly string[], isRead: boolean) => {
    const own = (one['x-kubernetes-validations'] ?? []).map(({ rule }) => String(rule))
    const reading = [...rules, ...own]
    const isReadHere = isRead || own.length > 0
    const bound = missingBound(one)
    const why = isReadHere ? 'a rule reads it' : hasRuleBelow(one) ? 'a rule is evaluated for each of its values' : ''
    if (bound && why) {
      const message = `has no ${bound}, and ${why}: rules are charged for the most there may be`
      remarks.push({ severity: 'warning', path: onePath, message })
    }
    for (const [child, childPath, name] of childrenOf(one, onePath)) {
      visit(child, childPath, reading, name === undefined ? isReadHere : reading.some((rule) => mentions(rule, name)))
    }
  }
  visit(schema, path, [], false)
  return remarks
}

const mentions = (rule: string, name: string) => rule.split(/[^A-Za-z0-9_]+/).includes(name)

function hasRuleBelow(schema: JsonSchema): boolean {
  for (const [child] of childrenOf(schema, '')) {
    if ((child['x-kubernetes-validations']?.length ?? 0) > 0 || hasRuleBelow(child)) return true
  }
  return false
}

/** Formats whose texts are short by themselves. */
const shortFormats = new Set(['date', 'date-time', 'duration', 'uuid', 'ipv4', 'ipv6', 'cidr', 'mac'])

function missingBound(schema: JsonSchema): string | undefined {
  const { type, items, additionalProperties, maxItems, maxProperties, maxLength } = schema
  if (type === 'array') return items && maxItems === undefined ? 'maxItems' : undefined
  if (type === 'object')
    return isObject(additionalProperties) && maxProperties === undefined ? 'maxProperties' : undefined
  if (type !== 'string' || schema.enum || shortFormats.has(schema.format ?? '')) return undefined
  return maxLength === undefined ? 'maxLength' : undefined
}

const maxNamed = 5

/** One remark for all: `kubectl explain` has nothing to say of them. */
function undescribed(schema: JsonSchema, path: string): Remark[] {
  const missing: string[] = []
  let count = 0
  const visit = (one: JsonSchema, name: string) => {
    for (const [key, child] of propertiesOf(one)) {
      const childName = name ? `${name}.${key}` : key
      if (!isHead(childName)) {
        count++
        if (!child.description) missing.push(childName)
      }
      visit(child, childName)
    }
    if (isObject(one.items)) visit(one.items as JsonSchema, `${name}[]`)
    if (isObject(one.additionalProperties)) visit(one.additionalProperties as JsonSchema, `${name}[*]`)
  }
  visit(schema, '')
  if (missing.length === 0) return []
  const named = missing.slice(0, maxNamed).join(', ') + (missing.length > maxNamed ? ', ...' : '')
  return [{ severity: 'info', path, message: `${missing.length} of ${count} fields have no description: ${named}` }]
}

const isHead = (name: string) => /^(apiVersion|kind|metadata)(\.|$)/.test(name)

type Child = [schema: JsonSchema, path: string, name?: string]

/** The schemas of an object's fields, with their names, of a list's items and of a map's values. */
function* childrenOf(schema: JsonSchema, path: string): Generator<Child> {
  for (const [name, child] of propertiesOf(schema)) yield [child, keyed(path, 'properties', name), name]
  if (isObject(schema.items)) yield [schema.items as JsonSchema, at(path, 'items')]
  if (isObject(schema.additionalProperties)) {
    yield [schema.additionalProperties as JsonSchema, at(path, 'additionalProperties')]
  }
}
