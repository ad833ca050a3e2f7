import type { LimitRange, PersistentVolumeClaim, Pod } from '#apis/core/v1/zz_generated.types.ts'
import type { AdmissionRequest, ObjectReader } from '#apis/plugin/v1/admission.ts'
import { newForbidden } from '#core/errors/status-error.ts'
import type { AdmissionStep } from '../chain.ts'
import { claimFaults, fillDefaults, podFaults } from './limits.ts'

/**
 * Keeps containers, pods and claims within the LimitRanges of their namespace, and gives containers their defaults.
 * @see https://kubernetes.io/docs/concepts/policy/limit-range/
 */
export function limitRanger(reader: ObjectReader): AdmissionStep {
  const rangesOf = (namespace: string) => reader.list<LimitRange>('', 'limitranges', namespace)
  return {
    name: 'LimitRanger',
    admit(request) {
      if (!isOf(request, 'pods') || request.operation !== 'CREATE' || request.subresource !== '') return
      for (const range of rangesOf(request.namespace)) fillDefaults(range, request.object as unknown as Pod)
    },
    validate(request) {
      if (isLimitedPod(request)) {
        const pod = request.object as unknown as Pod
        for (const range of rangesOf(request.namespace)) refuseFor(request, podFaults(range, pod))
      } else if (isLimitedClaim(request)) {
        const claim = request.object as unknown as PersistentVolumeClaim
        for (const range of rangesOf(request.namespace)) refuseFor(request, claimFaults(range, claim))
      }
    },
  }
}

const isOf = ({ group, resource }: AdmissionRequest, wanted: string) => group === '' && resource === wanted

/** Of a pod that is there, only a resize changes what it may use. */
function isLimitedPod(request: AdmissionRequest): boolean {
  const { operation, subresource } = request
  if (!isOf(request, 'pods')) return false
  return operation === 'CREATE' ? subresource === '' : operation === 'UPDATE' && subresource === 'resize'
}

function isLimitedClaim(request: AdmissionRequest): boolean {
  const { operation, subresource, object } = request
  if (!isOf(request, 'persistentvolumeclaims') || subresource !== '') return false
  return operation === 'CREATE' || (operation === 'UPDATE' && object!.metadata.deletionTimestamp === undefined)
}

function refuseFor(request: AdmissionRequest, faults: readonly string[]): void {
  const distinct = [...new Set(faults)]
  if (distinct.length === 0) return
  const why = distinct.length === 1 ? distinct[0]! : `[${distinct.join(', ')}]`
  throw newForbidden(request, request.name, why)
}
