/** The types that the checker knows, and when a value of one may stand where another is expected. Pure. */

export type TypeKind =
  | 'dyn'
  | 'null'
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'timestamp'
  | 'duration'
  | 'list'
  | 'map'
  | 'type'
  | 'opaque'
  | 'object'
  | 'param'

export interface Type {
  readonly kind: TypeKind
  /** What messages call it, without its parameters. */
  readonly name: string
  readonly params: readonly Type[]
  /** Of an object: what its fields are. The values are plain objects. */
  readonly fields?: ReadonlyMap<string, Type>
  /** At most how many items a list or a map has, or how long a string or bytes are; unknown when absent. Estimates of cost read it. */
  readonly maxElements?: number
  /**
   * Of an object that a schema describes: the properties that its fields stand for, where they have other names. One that
   * is null counts as absent.
   */
  readonly properties?: ReadonlyMap<string, string>
  /** Of a list whose order does not count: what tells its items apart, all of an item or the values of some properties. */
  readonly identity?: 'item' | readonly string[]
  /** Reads data as values of the type, where types of the kind are not read the usual way. Leaves such values as they are. */
  readonly read?: (value: unknown) => unknown
}

const simple = (kind: TypeKind, name: string = kind): Type => ({ kind, name, params: [] })

export const dyn = simple('dyn')
export const nullType = simple('null')
export const bool = simple('bool')
export const int = simple('int')
export const uint = simple('uint')
export const double = simple('double')
export const string = simple('string')
export const bytes = simple('bytes')
export const timestamp = simple('timestamp')
export const duration = simple('duration')

export const list = (element: Type): Type => ({ kind: 'list', name: 'list', params: [element] })
export const map = (key: Type, value: Type): Type => ({ kind: 'map', name: 'map', params: [key, value] })
export const typeOf = (type: Type): Type => ({ kind: 'type', name: 'type', params: [type] })
/** The type of all types. */
export const anyType = simple('type')
/** A parameter of a declaration, bound anew at each use. */
export const param = (name: string): Type => simple('param', name)
/** A type that only functions make and take. */
export const opaque = (name: string, ...params: Type[]): Type => ({ kind: 'opaque', name, params })
export const optional = (of: Type): Type => opaque('optional_type', of)
export const object = (name: string, fields: ReadonlyMap<string, Type>): Type => ({
  kind: 'object',
  name,
  params: [],
  fields,
})

/** The type of values that are no larger, in items, or in length. */
export const sized = (type: Type, maxElements: number): Type => ({ ...type, maxElements })

export const isOptional = ({ name }: Type) => name === 'optional_type'

export function formatType({ name, params }: Type): string {
  return params.length === 0 ? name : `${name}(${params.map(formatType).join(', ')})`
}

export function isSameType(a: Type, b: Type): boolean {
  if (a.kind !== b.kind || a.name !== b.name || a.params.length !== b.params.length) return false
  return a.params.every((one, i) => isSameType(one, b.params[i]!))
}

/** What the type is called at run time, where values of it are compared by it. */
export function runtimeName({ kind, name }: Type): string {
  if (kind === 'null') return 'null_type'
  if (kind === 'timestamp') return 'google.protobuf.Timestamp'
  return kind === 'duration' ? 'google.protobuf.Duration' : name
}

/** What the parameters of types stand for, as far as an expression has told yet. */
export class Bindings {
  readonly #bound = new Map<string, Type>()
  /** What names were bound to before, in order, so that what did not fit can be taken back. */
  readonly #changes: [name: string, before: Type | undefined][] = []
  #lastFresh = 0

  fresh(): Type {
    return param(`_var${this.#lastFresh++}`)
  }

  /** The parameters of a declaration replaced by fresh ones. */
  instantiate(types: readonly Type[]): Type[] {
    const fresh = new Map<string, Type>()
    const replace = (type: Type): Type => {
      if (type.kind !== 'param') return withParams(type, replace)
      const known = fresh.get(type.name) ?? this.fresh()
      fresh.set(type.name, known)
      return known
    }
    return types.map(replace)
  }

