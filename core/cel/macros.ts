/** The calls that are macros: each becomes a node of its own when its name and the number of its arguments match. */
import type { Bind, Call, Comprehension, ComprehensionMacro, Expression, OptionalMap, Select } from './ast.ts'
import type { NodeFactory } from './parser.ts'

type Expand = (call: Call, nodes: NodeFactory) => Expression | undefined

const methods = new Map<string, Expand>([
  ['all', comprehension('all', { one: 2, two: 3 })],
  ['exists', comprehension('exists', { one: 2, two: 3 })],
  ['exists_one', comprehension('existsOne', { one: 2, two: 3 })],
  ['existsOne', comprehension('existsOne', { one: 2, two: 3 })],
  ['map', comprehension('map', { one: 2, filteredOne: 3 })],
  ['filter', comprehension('filter', { one: 2 })],
  ['sortBy', comprehension('sortBy', { one: 2 })],
  ['transformList', comprehension('transformList', { two: 3, filteredTwo: 4 })],
  ['transformMap', comprehension('transformMap', { two: 3, filteredTwo: 4 })],
  ['transformMapEntry', comprehension('transformMapEntry', { two: 3, filteredTwo: 4 })],
  ['optMap', optionalMap(false)],
  ['optFlatMap', optionalMap(true)],
  ['bind', bind],
  ['greatest', extreme('greatest', 'math.@max')],
  ['least', extreme('least', 'math.@min')],
])

/** The node a call stands for, or undefined when it is a call. Refuses a macro whose arguments have the wrong form. */
export function expandMacro(call: Call, nodes: NodeFactory): Expression | undefined {
  if (call.target) return methods.get(call.name)?.(call, nodes)
  return call.name === 'has' && call.args.length === 1 ? has(call, nodes) : undefined
}

function has({ id, args, offset }: Call, nodes: NodeFactory): Select {
  const [operand] = args
  if (operand?.kind !== 'select' || operand.isTest) return nodes.refuse(offset, 'invalid argument to has() macro')
  return { ...operand, id, isTest: true }
}

/** The numbers of arguments with which a macro has one variable or two, and with a filter or without. */
interface Forms {
  one?: number
  filteredOne?: number
  two?: number
  filteredTwo?: number
}

function comprehension(macro: ComprehensionMacro, { one, filteredOne, two, filteredTwo }: Forms): Expand {
  return ({ id, offset, target, args }, nodes): Comprehension | undefined => {
    const count = args.length
    if (count !== one && count !== filteredOne && count !== two && count !== filteredTwo) return undefined
    const hasTwo = count === two || count === filteredTwo
    const hasFilter = count === filteredOne || count === filteredTwo
    return {
      kind: 'comprehension',
      id,
      offset,
      macro,
      range: target!,
      variables: hasTwo ? distinctNames(args[0]!, args[1]!, nodes) : [simpleName(args[0]!, nodes)],
      filter: hasFilter ? args.at(-2)! : undefined,
      body: args.at(-1)!,
    }
  }
}

function simpleName(expression: Expression, nodes: NodeFactory): string {
  if (expression.kind === 'identifier' && !expression.name.startsWith('.')) return expression.name
  return nodes.refuse(expression.offset, 'argument must be a simple name')
}

function distinctNames(first: Expression, second: Expression, nodes: NodeFactory): [string, string] {
  const names: [string, string] = [simpleName(first, nodes), simpleName(second, nodes)]
  if (names[0] === names[1]) nodes.refuse(second.offset, `duplicate variable name: ${names[0]}`)
  return names
}

function optionalMap(isFlat: boolean): Expand {
  return ({ id, offset, target, args }, nodes): OptionalMap | undefined => {
    if (args.length !== 2) return undefined
    return {
      kind: 'optionalMap',
      id,
      offset,
      target: target!,
      name: simpleName(args[0]!, nodes),
      body: args[1]!,
      isFlat,
    }
  }
}

function bind({ id, offset, target, args }: Call, nodes: NodeFactory): Bind | undefined {
  if (target?.kind !== 'identifier' || target.name !== 'cel' || args.length !== 3) return undefined
  return { kind: 'bind', id, offset, name: simpleName(args[0]!, nodes), value: args[1]!, body: args[2]! }
}

/** `math.greatest` and `math.least`, of one number or list, of two numbers or of several. */
function extreme(written: string, name: string): Expand {
  return ({ id, offset, target, args }, nodes): Call | undefined => {
    if (target?.kind !== 'identifier' || target.name !== 'math') return undefined
    if (args.length === 0) return nodes.refuse(offset, `math.${written}() requires at least one argument`)
    if (args.length <= 2) return { kind: 'call', id, offset, name, target: undefined, args }
    const elements = args.map((value) => ({ value, isOptional: false }))
    const all: Expression = { kind: 'list', id: nodes.nextId(), offset, elements }
    return { kind: 'call', id, offset, name, target: undefined, args: [all] }
  }
}
