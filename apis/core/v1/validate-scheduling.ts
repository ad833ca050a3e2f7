import { each, faults, labelSelectorErrors, nonEmpty, positive, present } from '../../meta/v1/field-checks.ts'
import { duplicate, type FieldError, forbidden, invalid, required } from '../../meta/v1/field-error.ts'
import { dnsLabelFaults, dnsSubdomainFaults, labelKeyFaults, labelValueFaults } from '../../meta/v1/names.ts'
import type { LabelSelector } from '../../meta/v1/types.ts'
import type {
  Affinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  PodSchedulingGate,
  Taint,
  Toleration,
  TopologySpreadConstraint,
} from './zz_generated.types.ts'

/** Errors of what pods demand of their nodes, and of what nodes demand of pods. */

export function affinityErrors(field: string, affinity: Affinity | undefined): FieldError[] {
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity ?? {}
  const errors: FieldError[] = []
  if (nodeAffinity) {
    const {
      requiredDuringSchedulingIgnoredDuringExecution: needs,
      preferredDuringSchedulingIgnoredDuringExecution: likes,
    } = nodeAffinity
    const at = `${field}.nodeAffinity`
    if (needs) errors.push(...nodeSelectorErrors(`${at}.requiredDuringSchedulingIgnoredDuringExecution`, needs))
    errors.push(
      ...each(`${at}.preferredDuringSchedulingIgnoredDuringExecution`, likes, (term, { weight, preference }) => [
        ...weightErrors(`${term}.weight`, weight),
        ...nodeTermErrors(`${term}.preference`, preference ?? {}, false),
      ]),
    )
  }
  return [
    ...errors,
    ...podAffinityErrors(`${field}.podAffinity`, podAffinity),
    ...podAffinityErrors(`${field}.podAntiAffinity`, podAntiAffinity),
  ]
}

export function nodeSelectorErrors(field: string, selector: NodeSelector): FieldError[] {
  const at = `${field}.nodeSelectorTerms`
  const { nodeSelectorTerms } = selector
  if (nodeSelectorTerms?.length === 0) return [required(at, 'must have at least one node selector term')]
  return each(at, nodeSelectorTerms, (term, one) => nodeTermErrors(term, one, true))
}

const weightErrors = (field: string, weight: number | undefined) =>
  weight === undefined || (weight > 0 && weight <= 100) ? [] : [invalid(field, weight, 'must be in the range 1-100')]

/** @param strict false for preferences, whose values may be anything */
function nodeTermErrors(field: string, term: NodeSelectorTerm, strict: boolean): FieldError[] {
  return [
    ...each(`${field}.matchExpressions`, term.matchExpressions, (at, one) => [
      ...operandErrors(at, one),
      ...faults(`${at}.key`, one.key ?? '', labelKeyFaults),
      ...(strict ? each(`${at}.values`, one.values, (value, text) => faults(value, text, labelValueFaults)) : []),
    ]),
    ...each(`${field}.matchFields`, term.matchFields, nodeFieldErrors),
  ]
}

