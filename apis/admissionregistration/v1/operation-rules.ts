import { each, present } from '../../meta/v1/field-checks.ts'
import { type FieldError, invalid, notSupported, required } from '../../meta/v1/field-error.ts'
import type { RuleWithOperations } from './zz_generated.types.ts'

const scopes = ['*', 'Cluster', 'Namespaced']

/** What webhooks and policies say about the operations and resources they are for. */
export interface OperationRule extends Omit<RuleWithOperations, 'operations'> {
  operations?: readonly string[]
}

export function operationRuleErrors(field: string, rule: OperationRule): FieldError[] {
  return [
    ...listErrors(`${field}.operations`, rule.operations, 'operations'),
    ...listErrors(`${field}.apiGroups`, rule.apiGroups, 'API groups'),
    ...listErrors(`${field}.apiVersions`, rule.apiVersions, 'API versions'),
    ...each(`${field}.apiVersions`, rule.apiVersions, (at, one) => (one === '' ? [required(at)] : [])),
    ...present(`${field}.resources`, rule.resources),
    ...resourceErrors(`${field}.resources`, rule.resources ?? []),
    ...unsupported(`${field}.scope`, rule.scope, scopes),
  ]
}

/** A star says all there is to say. */
function listErrors(field: string, list: readonly string[] | undefined, what: string): FieldError[] {
  const isCrowded = list !== undefined && list.length > 1 && list.includes('*')
  return [
    ...present(field, list),
    ...(isCrowded ? [invalid(field, list, `if '*' is present, must not specify other ${what}`)] : []),
  ]
}

export function unsupported(field: string, value: string | undefined, supported: readonly string[]): FieldError[] {
  return value === undefined || supported.includes(value) ? [] : [notSupported(field, value, supported)]
}

function resourceErrors(field: string, resources: readonly string[]): FieldError[] {
  const errors = each(field, resources, (at, one, index) => coveredErrors(at, one, resources.slice(0, index)))
  if (resources.length > 1 && resources.includes('*/*')) {
    errors.push(invalid(field, resources, "if '*/*' is present, must not specify other resources"))
  }
  if (resources.includes('*') && resources.some((one) => one !== '*' && one !== '' && !one.includes('/'))) {
    errors.push(invalid(field, resources, "if '*' is present, must not specify other resources without subresources"))
  }
  return errors
}

/** What a pattern before it covers already. */
function coveredErrors(field: string, resource: string, before: readonly string[]): FieldError[] {
  if (resource === '') return [required(field)]
  const slash = resource.indexOf('/')
  if (slash < 0) return []
  const covering = [`${resource.slice(0, slash)}/*`, `*/${resource.slice(slash + 1)}`]
  return covering
    .filter((pattern) => before.includes(pattern))
    .map((pattern) => invalid(field, resource, `if '${pattern}' is present, must not specify ${resource}`))
}
