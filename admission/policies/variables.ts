import type { Variable } from '#apis/admissionregistration/v1/zz_generated.types.ts'
import { type Environment, Failure, types } from '#core/cel/cel.ts'
import type { Type } from '#core/cel/types.ts'
import { Expression, type Purse } from '../matching/expression.ts'
import type { Bindings } from '../matching/inputs.ts'

/**
 * The variables of a policy: each may refer to those before it, is evaluated when an expression first asks for it, and
 * then keeps its value for the expressions that share it.
 */
export class Variables {
  readonly #type: Type
  readonly #expressions: readonly Expression[]
  readonly #shape: Shape

  /**
   * @param environment what they may refer to beside each other
   * @param onFault told of each that does not compile
   */
  constructor(variables: readonly Variable[], environment: Environment, onFault?: (at: number, fault: string) => void) {
    const declared = new Map<string, Type>()
    this.#type = types.object('kubernetes.variables', declared)
    // The type grows, so that each variable sees those before it.
    const around = this.within(environment)
    this.#expressions = variables.map(({ name, expression }, at) => {
      const compiled = new Expression(expression, around)
      if (compiled.fault) onFault?.(at, compiled.fault)
      declared.set(name, declaredType(compiled.type))
      return compiled
    })
    this.#shape = shapeOf(variables.map(({ name }) => name))
  }

  /** The environment with `variables`, of which all that are declared are known. */
  within(environment: Environment): Environment {
    return environment.extend({ variables: { variables: this.#type } })
  }

  /**
   * An object that has them all, to be handed to expressions as `variables`.
   * @param bindings what they are evaluated with, themselves included
   */
  over(bindings: Bindings, purse: Purse): object {
    const made = Object.create(this.#shape.shared, this.#shape.own) as Lazy
    made[state] = new Evaluations(this.#expressions, bindings, purse)
    return made
  }
}

const state = Symbol('state')

interface Lazy {
  [state]: Evaluations
}

class Evaluations {
  readonly #expressions: readonly Expression[]
  readonly #bindings: Bindings
  readonly #purse: Purse
  readonly #outcomes: (ReturnType<Expression['evaluate']> | undefined)[]

  constructor(expressions: readonly Expression[], bindings: Bindings, purse: Purse) {
    this.#expressions = expressions
    this.#bindings = bindings
    this.#purse = purse
    this.#outcomes = new Array(expressions.length)
  }

  /** @throws Failure, which `||` may absorb */
  valueOf(at: number, name: string): unknown {
    const expression = this.#expressions[at]!
    const outcome = (this.#outcomes[at] ??= expression.evaluate(this.#bindings, this.#purse))
    if (outcome.failure === undefined) return outcome.value
    throw new Failure(
      `composited variable ${JSON.stringify(name)} fails to ${expression.fault ? 'compile' : 'evaluate'}: ${outcome.failure}`,
    )
  }
}

/** Getters for the names, on a prototype that all objects of a policy share. */
interface Shape {
  shared: object
  /** Of names that every object inherits, expressions read own properties only. */
  own: PropertyDescriptorMap
}

/** A name given twice is that of the last. */
function shapeOf(names: readonly string[]): Shape {
  const shared: object = Object.create(null)
  const own: PropertyDescriptorMap = Object.create(null)
  names.forEach((name, at) => {
    const getter: PropertyDescriptor = {
      configurable: true,
      get(this: Lazy) {
        return this[state].valueOf(at, name)
      },
    }
    if (name in Object.prototype) own[name] = { ...getter, enumerable: true }
    else Object.defineProperty(shared, name, getter)
  })
  return { shared, own }
}

/** What others see of the type: what it is made of, as long as that is plain. */
function declaredType(type: Type): Type {
  switch (type.kind) {
    case 'list':
      return types.list(declaredType(type.params[0]!))
    case 'map':
      return types.map(declaredType(type.params[0]!), declaredType(type.params[1]!))
    case 'object':
    case 'opaque':
    case 'param':
    case 'type':
      return types.dyn
    default:
      return type
  }
}
