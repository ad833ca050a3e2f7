/**
 * Groups of the Kubernetes community take only definitions that say who approved them.
 * @see https://kubernetes.io/docs/reference/labels-annotations-taints/#api-approved-kubernetes-io
 */
const annotation = 'api-approved.kubernetes.io'
const page = 'https://github.com/kubernetes/enhancements/pull/1111'

export interface Approval {
  state: 'Approved' | 'Bypassed' | 'Missing' | 'Invalid'
  value: string
  /** Why, in Kubernetes' words. */
  message: string
}

/** Where the annotation is. */
export const approvalField = `metadata.annotations[${annotation}]`

/** @returns undefined for a group that is nobody's but its owner's */
export function approvalOf(group: string, annotations: Readonly<Record<string, string>> = {}): Approval | undefined {
  if (!/(?:^|\.)(?:k8s|kubernetes)\.io$/.test(group)) return undefined
  const value = Object.hasOwn(annotations, annotation) ? annotations[annotation]! : ''
  const demand = `protected groups must have approval annotation ${JSON.stringify(annotation)}`
  if (value === '') return { state: 'Missing', value, message: `${demand}, see ${page}` }
  if (value.startsWith('unapproved')) {
    return { state: 'Bypassed', value, message: `not approved: ${JSON.stringify(value)}` }
  }
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]+\S*$/i.test(value)) {
    return { state: 'Approved', value, message: `approved in ${value}` }
  }
  const message = `${demand} with either a URL or a reason starting with "unapproved", see ${page}`
  return { state: 'Invalid', value, message }
}
