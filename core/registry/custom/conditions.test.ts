import { expect, test } from 'vitest'
import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import type { ResourceDefinition } from '../resource.ts'
import { conditionsOf, nameConflicts, withCondition } from './conditions.ts'

const now = new Date('2026-01-01T00:00:00Z')
const names = { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList', shortNames: ['th', 'tg'] }

function crd(
  more: { names?: object; group?: string; status?: object; conversion?: object; annotations?: object } = {},
) {
  const { group = 'x.dev', status, conversion, annotations } = more
  return {
    metadata: { name: `things.${group}`, annotations },
    spec: { group, names: { ...names, ...more.names }, conversion },
    status,
  } as unknown as CustomResourceDefinition
}

const other = (more: Partial<ResourceDefinition> = {}) =>
  ({
    group: 'x.dev',
    resource: 'others',
    singular: 'other',
    kind: 'Other',
    listKind: 'OtherList',
    shortNames: [],
    builtin: false,
    ...more,
  }) as unknown as ResourceDefinition

const told = (definition: CustomResourceDefinition, conflicts = nameConflicts(definition, [])) =>
  conditionsOf(definition, conflicts, now).conditions?.map(({ type, status, reason }) => `${type} ${status} ${reason}`)

test.each<[what: string, other: Partial<ResourceDefinition>, want: string[]]>([
  ['nothing', {}, []],
  [
    'the plural of a built-in kind',
    { resource: 'things', builtin: true },
    ['PluralConflict "things" is already in use'],
  ],
  ['the singular', { shortNames: ['thing'] }, ['SingularConflict "thing" is already in use']],
  ['a short name', { singular: 'th' }, ['ShortNamesConflict "th" is already in use']],
  [
    'short names',
    { shortNames: ['tg', 'th'] },
    ['ShortNamesConflict ["th" is already in use, "tg" is already in use]'],
  ],
  ['the kind', { listKind: 'Thing' }, ['KindConflict "Thing" is already in use']],
  ['the kind of lists', { kind: 'ThingList' }, ['ListKindConflict "ThingList" is already in use']],
  ['names in another group', { group: 'y.dev', resource: 'things', kind: 'Thing' }, []],
  ['its own names', { resource: 'things', kind: 'Thing', shortNames: ['th'] }, []],
])('a name is taken by who has %s', (_what, has, want) => {
  const conflicts = nameConflicts(crd(), [other(has)])
  expect(conflicts.map(({ reason, message }) => `${reason} ${message}`)).toEqual(want)
})

test('the last of several conflicts is the reason, and names that are free are accepted', () => {
  const before = { acceptedNames: { plural: '', kind: '' } }
  const conflicts = nameConflicts(crd(), [other({ shortNames: ['th'], kind: 'Thing' })])
  const status = conditionsOf(crd({ status: before }), conflicts, now)
  expect(told(crd(), conflicts)).toEqual(['NamesAccepted False KindConflict', 'Established False NotAccepted'])
  expect(status.acceptedNames).toEqual({ plural: 'things', singular: 'thing', kind: '', listKind: 'ThingList' })
})

test('what was established stays so, and keeps its time', () => {
  const lastTransitionTime = '2020-01-01T00:00:00Z'
  const established = { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', lastTransitionTime }
  const stale = { type: 'NonStructuralSchema', status: 'True', reason: 'Violations', lastTransitionTime }
  const definition = crd({ status: { conditions: [stale, established] } })
  const conflicts = nameConflicts(definition, [other({ singular: 'th' })])
  expect(told(definition, conflicts)).toEqual([
    'Established True InitialNamesAccepted',
    'NamesAccepted False ShortNamesConflict',
  ])
  expect(conditionsOf(definition, conflicts, now).conditions?.[0]?.lastTransitionTime).toBe(lastTransitionTime)
})

test('certificates that are none hold up a kind that is not established yet', () => {
  const webhook = { clientConfig: { url: 'https://x.dev', caBundle: 'eA==' } }
  expect(told(crd({ conversion: { strategy: 'Webhook', webhook } }))).toEqual([
    'NamesAccepted True NoConflicts',
    'Established False InvalidCABundle',
  ])
})

test.each([
  [undefined, 'False MissingAnnotation'],
  ['unapproved, a test', 'False UnapprovedAnnotation'],
  ['https://github.com/x/1', 'True ApprovedAnnotation'],
  ['sure', 'False InvalidAnnotation'],
])('a group of the community that says %s', (value, want) => {
  const annotations = value === undefined ? {} : { 'api-approved.kubernetes.io': value }
  const condition = `KubernetesAPIApprovalPolicyConformant ${want}`
  expect(told(crd({ group: 'x.k8s.io', annotations }))).toContain(condition)
})

test('a condition is changed where it stands', () => {
  const before = {
    conditions: [
      { type: 'A', status: 'True' },
      { type: 'B', status: 'True' },
    ],
  }
  const { conditions } = withCondition(before as never, 'A', false, 'R', 'm', now)
  expect(conditions).toEqual([
    { type: 'A', status: 'False', reason: 'R', message: 'm', lastTransitionTime: '2026-01-01T00:00:00Z' },
    { type: 'B', status: 'True' },
  ])
})
