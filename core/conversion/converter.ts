import type { UnstructuredObject } from '#apis/meta/v1/types.ts'

/** Makes objects of one version of a kind into objects of another. */
export interface Converter {
  /** Whether labels stay as they are, so that selectors may look at objects in any version. */
  readonly keepsLabels: boolean
  /** So many objects are given to it at once. */
  readonly batchSize: number
  /**
   * The objects in another version, in the same order: the ones that came in, changed, or others.
   * @param objects parsed, without their managedFields; none of them is of `apiVersion` already
   * @throws StatusError when one of them cannot be converted
   */
  convert(
    objects: readonly UnstructuredObject[],
    apiVersion: string,
  ): readonly UnstructuredObject[] | Promise<readonly UnstructuredObject[]>
}

/** How many objects are converted on this thread before others get their turn. */
export const ownBatchSize = 64

/** Conversion by a function of the kind's rules. */
export function converterOfRules(
  convert: (object: UnstructuredObject, apiVersion: string) => UnstructuredObject,
): Converter {
  return {
    keepsLabels: true,
    batchSize: ownBatchSize,
    convert: (objects, apiVersion) => objects.map((object) => convert(object, apiVersion)),
  }
}

/** For kinds whose versions differ in nothing but their names. */
export const renaming: Converter = {
  keepsLabels: true,
  batchSize: ownBatchSize,
  convert: (objects, apiVersion) => {
    for (const object of objects) object.apiVersion = apiVersion
    return objects
  },
}
