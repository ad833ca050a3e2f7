/**
 * Evaluates the rules of a schema on an object that is about to be written, in Kubernetes' order, within its limits of
 * cost and in its words.
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
 */
import { type FieldError, forbidden, invalid, quoteValue, required } from '#apis/meta/v1/field-error.ts'
import { Budget, EvaluationError, Optional, type Program, Stopwatch } from '#core/cel/cel.ts'
import type { JsonSchema } from '#core/registry/resource.ts'
import { Comparison, ItemsByKey, keysOf } from '../correlation.ts'
import { isObject, type JsonObject, own } from '../json.ts'
import { Path } from '../path.ts'
import { maxFaults } from '../validate.ts'
import type { CompiledRule } from './rule.ts'
import type { RuleNode } from './rule-tree.ts'

/** What a rule may cost, and what all rules of an object together. */
export const callCostLimit = 1_000_000
export const objectCostLimit = 10_000_000
/** How long a rule may take. */
const callTimeMs = 50
const maxMessageBytes = 5 * 1024
/** How many faults that are left as they are somebody is told of. */
const maxKept = 100

export interface JudgeOptions {
  /** Where `value` is. */
  path?: Path
  /** The value before an update, also when it is not known to be there. */
  old?: unknown
  /** Told the faults that are left as they are, because the update did not bring them; absent: none is. */
  onKept?: (error: FieldError) => void
  /** Milliseconds; by default those of the process. */
  clock?: () => number
}

export function judge(tree: RuleNode, value: unknown, options: JudgeOptions = {}): FieldError[] {
  const judgement = new Judgement(options)
  judgement.visit(tree, value, options.old ?? undefined, undefined)
  return judgement.errors
}

/** A value and what it was before, the nearest around something that has no counterpart. */
interface Correlated {
  schema: JsonSchema
  value: unknown
  old: unknown
}

class Judgement {
  readonly errors: FieldError[] = []
  readonly #path: Path
  readonly #onKept: JudgeOptions['onKept']
  readonly #watch: Stopwatch
  readonly #comparison = new Comparison()
  #remaining = objectCostLimit
  #isOver = false
  #kept = 0

  constructor({ path, onKept, clock }: JudgeOptions) {
    this.#path = path ?? new Path()
    this.#watch = new Stopwatch(clock)
    this.#onKept = onKept
  }

  visit(node: RuleNode, value: unknown, old: unknown, around: Correlated | undefined): void {
    if (value === null || value === undefined || this.#isOver || this.errors.length >= maxFaults) return
    if (node.rules.length > 0) this.#evaluate(node, value, old, around)
    if (this.#isOver) return
    const near = old === undefined ? around : { schema: node.schema, value, old }
    if (Array.isArray(value)) this.#items(node, value, old, near)
    else if (isObject(value)) this.#fields(node, value, isObject(old) ? old : undefined, near)
  }

  #items({ schema, items }: RuleNode, list: readonly unknown[], old: unknown, around: Correlated | undefined): void {
    if (!items) return
    const keys = Array.isArray(old) ? keysOf(schema) : undefined
    const before = keys && new ItemsByKey(keys, old as unknown[])
    for (let at = 0; at < list.length; at++) {
      this.#path.push(at)
      this.visit(items, list[at], before?.counterpart(list[at]) ?? undefined, around)
      this.#path.pop()
    }
  }

  #fields(
    { properties, values }: RuleNode,
    object: JsonObject,
    old: JsonObject | undefined,
    around: Correlated | undefined,
  ): void {
    if (values) {
      for (const key of Object.keys(object)) {
        this.#path.push({ key })
        this.visit(values, object[key], valueIn(old, key), around)
        this.#path.pop()
      }
    }
    for (const [name, node] of properties) {
      const value = own(object, name)
      if (value === undefined) continue
      this.#path.push(name)
      this.visit(node, value, valueIn(old, name), around)
      this.#path.pop()
    }
  }

  #evaluate(node: RuleNode, value: unknown, old: unknown, around: Correlated | undefined): void {
    const at = { schema: node.schema, value, old }
    const bindings = old === undefined ? { self: value } : { self: value, oldSelf: old }
    for (const compiled of node.rules) {
      const { rule, program, fault, isTransition } = compiled
      if (this.#remaining <= 0) this.#outOfBudget(node)
      if (this.#isOver) return
      if (fault) this.#fault(node, `rule compile error: ${fault}`)
      if (!program) continue
      const isOptional = rule.optionalOldSelf === true
      if (isTransition && old === undefined && !isOptional) continue
      const given = isOptional ? { self: value, oldSelf: optionalOf(old) } : bindings
      const holds = this.#call(node, compiled, program, given)
      if (holds === false) this.#breach(at, compiled, given, around)
    }
  }

  /** Whether the rule holds; undefined when that could not be found out, which is told. */
  #call(node: RuleNode, { rule }: CompiledRule, program: Program, bindings: JsonObject): boolean | undefined {
    const budget = this.#budget()
    let failure: EvaluationError | undefined
    let holds: unknown
    try {
      holds = program.evaluate(bindings, budget)
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error
      failure = error
    }
    if (budget.cost > this.#remaining) {
      this.#outOfBudget(node)
      return undefined
    }
    this.#remaining -= budget.cost
    if (!failure) return holds === true
    this.#fault(node, failureDetail(failure, rule))
    if (failure.isInterrupted) this.#isOver = true
    return undefined
  }

