/**
 * Whether the rules of a CustomResourceDefinition's schema can be evaluated, and at what cost at most.
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#resource-use-by-validation-functions
 */
import { type FieldError, forbidden, invalid, notSupported, required } from '#apis/meta/v1/field-error.ts'
import type { JsonSchema, ValidationRule } from '#core/registry/resource.ts'
import { equalJson } from '../json.ts'
import { Path } from '../path.ts'
import { at, keyed } from '../schema-places.ts'
import { CostTally, costError, maxCost, multiply, ruleCostLimit } from './cost.ts'
import { maxRequestBytes } from './declare.ts'
import { FieldPathError, normalizeFieldPath } from './field-path.ts'
import { judge } from './judge.ts'
import type { CompiledRule } from './rule.ts'
import { type RuleNode, ruleTree } from './rule-tree.ts'

/**
 * @param schema structural, of a whole custom resource
 * @param path where it is: `spec.versions[0].schema.openAPIV3Schema`
 * @param oldSchema of the same version before an update: what was accepted once stays so
 * @returns all faults of its rules, and of its defaults by its rules
 */
export function checkRules(schema: JsonSchema, path = '', oldSchema?: JsonSchema): FieldError[] {
  const tree = ruleTree(schema, true)
  if (!tree || (oldSchema && equalJson(schema, oldSchema))) return []
  const check = new Check()
  check.visit(tree, { path, count: 1, uncorrelated: undefined })
  const errors = [...check.wordingErrors, ...check.errors, ...check.tally.errors(path)]
  return errors.length > 0 ? errors : defaultBreaches(schema, path)
}

/** Where a schema stands. */
interface Place {
  path: string
  /** How many values of it an object may have; undefined when nothing bounds that. */
  count: number | undefined
  /** The list, if any, in which values have no counterparts from before an update. */
  uncorrelated: string | undefined
}

class Check {
  /** Of how rules are written. */
  readonly wordingErrors: FieldError[] = []
  /** Of what they say. */
  readonly errors: FieldError[] = []
  readonly tally = new CostTally()

  /** The rules of a schema are compiled when all rules in it are written as rules are. */
  visit(node: RuleNode, place: Place): void {
    const before = this.wordingErrors.length
    this.#children(node, place)
    const rules = node.schema['x-kubernetes-validations'] ?? []
    rules.forEach((rule, index) => {
      const rulePath = keyed(place.path, 'x-kubernetes-validations', index)
      this.wordingErrors.push(...wordingErrors(rule, rulePath, node.schema))
    })
    if (rules.length > 0 && this.wordingErrors.length === before) this.#meaning(node, place)
  }

