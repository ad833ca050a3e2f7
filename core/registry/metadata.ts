import { randomInt, randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { rfc3339 } from '#apis/meta/v1/time.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { newBadRequest } from '#core/errors/status-error.ts'
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
  const changed =
    resource.rules.changesGeneration ?? (keepsStatusApart(resource) ? changesDesiredState : changesAnything)
  if (countsGenerations(resource) && changed(object, old)) metadata.generation = (kept.generation ?? 0) + 1
}

/** An owner counts once, however often a client names it. */
export function dropRepeatedOwners({ metadata }: UnstructuredObject, warn: (message: string) => void): void {
  const owners = metadata.ownerReferences
  if (!owners || owners.length < 2) return
  const kept = owners.filter((owner, at) => owners.findIndex((other) => isDeepStrictEqual(owner, other)) === at)
  if (kept.length === owners.length) return
  const repeated = owners.filter((owner) => !kept.includes(owner)).map(({ uid }) => uid)
  warn(
    `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${[...new Set(repeated)].join(', ')}`,
  )
  metadata.ownerReferences = kept
}

/** Tells what is allowed and hardly meant. */
export function warnOf(
  object: UnstructuredObject,
  old: UnstructuredObject | undefined,
  { definition, rules }: Resource,
  warn: (message: string) => void,
): void {
  if (!definition.builtin) warnOfFinalizers(object, old, warn)
  else for (const message of rules.warnings?.(object, old) ?? []) warn(message)
}

const ownFinalizers = ['orphan', 'foregroundDeletion', 'kubernetes']

function warnOfFinalizers(
  { metadata }: UnstructuredObject,
  old: UnstructuredObject | undefined,
  warn: (message: string) => void,
): void {
  for (const finalizer of metadata.finalizers ?? []) {
    if (finalizer.includes('/') || ownFinalizers.includes(finalizer)) continue
    if (old?.metadata.finalizers?.includes(finalizer)) continue
    const better = finalizer.includes('.') ? ' including a path (/)' : ''
    warn(
      `metadata.finalizers: ${JSON.stringify(finalizer)}: prefer a domain-qualified finalizer name${better} to avoid accidental conflicts with other finalizer writers`,
    )
  }
}

const absentWhenEmpty = ['labels', 'annotations', 'ownerReferences', 'finalizers'] as const

/** Fields that clients may send and that this server does not keep, or not when there is nothing in them. */
function dropUnserved({ metadata }: UnstructuredObject): void {
  delete metadata.selfLink
  for (const field of absentWhenEmpty) {
    const value = metadata[field]
    if (value && Object.keys(value).length === 0) delete metadata[field]
  }
}

function countsGenerations({ definition, rules }: Resource): boolean {
  if (!definition.builtin || rules.changesGeneration) return true
  return definition.versions.some((version) => version.subresources.status)
}

/** A custom resource whose status is no subresource has one like any other field. */
function keepsStatusApart({ definition }: Resource): boolean {
  return definition.builtin || definition.versions.some((version) => version.subresources.status)
}

const undesired = new Set(['apiVersion', 'kind', 'metadata'])

/** True when anything outside metadata and status differs. */
const changesDesiredState = (object: UnstructuredObject, old: UnstructuredObject) => differs(object, old, 'status')

const changesAnything = (object: UnstructuredObject, old: UnstructuredObject) => differs(object, old, '')

function differs(object: UnstructuredObject, old: UnstructuredObject, except: string): boolean {
  const fields = new Set([...Object.keys(object), ...Object.keys(old)])
  for (const field of fields) {
    if (undesired.has(field) || field === except) continue
    if (!isDeepStrictEqual(object[field], old[field])) return true
  }
  return false
}
