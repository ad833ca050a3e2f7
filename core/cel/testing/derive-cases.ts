/**
 * Derives from the conformance tests of the specification, as @bufbuild/cel-spec publishes them, cases.jsonl, which has
 * values, types and checked trees, and trees.jsonl, which has parsed trees:
 *
 *   npm pack @bufbuild/cel-spec@0.6.1 && tar xzf bufbuild-cel-spec-*.tgz
 *   node core/cel/testing/derive-cases.ts package
 *
 * Leaves out what needs messages and enums of protobuf, which this library has none of, and counts it by reason.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Case, CaseFunction, CasesHead, CaseValue, ParsedCase } from './case.ts'

/** Values and types in the form of protobuf's JSON. */
interface ProtoValue {
  nullValue?: null
  boolValue?: boolean
  int64Value?: string
  uint64Value?: string
  doubleValue?: number | string
  stringValue?: string
  bytesValue?: string
  typeValue?: string
  listValue?: { values?: ProtoValue[] }
  mapValue?: { entries?: { key: ProtoValue; value: ProtoValue }[] }
  objectValue?: { '@type': string; value?: string }
}
interface ProtoType {
  primitive?: string
  wellKnown?: string
  dyn?: unknown
  null?: unknown
  wrapper?: string
  messageType?: string
  type?: ProtoType
  typeParam?: string
  listType?: { elemType?: ProtoType }
  mapType?: { keyType?: ProtoType; valueType?: ProtoType }
  abstractType?: { name: string; parameterTypes?: ProtoType[] }
}
interface ProtoOverload {
  overloadId: string
  params?: ProtoType[]
  resultType: ProtoType
  isInstanceFunction?: boolean
}
interface ProtoDeclaration {
  name: string
  ident?: { type: ProtoType }
  function?: { overloads: ProtoOverload[] }
}
interface ProtoTest {
  name?: string
  expr: string
  container?: string
  disableCheck?: boolean
  checkOnly?: boolean
  typeEnv?: ProtoDeclaration[]
  bindings?: Record<string, { value: ProtoValue }>
  value?: ProtoValue
  evalError?: unknown
  typedResult?: { result?: ProtoValue }
}
interface Suite {
  name: string
  suites?: Suite[]
  tests?: Test[]
}
interface Test {
  original: ProtoTest
  type?: string
  error?: string
  ast?: string
  checkedAst?: string
}

class Excluded extends Error {}

