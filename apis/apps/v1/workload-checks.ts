import { isEmptySelector, labelSelectorErrors } from '../../meta/v1/field-checks.ts'
import { type FieldError, invalid, required } from '../../meta/v1/field-error.ts'
import type { LabelSelector } from '../../meta/v1/types.ts'
import type { IntOrString } from '../../meta/v1/zz_generated.types.ts'

/** Errors of what a workload finds its pods by. @param kind as Kubernetes says it: `deployment`, `daemonset` */
export function selectorErrors(selector: LabelSelector | undefined, kind: string): FieldError[] {
  if (!selector) return []
  const errors = labelSelectorErrors('spec.selector', selector)
  if (isEmptySelector(selector)) {
    errors.push(invalid('spec.selector', selector, `empty selector is invalid for ${kind}`))
  }
  return errors
}

/** Errors of a number or a percentage of pods. */
export function shareErrors(field: string, share: IntOrString | undefined): FieldError[] {
  if (share === undefined) return []
  if (typeof share === 'number') {
    return share >= 0 ? [] : [invalid(field, share, 'must be greater than or equal to 0')]
  }
  if (!/^[0-9]+%$/.test(share)) {
    const detail =
      "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
    return [invalid(field, share, detail)]
  }
  return []
}

/** Errors of a share that cannot be more than all. */
export function partErrors(field: string, share: IntOrString | undefined): FieldError[] {
  const errors = shareErrors(field, share)
  if (errors.length === 0 && percentOf(share) > 100) return [invalid(field, share, 'must not be greater than 100%')]
  return errors
}

export const isZero = (share: IntOrString | undefined) => share === 0 || percentOf(share) === 0

const percentOf = (share: IntOrString | undefined) =>
  typeof share === 'string' && share.endsWith('%') ? Number(share.slice(0, -1)) : Number.NaN

/** Errors of counts that cannot exceed another. @param of what the counts are parts of, as the message says it */
export function countErrors(
  counts: Readonly<Record<string, number | undefined>>,
  total: number | undefined,
  of: string,
): FieldError[] {
  return Object.entries(counts)
    .filter(([, count]) => (count ?? 0) > (total ?? 0))
    .map(([name, count]) => invalid(`status.${name}`, count, `cannot be greater than ${of}`))
}

export const missingTemplate = (): FieldError[] => [required('spec.template')]
