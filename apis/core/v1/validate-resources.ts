import { each, keyOf, named } from '../../meta/v1/field-checks.ts'
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notFound,
  notSupported,
  required,
} from '../../meta/v1/field-error.ts'
import { labelKeyFaults } from '../../meta/v1/names.ts'
import {
  type Quantity as Amount,
  canonicalQuantity,
  compareQuantities,
  parseQuantity,
  QuantityError,
} from '../../meta/v1/quantity.ts'
import type { Quantity } from '../../meta/v1/zz_generated.types.ts'
import {
  isExtended,
  isHugePages,
  isInteger,
  isNative,
  isOfContainers,
  isOvercommitAllowed,
  isStandard,
} from './resource-names.ts'
import type { ResourceClaim, ResourceRequirements } from './zz_generated.types.ts'

type Resources = Readonly<Record<string, Quantity>>

/** @returns undefined for what is no quantity: the decoder lets some pass */
export function amountOf(quantity: Quantity | undefined): Amount | undefined {
  if (quantity === undefined) return undefined
  try {
    return parseQuantity(quantity)
  } catch (error) {
    if (error instanceof QuantityError) return undefined
    throw error
  }
}

/** Errors of what a container requests and may use. @param claims names of the pod's resource claims */
export function resourceErrors(
  field: string,
  resources: ResourceRequirements | undefined,
  claims: ReadonlySet<string> = new Set(),
): FieldError[] {
  if (!resources) return []
  const { limits = {}, requests = {} } = resources
  return [
    ...entryErrors(`${field}.limits`, limits),
    ...Object.keys(requests).flatMap((name) => [
      ...entryErrors(`${field}.requests`, { [name]: requests[name]! }),
      ...requestErrors(field, name, requests[name]!, limits),
    ]),
    ...hugePagesErrors(field, [...Object.keys(limits), ...Object.keys(requests)]),
    ...claimErrors(`${field}.claims`, resources.claims, claims),
  ]
}

function entryErrors(field: string, resources: Resources): FieldError[] {
  return Object.entries(resources).flatMap(([name, quantity]) => [
    ...containerResourceNameErrors(keyOf(field, name), name),
    ...quantityErrors(keyOf(field, name), name, quantity),
    ...divisibleErrors(keyOf(field, name), name, quantity),
  ])
}

/** Errors of a resource's name, whoever has it. */
export function resourceNameErrors(field: string, name: string): FieldError[] {
  const errors = labelKeyFaults(name).map((fault) => invalid(field, name, fault))
  if (errors.length > 0 || name.includes('/') || isStandard(name)) return errors
  return [invalid(field, name, 'must be a standard resource type or fully qualified')]
}

function containerResourceNameErrors(field: string, name: string): FieldError[] {
  const errors = resourceNameErrors(field, name)
  if (!name.includes('/')) {
    if (!isOfContainers(name)) errors.push(invalid(field, name, 'must be a standard resource for containers'))
  } else if (!isNative(name) && !isExtended(name)) {
    errors.push(invalid(field, name, "doesn't follow extended resource name standard"))
  }
  return errors
}

const quantityFault = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

/** Errors of an amount of a resource: none at all, negative, or a fraction of what is counted. */
export function quantityErrors(field: string, name: string, quantity: Quantity): FieldError[] {
  const amount = amountOf(quantity)
  if (!amount) return [invalid(field, quantity, quantityFault)]
  const errors: FieldError[] = []
  if (amount.nano < 0n) errors.push(invalid(field, canonicalQuantity(quantity), 'must be greater than or equal to 0'))
  if (isInteger(name) && amount.nano % 1_000_000_000n !== 0n) {
    errors.push(invalid(field, canonicalQuantity(quantity), 'must be an integer'))
  }
  return errors
}

