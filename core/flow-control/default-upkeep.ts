import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { equalJson, isObject } from '#core/schema/json.ts'
import { autoUpdateAnnotation } from './defaults.ts'

/**
 * What to do about one default object, by Kubernetes' rules. The annotation says whether the server keeps the spec as it
 * should be; a suggested object without one is kept until somebody edits it. Mandatory ones are always kept. Pure.
 * @see https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#maintenance-of-the-mandatory-and-suggested-configuration-objects
 */
export interface Upkeep {
  /** What the server would have, as it is created. */
  wanted: UnstructuredObject
  isMandatory: boolean
}

/** @returns the object as it should be; undefined when it is */
export function planUpkeep(
  { wanted, isMandatory }: Upkeep,
  standing: UnstructuredObject,
): UnstructuredObject | undefined {
  const given = standing.metadata.annotations?.[autoUpdateAnnotation]
  const isKept = isMandatory || (parseBoolean(given) ?? standing.metadata.generation === 1)
  const annotation = isMandatory && given === 'false' && exemptOf(standing) ? 'false' : String(isKept)
  const spec = isKept ? specFor(wanted, standing, annotation) : standing.spec
  if (given === annotation && equalJson(spec, standing.spec)) return undefined
  const annotations = { ...standing.metadata.annotations, [autoUpdateAnnotation]: annotation }
  return { ...standing, metadata: { ...standing.metadata, annotations }, spec }
}

/** Of the exempt level, how much it lends is for administrators to say once they take it over. */
function specFor(wanted: UnstructuredObject, standing: UnstructuredObject, annotation: string): unknown {
  const exempt = exemptOf(standing)
  if (annotation !== 'false' || !exempt || !isObject(wanted.spec)) return wanted.spec
  return { ...wanted.spec, exempt }
}

function exemptOf({ kind, spec }: UnstructuredObject): unknown {
  return kind === 'PriorityLevelConfiguration' && isObject(spec) ? spec.exempt : undefined
}

/** A former default that the server made and no longer wants. */
export function isAbandoned(object: UnstructuredObject, wanted: ReadonlySet<string>): boolean {
  const { name = '', annotations } = object.metadata
  return parseBoolean(annotations?.[autoUpdateAnnotation]) === true && !wanted.has(name)
}

const booleans = new Map([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((text) => [text, false] as const),
])

function parseBoolean(text: string | undefined): boolean | undefined {
  return text === undefined ? undefined : booleans.get(text)
}
