import type { Deployment, ReplicaSet } from '@keelson/apis/apps/v1/zz_generated.types.ts'
import type { PodTemplateSpec } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { type DeepReadonly, equalJson } from '@keelson/client'
import { hashOf, ownerReferenceTo } from '@keelson/kit'

/** Which ReplicaSet stands for which revision of a Deployment's template, and what it carries of the Deployment. Pure. */

export type AnyDeployment = DeepReadonly<Deployment>
export type AnyReplicaSet = DeepReadonly<ReplicaSet>

export const hashLabel = 'pod-template-hash'
const revisionAnnotation = 'deployment.kubernetes.io/revision'
const historyAnnotation = 'deployment.kubernetes.io/revision-history'
const desiredAnnotation = 'deployment.kubernetes.io/desired-replicas'
const maxAnnotation = 'deployment.kubernetes.io/max-replicas'

/** Annotations of a Deployment that its ReplicaSets do not inherit. */
const notInherited: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionAnnotation,
  historyAnnotation,
  desiredAnnotation,
  maxAnnotation,
  'deprecated.deployment.rollback.to',
])

/** 0 without a revision. */
export const revisionOf = (object: AnyReplicaSet | AnyDeployment): number => numberIn(object, revisionAnnotation) ?? 0

/** How many replicas the Deployment wanted when the ReplicaSet was last scaled. */
export const desiredWhenScaled = (replicaSet: AnyReplicaSet) => numberIn(replicaSet, desiredAnnotation)
export const maxWhenScaled = (replicaSet: AnyReplicaSet) => numberIn(replicaSet, maxAnnotation)

function numberIn(object: AnyReplicaSet | AnyDeployment, annotation: string): number | undefined {
  const text = object.metadata.annotations?.[annotation]
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined
}

/** Oldest first; of those made in the same second, by name. */
export function byAge(a: AnyReplicaSet, b: AnyReplicaSet): number {
  const key = ({ metadata }: AnyReplicaSet) => `${metadata.creationTimestamp} ${metadata.name}`
  return key(a) < key(b) ? -1 : 1
}

/** The oldest ReplicaSet whose template is the Deployment's, apart from the hash label. */
export function findNew(deployment: AnyDeployment, replicaSets: readonly AnyReplicaSet[]): AnyReplicaSet | undefined {
  const wanted = withoutHash(deployment.spec.template)
  return replicaSets.toSorted(byAge).find((one) => equalJson(withoutHash(one.spec.template), wanted))
}

type Template = DeepReadonly<PodTemplateSpec>

function withoutHash(template: Template | undefined): Template | undefined {
  if (!template?.metadata?.labels) return template
  const { [hashLabel]: _, ...labels } = template.metadata.labels
  return {
    ...template,
    metadata: { ...template.metadata, labels: Object.keys(labels).length > 0 ? labels : undefined },
  }
}

/** True when an existing ReplicaSet is what `newReplicaSet` would make, so that its name is no collision. */
export function isSameRevision(deployment: AnyDeployment, existing: AnyReplicaSet): boolean {
  const isOwned = existing.metadata.ownerReferences?.some(
    (one) => one.controller && one.uid === deployment.metadata.uid,
  )
  return Boolean(isOwned) && findNew(deployment, [existing]) !== undefined
}

/** The ReplicaSet of the current template, to be created. Its name follows from the template: made twice it is one. */
export function newReplicaSet(
  deployment: AnyDeployment,
  revision: number,
  replicas: number,
  maxReplicas: number,
): ReplicaSet {
  const { template, selector, minReadySeconds } = deployment.spec
  const hash = hashOf(withoutHash(template), deployment.status?.collisionCount)
  const labels = { ...template.metadata?.labels, [hashLabel]: hash }
  return structuredClone({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      namespace: deployment.metadata.namespace,
      labels,
      annotations: {
        ...inherited(deployment),
        [revisionAnnotation]: String(revision),
        ...scaleAnnotations(deployment, maxReplicas),
      },
      ownerReferences: [ownerReferenceTo(deployment)],
    },
    spec: {
      replicas,
      minReadySeconds,
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  }) as unknown as ReplicaSet
}

function inherited({ metadata }: AnyDeployment): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([key]) => !notInherited.has(key)))
}

export const scaleAnnotations = ({ spec }: AnyDeployment, maxReplicas: number): Record<string, string> => ({
  [desiredAnnotation]: String(spec.replicas ?? 1),
  [maxAnnotation]: String(maxReplicas),
})

/** The new ReplicaSet as it should be: of the newest revision, with the Deployment's annotations and minReadySeconds. */
export function broughtUpToDate(deployment: AnyDeployment, newest: AnyReplicaSet, revision: number): AnyReplicaSet {
  const { minReadySeconds } = deployment.spec
  const annotations = { ...newest.metadata.annotations, ...inherited(deployment), ...promoted(newest, revision) }
  return {
    ...newest,
    metadata: { ...newest.metadata, annotations },
    spec: { ...newest.spec, ...(minReadySeconds !== undefined && { minReadySeconds }) },
  }
}

/** After a roll-back an old ReplicaSet is the newest again; the revision it had goes into its history. */
function promoted(replicaSet: AnyReplicaSet, revision: number): Record<string, string> {
  const old = revisionOf(replicaSet)
  if (old >= revision) return {}
  const history = replicaSet.metadata.annotations?.[historyAnnotation]
  const past = [history, old > 0 ? String(old) : undefined].filter((one) => one)
  return {
    [revisionAnnotation]: String(revision),
    ...(past.length > 0 && { [historyAnnotation]: past.join(',') }),
  }
}

/** The Deployment's annotations with its revision, or undefined when they say so already. */
export function annotationsAtRevision(deployment: AnyDeployment, revision: number): Record<string, string> | undefined {
  if (revisionOf(deployment) === revision) return undefined
  return { [revisionAnnotation]: String(revision) }
}
