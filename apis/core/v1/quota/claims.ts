import { compareQuantities, type Quantity } from '../../../meta/v1/quantity.ts'
import { one } from '../amounts.ts'
import { amountOf } from '../validate-resources.ts'
import type { PersistentVolumeClaim } from '../zz_generated.types.ts'
import type { Evaluator } from './evaluator.ts'
import { selectsValues } from './scope-values.ts'

const classSuffix = '.storageclass.storage.k8s.io/'
const classAnnotation = 'volume.beta.kubernetes.io/storage-class'
const ofEveryClass = ['persistentvolumeclaims', 'requests.storage'] as const
const nanoPerUnit = 1_000_000_000n

/** PersistentVolumeClaims count, and the storage they ask for: all of it, and that of each class. */
export const claimEvaluator: Evaluator = {
  // A claim may grow.
  changedBy: [''],
  counts: (name) =>
    name === 'count/persistentvolumeclaims' ||
    ofEveryClass.some((one) => name === one || name.endsWith(classSuffix + one)),
  usage(object) {
    const claim = object as unknown as PersistentVolumeClaim
    const className = claim.metadata.annotations?.[classAnnotation] ?? claim.spec?.storageClassName ?? ''
    const storage = storageOf(claim)
    const usage = new Map<string, Quantity>([
      ['count/persistentvolumeclaims', one],
      ['persistentvolumeclaims', one],
    ])
    if (storage) usage.set('requests.storage', storage)
    if (!className) return usage
    usage.set(`${className}${classSuffix}persistentvolumeclaims`, one)
    if (storage) usage.set(`${className}${classSuffix}requests.storage`, storage)
    return usage
  },
  isIn: (scope, object) =>
    scope.scopeName === 'VolumeAttributesClass' &&
    selectsValues(scope, attributesClasses(object as unknown as PersistentVolumeClaim)),
}

/** What is asked for, or what has been set aside for it while it grows; in whole bytes. */
function storageOf({ spec, status }: PersistentVolumeClaim): Quantity | undefined {
  const asked = amountOf(spec?.resources?.requests?.storage)
  const allocated = amountOf(status?.allocatedResources?.storage)
  if (!asked) return undefined
  return wholeUnits(allocated && compareQuantities(allocated, asked) > 0 ? allocated : asked)
}

const wholeUnits = ({ nano, format }: Quantity): Quantity => ({
  nano: ((nano + nanoPerUnit - 1n) / nanoPerUnit) * nanoPerUnit,
  format,
})

function attributesClasses({ spec, status }: PersistentVolumeClaim): string[] {
  const named = [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ]
  return [...new Set(named.filter((name) => name !== undefined && name !== ''))] as string[]
}
