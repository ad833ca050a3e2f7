import { CompileError, compile, type Program, types } from '#core/cel/cel.ts'
import { strictEnvironment } from '#core/cel/library/kubernetes.ts'
import type { JsonSchema } from '#core/registry/resource.ts'
import { type Declared, declare } from '#core/schema/rules/declare.ts'
import { ConversionFault, parseConversion, type WrittenStep } from './conversion-text.ts'

/** How objects of one version become objects of another, ready for use. */
export interface Step {
  from: string
  to: string
  set: readonly { path: string; program: Program }[]
  keep: readonly string[]
}

/** The steps from each version to each other: the fewest there are. */
export type ConversionPlan = ReadonlyMap<string, readonly Step[]>

export const planKey = (from: string, to: string) => `${from} ${to}`

/**
 * Compiles a conversion against the schemas of the versions.
 * @throws ConversionFault for what cannot be read, does not compile, gives a field another type than its schema, or leaves
 * two versions apart
 */
export function planConversion(text: string, schemas: ReadonlyMap<string, JsonSchema>): ConversionPlan {
  const versions = [...schemas.keys()]
  const declared = new Map(versions.map((version) => [version, declare(schemas.get(version)!, true)]))
  const steps = parseConversion(text, versions).map((written) => compileStep(written, declared))
  const plan = new Map<string, readonly Step[]>()
  for (const from of versions) {
    for (const to of versions) {
      if (from === to) continue
      const way = shortestWay(steps, from, to)
      if (!way)
        throw new ConversionFault(
          `nothing leads from ${from} to ${to}: write "${from} -> ${to}: {}" when no field moves`,
        )
      plan.set(planKey(from, to), way)
    }
  }
  return plan
}

function compileStep(written: WrittenStep, declared: ReadonlyMap<string, Declared | undefined>): Step {
  const { from, to, set, keep } = written
  const fail = (reason: string) => new ConversionFault(`${from} -> ${to}: ${reason}`)
  const self = declared.get(from)?.type ?? types.dyn
  const compiled = Array.from(set, ([path, text]) => ({ path, program: compileAt(path, text, self, fail) }))
  for (const { path, program } of compiled) checkType(path, program.type, declared.get(to), to, fail)
  for (const path of keep) {
    if (!fieldAt(declared.get(from), path)) throw fail(`${path}: ${from} has no such field to keep`)
    if (fieldAt(declared.get(to), path)) throw fail(`${path}: ${to} has this field, too: it need not be kept`)
  }
  return { from, to, set: compiled, keep }
}

function compileAt(path: string, text: string, self: types.Type, fail: (reason: string) => Error): Program {
  const environment = strictEnvironment.extend({ variables: { self } })
  try {
    const program = compile(text, environment)
    const { kind } = valueType(program.type)
    // JSON has them as text.
    return kind === 'timestamp' || kind === 'duration' ? compile(`string(${text})`, environment) : program
  } catch (error) {
    if (!(error instanceof CompileError)) throw error
    throw fail(`${path}: ${error.message}`)
  }
}

const valueType = (type: types.Type) => (types.isOptional(type) ? type.params[0]! : type)

function checkType(
  path: string,
  type: types.Type,
  target: Declared | undefined,
  version: string,
  fail: (reason: string) => Error,
): void {
  const field = fieldAt(target, path)
  if (!field) throw fail(`${path}: ${version} has no such field`)
  if (field === anything || fits(valueType(type), field)) return
  throw fail(`${path}: is ${types.formatType(field)} in ${version}, but the expression gives ${types.formatType(type)}`)
}

/** A field of which nothing is known: within what keeps unknown fields, or is an integer or a string. */
const anything = types.dyn

function fieldAt(declared: Declared | undefined, path: string): types.Type | undefined {
  let at = declared
  for (const name of path.split('.')) {
    // What a schema leaves open takes whatever comes.
    if (at && !at.fields) return at.type.kind === 'map' || at.type.kind === 'dyn' ? anything : undefined
    if (!at) return anything
    const next = at.fields?.get(name)
    if (!next) return at.fields?.size === 0 ? anything : undefined
    at = next
  }
  return at?.type
}

/** Whether values of a type may stand in a field. What JSON writes alike is alike. */
function fits(value: types.Type, field: types.Type): boolean {
  if (value.kind === 'dyn' || field.kind === 'dyn' || value.kind === 'null') return true
  if (field.kind === 'double') return numbers.includes(value.kind)
  if (field.kind === 'object') return value.kind === 'object' || value.kind === 'map'
  if (texts.includes(field.kind)) return texts.includes(value.kind)
  if (field.kind === 'int') return value.kind === 'int' || value.kind === 'uint'
  if (field.kind !== value.kind) return field.kind === 'map' && value.kind === 'object'
  return value.params.every((param, at) => fits(param, field.params[at]!))
}

const numbers: readonly string[] = ['int', 'uint', 'double']
const texts: readonly string[] = ['string', 'bytes', 'timestamp', 'duration']

/** Breadth first. */
function shortestWay(steps: readonly Step[], from: string, to: string): Step[] | undefined {
  const seen = new Set([from])
  let ways: Step[][] = [[]]
  while (ways.length > 0) {
    const longer: Step[][] = []
    for (const way of ways) {
      const at = way.at(-1)?.to ?? from
      if (at === to) return way
      for (const step of steps) {
        if (step.from !== at || seen.has(step.to)) continue
        seen.add(step.to)
        longer.push([...way, step])
      }
    }
    ways = longer
  }
  return undefined
}