  #children({ schema, properties, values, items }: RuleNode, place: Place): void {
    const { path } = place
    const count = multiplied(place.count, mostWithin(schema))
    if (values) this.visit(values, { ...place, count, path: at(path, 'additionalProperties') })
    for (const [name, child] of properties) {
      this.visit(child, { ...place, count, path: keyed(path, 'properties', name) })
    }
    if (!items) return
    const isCorrelated = schema['x-kubernetes-list-type'] === 'map'
    const uncorrelated = place.uncorrelated ?? (isCorrelated ? undefined : path)
    this.visit(items, { count, uncorrelated, path: at(path, 'items') })
  }

  #meaning(node: RuleNode, place: Place): void {
    const { declared } = node
    const path = at(place.path, 'x-kubernetes-validations')
    if (!declared) {
      const detail =
        'internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations'
      this.errors.push({ reason: 'InternalError', field: path, message: `Internal error: ${detail}` })
      return
    }
    const count = place.count ?? Math.trunc(maxRequestBytes / (declared.minBytes + 1))
    node.rules.forEach((compiled, index) => {
      this.#rule(compiled, `${path}[${index}]`, count, place.uncorrelated)
    })
  }

  #rule(compiled: CompiledRule, path: string, count: number, uncorrelated: string | undefined): void {
    const { rule, program, fault, messageFault, messageProgram } = compiled
    if (program) this.#cost(`${path}.rule`, multiply(maxCost(program), count), 'estimated rule cost')
    if (fault) this.errors.push(invalid(`${path}.rule`, shown(rule), fault))
    if (messageFault) this.errors.push(invalid(`${path}.messageExpression`, shown(rule), messageFault))
    if (messageProgram) {
      this.#cost(`${path}.messageExpression`, maxCost(messageProgram), 'estimated messageExpression cost')
    }
    if (!compiled.isTransition) {
      if (rule.optionalOldSelf !== undefined) {
        const detail = 'may not be set if oldSelf is not used in rule'
        this.errors.push(invalid(`${path}.optionalOldSelf`, rule.optionalOldSelf, detail))
      }
    } else if (uncorrelated !== undefined) {
      const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated}`
      this.errors.push(invalid(`${path}.rule`, rule.rule, detail))
    }
  }

  #cost(path: string, cost: number, name: string): void {
    if (cost > ruleCostLimit) this.errors.push(forbidden(path, costError(name, cost, ruleCostLimit)))
    this.tally.add(path, cost)
  }
}

/** How many values a value of the schema may hold in place of one; undefined when nothing bounds that. */
function mostWithin({ type, additionalProperties, maxProperties, maxItems }: JsonSchema): number | undefined {
  if (type === 'array') return maxItems === undefined ? undefined : Math.max(0, maxItems)
  if (type !== 'object' || additionalProperties === undefined) return 1
  return maxProperties === undefined ? undefined : Math.max(0, maxProperties)
}

const multiplied = (count: number | undefined, most: number | undefined) =>
  count === undefined || most === undefined ? undefined : multiply(count, most)

const reasons = ['FieldValueRequired', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueDuplicate']
const hasLineBreak = (text: string) => /[\n\r]/.test(text)

function wordingErrors(written: ValidationRule, path: string, schema: JsonSchema): FieldError[] {
  const { rule, message = '', messageExpression = '', reason, fieldPath = '' } = written
  const errors: FieldError[] = []
  if (!rule?.trim()) errors.push(required(`${path}.rule`, 'rule is not specified'))
  else if (message && !message.trim()) {
    errors.push(invalid(`${path}.message`, message, 'must be non-empty if specified'))
  } else if (hasLineBreak(message.trim())) {
    errors.push(invalid(`${path}.message`, message, 'must not contain line breaks'))
  } else if (hasLineBreak(rule.trim()) && !message.trim()) {
    errors.push(required(`${path}.message`, 'message must be specified if rule contains line breaks'))
  }
  if (messageExpression && !messageExpression.trim()) {
    errors.push(required(`${path}.messageExpression`, 'messageExpression must be non-empty if specified'))
  }
  if (reason !== undefined && !reasons.includes(reason)) errors.push(notSupported(`${path}.reason`, reason, reasons))
  return [...errors, ...fieldPathErrors(fieldPath, `${path}.fieldPath`, schema)]
}

function fieldPathErrors(fieldPath: string, path: string, schema: JsonSchema): FieldError[] {
  if (!fieldPath) return []
  const errors: FieldError[] = []
  if (!fieldPath.trim()) errors.push(invalid(path, fieldPath, 'must be non-empty if specified'))
  if (hasLineBreak(fieldPath)) errors.push(invalid(path, fieldPath, 'must not contain line breaks'))
  try {
    normalizeFieldPath(fieldPath, schema)
  } catch (error) {
    if (!(error instanceof FieldPathError)) throw error
    errors.push(invalid(path, fieldPath, 'must be a valid path'))
  }
  return errors
}

/** A rule as Kubernetes shows it in errors. */
function shown({ rule, message, messageExpression, reason, fieldPath, optionalOldSelf }: ValidationRule): object {
  return {
    Rule: rule,
    Message: message ?? '',
    MessageExpression: messageExpression ?? '',
    Reason: reason ?? null,
    FieldPath: fieldPath ?? '',
    OptionalOldSelf: optionalOldSelf ?? null,
  }
}

/** A default must hold by the rules, too, both when it is new and when it was there before. */
function defaultBreaches(schema: JsonSchema, path: string): FieldError[] {
  const tree = ruleTree(schema, schema['x-kubernetes-embedded-resource'] === true)
  if (!tree) return []
  const children = tree.properties.flatMap(([name, node]) =>
    defaultBreaches(node.schema, keyed(path, 'properties', name)),
  )
  const items = tree.items ? defaultBreaches(tree.items.schema, at(path, 'items')) : []
  const value = schema.default
  if (value === undefined || value === null) return [...items, ...children]
  const options = () => ({ path: new Path(at(path, 'default')) })
  const breaches = judge(tree, value, { ...options(), old: value })
  const own = breaches.length > 0 ? breaches : judge(tree, value, options())
  return [...own, ...items, ...children]
}
