/** By which ids the specification and the libraries of the reference know overloads: facts, by name and types. */
import { runtimeName, type Type } from '../types.ts'

const conversions = ['int', 'uint', 'double', 'bool', 'string', 'bytes', 'timestamp', 'duration']

/** The words that ids have for types. */
const words: Partial<Record<string, string>> = { int: 'int64', uint: 'uint64' }
const wordOf = ({ name }: Type) => words[name] ?? name

const operators: Record<string, string> = {
  '_+_': 'add',
  '_-_': 'subtract',
  '_*_': 'multiply',
  '_/_': 'divide',
  '_%_': 'modulo',
  '-_': 'negate',
  '_<_': 'less',
  '_<=_': 'less_equals',
  '_>_': 'greater',
  '_>=_': 'greater_equals',
}
const others: Record<string, string> = {
  '!_': 'logical_not',
  '_==_': 'equals',
  '_!=_': 'not_equals',
  type: 'type',
  dyn: 'to_dyn',
  matches: 'matches_string',
  contains: 'contains_string',
  startsWith: 'starts_with_string',
  endsWith: 'ends_with_string',
  format: 'string_format',
  'strings.quote': 'strings_quote',
  or: 'optional_or_optional',
  orValue: 'optional_orValue_value',
  hasValue: 'optional_hasValue',
  value: 'optional_value',
}
const accessors: Record<string, string> = {
  getFullYear: 'year',
  getMonth: 'month',
  getDate: 'day_of_month_1_based',
  getDayOfMonth: 'day_of_month',
  getDayOfWeek: 'day_of_week',
  getDayOfYear: 'day_of_year',
  getHours: 'hours',
  getMinutes: 'minutes',
  getSeconds: 'seconds',
  getMilliseconds: 'milliseconds',
}

/** Of the overload of a function, a method when it is one, or an operator that takes these types. */
export function overloadId(name: string, params: readonly Type[], isMethod: boolean): string {
  const operator = operators[name]
  if (operator) return operatorId(operator, params)
  if (name === '_[_]') return indexId(params[0]!)
  if (name === '_[?_]') return optionalIndexId(params[0]!)
  if (name === '@sortByAssociatedKeys') return `list_${runtimeName(params[1]!.params[0]!)}_sortByAssociatedKeys`
  if (name === '@in') return `in_${wordOf(params[1]!)}`
  if (name === 'size') return isMethod ? `${params[0]!.name}_size` : `size_${params[0]!.name}`
  if (conversions.includes(name)) return `${wordOf(params[0]!)}_to_${words[name] ?? name}`
  if (accessors[name]) return accessorId(name, params)
  if (name === 'math.bitNot') return `math_bitNot_${params[0]!.name}_${params[0]!.name}`
  return others[name] ?? libraryId(name, params, isMethod)
}

/** One type when all operands are of it, but for times, and lists. */
function operatorId(operator: string, params: readonly Type[]): string {
  const [first, second] = params.map(wordOf)
  const isTime = (operator === 'add' || operator === 'subtract') && /^(duration|timestamp)$/.test(first!)
  return first === second && !isTime ? `${operator}_${first}` : [operator, first, ...(second ? [second] : [])].join('_')
}

function indexId(from: Type): string {
  if (from.name !== 'optional_type') return `index_${from.name}`
  return from.params[0]!.kind === 'list' ? 'optional_list_index_int' : 'optional_map_index_value'
}

function optionalIndexId(from: Type): string {
  const isOptional = from.name === 'optional_type'
  const id =
    (isOptional ? from.params[0]! : from).kind === 'list' ? 'list_optindex_optional_int' : 'map_optindex_optional_value'
  return isOptional ? `optional_${id}` : id
}

function accessorId(name: string, [from, zone]: readonly Type[]): string {
  const id = `${from!.name}_to_${accessors[name]}`
  if (!zone) return id
  return name === 'getSeconds' ? `${id}_tz` : `${id}_with_tz`
}

/** `string_char_at_int`, `math_abs_int`, `optional_of`: the library, the name, the types that tell it from others. */
function libraryId(name: string, params: readonly Type[], isMethod: boolean): string {
  if (name.startsWith('optional.')) return name.replace('.', '_')
  const types = (isMethod ? params.slice(1) : params).map((type) =>
    type.kind === 'list' ? `list_${type.params[0]!.name}` : type.name,
  )
  if (!isMethod) return [name.replace('.', '_'), ...types].join('_')
  const snake = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  return [params[0]!.name, snake, ...types].join('_')
}
