import { each, faults, keyOf } from '../../meta/v1/field-checks.ts'
import { duplicate, type FieldError, forbidden, invalid, required } from '../../meta/v1/field-error.ts'
import { labelKeyFaults } from '../../meta/v1/names.ts'
import { ageColumn, column, createdColumn, nameColumn, printer } from '../../meta/v1/printing.ts'
import { canonicalQuantity, compareQuantities, parseQuantity } from '../../meta/v1/quantity.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import type { Quantity } from '../../meta/v1/zz_generated.types.ts'
import { isBoundToScopes, isOfContainers, isOfQuotas, isOvercommitAllowed } from './resource-names.ts'
import { amountOf, quantityErrors, resourceNameErrors } from './validate-resources.ts'
import type {
  LimitRange,
  LimitRangeItem,
  ResourceQuota,
  ResourceQuotaSpec,
  ScopedResourceSelectorRequirement,
} from './zz_generated.types.ts'

type Amounts = Readonly<Record<string, Quantity>>

export const resourceQuotaRules: Rules<ResourceQuota> = {
  returnsDeleted: true,
  prepareCreate(quota) {
    quota.status = {}
    delete quota.metadata.generation
  },
  validate: ({ spec, status }) => [
    ...quotaAmountErrors('spec.hard', spec?.hard),
    ...scopeErrors('spec', spec ?? {}),
    ...quotaAmountErrors('status.hard', status?.hard),
    ...quotaAmountErrors('status.used', status?.used),
  ],
  validateUpdate: ({ spec }, { spec: old }) =>
    sameScopes(spec?.scopes, old?.scopes) ? [] : [invalid('spec.scopes', spec?.scopes, 'field is immutable')],
  changesGeneration: () => false,
  print: printer<ResourceQuota>(
    nameColumn,
    column('Request', (quota) => usageText(quota, (name) => !name.startsWith('limits'))),
    column('Limit', (quota) => usageText(quota, (name) => name.startsWith('limits'))),
    ageColumn,
  ),
}

export const limitRangeRules: Rules<LimitRange> = {
  print: printer<LimitRange>(nameColumn, createdColumn),
  default({ spec }) {
    for (const item of spec?.limits ?? []) if (item.type === 'Container') defaultLimits(item)
  },
  validate({ spec }) {
    const types = new Set<string>()
    return each('spec.limits', spec?.limits, (at, item) => {
      const repeated = types.has(item.type) ? [duplicate(`${at}.type`, item.type)] : []
      types.add(item.type)
      return [...typeErrors(`${at}.type`, item.type), ...repeated, ...limitErrors(at, item)]
    })
  },
}

function quotaAmountErrors(field: string, amounts: Amounts | undefined): FieldError[] {
  return Object.entries(amounts ?? {}).flatMap(([name, quantity]) => {
    const at = keyOf(field, name)
    const errors = resourceNameErrors(at, name)
    if (!name.includes('/') && !isOfQuotas(name))
      errors.push(invalid(at, name, 'must be a standard resource for quota'))
    return [...errors, ...quantityErrors(at, name, quantity)]
  })
}

const contraries = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const

const ofPods = new Set(['pods', ...['', 'requests.', 'limits.'].flatMap((of) => [`${of}cpu`, `${of}memory`])])
/** By scope, the resources that a quota with it may limit. */
const scopeResources: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['Terminating', ofPods],
  ['NotTerminating', ofPods],
  ['BestEffort', new Set(['pods'])],
  ['NotBestEffort', ofPods],
  ['PriorityClass', ofPods],
  ['CrossNamespacePodAffinity', ofPods],
  ['VolumeAttributesClass', new Set(['persistentvolumeclaims', 'requests.storage'])],
])

function scopeErrors(field: string, { hard, scopes = [], scopeSelector }: ResourceQuotaSpec): FieldError[] {
  const limited = Object.keys(hard ?? {})
    .filter(isBoundToScopes)
    .sort()
  const expressions = scopeSelector?.matchExpressions ?? []
  const at = `${field}.scopeSelector.matchExpressions`
  return [
    ...scopes.flatMap((scope) => unfitErrors(`${field}.scopes`, scopes, scope, limited)),
    ...contraryErrors(`${field}.scopes`, scopes, scopes),
    ...expressions.flatMap((expression) => [
      ...unfitErrors(at, scopeSelector, expression.scopeName, limited),
      ...scopeExpressionErrors(at, expression),
    ]),
    ...contraryErrors(
      at,
      scopes,
      expressions.map(({ scopeName }) => scopeName),
    ),
  ]
}

function unfitErrors(field: string, value: unknown, scope: string, limited: readonly string[]): FieldError[] {
  const fit = scopeResources.get(scope)
  return limited
    .filter((name) => fit && !fit.has(name))
    .map(() => invalid(field, value, 'unsupported scope applied to resource'))
}

function contraryErrors(field: string, value: unknown, scopes: readonly string[]): FieldError[] {
  return contraries
    .filter((pair) => pair.every((scope) => scopes.includes(scope)))
    .map(() => invalid(field, value, 'conflicting scopes'))
}

