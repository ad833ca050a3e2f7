import { fieldElement, formatElement } from '#core/machinery/field-paths/element.ts'
import { isObject, type JsonObject } from '#core/schema/json.ts'
import type { SchemaNode } from '#core/schema/node.ts'
import { elementOf, fieldNode, keyOf, type Node } from './structure.ts'

/**
 * Whether a configuration can be applied: its fields are known, its values of the right kind, the items of its lists told
 * apart by their keys. In the words of structured-merge-diff; what values mean is for validation to judge.
 * @returns one text for all faults, undefined when there is none
 */
export function applyFaults(node: Node, value: unknown): string | undefined {
  const faults: string[] = []
  check(node, value, '', faults)
  if (faults.length === 0) return undefined
  return faults.length === 1 ? faults[0] : ['errors:', ...faults.map((fault) => `  ${fault}`)].join('\n')
}

function check(node: Node, value: unknown, path: string, faults: string[]): void {
  if (value === null || value === undefined || node === undefined) return
  const fault = kindFault(node, value)
  if (fault !== undefined) faults.push(path === '' ? fault : `${path}: ${fault}`)
  else if (Array.isArray(value)) checkItems(node, value, path, faults)
  else if (isObject(value)) checkFields(node, value, path, faults)
}

function kindFault(node: SchemaNode, value: unknown): string | undefined {
  if (node.intOrString || node.type === undefined) return undefined
  const isScalar = typeof value !== 'object'
  switch (node.type) {
    case 'object':
      return isObject(value) ? undefined : `expected map, got &{${goText(value)}}`
    case 'array':
      return Array.isArray(value) ? undefined : `expected list, got &{${goText(value)}}`
    case 'integer':
    case 'number':
      return typeof value === 'number' ? undefined : `expected numeric (int or float), got ${goType(value)}`
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `expected boolean, got ${goValue(value)}`
    case 'string':
      // A text with a format may be written as something else: what the format says is for its reader.
      if (node.format !== '' && node.format !== 'byte' && isScalar) return undefined
      return typeof value === 'string' ? undefined : `expected string, got ${goValue(value)}`
  }
}

function checkFields(node: SchemaNode, object: JsonObject, path: string, faults: string[]): void {
  const isOpen = node.preservesUnknown || Object.keys(node.schema.properties ?? {}).length === 0
  for (const name of Object.keys(object)) {
    const child = fieldNode(node, name)
    const at = path + formatElement(fieldElement(name))
    if (child) check(child, object[name], at, faults)
    else if (!isOpen) faults.push(`${at}: field not declared in schema`)
  }
}

function checkItems(node: SchemaNode, items: readonly unknown[], path: string, faults: string[]): void {
  const seen = new Set<string>()
  for (const [at, item] of items.entries()) {
    const { listType } = node
    if (listType !== 'set' && listType !== 'map') {
      check(node.items, item, `${path}[${at}]`, faults)
      continue
    }
    const fault = listType === 'set' ? setItemFault(item) : keyFault(node, item)
    if (fault !== undefined) {
      faults.push(`${path}: element ${at}: ${fault}`)
      continue
    }
    const element = elementOf(listType === 'set' ? 'set' : 'items', node, item)
    const where = formatElement(element)
    if (seen.has(element)) faults.push(`${path}: duplicate entries for key ${where}`)
    seen.add(element)
    check(node.items, item, path + where, faults)
  }
}

function setItemFault(item: unknown): string | undefined {
  if (item === null) return "associative list without keys has an element that's an explicit null"
  if (Array.isArray(item)) return 'not supported: associative list with lists as elements'
  return typeof item === 'object' ? "associative list without keys has an element that's a map type" : undefined
}

function keyFault(node: SchemaNode, item: unknown): string | undefined {
  if (item === null) return 'associative list with keys may not have a null element'
  if (!isObject(item)) return 'associative list with keys may not have non-map elements'
  const missing = node.listMapKeys.find((name) => keyOf(node, item, name) === undefined)
  if (missing === undefined) return undefined
  return `associative list with keys has an element that omits key field ${JSON.stringify(missing)} (and doesn't have default value)`
}

const goValue = (value: unknown) => `&value.valueUnstructured{Value:${goText(value)}}`

function goType(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}'
  return typeof value === 'object' ? 'map[string]interface {}' : typeof value === 'boolean' ? 'bool' : 'string'
}

function goText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
