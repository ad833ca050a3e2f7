import { each } from '../../meta/v1/field-checks.ts'
import { type FieldError, forbidden } from '../../meta/v1/field-error.ts'
import { imageErrors } from './validate-containers.ts'
import { podAnnotationErrors, validatePodSpec } from './validate-pod-spec.ts'
import type { Pod, PodSpec } from './zz_generated.types.ts'

/** Everything for which a pod is refused, whether new or changed, that its schema does not tell. */
export function validatePod(pod: Pod): FieldError[] {
  const { metadata, spec } = pod
  if (!spec) return []
  return [
    ...podAnnotationErrors('metadata.annotations', metadata.annotations),
    ...validatePodSpec('spec', spec, { podName: metadata.name, isPod: true }),
    ...tokenVolumeErrors(spec),
    ...each('spec.containers', spec.containers, imageErrors),
    ...each('spec.initContainers', spec.initContainers, imageErrors),
    // A pod without a resourceVersion is new.
    ...(metadata.resourceVersion ? [] : creationErrors(spec)),
  ]
}

function creationErrors({ ephemeralContainers, nodeName, schedulingGates }: PodSpec): FieldError[] {
  const errors: FieldError[] = []
  if (ephemeralContainers?.length) errors.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'))
  if (nodeName && schedulingGates?.length) {
    errors.push(forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'))
  }
  return errors
}

function tokenVolumeErrors({ serviceAccountName, volumes }: PodSpec): FieldError[] {
  if (serviceAccountName) return []
  return each('spec.volumes', volumes, (volume, { projected }) =>
    each(`${volume}.projected.sources`, projected?.sources, (at, { serviceAccountToken }) =>
      serviceAccountToken
        ? [forbidden(`${at}.serviceAccountToken`, 'must not be specified when serviceAccountName is not set')]
        : [],
    ),
  )
}
