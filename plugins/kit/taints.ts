import type { Taint, Toleration } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { DeepReadonly } from '@keelson/client'

type AnyTaint = DeepReadonly<Taint>
type AnyToleration = DeepReadonly<Toleration>

/** True when the toleration covers the taint. @see https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/ */
export function toleratesTaint(toleration: AnyToleration, taint: AnyTaint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false
  if (toleration.key && toleration.key !== taint.key) return false
  switch (toleration.operator || 'Equal') {
    case 'Exists':
      return true
    case 'Equal':
      return toleration.key !== undefined && toleration.key !== '' && (toleration.value ?? '') === (taint.value ?? '')
    case 'Lt':
      return compares(taint.value, toleration.value, (taintValue, limit) => taintValue < limit)
    case 'Gt':
      return compares(taint.value, toleration.value, (taintValue, limit) => taintValue > limit)
  }
}

function compares(a = '', b = '', holds: (a: bigint, b: bigint) => boolean): boolean {
  const integer = /^-?(0|[1-9][0-9]{0,18})$/
  return integer.test(a) && integer.test(b) && holds(BigInt(a), BigInt(b))
}

/** The taints that no toleration covers. */
export function untolerated(
  taints: readonly AnyTaint[] | undefined,
  tolerations: readonly AnyToleration[] | undefined,
): AnyTaint[] {
  return (taints ?? []).filter((taint) => !(tolerations ?? []).some((toleration) => toleratesTaint(toleration, taint)))
}

/** Taints are the same when key and effect are. */
export const isSameTaint = (a: AnyTaint, b: AnyTaint): boolean => a.key === b.key && a.effect === b.effect
