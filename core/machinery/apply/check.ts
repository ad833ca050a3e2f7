import { fieldElement, formatElement } from '#core/machinery/field-paths/element.ts'
import { isObject, type JsonObject } from '#core/schema/json.ts'
import type { SchemaNode } from '#core/schema/node.ts'
import { elementOf, fieldNode, isBare, keyOf, type Node, structureOf } from './structure.ts'

/**
 * Whether a configuration can be applied: its fields are known, its values of the right kind, the items of its lists told
 * apart by their keys. In the words of structured-merge-diff; what values mean is for validation to judge.
 * @returns one text for all faults, undefined when there is none
 */
export function applyFaults(node: Node, value: unknown): string | undefined {
  const walk: Walk = { path: [], faults: [] }
  check(node, value, walk)
  const { faults } = walk
  if (faults.length === 0) return undefined
  return faults.length === 1 ? faults[0] : ['errors:', ...faults.map((fault) => `  ${fault}`)].join('\n')
}

/** Where the walk is, shown only for a fault: sound configurations cost no texts. */
interface Walk {
  readonly path: (() => string)[]
  readonly faults: string[]
}

function report({ path, faults }: Walk, fault: string): void {
  faults.push(path.length === 0 ? fault : `${path.map((step) => step()).join('')}: ${fault}`)
}

function check(node: Node, value: unknown, walk: Walk): void {
  if (value === null || value === undefined || node === undefined) return
  const fault = kindFault(node, value)
  if (fault !== undefined) report(walk, fault)
  else if (Array.isArray(value)) checkItems(node, value, walk)
  else if (isObject(value)) checkFields(node, value, walk)
}

function checkBelow(node: Node, value: unknown, step: () => string, walk: Walk): void {
  walk.path.push(step)
  check(node, value, walk)
  walk.path.pop()
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

function checkFields(node: SchemaNode, object: JsonObject, walk: Walk): void {
  for (const name in object) {
    const child = fieldNode(node, name)
    if (child?.takesAnyString && typeof object[name] === 'string') continue
    const step = () => formatElement(fieldElement(name))
    if (child) checkBelow(child, object[name], step, walk)
    else if (!isOpen(node)) {
      walk.path.push(step)
      report(walk, 'field not declared in schema')
      walk.path.pop()
    }
  }
}

const isOpen = (node: SchemaNode) => node.preservesUnknown || isBare(node.schema.properties ?? {})

function checkItems(node: SchemaNode, items: readonly unknown[], walk: Walk): void {
  const structure = structureOf(node, items)
  if (structure === 'set' || structure === 'items') checkOwnItems(node, items, structure, walk)
  else if (!node.items?.takesAnyString || !items.every((item) => typeof item === 'string')) {
    for (const [at, item] of items.entries()) checkBelow(node.items, item, () => `[${at}]`, walk)
  }
}

/** Items that can be owned one by one, so that each must have a key of its own. */
function checkOwnItems(node: SchemaNode, items: readonly unknown[], structure: 'set' | 'items', walk: Walk): void {
  const seen = new Set<string>()
  for (const [at, item] of items.entries()) {
    const fault = structure === 'set' ? setItemFault(item) : keyFault(node, item)
    if (fault !== undefined) {
      report(walk, `element ${at}: ${fault}`)
      continue
    }
    const element = items.length > 1 ? elementOf(structure, node, item) : ''
    if (seen.has(element)) report(walk, `duplicate entries for key ${formatElement(element)}`)
    seen.add(element)
    checkBelow(node.items, item, () => formatElement(elementOf(structure, node, item)), walk)
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
