/** What an expression may refer to: variables, functions and types. Immutable; `extend` makes another. */

import type { Price } from './cost/price.ts'
import * as types from './types.ts'
import { formatType, type Type, typeOf } from './types.ts'
import { TypeValue, type Value } from './values.ts'

/** What a function does for arguments of some types. */
export interface Overload {
  readonly name: string
  /** Whether the first parameter stands before the dot. */
  readonly isMethod: boolean
  readonly params: readonly Type[]
  readonly result: Type
  /** Called with arguments of the types of `params` only. */
  readonly call: (...args: never[]) => Value
  /** Whether its work is not told by its cost: `call` is given the budget as its last argument, if there is one, to strain it. */
  readonly isLong?: boolean
  /** What a call costs; as the price list of this library has it when absent. */
  readonly price?: Price
  /**
   * What to call instead when some arguments are constants, so that their part of the work is done once.
   * @param constants the values of the arguments, undefined where an argument is none
   */
  readonly prepare?: (constants: readonly Value[]) => Overload['call'] | undefined
}

export function define(name: string, params: readonly Type[], result: Type, call: Overload['call']): Overload {
  return { name, isMethod: false, params, result, call }
}

export function defineMethod(name: string, params: readonly Type[], result: Type, call: Overload['call']): Overload {
  return { name, isMethod: true, params, result, call }
}

/** The same functions, which are given the budget. */
export const long = (library: Library): Library => library.map(givenBudget)
export const givenBudget = (overload: Overload): Overload => ({ ...overload, isLong: true })

/** Functions that belong together. */
export type Library = readonly Overload[]

export interface EnvironmentParts {
  variables?: ReadonlyMap<string, Type> | Readonly<Record<string, Type>>
  libraries?: readonly Library[]
  /** Objects that expressions may name and make. */
  objects?: readonly Type[]
  /** Finds objects of which there are too many to list, by their names. */
  objectNamed?: (name: string) => Type | undefined
  /** The namespace within which names are looked up first. */
  container?: string
  /** Whether literals must be what they are used as, and those of a list or a map of one type. */
  strictLiterals?: boolean
}

/** What a name stands for. */
export type Reference = { kind: 'variable'; name: string; type: Type } | { kind: 'type'; type: Type; value: TypeValue }

const namedTypes: readonly Type[] = [
  types.bool,
  types.int,
  types.uint,
  types.double,
  types.string,
  types.bytes,
  types.nullType,
  types.timestamp,
  types.duration,
  types.list(types.dyn),
  types.map(types.dyn, types.dyn),
  types.anyType,
  types.opaque('optional_type'),
]

export class Environment {
  readonly container: string
  readonly strictLiterals: boolean
  readonly #variables: ReadonlyMap<string, Type>
  readonly #functions: ReadonlyMap<string, readonly Overload[]>
  readonly #types: ReadonlyMap<string, Reference>
  readonly #objects: ReadonlyMap<string, Type>
  readonly #objectNamed: EnvironmentParts['objectNamed']

  constructor(parts: EnvironmentParts = {}, base?: Environment) {
    this.container = parts.container ?? base?.container ?? ''
    this.strictLiterals = parts.strictLiterals ?? base?.strictLiterals ?? false
    this.#variables = new Map([...(base ? base.#variables : []), ...entriesOf(parts.variables)])
    this.#functions = withLibraries(base ? base.#functions : [], parts.libraries ?? [])
    this.#objects = new Map([
      ...(base ? base.#objects : []),
      ...(parts.objects ?? []).map((one) => [one.name, one] as const),
    ])
    this.#objectNamed = parts.objectNamed ?? (base ? base.#objectNamed : undefined)
    this.#types = base && !parts.objects ? base.#types : typeReferences([...namedTypes, ...this.#objects.values()])
  }

  extend(parts: EnvironmentParts): Environment {
    return new Environment(parts, this)
  }

  /** The type of a variable by its whole name. */
  variable(name: string): Type | undefined {
    return this.#variables.get(name)
  }

  /** What a name, which may be qualified, stands for: the innermost namespace of the container counts first. */
  lookup(name: string): Reference | undefined {
    for (const candidate of this.#candidates(name)) {
      const type = this.#variables.get(candidate)
      if (type) return { kind: 'variable', name: candidate, type }
      const known = this.#types.get(candidate)
      if (known) return known
    }
    return undefined
  }

  object(name: string): Type | undefined {
    return first(this.#candidates(name), (candidate) => this.#objects.get(candidate) ?? this.#objectNamed?.(candidate))
  }

  overloads(name: string): readonly Overload[] | undefined {
    return first(this.#candidates(name), (candidate) => this.#functions.get(candidate))
  }

  #candidates(name: string): string[] {
    if (name.startsWith('.')) return [name.slice(1)]
    const candidates: string[] = []
    for (let scope = this.container; scope !== ''; scope = scope.slice(0, Math.max(0, scope.lastIndexOf('.'))))
      candidates.push(`${scope}.${name}`)
    return [...candidates, name]
  }
}

function first<T>(names: readonly string[], find: (name: string) => T | undefined): T | undefined {
  for (const name of names) {
    const found = find(name)
    if (found !== undefined) return found
  }
  return undefined
}

function entriesOf(variables: EnvironmentParts['variables'] = {}): Iterable<readonly [string, Type]> {
  return variables instanceof Map ? variables : Object.entries(variables)
}

function withLibraries(base: Iterable<[string, readonly Overload[]]>, libraries: readonly Library[]) {
  const functions = new Map<string, readonly Overload[]>(base)
  for (const overload of libraries.flat()) {
    const others = functions.get(overload.name)?.filter((one) => signatureOf(one) !== signatureOf(overload)) ?? []
    functions.set(overload.name, [...others, overload])
  }
  return functions
}

/** A library replaces the functions of those before it that take the same. */
const signatureOf = ({ isMethod, params }: Overload) => formatArguments(isMethod, params)

function typeReferences(named: readonly Type[]): Map<string, Reference> {
  return new Map(
    named.map((type) => {
      const name = types.runtimeName(type)
      return [name, { kind: 'type', type: typeOf(type), value: new TypeValue(name) }]
    }),
  )
}

/** `f(int, string)`, or `int.f(string)`: how messages name what a call was applied to. */
export function formatArguments(isMethod: boolean, args: readonly Type[]): string {
  const names = args.map(formatType)
  return isMethod ? `${names[0]}.(${names.slice(1).join(', ')})` : `(${names.join(', ')})`
}
