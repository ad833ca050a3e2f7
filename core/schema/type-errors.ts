import { isBase64, isDateTime } from './formats.ts'
import { isObject, type JsonObject } from './json.ts'
import type { SchemaNode } from './node.ts'
import { Path } from './path.ts'

/**
 * The first thing about a value that Go's JSON decoder could not put into the Go type of a built-in kind, in its words:
 * `json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`. Clients show it as is.
 * @returns undefined when the value can be decoded
 */
export function typeError(node: SchemaNode, value: unknown): string | undefined {
  return errorOf(node, value, new Path(), '')
}

/** @param struct definition of the struct whose field is looked at */
function errorOf(node: SchemaNode, value: unknown, path: Path, struct: string): string | undefined {
  if (value === null || node.preservesUnknown) return undefined
  if (node.quantity) return quantityError(value, node, path, struct)
  if (node.intOrString) return intOrStringError(value, node, path, struct)
  switch (node.type) {
    case 'string':
      return typeof value === 'string' ? textError(node, value) : cannotUnmarshal(node, value, path, struct)
    case 'boolean':
      return typeof value === 'boolean' ? undefined : cannotUnmarshal(node, value, path, struct)
    case 'number':
      return typeof value === 'number' ? undefined : cannotUnmarshal(node, value, path, struct)
    case 'integer':
      return isIntegerOf(node.format, value) ? undefined : cannotUnmarshal(node, value, path, struct)
    case 'array':
      return Array.isArray(value) ? itemsError(node, value, path, struct) : cannotUnmarshal(node, value, path, struct)
    case 'object':
      return isObject(value) ? fieldsError(node, value, path, struct) : cannotUnmarshal(node, value, path, struct)
    default:
      return undefined
  }
}

function itemsError(node: SchemaNode, items: readonly unknown[], path: Path, struct: string): string | undefined {
  const schema = node.items
  if (!schema) return undefined
  for (const item of items) {
    const error = errorOf(schema, item, path, struct)
    if (error) return error
  }
  return undefined
}

function fieldsError(node: SchemaNode, object: JsonObject, path: Path, struct: string): string | undefined {
  const here = node.definition || struct
  for (const key in object) {
    const field = node.property(key)
    const schema = field ?? node.additional
    if (!schema) continue
    // The decoder names the field that holds a map, not the map's keys.
    if (field) path.push(key)
    const error = errorOf(schema, object[key], path, field ? here : struct)
    if (field) path.pop()
    if (error) return error
  }
  return undefined
}

function textError(node: SchemaNode, value: string): string | undefined {
  if (node.format === 'date-time' && !isDateTime(value)) {
    const text = JSON.stringify(value)
    return `parsing time ${text} as "2006-01-02T15:04:05Z07:00": cannot parse ${text} as "2006"`
  }
  if (node.format === 'byte' && !isBase64(value)) return `illegal base64 data at input byte ${base64Fault(value)}`
  return undefined
}

function base64Fault(value: string): number {
  const at = value.search(/[^A-Za-z0-9+/]/)
  return at === -1 ? value.length - (value.length % 4) : at
}

const quantitySyntax = /^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$/

function quantityError(value: unknown, node: SchemaNode, path: Path, struct: string): string | undefined {
  if (typeof value === 'number') return undefined
  if (typeof value !== 'string') return cannotUnmarshal(node, value, path, struct)
  if (quantitySyntax.test(value)) return undefined
  return "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
}

function intOrStringError(value: unknown, node: SchemaNode, path: Path, struct: string): string | undefined {
  if (typeof value === 'string' || isIntegerOf('int32', value)) return undefined
  return cannotUnmarshal(node, value, path, struct, 'int32')
}

function isIntegerOf(format: string, value: unknown): boolean {
  if (typeof value !== 'number' || !Number.isInteger(value)) return false
  return format === 'int32' ? value >= -(2 ** 31) && value < 2 ** 31 : Math.abs(value) <= 2 ** 63
}

function cannotUnmarshal(node: SchemaNode, value: unknown, path: Path, struct: string, type = goType(node)): string {
  const names = path.names()
  const into = names ? `Go struct field ${shortName(struct)}.${names} of type ${type}` : `Go value of type ${type}`
  return `json: cannot unmarshal ${goValue(value, node)} into ${into}`
}

function goValue(value: unknown, node: SchemaNode): string {
  if (typeof value === 'boolean') return 'bool'
  if (Array.isArray(value)) return 'array'
  if (typeof value !== 'number') return typeof value
  return node.type === 'integer' || node.intOrString ? `number ${value}` : 'number'
}

function goType(node: SchemaNode): string {
  if (node.type === 'object' && node.additional) return `map[string]${goType(node.additional)}`
  if (node.type === 'object' && node.definition) return qualifiedName(node.definition)
  switch (node.type) {
    case 'integer':
      return node.format || 'int64'
    case 'number':
      return 'float64'
    case 'boolean':
      return 'bool'
    case 'array':
      return `[]${node.items ? goType(node.items) : 'interface {}'}`
    case 'object':
      return 'map[string]interface {}'
    default:
      return node.format === 'date-time' ? 'v1.Time' : node.format === 'byte' ? '[]uint8' : 'string'
  }
}

/** `io.k8s.api.core.v1.Container` is `v1.Container`. */
const qualifiedName = (definition: string) => definition.split('.').slice(-2).join('.')
const shortName = (definition: string) => definition.slice(definition.lastIndexOf('.') + 1)