function scopeExpressionErrors(
  field: string,
  { scopeName, operator, values }: ScopedResourceSelectorRequirement,
): FieldError[] {
  const errors: FieldError[] = []
  if (scopeName !== 'PriorityClass' && scopeName !== 'VolumeAttributesClass' && operator !== 'Exists') {
    const detail =
      "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
    errors.push(invalid(`${field}.operator`, operator, detail))
  }
  const takesValues = operator === 'In' || operator === 'NotIn'
  if (takesValues && !values?.length) {
    const detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
    errors.push(required(`${field}.values`, detail))
  }
  if (!takesValues && values?.length) {
    const detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
    errors.push(invalid(`${field}.values`, values, detail))
  }
  return errors
}

const sameScopes = (a: readonly string[] = [], b: readonly string[] = []) =>
  [...a].sort().join() === [...b].sort().join()

function usageText({ status }: ResourceQuota, isShown: (name: string) => boolean): string {
  const names = Object.keys(status?.hard ?? {})
    .filter(isShown)
    .sort()
  return names.map((name) => `${name}: ${status?.used?.[name] ?? 0}/${status?.hard?.[name]}`).join(', ')
}

/** The greatest is the default limit, the default limit the default request, and else the least is. */
function defaultLimits(item: LimitRangeItem): void {
  item.default = { ...item.max, ...item.default }
  item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest }
}

function typeErrors(field: string, type: string | undefined): FieldError[] {
  if (type === undefined) return []
  const errors = faults(field, type, labelKeyFaults)
  if (errors.length > 0 || type.includes('/')) return errors
  if (['Pod', 'Container', 'PersistentVolumeClaim'].includes(type)) return []
  return [invalid(field, type, 'must be a standard limit type or fully qualified')]
}

const amountFields = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const

function limitErrors(field: string, item: LimitRangeItem): FieldError[] {
  const isPod = item.type === 'Pod'
  const errors = amountFields.flatMap((name) => {
    const amounts = item[name] ?? {}
    if (isPod && name.startsWith('default')) {
      if (Object.keys(amounts).length === 0) return []
      return [forbidden(`${field}.${name}`, "may not be specified when `type` is 'Pod'")]
    }
    return Object.keys(amounts).flatMap((resource) =>
      limitNameErrors(`${field}.${name}[${resource}]`, resource, item.type),
    )
  })
  if (item.type === 'PersistentVolumeClaim' && !item.min?.storage && !item.max?.storage) {
    const detail = 'either minimum or maximum storage value is required, but neither was provided'
    errors.push(required(`${field}.limits`, detail))
  }
  const resources = new Set(amountFields.flatMap((name) => Object.keys(item[name] ?? {})))
  return [...errors, ...[...resources].flatMap((resource) => orderErrors(field, resource, item))]
}

function limitNameErrors(field: string, resource: string, type: string): FieldError[] {
  const errors = resourceNameErrors(field, resource)
  const ofContainers = type === 'Pod' || type === 'Container'
  if (ofContainers && !resource.includes('/') && !isOfContainers(resource)) {
    errors.push(invalid(field, resource, 'must be a standard resource for containers'))
  }
  return errors
}

/** Least, default request, default limit and greatest come in this order. */
function orderErrors(field: string, resource: string, item: LimitRangeItem): FieldError[] {
  const amount = (name: (typeof amountFields)[number]) => {
    const quantity = item[name]?.[resource]
    return quantity === undefined || !amountOf(quantity) ? undefined : canonicalQuantity(quantity)
  }
  const { min, max, limit, request, ratio } = {
    min: amount('min'),
    max: amount('max'),
    limit: amount('default'),
    request: amount('defaultRequest'),
    ratio: amount('maxLimitRequestRatio'),
  }
  const at = (name: string) => `${field}.${name}[${resource}]`
  const errors: FieldError[] = []
  if (isMore(min, max)) errors.push(invalid(at('min'), min, `min value ${min} is greater than max value ${max}`))
  if (isMore(min, request)) {
    errors.push(
      invalid(at('defaultRequest'), request, `min value ${min} is greater than default request value ${request}`),
    )
  }
  if (isMore(request, max)) {
    errors.push(
      invalid(at('defaultRequest'), request, `default request value ${request} is greater than max value ${max}`),
    )
  }
  if (isMore(request, limit)) {
    const detail = `default request value ${request} is greater than default limit value ${limit}`
    errors.push(invalid(at('defaultRequest'), request, detail))
  }
  if (isMore(min, limit))
    errors.push(invalid(at('default'), min, `min value ${min} is greater than default value ${limit}`))
  if (isMore(limit, max))
    errors.push(invalid(at('default'), max, `default value ${limit} is greater than max value ${max}`))
  if (isMore('1', ratio)) errors.push(invalid(at('maxLimitRequestRatio'), ratio, `ratio ${ratio} is less than 1`))
  if (!isOvercommitAllowed(resource) && limit !== undefined && request !== undefined && isDifferent(limit, request)) {
    const detail = `default value ${limit} must equal to defaultRequest value ${request} in ${resource}`
    errors.push(invalid(at('defaultRequest'), request, detail))
  }
  return errors
}

function isMore(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && compareQuantities(parseQuantity(a), parseQuantity(b)) > 0
}

const isDifferent = (a: string, b: string) => isMore(a, b) || isMore(b, a)
