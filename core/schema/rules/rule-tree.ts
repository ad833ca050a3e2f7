/** Where in a schema there are rules: what has none within is not part of the tree, and so no object is searched for it. */
import type { JsonSchema } from '#core/registry/resource.ts'
import { isObject } from '../json.ts'
import { type Declared, declare } from './declare.ts'
import { compiledOnce } from './kept-rules.ts'
import { type CompiledRule, compileRules } from './rule.ts'

/** @returns undefined when there is no rule in the schema */
export function ruleTree(schema: JsonSchema, isResource: boolean): RuleNode | undefined {
  const properties: [name: string, node: RuleNode][] = []
  for (const name in schema.properties) {
    const node = childTree(schema.properties[name]!)
    if (node) properties.push([name, node])
  }
  const { additionalProperties, items } = schema
  const values = isObject(additionalProperties) ? childTree(additionalProperties) : undefined
  const children = { properties, values, items: items && childTree(items) }
  const isEmpty = properties.length === 0 && !values && !children.items && rulesOf(schema).length === 0
  return isEmpty ? undefined : new RuleNode(schema, isResource, children)
}

const childTree = (schema: JsonSchema) => ruleTree(schema, schema['x-kubernetes-embedded-resource'] === true)

const rulesOf = (schema: JsonSchema) => schema['x-kubernetes-validations'] ?? []

interface RuleChildren {
  properties: readonly (readonly [name: string, node: RuleNode])[]
  values: RuleNode | undefined
  items: RuleNode | undefined
}

export class RuleNode {
  readonly schema: JsonSchema
  readonly isResource: boolean
  readonly properties: readonly (readonly [name: string, node: RuleNode])[]
  readonly values: RuleNode | undefined
  readonly items: RuleNode | undefined
  #parent: RuleNode | undefined
  /** Of a property, what it is called. */
  #name: string | undefined
  #declared: Declared | undefined
  #rules: readonly CompiledRule[] | undefined

  constructor(schema: JsonSchema, isResource: boolean, { properties, values, items }: RuleChildren) {
    this.schema = schema
    this.isResource = isResource
    this.properties = properties
    this.values = values
    this.items = items
    for (const [name, node] of properties) node.#join(this, name)
    if (values) values.#join(this)
    if (items) items.#join(this)
  }

  #join(parent: RuleNode, name?: string): void {
    this.#parent = parent
    this.#name = name
  }

  /** Compiled when they are asked for. None where values are of no type that rules can see. */
  get rules(): readonly CompiledRule[] {
    this.#rules ??= this.#compile()
    return this.#rules
  }

  #compile(): readonly CompiledRule[] {
    const { schema } = this
    if (rulesOf(schema).length === 0) return []
    const isMetadata = this.#name === 'metadata' && this.#parent?.isResource
    return compiledOnce(schema, this.isResource ? 'resource' : isMetadata ? 'metadata' : 'value', () => {
      const type = this.declared?.type
      return type ? compileRules(schema, type) : []
    })
  }

  /** What rules here, or around here, know of the values; undefined where they can see nothing. */
  get declared(): Declared | undefined {
    this.#declared ??= this.#isWithinRules() ? this.#declaredAround() : declare(this.schema, this.isResource)
    return this.#declared
  }

  #isWithinRules(): boolean {
    for (let at = this.#parent; at; at = at.#parent) if (rulesOf(at.schema).length > 0) return true
    return false
  }

  #declaredAround(): Declared | undefined {
    const around = this.#parent?.declared
    return this.#name === undefined ? around?.element : around?.fields?.get(this.#name)
  }
}