const reasons: [pattern: RegExp, reason: string][] = [
  [/cel\.block|cel\.index|cel\.iterVar/, 'cel.block, which optimizers write and people do not'],
  [/TestAllTypes|TestRequired|GlobalEnum|NestedEnum|proto\.(get|has)Ext/, 'messages and enums of protobuf'],
  [/google\.protobuf\.(?!Timestamp\b(?!\s*\{)|Duration\b(?!\s*\{))/, 'messages and enums of protobuf'],
  [/\b(Int32|Int64|UInt32|UInt64|Bool|String|Bytes|Double|Float|)Value\s*\{/, 'messages and enums of protobuf'],
]

/** What the checker's own tests declare for all of them. */
const checkingVariables = { is: 'string', ii: 'int', iu: 'uint', iz: 'bool', id: 'double', ix: 'null', ib: 'bytes' }
const checkingFunctions: CaseFunction[] = [
  { name: 'fg_s', id: 'fg_s_0', params: [], result: 'string' },
  { name: 'fi_s_s', id: 'fi_s_s_0', isMethod: true, params: ['string'], result: 'string' },
]
const checkingReasons: typeof reasons = [
  [/^1 [<>]=? 1\.0 &&/, 'with the order of numbers of different types switched off'],
]

/** Cases of which the tree differs, by reason. */
const withoutTree: Record<string, string[]> = {
  'the reference checks the target of optMap twice, as two nodes of which one is not known to be of an int': [
    'optionals/optionals/none_optMap_hasValue',
  ],
}

function caseOf(suite: string, { original: test, type, error, checkedAst }: Test): Case {
  const isChecking = suite === 'checking'
  const isOnlyChecked = isChecking || suite === 'parsing'
  refuseExcluded(isChecking, test.expr, error)
  const truth = test.evalError || isOnlyChecked ? undefined : { boolValue: true }
  const value = test.typedResult ? test.typedResult.result : (test.value ?? truth)
  const name = test.name ?? test.expr.replaceAll(/\s+/g, ' ').trim()
  const hasTree = checkedAst && !Object.values(withoutTree).flat().includes(`${suite}/${name}`)
  return {
    suite,
    name,
    expression: test.expr,
    container: test.container,
    ...(test.disableCheck && { check: false }),
    ...((test.checkOnly || isOnlyChecked) && { checkOnly: true }),
    ...declared(isChecking, test.typeEnv),
    bindings: fromEntries(Object.entries(test.bindings ?? {}).map(([name, bound]) => [name, caseValueOf(bound.value)])),
    ...(value && { value: caseValueOf(value) }),
    ...((test.evalError || (error && !test.disableCheck)) && !value && { fails: true }),
    ...(type && { type: knownType(type) }),
    ...(isChecking && error && { issues: error }),
    ...(hasTree && { checked: compact(checkedAst) }),
  }
}

function refuseExcluded(isChecking: boolean, expression: string, error = ''): void {
  const excluded = [...reasons, ...(isChecking ? checkingReasons : [])].find(([pattern]) => pattern.test(expression))
  if (excluded) throw new Excluded(excluded[1])
  if (isChecking && error.includes('unsupported syntax')) throw new Excluded('with optional values switched off')
}

function declared(
  isChecking: boolean,
  typeEnv: readonly ProtoDeclaration[] = [],
): Pick<Case, 'variables' | 'functions'> {
  const variables = typeEnv.flatMap(({ name, ident }) => (ident ? [[name, typeOf(ident.type)]] : []))
  const functions = [...(isChecking ? checkingFunctions : []), ...typeEnv.flatMap(functionsOf)]
  return {
    variables: { ...(isChecking && checkingVariables), ...Object.fromEntries(variables) },
    ...(functions.length > 0 && { functions }),
  }
}

function functionsOf({ name, function: declared }: ProtoDeclaration): CaseFunction[] {
  return (declared?.overloads ?? []).map(({ overloadId: id, params = [], resultType, isInstanceFunction }) => ({
    name,
    id,
    ...(isInstanceFunction && { isMethod: true as const }),
    params: params.map(typeOf),
    result: typeOf(resultType),
  }))
}

/** A tree on one line, without what its form tells anyway: headings of the parts of folds, and kinds but of constants. */
function compact(tree: string): string {
  return tree
    .replaceAll(/\n *(\/\/ \w+\n *)?/g, '')
    .replaceAll(/\^#\*expr\.(?:Constant_(\w+)|\w+)#/g, (_, constant?: string) => (constant ? `#${constant}` : ''))
}

const parsedReasons: typeof reasons = [
  [/unsupported syntax/, 'with the syntax of optional values and quoted names switched off'],
  [/recursion (depth|limit) exceeded|max recursion depth/, 'with lower limits'],
  [/overwrites accumulator/, 'with an accumulator that expressions can name'],
]

/** Two variables of which one is no name or both are of one name. */
const refusedByMacros = /\.\w+\(([a-z]\.[a-z], \w|[a-z], [a-z]\.[a-z]|([a-z]), \2),/

function parsedCaseOf({ original: { expr }, ast, error = '' }: Test): ParsedCase {
  if (ast && refusedByMacros.test(expr))
    throw new Excluded('with the macros of libraries switched off, which refuse it')
  if (ast) return [expr, compact(ast)]
  const excluded = parsedReasons.find(([pattern]) => pattern.test(error))
  if (excluded) throw new Excluded(excluded[1])
  return [expr, null]
}

function fromEntries<T>(entries: [string, T][]): Record<string, T> | undefined {
  return entries.length > 0 ? Object.fromEntries(entries) : undefined
}

function caseValueOf(value: ProtoValue): CaseValue {
  if ('nullValue' in value) return { null: true }
  if (value.boolValue !== undefined) return { bool: value.boolValue }
  if (value.int64Value !== undefined) return { int: value.int64Value }
  if (value.uint64Value !== undefined) return { uint: value.uint64Value }
  if (value.doubleValue !== undefined) return { double: value.doubleValue }
  if (value.stringValue !== undefined) return { string: value.stringValue }
  if (value.bytesValue !== undefined) return { bytes: value.bytesValue }
  if (value.typeValue !== undefined) return { type: value.typeValue }
  if (value.listValue) return { list: (value.listValue.values ?? []).map(caseValueOf) }
  if (value.mapValue)
    return { map: (value.mapValue.entries ?? []).map((one) => [caseValueOf(one.key), caseValueOf(one.value)]) }
  const { '@type': type, value: text } = value.objectValue ?? { '@type': '' }
  if (type.endsWith('google.protobuf.Timestamp')) return { timestamp: text! }
  if (type.endsWith('google.protobuf.Duration')) return { duration: text! }
  throw new Excluded('messages and enums of protobuf')
}

const primitives: Record<string, string> = {
  BOOL: 'bool',
  INT64: 'int',
  UINT64: 'uint',
  DOUBLE: 'double',
  STRING: 'string',
  BYTES: 'bytes',
}

function typeOf(type: ProtoType = {}): string {
  if (type.primitive) return primitives[type.primitive]!
  if (type.listType) return `list(${typeOf(type.listType.elemType)})`
  if (type.mapType) return `map(${typeOf(type.mapType.keyType)}, ${typeOf(type.mapType.valueType)})`
  if (type.typeParam) return `param(${type.typeParam})`
  if (type.type) return `type(${typeOf(type.type)})`
  if (type.wellKnown === 'TIMESTAMP' || type.messageType === 'google.protobuf.Timestamp') return 'timestamp'
  if (type.wellKnown === 'DURATION' || type.messageType === 'google.protobuf.Duration') return 'duration'
  if (type.messageType || type.wrapper || type.wellKnown) throw new Excluded('messages and enums of protobuf')
  if (type.abstractType) return `${type.abstractType.name}(${(type.abstractType.parameterTypes ?? []).map(typeOf)})`
  return 'null' in type ? 'null' : 'dyn'
}

function knownType(type: string): string {
  if (/wrapper|google\.protobuf|cel\.expr/.test(type)) throw new Excluded('messages and enums of protobuf')
  return type
}

/** What is made of all tests, and how many nothing is made of, by reason. */
function derive<T>(suites: readonly Suite[], make: (suite: string, test: Test) => T) {
  const excluded = new Map<string, number>()
  const cases: T[] = []
  const visit = (suite: Suite, path: string) => {
    for (const test of suite.tests ?? []) {
      try {
        cases.push(make(path, test))
      } catch (error) {
        if (!(error instanceof Excluded)) throw error
        excluded.set(error.message, (excluded.get(error.message) ?? 0) + 1)
      }
    }
    for (const inner of suite.suites ?? []) visit(inner, `${path}/${inner.name}`)
  }
  for (const suite of suites) visit(suite, suite.name)
  return { excluded: Object.fromEntries(excluded), cases }
}

function write(file: string, head: CasesHead, cases: readonly unknown[]): void {
  const lines = new Set([head, ...cases].map((one) => `${JSON.stringify(one)}\n`))
  writeFileSync(fileURLToPath(new URL(file, import.meta.url)), [...lines].join(''))
}

const folder = resolve(process.argv[2]!)
const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }
const source = `@bufbuild/cel-spec ${version} (Apache-2.0)`
const suiteOf = async (name: string) =>
  ((await import(pathToFileURL(join(folder, `dist/esm/testdata/${name}.js`)).href)) as { tests: Suite }).tests
const conformance = (await suiteOf('conformance')).suites ?? []
const checking = await suiteOf('checking')
const parsing = await suiteOf('parsing')
const parsingWithTrees = { ...parsing, tests: parsing.tests?.filter(({ checkedAst }) => checkedAst) }
const checked = derive([...conformance, checking, parsingWithTrees], caseOf)
write('cases.jsonl', { source, excluded: checked.excluded, withoutTree }, checked.cases)
const all = [...conformance, checking, parsing, await suiteOf('comprehension')]
const parsed = derive(all, (_, test) => parsedCaseOf(test))
write('trees.jsonl', { source, excluded: parsed.excluded }, parsed.cases)