function operandErrors(field: string, { operator, values }: NodeSelectorRequirement): FieldError[] {
  const at = `${field}.values`
  switch (operator) {
    case 'In':
    case 'NotIn':
      return present(at, values, "must be specified when `operator` is 'In' or 'NotIn'")
    case 'Exists':
    case 'DoesNotExist':
      if (!values?.length) return []
      return [forbidden(at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")]
    case 'Gt':
    case 'Lt':
      return values?.length === 1
        ? []
        : [required(at, "must be specified single value when `operator` is 'Lt' or 'Gt'")]
    default:
      return []
  }
}

function nodeFieldErrors(field: string, { key, operator, values }: NodeSelectorRequirement): FieldError[] {
  const errors: FieldError[] = []
  if (operator !== 'In' && operator !== 'NotIn') {
    errors.push(invalid(`${field}.operator`, operator, 'not a valid selector operator'))
  } else if (values?.length !== 1) {
    const detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
    errors.push(required(`${field}.values`, detail))
  }
  if (key !== 'metadata.name') return [...errors, invalid(`${field}.key`, key, 'not a valid field selector key')]
  return [...errors, ...each(`${field}.values`, values, (at, value) => faults(at, value, dnsSubdomainFaults))]
}

function podAffinityErrors(field: string, affinity: PodAffinity | undefined): FieldError[] {
  if (!affinity) return []
  const {
    requiredDuringSchedulingIgnoredDuringExecution: needs,
    preferredDuringSchedulingIgnoredDuringExecution: likes,
  } = affinity
  return [
    ...each(`${field}.requiredDuringSchedulingIgnoredDuringExecution`, needs, podTermErrors),
    ...each(`${field}.preferredDuringSchedulingIgnoredDuringExecution`, likes, (at, { weight, podAffinityTerm }) => [
      ...weightErrors(`${at}.weight`, weight),
      ...(podAffinityTerm ? podTermErrors(`${at}.podAffinityTerm`, podAffinityTerm) : []),
    ]),
  ]
}

function podTermErrors(field: string, term: PodAffinityTerm): FieldError[] {
  const { labelSelector, namespaceSelector, namespaces, matchLabelKeys, mismatchLabelKeys, topologyKey } = term
  return [
    ...labelSelectorErrors(`${field}.labelSelector`, labelSelector),
    ...labelSelectorErrors(`${field}.namespaceSelector`, namespaceSelector),
    ...(namespaces ?? []).flatMap((name) => faults(`${field}.namespace`, name, dnsLabelFaults)),
    ...labelKeysErrors(`${field}.matchLabelKeys`, matchLabelKeys, labelSelector),
    ...labelKeysErrors(`${field}.mismatchLabelKeys`, mismatchLabelKeys, labelSelector),
    ...mergedTwiceErrors(field, matchLabelKeys, labelSelector),
    ...each(`${field}.matchLabelKeys`, matchLabelKeys, (at, key) =>
      mismatchLabelKeys?.includes(key) ? [invalid(at, key, 'exists in both matchLabelKeys and mismatchLabelKeys')] : [],
    ),
    ...topologyKeyErrors(`${field}.topologyKey`, topologyKey),
  ]
}

function topologyKeyErrors(field: string, key: string | undefined): FieldError[] {
  if (key === undefined) return []
  return [...nonEmpty(field, key, 'can not be empty'), ...faults(field, key, labelKeyFaults)]
}

function labelKeysErrors(
  field: string,
  keys: readonly string[] | undefined,
  selector: LabelSelector | undefined,
): FieldError[] {
  if (!keys?.length) return []
  if (!selector) return [forbidden(field, 'must not be specified when labelSelector is not set')]
  return each(field, keys, (at, key) => faults(at, key, labelKeyFaults))
}

/** Keys were added to the selector when the pod was created: one that is there once more was there before. */
function mergedTwiceErrors(
  field: string,
  keys: readonly string[] | undefined,
  selector: LabelSelector | undefined,
): FieldError[] {
  const seen = new Set(Object.keys(selector?.matchLabels ?? {}))
  return (selector?.matchExpressions ?? []).flatMap(({ key }) => {
    const at = keys?.indexOf(key) ?? -1
    const isRepeated = at >= 0 && seen.has(key)
    seen.add(key)
    return isRepeated ? [invalid(`${field}[${at}]`, key, 'exists in both matchLabelKeys and labelSelector')] : []
  })
}

export function topologySpreadErrors(
  field: string,
  constraints: readonly TopologySpreadConstraint[] | undefined,
): FieldError[] {
  return each(field, constraints, (at, one, index) => {
    const { maxSkew, minDomains, topologyKey, whenUnsatisfiable, matchLabelKeys, labelSelector } = one
    const isRepeated = constraints!
      .slice(index + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable)
    return [
      ...positive(`${at}.maxSkew`, maxSkew, 'must be greater than zero'),
      ...topologyKeyErrors(`${at}.topologyKey`, topologyKey),
      ...(isRepeated
        ? [duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${whenUnsatisfiable}}`)]
        : []),
      ...minDomainsErrors(`${at}.minDomains`, minDomains, whenUnsatisfiable),
      ...labelKeysErrors(`${at}.matchLabelKeys`, matchLabelKeys, labelSelector),
      ...mergedTwiceErrors(`${at}.matchLabelKeys`, matchLabelKeys, labelSelector),
      ...labelSelectorErrors(`${at}.labelSelector`, labelSelector),
    ]
  })
}

function minDomainsErrors(field: string, minDomains: number | undefined, whenUnsatisfiable: string): FieldError[] {
  if (minDomains === undefined) return []
  const errors = positive(field, minDomains, 'must be greater than zero')
  if (whenUnsatisfiable === 'DoNotSchedule') return errors
  const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`
  return [...errors, invalid(field, minDomains, detail)]
}

export function tolerationErrors(field: string, tolerations: readonly Toleration[] | undefined): FieldError[] {
  return each(field, tolerations, (at, { key = '', operator = '', effect = '', value = '', tolerationSeconds }) => {
    const errors = key ? faults(`${at}.key`, key, labelKeyFaults) : []
    if (!key && operator !== 'Exists') {
      const detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
      errors.push(invalid(`${at}.operator`, operator, detail))
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
      errors.push(invalid(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"))
    }
    return [...errors, ...tolerationValueErrors(`${at}.operator`, operator, value)]
  })
}

function tolerationValueErrors(field: string, operator: string, value: string): FieldError[] {
  switch (operator) {
    case '':
    case 'Equal': {
      const found = labelValueFaults(value)
      return found.length > 0 ? [invalid(field, value, found.join(';'))] : []
    }
    case 'Exists':
      return value ? [invalid(field, value, "value must be empty when `operator` is 'Exists'")] : []
    default:
      return []
  }
}

export function taintErrors(field: string, taints: readonly Taint[] | undefined): FieldError[] {
  const seen = new Set<string>()
  return each(field, taints, (at, taint) => {
    const { key = '', value = '', effect = '' } = taint
    const found = labelValueFaults(value)
    const errors = [
      ...faults(`${at}.key`, key, labelKeyFaults),
      ...(found.length > 0 ? [invalid(`${at}.value`, value, found.join(';'))] : []),
    ]
    const pair = `${key}:${effect}`
    if (seen.has(pair)) {
      const repeated = duplicate(at, taint)
      errors.push({ ...repeated, message: `${repeated.message}: taints must be unique by key and effect pair` })
    }
    seen.add(pair)
    return errors
  })
}

export function schedulingGateErrors(field: string, gates: readonly PodSchedulingGate[] | undefined): FieldError[] {
  const seen = new Set<string>()
  return each(field, gates, (at, { name }) => {
    if (name === undefined) return []
    const errors = faults(at, name, labelKeyFaults)
    if (seen.has(name)) errors.push(duplicate(at, name))
    seen.add(name)
    return errors
  })
}

/**
 * Adds to the selectors of a pod what its matchLabelKeys stand for, as the scheduler only reads selectors. Changes them.
 * @see https://kep.k8s.io/3633
 */
export function mergeLabelKeys(
  labels: Readonly<Record<string, string>>,
  affinity: Affinity | undefined,
  constraints: readonly TopologySpreadConstraint[] | undefined,
): void {
  const terms = [affinity?.podAffinity, affinity?.podAntiAffinity].flatMap((one) => [
    ...(one?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(one?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
  ])
  for (const term of [...terms, ...(constraints ?? [])]) {
    if (!term?.labelSelector) continue
    addRequirements(term.labelSelector, 'In', term.matchLabelKeys, labels)
    if ('mismatchLabelKeys' in term) addRequirements(term.labelSelector, 'NotIn', term.mismatchLabelKeys, labels)
  }
}

function addRequirements(
  selector: LabelSelector,
  operator: 'In' | 'NotIn',
  keys: readonly string[] | undefined,
  labels: Readonly<Record<string, string>>,
): void {
  for (const key of keys ?? []) {
    if (!Object.hasOwn(labels, key)) continue
    selector.matchExpressions = [...(selector.matchExpressions ?? []), { key, operator, values: [labels[key]!] }]
  }
}
