/** One rule of `x-kubernetes-validations`, compiled for the values of a schema. */
import { CompileError, compile, type Environment, type Program, types } from '#core/cel/cel.ts'
import { strictEnvironment } from '#core/cel/library/kubernetes.ts'
import type { JsonSchema, ValidationRule } from '#core/registry/resource.ts'
import { FieldPathError, normalizeFieldPath } from './field-path.ts'

export interface CompiledRule {
  readonly rule: ValidationRule
  /** Absent when the rule does not compile, or says nothing. */
  readonly program: Program | undefined
  /** Why it does not compile; empty when it does. */
  readonly fault: string
  readonly messageProgram: Program | undefined
  readonly messageFault: string
  /** Whether it judges a change, and so only where there is a value from before. */
  readonly isTransition: boolean
  /** Where its faults are told to be, from where it stands; empty for there. */
  readonly fieldPath: string
}

/** @param type of the values of the schema */
export function compileRules(schema: JsonSchema, type: types.Type): CompiledRule[] {
  const environments = new Environments(type)
  return (schema['x-kubernetes-validations'] ?? []).map((rule) =>
    compileRule(rule, schema, environments.of(rule.optionalOldSelf === true)),
  )
}

/** What rules may refer to: `self`, and `oldSelf`, which is there always or optional. Made when it is needed. */
class Environments {
  readonly #self: types.Type
  readonly #made = new Map<boolean, Environment>()

  constructor(self: types.Type) {
    this.#self = self
  }

  of(isOptional: boolean): Environment {
    const known = this.#made.get(isOptional)
    if (known) return known
    const self = this.#self
    const variables = { self, oldSelf: isOptional ? types.optional(self) : self }
    const made = strictEnvironment.extend({ variables })
    this.#made.set(isOptional, made)
    return made
  }
}

function compileRule(rule: ValidationRule, schema: JsonSchema, environment: Environment): CompiledRule {
  const { program, fault } = attempt(rule.rule, environment, 'bool', rulePhrases)
  const message = program && rule.messageExpression ? rule.messageExpression : ''
  const { program: messageProgram, fault: messageFault } = attempt(message, environment, 'string', messagePhrases)
  const isTransition = program?.variables.has('oldSelf') === true
  return { rule, program, fault, messageProgram, messageFault, isTransition, fieldPath: fieldPathOf(rule, schema) }
}

const rulePhrases = { failed: 'compilation failed', mistyped: 'cel expression must evaluate to a bool' }
const messagePhrases = {
  failed: 'messageExpression compilation failed',
  mistyped: 'messageExpression must evaluate to a string',
}

function attempt(
  text: string,
  environment: Environment,
  kind: types.TypeKind,
  phrases: typeof rulePhrases,
): { program: Program | undefined; fault: string } {
  if (text.trim() === '') return { program: undefined, fault: '' }
  try {
    const program = compile(text, environment)
    return program.type.kind === kind ? { program, fault: '' } : { program: undefined, fault: phrases.mistyped }
  } catch (error) {
    if (error instanceof CompileError) return { program: undefined, fault: `${phrases.failed}: ${error.message}` }
    throw error
  }
}

/** One that leads nowhere was refused with the definition; faults are then told where the rule stands. */
function fieldPathOf({ fieldPath }: ValidationRule, schema: JsonSchema): string {
  try {
    return fieldPath ? normalizeFieldPath(fieldPath, schema) : ''
  } catch (error) {
    if (error instanceof FieldPathError) return ''
    throw error
  }
}
