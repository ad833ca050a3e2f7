import { parseDocument } from 'yaml'
import { isObject, type JsonObject } from '#core/schema/json.ts'

/** The annotation of a CustomResourceDefinition that says how its versions become one another. */
export const conversionAnnotation = 'keelson.dev/conversion'

/** How objects of one version become objects of another, as it is written. */
export interface WrittenStep {
  from: string
  to: string
  /** Expressions of CEL by the paths of the fields that they give. */
  set: ReadonlyMap<string, string>
  /** Paths of fields that the other version lacks. */
  keep: readonly string[]
}

/** What is wrong with a conversion, and where: `v1 -> v2: spec.host: ...` */
export class ConversionFault extends Error {}

/** A path leads through objects only; metadata is the server's. */
const pathShape = /^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)*$/
const stepShape = /^(\S+)\s*->\s*(\S+)$/
const untouchable = ['apiVersion', 'kind', 'metadata']
const maxCharacters = 64 * 1024

/**
 * Reads what an annotation says, in YAML or JSON:
 * ```yaml
 * v1 -> v2:
 *   set: {spec.host: 'self.spec.hostPort.split(":")[0]'}
 *   keep: [spec.comment]
 * v2 -> v1: {}
 * ```
 * @param versions that the definition has
 * @throws ConversionFault
 */
export function parseConversion(text: string, versions: readonly string[]): WrittenStep[] {
  const value = parseText(text)
  if (!isObject(value))
    throw new ConversionFault('must be a map from "VERSION -> VERSION" to what becomes of the fields')
  return Object.entries(value).map(([name, step]) => {
    const [, from = '', to = ''] = stepShape.exec(name.trim()) ?? []
    const fail = (reason: string) => new ConversionFault(`${name}: ${reason}`)
    if (!from) throw fail('must be "VERSION -> VERSION"')
    for (const version of [from, to]) if (!versions.includes(version)) throw fail(`there is no version ${version}`)
    if (from === to) throw fail('a version needs no conversion to itself')
    return { from, to, ...parseStep(step ?? {}, fail) }
  })
}

function parseText(text: string): unknown {
  if (text.length > maxCharacters) throw new ConversionFault(`must have at most ${maxCharacters} characters`)
  const document = parseDocument(text, { logLevel: 'error' })
  const [error] = document.errors
  if (error) throw new ConversionFault(error.message)
  try {
    return document.toJS({ maxAliasCount: 0 })
  } catch (cause) {
    throw new ConversionFault((cause as Error).message, { cause })
  }
}

function parseStep(step: unknown, fail: (reason: string) => Error): Pick<WrittenStep, 'set' | 'keep'> {
  if (!isObject(step)) throw fail('must have "set", "keep" or both')
  const { set = {}, keep = [], ...others } = step as JsonObject
  for (const name of Object.keys(others)) throw fail(`unknown field ${JSON.stringify(name)}`)
  if (!isObject(set)) throw fail('set must be a map from paths to expressions')
  if (!Array.isArray(keep)) throw fail('keep must be a list of paths')
  for (const path of [...Object.keys(set), ...keep]) checkPath(path, fail)
  for (const [path, expression] of Object.entries(set)) {
    if (typeof expression !== 'string') throw fail(`${path}: must be an expression of CEL as a string`)
  }
  return { set: new Map(Object.entries(set)) as Map<string, string>, keep }
}

function checkPath(path: unknown, fail: (reason: string) => Error): void {
  if (typeof path !== 'string' || !pathShape.test(path)) throw fail(`${String(path)}: must be a path such as spec.size`)
  if (untouchable.includes(path.split('.', 1)[0]!)) throw fail(`${path}: must not be in apiVersion, kind or metadata`)
}
