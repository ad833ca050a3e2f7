import { randomInt, randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { newBadRequest } from '#core/errors/status-error.ts'
import { rfc3339 } from './deletion.ts'
import type { Resource } from './registry.ts'

const suffixLetters = 'bcdfghjklmnpqrstvwxz2456789'
const maxGeneratedBase = 63 - 5

/** A name no one has yet, in all likelihood: `base` and five letters that spell no word. */
export function generateName(base: string): string {
  let suffix = ''
  for (let at = 0; at < 5; at++) suffix += suffixLetters[randomInt(suffixLetters.length)]
  return base.slice(0, maxGeneratedBase) + suffix
}

/** Fills what the server decides about a new object. @param now milliseconds */
export function setCreationMetadata(
  object: UnstructuredObject,
  resource: Resource,
  namespace: string,
  now: number,
): void {
  const { metadata } = object
  if (metadata.resourceVersion) throw newBadRequest('resourceVersion should not be set on objects to be created')
  if (!metadata.name && metadata.generateName) metadata.name = generateName(metadata.generateName)
  if (resource.definition.namespaced) metadata.namespace = namespace
  else delete metadata.namespace
  metadata.uid = randomUUID()
  metadata.creationTimestamp = rfc3339(now)
  delete metadata.deletionTimestamp
  delete metadata.deletionGracePeriodSeconds
  dropUnserved(object)
  if (countsGenerations(resource)) metadata.generation = 1
  else delete metadata.generation
}

/** Puts back what an update may not change, and counts a new generation when the desired state changed. */
export function setUpdateMetadata(object: UnstructuredObject, old: UnstructuredObject, resource: Resource): void {
  const { metadata } = object
  const kept = old.metadata
  metadata.uid ||= kept.uid
  metadata.resourceVersion = kept.resourceVersion
  for (const field of ['creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'generation'] as const) {
    if (kept[field] === undefined) delete metadata[field]
    else Object.assign(metadata, { [field]: kept[field] })
  }
  dropUnserved(object)
  if (kept.generateName !== undefined) metadata.generateName ??= kept.generateName
  const changed = resource.rules.changesGeneration ?? changesDesiredState
  if (countsGenerations(resource) && changed(object, old)) metadata.generation = (kept.generation ?? 0) + 1
}

const absentWhenEmpty = ['labels', 'annotations', 'ownerReferences', 'finalizers'] as const

/** Fields that clients may send and that this server does not keep, or not when there is nothing in them. */
function dropUnserved({ metadata }: UnstructuredObject): void {
  delete metadata.selfLink
  delete metadata.managedFields
  for (const field of absentWhenEmpty) {
    const value = metadata[field]
    if (value && Object.keys(value).length === 0) delete metadata[field]
  }
}

function countsGenerations({ definition, rules }: Resource): boolean {
  if (!definition.builtin || rules.changesGeneration) return true
  return definition.versions.some((version) => version.subresources.status)
}

const undesired = new Set(['apiVersion', 'kind', 'metadata', 'status'])

/** True when anything outside metadata and status differs. */
function changesDesiredState(object: UnstructuredObject, old: UnstructuredObject): boolean {
  const fields = new Set([...Object.keys(object), ...Object.keys(old)])
  for (const field of fields) {
    if (!undesired.has(field) && !isDeepStrictEqual(object[field], old[field])) return true
  }
  return false
}