  #budget(): Budget {
    const watch = this.#watch
    return new Budget({ limit: callCostLimit, deadlineMs: watch.now() + callTimeMs, now: watch.now })
  }

  /** A rule does not hold. */
  #breach(at: Correlated, compiled: CompiledRule, bindings: JsonObject, around: Correlated | undefined): void {
    const { rule, fieldPath, isTransition } = compiled
    const path = this.#path.toString()
    const field = fieldPath ? (path ? `${path}.${fieldPath}` : fieldPath) : path || '<nil>'
    const message = this.#message(compiled, bindings)
    const error =
      typeof message === 'string'
        ? breachError(field, at, message || detailOf(rule), rule.reason)
        : invalid(field, at.schema.type ?? '', message.fatal)
    if (!this.#onKept || isTransition || !this.#isOld(at, around)) this.errors.push(error)
    else if (this.#kept++ < maxKept) this.#onKept(error)
  }

  /** What `messageExpression` says; empty when it says nothing of use. What exceeds the limits ends the judgement. */
  #message({ rule, messageProgram }: CompiledRule, bindings: JsonObject): string | { fatal: string } {
    if (!messageProgram) return ''
    const budget = this.#budget()
    let message = ''
    let isInterrupted = false
    try {
      message = usable(messageProgram.evaluate(bindings, budget))
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error
      ;({ isInterrupted } = error)
    }
    if (budget.cost > this.#remaining) {
      this.#isOver = true
      return {
        fatal:
          'messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run',
      }
    }
    this.#remaining -= budget.cost
    if (!isInterrupted) return message
    this.#isOver = true
    return {
      fatal: `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${JSON.stringify(rule.messageExpression)}`,
    }
  }

  /** Whether what a rule says of was so before: the value itself, or what is around it when it has no counterpart. */
  #isOld(at: Correlated, around: Correlated | undefined): boolean {
    const path = this.#path.toString()
    // The version a client wrote in is not what the object was stored in.
    if (path === 'apiVersion' || path === 'kind') return false
    const judged = at.old === undefined ? around : at
    return judged !== undefined && this.#comparison.isUnchanged(judged.schema, judged.value, judged.old)
  }

  #fault({ schema }: RuleNode, detail: string): void {
    this.errors.push(invalid(this.#path.toString() || '<nil>', schema.type ?? '', detail))
  }

  #outOfBudget(node: RuleNode): void {
    this.#fault(node, 'validation failed due to running out of cost budget, no further validation rules will be run')
    this.#isOver = true
  }
}

/** What was there before; a null was nothing that a rule could be asked about. */
const valueIn = (old: JsonObject | undefined, name: string) => (old ? (own(old, name) ?? undefined) : undefined)

const optionalOf = (old: unknown) => (old === undefined ? Optional.none : new Optional(old))

const ruleText = ({ rule, message = '' }: CompiledRule['rule']) => (message || rule).trim()

const detailOf = (rule: CompiledRule['rule']) => (rule.message ? rule.message.trim() : `failed rule: ${ruleText(rule)}`)

function failureDetail({ message, isInterrupted }: EvaluationError, rule: CompiledRule['rule']): string {
  if (message.startsWith('no such overload')) {
    return `'${message}': call arguments did not match a supported operator, function or macro signature for rule: ${ruleText(rule)}`
  }
  if (!isInterrupted) return `${message} evaluating rule: ${ruleText(rule)}`
  return `'${message}': no further validation rules will be run due to call cost exceeds limit for rule: ${ruleText(rule)}`
}

/** One line that says something, and not too much. */
function usable(message: unknown): string {
  const text = String(message).trim()
  return text.includes('\n') || Buffer.byteLength(text) > maxMessageBytes ? '' : text
}

/** Objects and lists are not shown. */
function breachError(
  field: string,
  { schema, value }: Correlated,
  detail: string,
  reason: string | undefined,
): FieldError {
  const shown = schema.type === 'object' || schema.type === 'array' ? '' : `: ${quoteValue(value)}`
  switch (reason) {
    case 'FieldValueForbidden':
      return forbidden(field, detail)
    case 'FieldValueRequired':
      return required(field, detail)
    case 'FieldValueDuplicate':
      return { reason, field, message: `Duplicate value${shown}` }
  }
  return { reason: 'FieldValueInvalid', field, message: `Invalid value${shown}: ${detail}` }
}
