/**
 * Derives cases.jsonl from the conformance tests of the specification as @bufbuild/cel-spec publishes them:
 *
 *   npm pack @bufbuild/cel-spec@0.6.1 && tar xzf bufbuild-cel-spec-*.tgz
 *   node core/cel/testing/derive-cases.ts package
 *
 * Leaves out what needs messages and enums of protobuf, which this library has none of, and counts it by reason.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Case, CasesHead, CaseValue } from './case.ts'

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
  listType?: { elemType?: ProtoType }
  mapType?: { keyType?: ProtoType; valueType?: ProtoType }
  abstractType?: { name: string; parameterTypes?: ProtoType[] }
}
interface ProtoTest {
  name?: string
  expr: string
  container?: string
  disableCheck?: boolean
  checkOnly?: boolean
  typeEnv?: { name: string; ident?: { type: ProtoType }; function?: unknown }[]
  bindings?: Record<string, { value: ProtoValue }>
  value?: ProtoValue
  evalError?: unknown
  typedResult?: { result?: ProtoValue }
}
interface Suite {
  name: string
  suites?: Suite[]
  tests?: { original: ProtoTest; type?: string; error?: string }[]
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
const checkingReasons: typeof reasons = [
  [/\bf[gi]_s|fn\(/, 'functions of the test harness'],
  [/^1 [<>]=? 1\.0 &&/, 'with the order of numbers of different types switched off'],
]

function caseOf(suite: string, { original: test, type, error }: NonNullable<Suite['tests']>[number]): Case {
  const isChecking = suite === 'checking'
  const excluded = [...reasons, ...(isChecking ? checkingReasons : [])].find(([pattern]) => pattern.test(test.expr))
  if (excluded) throw new Excluded(excluded[1])
  if (isChecking && error?.includes('unsupported syntax')) throw new Excluded('with optional values switched off')
  if (test.typeEnv?.some((declaration) => declaration.function)) throw new Excluded('functions of the test harness')
  const truth = test.evalError || isChecking ? undefined : { boolValue: true }
  const value = test.typedResult ? test.typedResult.result : (test.value ?? truth)
  return {
    suite,
    name: test.name ?? test.expr.replaceAll(/\s+/g, ' ').trim(),
    expression: test.expr,
    container: test.container,
    ...(test.disableCheck && { check: false }),
    ...((test.checkOnly || isChecking) && { checkOnly: true }),
    variables: {
      ...(isChecking && checkingVariables),
      ...Object.fromEntries((test.typeEnv ?? []).map(({ name, ident }) => [name, typeOf(ident!.type)])),
    },
    bindings: fromEntries(Object.entries(test.bindings ?? {}).map(([name, bound]) => [name, caseValueOf(bound.value)])),
    ...(value && { value: caseValueOf(value) }),
    ...((test.evalError || (error && !test.disableCheck)) && !value && { fails: true }),
    ...(type && { type: knownType(type) }),
    ...(isChecking && error && { issues: error }),
  }
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

function casesOf(suites: readonly Suite[], version: string): CasesHead & { cases: Case[] } {
  const excluded = new Map<string, number>()
  const cases: Case[] = []
  const visit = (suite: Suite, path: string) => {
    for (const test of suite.tests ?? []) {
      try {
        cases.push(caseOf(path, test))
      } catch (error) {
        if (!(error instanceof Excluded)) throw error
        excluded.set(error.message, (excluded.get(error.message) ?? 0) + 1)
      }
    }
    for (const inner of suite.suites ?? []) visit(inner, `${path}/${inner.name}`)
  }
  for (const suite of suites) visit(suite, suite.name)
  return { source: `@bufbuild/cel-spec ${version} (Apache-2.0)`, excluded: Object.fromEntries(excluded), cases }
}

const folder = resolve(process.argv[2]!)
const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }
const suiteOf = async (name: string) =>
  ((await import(pathToFileURL(join(folder, `dist/esm/testdata/${name}.js`)).href)) as { tests: Suite }).tests
const conformance = (await suiteOf('conformance')).suites ?? []
const { cases, ...head } = casesOf([...conformance, await suiteOf('checking')], version)
const text = [head, ...cases].map((one) => `${JSON.stringify(one)}\n`).join('')
writeFileSync(fileURLToPath(new URL('cases.jsonl', import.meta.url)), text)
