import { isSame } from '../../meta/v1/equality.ts'
import { each, faults, labelSelectorErrors, nonEmpty, present } from '../../meta/v1/field-checks.ts'
import { type FieldError, invalid, notSupported, required } from '../../meta/v1/field-error.ts'
import { dnsSubdomainFaults, pathSegmentFaults } from '../../meta/v1/names.ts'
import { ageColumn, column, createdColumn, nameColumn, printer, wide } from '../../meta/v1/printing.ts'
import type { Printer, Rules } from '../../meta/v1/rules.ts'
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  RoleRef,
  Subject,
} from './zz_generated.types.ts'

/** Roles and their bindings. Their names may be anything that fits into a path: `system:node`. */

const group = 'rbac.authorization.k8s.io'

export const roleRules: Rules<Role> = {
  nameFaults: pathSegmentFaults,
  validate: ({ rules }) => each('rules', rules, (at, rule) => ruleErrors(at, rule, true)),
  print: printer<Role>(nameColumn, createdColumn),
}

export const clusterRoleRules: Rules<ClusterRole> = {
  nameFaults: pathSegmentFaults,
  validate({ rules, aggregationRule }) {
    const selectors = aggregationRule?.clusterRoleSelectors
    const at = 'aggregationRule.clusterRoleSelectors'
    return [
      ...each('rules', rules, (field, rule) => ruleErrors(field, rule, false)),
      ...(aggregationRule
        ? present(at, selectors, 'at least one clusterRoleSelector required if aggregationRule is non-nil')
        : []),
      ...each(at, selectors, labelSelectorErrors),
    ]
  },
  print: printer<ClusterRole>(nameColumn, createdColumn),
}

type Binding = RoleBinding | ClusterRoleBinding

function bindingRules<T extends Binding>(isNamespaced: boolean): Rules<T> {
  return {
    nameFaults: pathSegmentFaults,
    default({ subjects, roleRef }) {
      if (roleRef) roleRef.apiGroup ||= group
      for (const subject of subjects ?? []) {
        subject.apiGroup ??= subject.kind === 'User' || subject.kind === 'Group' ? group : undefined
        if (subject.apiGroup === undefined) delete subject.apiGroup
      }
    },
    validate: ({ roleRef, subjects }) => [
      ...(roleRef ? roleRefErrors('roleRef', roleRef, isNamespaced) : []),
      ...each('subjects', subjects, (at, subject) => subjectErrors(at, subject, isNamespaced)),
    ],
    validateUpdate: ({ roleRef }, old) =>
      isSame(roleRef, old.roleRef) ? [] : [invalid('roleRef', roleRef, 'cannot change roleRef')],
    print: bindingPrinter as unknown as Printer<T>,
  }
}

const bindingPrinter = printer<Binding>(
  nameColumn,
  column('Role', ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`),
  ageColumn,
  wide('Users', ({ subjects }) => namesOf(subjects, 'User')),
  wide('Groups', ({ subjects }) => namesOf(subjects, 'Group')),
  wide('ServiceAccounts', ({ subjects }) => namesOf(subjects, 'ServiceAccount')),
)

export const roleBindingRules = bindingRules<RoleBinding>(true)
export const clusterRoleBindingRules = bindingRules<ClusterRoleBinding>(false)

function ruleErrors(field: string, rule: PolicyRule, isNamespaced: boolean): FieldError[] {
  const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } = rule
  const errors = verbs?.length === 0 ? [required(`${field}.verbs`, 'verbs must contain at least one value')] : []
  if (nonResourceURLs?.length) {
    const at = `${field}.nonResourceURLs`
    if (isNamespaced) {
      errors.push(invalid(at, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'))
    }
    if (apiGroups?.length || resources?.length || resourceNames?.length) {
      const detail = 'rules cannot apply to both regular resources and non-resource URLs'
      errors.push(invalid(at, nonResourceURLs, detail))
    }
    return errors
  }
  return [
    ...errors,
    ...present(`${field}.apiGroups`, apiGroups, 'resource rules must supply at least one api group'),
    ...present(`${field}.resources`, resources, 'resource rules must supply at least one resource'),
  ]
}

function roleRefErrors(field: string, { apiGroup, kind, name }: RoleRef, isNamespaced: boolean): FieldError[] {
  const kinds = isNamespaced ? ['Role', 'ClusterRole'] : ['ClusterRole']
  return [
    ...(apiGroup === group ? [] : [notSupported(`${field}.apiGroup`, apiGroup ?? '', [group])]),
    ...(kind === undefined || kinds.includes(kind) ? [] : [notSupported(`${field}.kind`, kind, kinds)]),
    ...nonEmpty(`${field}.name`, name),
    ...(name ? faults(`${field}.name`, name, pathSegmentFaults) : []),
  ]
}

const subjectKinds = ['ServiceAccount', 'User', 'Group']

function subjectErrors(field: string, subject: Subject, isNamespaced: boolean): FieldError[] {
  const { kind, name, apiGroup = '', namespace } = subject
  const errors = nonEmpty(`${field}.name`, name)
  if (kind === undefined) return errors
  if (!subjectKinds.includes(kind)) return [...errors, notSupported(`${field}.kind`, kind, subjectKinds)]
  const isAccount = kind === 'ServiceAccount'
  if (isAccount && name) errors.push(...faults(`${field}.name`, name, dnsSubdomainFaults))
  const wanted = isAccount ? '' : group
  if (apiGroup !== wanted) errors.push(notSupported(`${field}.apiGroup`, apiGroup, [wanted]))
  if (isAccount && !isNamespaced && !namespace) errors.push(required(`${field}.namespace`))
  return errors
}

function namesOf(subjects: readonly Subject[] | undefined, kind: string): string {
  return (subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map(({ name, namespace }) => (kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name))
    .join(', ')
}
