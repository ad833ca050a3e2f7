import type { JsonSchema } from '#core/registry/resource.ts'
import { isObject } from '../json.ts'
import { propertyOf } from '../schema-places.ts'

/** What is wrong with a `fieldPath`. */
export class FieldPathError extends Error {
  override readonly name = 'FieldPathError'
}

/**
 * Where the faults of a rule are told to be: a path such as `.spec.names['a.b']` from where the rule stands, through
 * properties and keys of maps.
 * @returns the path as errors write it: `spec.names[a.b]`
 * @throws FieldPathError when it leads to nothing the schema has
 */
export function normalizeFieldPath(path: string, schema: JsonSchema): string {
  let normal = ''
  let at: JsonSchema | undefined = schema
  for (const name of stepsOf(path)) {
    const isNamed: boolean = at?.properties !== undefined
    const next: JsonSchema | undefined = at && (isNamed ? propertyOf(at, name) : valuesOf(at))
    if (!at || (!isNamed && !valuesOf(at)) || (isNamed && !next))
      throw new FieldPathError('does not refer to a valid field')
    if (isNamed) normal += normal === '' ? name : `.${name}`
    else normal += `[${name}]`
    at = next
  }
  return normal
}

/** The schema of a map's values, which may be anything. */
function valuesOf({ additionalProperties }: JsonSchema): JsonSchema | undefined {
  if (additionalProperties === true) return {}
  return isObject(additionalProperties) ? additionalProperties : undefined
}

/** The names that a path goes through. */
function* stepsOf(path: string): Iterable<string> {
  const tokens = tokensOf(path)
  const next = (): string => {
    const { value, done } = tokens.next()
    return done ? refuse('unexpected end of JSON path') : value
  }
  for (let token = tokens.next(); !token.done; token = tokens.next()) {
    if (token.value === '.') yield next()
    else if (token.value !== '[') refuse(`expected [ or . but got: ${token.value}`)
    else {
      yield unquote(next())
      const end = next()
      if (end !== ']') refuse(`expected ] but got ${end}`)
    }
  }
}

/** The delimiters, quoted texts, and what is between them. */
function* tokensOf(path: string): Generator<string, undefined> {
  for (const [token] of path.matchAll(/[.[\]]|'(?:[^'\\]|\\[\s\S])*'?|[^.[\]]+/g)) yield token
}

const unescaped: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  "'": "'",
  '\\': '\\',
}

function unquote(token: string): string {
  if (token.length < 2 || !token.startsWith("'") || !token.endsWith("'")) {
    return refuse(`expected single quoted string but got ${token}`)
  }
  return token.slice(1, -1).replace(/\\[\s\S]/g, (written) => {
    const character = written[1]!
    return Object.hasOwn(unescaped, character)
      ? unescaped[character]!
      : refuse(`invalid string literal: invalid escape char ${written}`)
  })
}

function refuse(detail: string): never {
  throw new FieldPathError(detail)
}
