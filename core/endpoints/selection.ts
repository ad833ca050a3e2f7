import { newBadRequest } from '#core/errors/status-error.ts'
import { type FieldRequirement, parseFieldSelector } from '#core/machinery/field-selector.ts'
import { type LabelRequirement, matchesLabels, parseLabelSelector } from '#core/machinery/label-selector.ts'
import type { Resource } from '#core/registry/registry.ts'
import type { ResourceDefinition } from '#core/registry/resource.ts'
import type { CacheEntry, ExtractFacts } from '#core/storage/cacher/entry.ts'
import type { ResourceRequest } from './endpoint.ts'

/** Which of a resource's objects a list, a watch or a deletecollection is about. */
export interface Selection {
  /** `namespace/` or empty. */
  keyPrefix: string
  /** The one object asked for by name, when there is one: its key. */
  singleKey?: string
  /** Absent: everything below the prefix. */
  matches?: (entry: CacheEntry, extract: ExtractFacts) => boolean
  /** Whether `matches` looks at fields other than name and namespace. */
  readsFields: boolean
  /** A field that must have one value. */
  equals?: { field: string; value: string }
  /** The same for selections that select the same. */
  id: string
}

/** @throws StatusError BadRequest for a selector that does not parse or names an unknown field */
export function selectionOf(request: ResourceRequest): Selection {
  const { info, exchange, served } = request
  const labelText = exchange.query.get('labelSelector') ?? ''
  const fieldText = exchange.query.get('fieldSelector') ?? ''
  const keyPrefix = info.namespace && served.resource.definition.namespaced ? `${info.namespace}/` : ''
  const labels = labelText ? parseLabelSelector(labelText) : []
  const fields = fieldText ? storedFields(parseFieldSelector(fieldText), request) : []
  if (info.name) addName(fields, info.name)
  const name = requiredValue(fields, 'metadata.name')
  const prefix = keyPrefix || prefixOfField(fields, served.resource.definition.namespaced)
  const singleKey = name !== undefined && (prefix || !served.resource.definition.namespaced) ? prefix + name : undefined
  const id = JSON.stringify([prefix, labelText, fieldText, info.name])
  if (labels.length === 0 && fields.length === 0) return { keyPrefix: prefix, id, readsFields: false }
  const equals = mostSelective(fields, served.resource)
  return {
    keyPrefix: prefix,
    id,
    readsFields: fields.some(({ field }) => field !== 'metadata.name' && field !== 'metadata.namespace'),
    ...(singleKey !== undefined && { singleKey }),
    ...(equals && { equals: { field: equals.field, value: equals.value } }),
    matches: (entry, extract) => matches(entry, extract, labels, fields),
  }
}

/** Of the fields that must have one value, the one to find objects by: where there is an index of it, the fewest are looked at. */
function mostSelective(fields: readonly FieldRequirement[], { definition, rules }: Resource) {
  const indexed = rules.indexedFields ?? definition.extensions?.indexes.map(({ field }) => field)
  const equal = fields.filter(({ operator }) => operator === '=')
  return equal.find(({ field }) => indexed?.includes(field)) ?? equal[0]
}

function matches(
  entry: CacheEntry,
  extract: ExtractFacts,
  labels: readonly LabelRequirement[],
  fields: readonly FieldRequirement[],
): boolean {
  for (const { field, operator, value } of fields) {
    const actual = entry.field(field, extract)
    const isEqual = typeof actual === 'string' ? actual === value : actual.includes(value)
    if (isEqual !== (operator === '=')) return false
  }
  return labels.length === 0 || matchesLabels(labels, entry.facts(extract).labels)
}

/** A watch of one object by its path; the same name may stand in the selector, too. */
function addName(fields: FieldRequirement[], name: string): void {
  if (fields.length > 0 && requiredValue(fields, 'metadata.name') !== name) {
    throw newBadRequest("fieldSelector metadata.name doesn't match requested name")
  }
  fields.push({ field: 'metadata.name', operator: '=', value: name })
}

/** The requirements in the names that stored objects have for their fields. */
function storedFields(fields: readonly FieldRequirement[], { served }: ResourceRequest): FieldRequirement[] {
  const { definition, rules } = served.resource
  const { fieldNames } = served
  return fields.map((requirement) => {
    const { field } = requirement
    if (!fieldNames.has(field)) throw unknownField(field, definition, fieldNames.size)
    const { storedFields } = rules
    return storedFields && Object.hasOwn(storedFields, field)
      ? { ...requirement, field: storedFields[field]! }
      : requirement
  })
}

/** Kinds with nothing to select by but name and namespace say it in their own way. */
function unknownField(field: string, { builtin, kind }: ResourceDefinition, known: number) {
  if (builtin && known === 2) {
    const name = JSON.stringify(field)
    return newBadRequest(`${name} is not a known field selector: only "metadata.name", "metadata.namespace"`)
  }
  if (builtin && kind === 'Job') {
    return newBadRequest(`field label ${JSON.stringify(field)} not supported for batchv1.Job`)
  }
  return newBadRequest(`field label not supported: ${field}`)
}

function requiredValue(fields: readonly FieldRequirement[], name: string): string | undefined {
  return fields.find(({ field, operator }) => field === name && operator === '=')?.value
}

function prefixOfField(fields: readonly FieldRequirement[], namespaced: boolean): string {
  const namespace = namespaced ? requiredValue(fields, 'metadata.namespace') : undefined
  return namespace ? `${namespace}/` : ''
}
