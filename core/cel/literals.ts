/**
 * What Kubernetes asks of literals beside their types: those that are read as times or patterns can be read, and those of
 * lists and maps are all of one type.
 */
import type { Call, Element, Expression, MapLiteral } from './ast.ts'
import type { Checked } from './checker.ts'
import { patternOf } from './patterns.ts'
import { type Issue, issueAt } from './source.ts'
import { checkedTimestamp, parseDuration, parseTimestamp } from './time.ts'
import { formatType, type Type } from './types.ts'
import { Failure, type Value } from './values.ts'

/** @returns an issue for each literal that is none of what it is used as */
export function literalIssues(expression: Expression, checked: Checked, text: string): Issue[] {
  const issues: Issue[] = []
  const visit = (node: Expression, isMixable: boolean): void => {
    for (const [at, message] of issuesOf(node, checked, isMixable)) issues.push(issueAt(text, at.offset, message))
    // What is formatted may be of all types.
    const isFormatted = node.kind === 'call' && node.name === 'format'
    for (const child of childrenOf(node)) visit(child, isMixable || isFormatted)
  }
  visit(expression, false)
  return issues
}

type Found = [at: Expression, message: string]

function issuesOf(node: Expression, checked: Checked, isMixable: boolean): Found[] {
  if (node.kind === 'call') return argumentIssues(node)
  if (isMixable) return []
  if (node.kind === 'list') return mixed(node.elements, checked).slice(0, 1)
  return node.kind === 'map' ? entryIssues(node, checked) : []
}

const readers: Readonly<Record<string, (value: Value) => unknown>> = {
  duration: (value) => typeof value === 'string' && parseDuration(value),
  timestamp: (value) =>
    typeof value === 'string'
      ? parseTimestamp(value)
      : (typeof value === 'number' || typeof value === 'bigint') && checkedTimestamp(BigInt(value) * 1_000_000_000n),
  matches: (value) => typeof value === 'string' && patternOf(value),
}

function argumentIssues({ name, args }: Call): Found[] {
  const [first] = args
  const read = Object.hasOwn(readers, name) ? readers[name] : undefined
  if (!read || first?.kind !== 'literal') return []
  try {
    read(first.value)
    return []
  } catch (error) {
    if (error instanceof Failure) return [[first, `invalid ${name} argument`]]
    throw error
  }
}

function entryIssues({ entries }: MapLiteral, checked: Checked): Found[] {
  const keys = entries.map(({ key }) => ({ value: key, isOptional: false }))
  return [...mixed(keys, checked), ...mixed(entries, checked)]
}

/** The elements whose type is not that of the first. */
function mixed(elements: readonly Element[], checked: Checked): Found[] {
  const [first] = elements
  if (!first) return []
  const expected = formatType(typeOf(first, checked))
  return elements.flatMap((element): Found[] => {
    const found = formatType(typeOf(element, checked))
    return found === expected ? [] : [[element.value, `expected type '${expected}' but found '${found}'`]]
  })
}

function typeOf({ value, isOptional }: Element, checked: Checked): Type {
  const type = checked.typeOf(value.id)
  return isOptional ? type.params[0]! : type
}

function childrenOf(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case 'literal':
    case 'identifier':
      return []
    case 'select':
      return [node.operand]
    case 'index':
      return [node.operand, node.index]
    case 'call':
      return node.target ? [node.target, ...node.args] : node.args
    case 'list':
      return node.elements.map(({ value }) => value)
    case 'map':
      return node.entries.flatMap(({ key, value }) => [key, value])
    case 'struct':
      return node.fields.map(({ value }) => value)
    case 'logical':
      return node.terms
    case 'conditional':
      return [node.test, node.then, node.otherwise]
    case 'comprehension':
      return node.filter ? [node.range, node.filter, node.body] : [node.range, node.body]
    case 'bind':
      return [node.value, node.body]
    case 'optionalMap':
      return [node.target, node.body]
  }
}
