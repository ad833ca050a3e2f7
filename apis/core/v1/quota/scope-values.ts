import type { ScopedResourceSelectorRequirement } from '../zz_generated.types.ts'

/** Whether a scope that names values selects an object that has these: none, one or several. */
export function selectsValues(
  { operator, values = [] }: ScopedResourceSelectorRequirement,
  has: readonly string[],
): boolean {
  switch (operator) {
    case 'Exists':
      return has.length > 0
    case 'DoesNotExist':
      return has.length === 0
    case 'In':
      return has.some((value) => values.includes(value))
    case 'NotIn':
      return has.length === 0 || has.some((value) => !values.includes(value))
    default:
      return false
  }
}