  /** The type with what is known put in. @param isFinal whether what is not known is dyn */
  resolve(type: Type, isFinal = false): Type {
    if (type.kind !== 'param') return withParams(type, (one) => this.resolve(one, isFinal))
    const bound = this.#bound.get(type.name)
    if (bound) return this.resolve(bound, isFinal)
    return isFinal ? dyn : type
  }

  /** Whether values of `value` may stand for `target`; binds parameters only when all of them may. */
  areAssignable(targets: readonly Type[], values: readonly Type[]): boolean {
    const before = this.#changes.length
    if (targets.length === values.length && targets.every((target, i) => this.#assign(target, values[i]!))) return true
    for (const [name, bound] of this.#changes.splice(before).reverse()) this.#set(name, bound)
    return false
  }

  isAssignable(target: Type, value: Type): boolean {
    return this.areAssignable([target], [value])
  }

  /** The type of either: the more general when one may stand for the other, else dyn. */
  join(a: Type, b: Type): Type {
    if (!this.isAssignable(a, b)) return dyn
    return isAsGeneral(this.resolve(a), this.resolve(b)) ? a : b
  }

  #assign(target: Type, value: Type): boolean {
    const a = this.#root(target)
    const b = this.#root(value)
    if (a.kind === 'param') return this.#assignParameter(a, b, (bound) => this.#assign(bound, b))
    if (b.kind === 'param') return this.#assignParameter(b, a, (bound) => this.#assign(a, bound))
    if (a.kind === 'dyn' || b.kind === 'dyn') return true
    if (a.kind === 'null' || b.kind === 'null') return isNullable(a) && isNullable(b)
    if (a.kind === 'type' && b.kind === 'type') return true
    return (
      a.kind === b.kind &&
      a.name === b.name &&
      a.params.length === b.params.length &&
      a.params.every((one, i) => this.#assign(one, b.params[i]!))
    )
  }

  /** The parameter that a parameter stands for, if it stands for another. */
  #root(type: Type): Type {
    if (type.kind !== 'param') return type
    const bound = this.#bound.get(type.name)
    return bound?.kind === 'param' ? this.#root(bound) : type
  }

  /** Binds a parameter, or widens what it is bound to. */
  #assignParameter(parameter: Type, type: Type, fits: (bound: Type) => boolean): boolean {
    if (type.kind === 'param' && type.name === parameter.name) return true
    const bound = this.#bound.get(parameter.name)
    if (bound && !fits(bound)) return false
    const found = this.resolve(type)
    const known = bound && this.resolve(bound)
    if (known && (isAsGeneral(known, found) || !isAsGeneral(found, known))) return true
    if (mentions(found, parameter.name)) return false
    this.#changes.push([parameter.name, bound])
    this.#set(parameter.name, found)
    return true
  }

  #set(name: string, type: Type | undefined): void {
    if (type) this.#bound.set(name, type)
    else this.#bound.delete(name)
  }
}

function withParams(type: Type, replace: (type: Type) => Type): Type {
  return type.params.length === 0 ? type : { ...type, params: type.params.map(replace) }
}

const mentions = (type: Type, name: string): boolean =>
  (type.kind === 'param' && type.name === name) || type.params.some((one) => mentions(one, name))

const isNullable = ({ kind }: Type) =>
  kind === 'null' || kind === 'timestamp' || kind === 'duration' || kind === 'opaque' || kind === 'object'

/** Whether `a` says no more than `b`, as dyn says less than int. */
function isAsGeneral(a: Type, b: Type): boolean {
  if (a.kind === 'dyn' || a.kind === 'param') return true
  if (a.kind !== b.kind || a.name !== b.name) return false
  return a.params.every((one, i) => b.params[i] !== undefined && isAsGeneral(one, b.params[i]))
}