function divisibleErrors(field: string, name: string, quantity: Quantity): FieldError[] {
  const amount = isHugePages(name) ? amountOf(quantity) : undefined
  const page = amountOf(name.slice('hugepages-'.length))
  if (!amount || (page && page.nano > 0n && amount.nano % page.nano === 0n)) return []
  const text = canonicalQuantity(quantity)
  return [invalid(field, text, `${text} is not positive integer multiple of ${name}`)]
}

function requestErrors(field: string, name: string, request: Quantity, limits: Resources): FieldError[] {
  const limit = Object.hasOwn(limits, name) ? limits[name] : undefined
  if (limit === undefined) {
    if (isOvercommitAllowed(name)) return []
    return [required(`${field}.limits`, 'Limit must be set for non overcommitable resources')]
  }
  const [wanted, most] = [amountOf(request), amountOf(limit)]
  const order = wanted && most ? compareQuantities(wanted, most) : 0
  const refuse = (relation: string) => [
    invalid(
      `${field}.requests`,
      canonicalQuantity(request),
      `must be ${relation} ${name} limit of ${canonicalQuantity(limit)}`,
    ),
  ]
  if (order !== 0 && !isOvercommitAllowed(name)) return refuse('equal to')
  return order > 0 ? refuse('less than or equal to') : []
}

function hugePagesErrors(field: string, names: readonly string[]): FieldError[] {
  if (!names.some(isHugePages) || names.includes('cpu') || names.includes('memory')) return []
  return [forbidden(field, 'HugePages require cpu or memory')]
}

function claimErrors(
  field: string,
  claims: readonly ResourceClaim[] | undefined,
  known: ReadonlySet<string>,
): FieldError[] {
  const seen = new Set<string>()
  return each(field, claims, (at, { name, request }) => {
    const key = request ? `${name}/${request}` : name
    if (!name) return [required(`${at}.name`)]
    if (seen.has(key) || seen.has(name)) return [duplicate(at, key)]
    seen.add(key)
    return known.has(name) ? [] : [notFound(at, name)]
  })
}

const podLevel = new Set(['cpu', 'memory'])

/** Errors of what a pod as a whole requests and may use. @see https://kep.k8s.io/2837 */
export function podResourceErrors(field: string, resources: ResourceRequirements | undefined): FieldError[] {
  if (!resources) return []
  const { limits = {}, requests = {} } = resources
  const unsupported = (part: 'limits' | 'requests') =>
    Object.keys(resources[part] ?? {})
      .filter((name) => !podLevel.has(name) && !isHugePages(name))
      .map((name) => notSupported(keyOf(`${field}.${part}`, name), name, [...podLevel]))
  return [
    ...(resources.claims ? [forbidden(`${field}.claims`, 'claims cannot be set for Resources at pod-level')] : []),
    ...unsupported('limits'),
    ...unsupported('requests'),
    ...Object.entries(requests).flatMap(([name, quantity]) => [
      ...quantityErrors(keyOf(`${field}.requests`, name), name, quantity),
      ...requestErrors(field, name, quantity, limits),
    ]),
    ...Object.entries(limits).flatMap(([name, quantity]) =>
      quantityErrors(keyOf(`${field}.limits`, name), name, quantity),
    ),
    ...hugePagesErrors(field, [...Object.keys(limits), ...Object.keys(requests)]),
  ]
}

/** Errors of policies that say what a resize does to a container. */
export function resizePolicyErrors(
  field: string,
  policies: readonly { resourceName: string; restartPolicy: string }[] | undefined,
  podRestartPolicy: string | undefined,
): FieldError[] {
  const seen = new Set<string>()
  return each(field, policies, (at, { resourceName, restartPolicy }) => {
    const errors = named(field, resourceName, () => [])
    if (seen.has(resourceName)) errors.push(duplicate(at, resourceName))
    seen.add(resourceName)
    if (resourceName && !podLevel.has(resourceName)) errors.push(notSupported(field, resourceName, [...podLevel]))
    if (podRestartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      errors.push(invalid(field, restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'"))
    }
    return errors
  })
}
