/** What conditions of all kinds have in common. */
export interface AnyCondition {
  type: string
  status: string
  reason?: string
  message?: string
  lastTransitionTime?: string
}

export function findCondition<C extends { readonly type: string }>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined {
  return conditions?.find((condition) => condition.type === type)
}

/** True when the condition is there and its status is `True`. */
export const isConditionTrue = (
  conditions: readonly { readonly type: string; readonly status: string }[] | undefined,
  type: string,
): boolean => findCondition(conditions, type)?.status === 'True'

/**
 * The conditions with `condition` put in place of the one of its type, or at the end. The time of transition is that of
 * the last change of `status`, so it is kept while only reason or message change.
 * @param now RFC 3339
 */
export function setCondition<C extends AnyCondition>(
  conditions: readonly C[] | undefined,
  condition: C,
  now: string,
): C[] {
  const old = findCondition(conditions, condition.type)
  const isSame = old?.status === condition.status
  const next = { ...condition, lastTransitionTime: isSame ? (old.lastTransitionTime ?? now) : now }
  if (!old) return [...(conditions ?? []), next]
  return conditions!.map((one) => (one === old ? next : one))
}

export function removeCondition<C extends { readonly type: string }>(
  conditions: readonly C[] | undefined,
  type: string,
): C[] {
  return (conditions ?? []).filter((condition) => condition.type !== type)
}
