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
  return errorOf(node, value, { path: new Path(), struct: '' })
}

interface Place {
  path: Path
  /** Short name of the struct whose field is looked at: `DeploymentSpec`. */
  struct: string
}

function errorOf(node: SchemaNode, value: unknown, place: Place): string | undefined {
  if (value === null || node.preservesUnknown) return undefined
  if (node.quantity) return quantityError(value, node, place)
  if (node.intOrString) return intOrStringError(value, node, place)
  switch (node.type) {
    case 'string':
      return typeof value === 'string' ? textError(node, value) : cannotUnmarshal(node, value, place)
    case 'boolean':
      return typeof value === 'boolean' ? undefined : cannotUnmarshal(node, value, place)
    case 'number':
      return typeof value === 'number' ? undefined : cannotUnmarshal(node, value, place)
    case 'integer':
      return isIntegerOf(node.format, value) ? undefined : cannotUnmarshal(node, value, place)
    case 'array':
      return Array.isArray(value) ? itemsError(node, value, place) : cannotUnmarshal(node, value, place)
    case 'object':
      return isObject(value) ? fieldsError(node, value, place) : cannotUnmarshal(node, value, place)
    default:
      return undefined
  }
}

function itemsError(node: SchemaNode, items: readonly unknown[], place: Place): string | undefined {
  const schema = node.items
  if (!schema) return undefined
  for (const item of items) {
    const error = errorOf(schema, item, place)
    if (error) return error
  }
  return undefined
}

function fieldsError(node: SchemaNode, object: JsonObject, place: Place): string | undefined {
  const struct = node.definition ? shortName(node.definition) : place.struct
  for (const key of Object.keys(object)) {
    const field = node.property(key)
    const schema = field ?? node.additional
    if (!schema) continue
    // The decoder names the field that holds a map, not the map's keys.
    if (field) place.path.push(key)
    const error = errorOf(schema, object[key], { path: place.path, struct: field ? struct : place.struct })
    if (field) place.path.pop()
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

function quantityError(value: unknown, node: SchemaNode, place: Place): string | undefined {
  if (typeof value === 'number') return undefined
  if (typeof value !== 'string') return cannotUnmarshal(node, value, place)
  if (quantitySyntax.test(value)) return undefined
  return "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
}

function intOrStringError(value: unknown, node: SchemaNode, place: Place): string | undefined {
  if (typeof value === 'string' || isIntegerOf('int32', value)) return undefined
  return cannotUnmarshal(node, value, place, 'int32')
}

function isIntegerOf(format: string, value: unknown): boolean {
  if (typeof value !== 'number' || !Number.isInteger(value)) return false
  return format === 'int32' ? value >= -(2 ** 31) && value < 2 ** 31 : Math.abs(value) <= 2 ** 63
}

function cannotUnmarshal(node: SchemaNode, value: unknown, place: Place, type = goType(node)): string {
  const path = place.path.names()
  const into = path ? `Go struct field ${place.struct}.${path} of type ${type}` : `Go value of type ${type}`
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
