import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { Budget, isPlainObject, Optional, Stopwatch, toNative, type Value } from '#core/cel/cel.ts'
import { StatusError } from '#core/errors/status-error.ts'
import type { JsonSchema } from '#core/registry/resource.ts'
import type { CompiledSchema } from '#core/schema/compile.ts'
import { SchemaCompiler } from '#core/schema/compile.ts'
import { isObject, type JsonObject, own } from '#core/schema/json.ts'
import { ruleCostLimit } from '#core/schema/rules/cost.ts'
import { formatKind } from '../conversion-review.ts'
import type { Converter } from '../converter.ts'
import { ownBatchSize } from '../converter.ts'
import { type ConversionPlan, planConversion, planKey, type Step } from './conversion-plan.ts'
import { setAt, valueAt } from './object-path.ts'

/** Where an object keeps what the version it is in has no fields for. */
export const keptAnnotation = 'keelson.dev/kept'

/** The longest that the conversion of one object may take. */
const objectMs = 100

/** Conversion in the server itself, by expressions that the definition has. */
export class DeclarativeConverter implements Converter {
  readonly keepsLabels = true
  readonly batchSize = ownBatchSize
  readonly #plan: ConversionPlan
  readonly #schemas = new Map<string, CompiledSchema>()

  /**
   * @param text of the annotation @param schemas of the definition's versions
   * @throws ConversionFault
   */
  constructor(text: string, schemas: ReadonlyMap<string, JsonSchema>) {
    this.#plan = planConversion(text, schemas)
    const compiler = new SchemaCompiler({})
    for (const [version, schema] of schemas) this.#schemas.set(version, compiler.compile(schema))
  }

  /** @throws StatusError naming the kind, the field and the reason */
  convert(objects: readonly UnstructuredObject[], apiVersion: string): readonly UnstructuredObject[] {
    return objects.map((object) => this.#convert(object, apiVersion))
  }

  #convert(object: UnstructuredObject, apiVersion: string): UnstructuredObject {
    const group = apiVersion.slice(0, apiVersion.indexOf('/') + 1)
    const versionOf = (text: string) => text.slice(group.length)
    const steps = this.#plan.get(planKey(versionOf(object.apiVersion), versionOf(apiVersion)))
    const of = `conversion of ${formatKind(object.apiVersion, object.kind)} to ${apiVersion}`
    if (!steps) throw newFault(`${of} failed: the definition says nothing of it`)
    const { now } = new Stopwatch()
    const budget = new Budget({ limit: ruleCostLimit, deadlineMs: objectMs, now })
    let at = object
    for (const step of steps) {
      try {
        at = this.#take(step, at, budget)
      } catch (cause) {
        throw newFault(`${of} failed: ${(cause as Error).message}`, cause)
      }
      at.apiVersion = group + step.to
    }
    return at
  }

  #take({ from, to, set, keep }: Step, object: UnstructuredObject, budget: Budget): UnstructuredObject {
    const values = set.map(({ path, program }) => {
      try {
        return [path, jsonOf(program.evaluate({ self: object }, budget))] as const
      } catch (cause) {
        throw new Error(`${path}: ${(cause as Error).message}`, { cause })
      }
    })
    const kept = keptOf(object)
    const left = keep.flatMap((path) => {
      const value = valueAt(object, path)
      return value === undefined ? [] : [[path, value] as const]
    })
    for (const [path, value] of values) setAt(object, path, structuredClone(value))
    this.#schemas.get(to)!.prune(object)
    for (const [path, value] of Object.entries(own(kept, to) ?? {})) {
      if (valueAt(object, path) === undefined && this.#keeps(to, path)) setAt(object, path, value)
    }
    const { [to]: _restored, ...others } = kept
    setKept(object, left.length > 0 ? { ...others, [from]: Object.fromEntries(left) } : others)
    return object
  }

  /** Whether the field is one that a version gives to others to keep: what else stands in the annotation is not believed. */
  #keeps(version: string, path: string): boolean {
    for (const steps of this.#plan.values()) {
      for (const { from, keep } of steps) if (from === version && keep.includes(path)) return true
    }
    return false
  }
}

function keptOf({ metadata }: UnstructuredObject): JsonObject {
  try {
    const value: unknown = JSON.parse(metadata.annotations?.[keptAnnotation] ?? '{}')
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}

function setKept({ metadata }: UnstructuredObject, kept: JsonObject): void {
  const { [keptAnnotation]: before, ...annotations } = metadata.annotations ?? {}
  const isEmpty = Object.keys(kept).length === 0
  if (before === undefined && isEmpty) return
  if (!isEmpty) annotations[keptAnnotation] = JSON.stringify(kept)
  if (Object.keys(annotations).length > 0) metadata.annotations = annotations
  else delete metadata.annotations
}

/** A value as JSON has it; undefined for none, and for null. */
function jsonOf(value: Value): unknown {
  if (value instanceof Optional) return value.value === undefined ? undefined : jsonOf(value.value)
  if (value === null) return undefined
  return plain(toNative(value))
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Map) throw new Error('keys of maps must be strings')
  if (isPlainObject(value)) return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]))
  return value
}

/** As what webhooks do wrong: no reason, and the code of the server's own faults. */
function newFault(message: string, cause?: unknown): StatusError {
  return new StatusError({ reason: '', code: 500, message }, { cause })
}
