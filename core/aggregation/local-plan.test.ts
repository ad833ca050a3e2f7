import { expect, test } from 'vitest'
import { localCondition } from '#apis/apiregistration/v1/rules.ts'
import type { APIService } from '#apis/apiregistration/v1/zz_generated.types.ts'
import { apiServiceOf, automanagedLabel, type LocalVersion, planLocal } from './local-plan.ts'

const apps: LocalVersion = { group: 'apps', version: 'v1', builtin: true }
const acme: LocalVersion = { group: 'acme.dev', version: 'v1', builtin: false }

const kept = (of: LocalVersion, spec: Partial<APIService['spec']> = {}): APIService => {
  const object = apiServiceOf(of)
  return { ...object, spec: { ...object.spec, ...spec }, status: { conditions: [localCondition()] } }
}
const foreign = (object: APIService): APIService => ({ ...object, metadata: { name: object.metadata.name! } })

const cases: {
  name: string
  wanted?: LocalVersion
  current?: APIService
  isStart?: boolean
  action: string
}[] = [
  { name: 'makes one for what is served', wanted: apps, action: 'create' },
  { name: 'makes none for what is not', action: 'none' },
  { name: 'leaves one that is as it should be', wanted: apps, current: kept(apps), isStart: true, action: 'none' },
  { name: 'takes away what is served no more', current: kept(acme), action: 'delete' },
  { name: 'takes away what an older server served', current: kept(apps), isStart: true, action: 'delete' },
  { name: 'leaves what a newer server serves beside this one', current: kept(apps), action: 'none' },
  { name: 'leaves what somebody else made', current: foreign(kept(acme)), action: 'none' },
  {
    name: 'leaves a changed built-in one while it runs',
    wanted: apps,
    current: kept(apps, { versionPriority: 99 }),
    action: 'none',
  },
  {
    name: 'sets a changed built-in one back at the start',
    wanted: apps,
    current: kept(apps, { versionPriority: 99 }),
    isStart: true,
    action: 'update',
  },
  {
    name: 'sets a changed custom one back at once',
    wanted: acme,
    current: kept(acme, { groupPriorityMinimum: 5 }),
    action: 'update',
  },
  {
    name: 'takes a service away from a custom one',
    wanted: acme,
    current: kept(acme, { service: { namespace: 'a', name: 'b' } }),
    action: 'update',
  },
  {
    name: 'leaves one whose label was taken off',
    wanted: acme,
    current: foreign(kept(acme, { service: { namespace: 'a', name: 'b' } })),
    isStart: true,
    action: 'none',
  },
  {
    name: 'shows one without a service as available',
    current: { ...foreign(kept(acme)), status: {} },
    action: 'showAvailable',
  },
]

test.each(cases)('$name', ({ wanted, current, isStart = false, action }) => {
  expect(planLocal(wanted, current, isStart).action).toBe(action)
})

test('what is made says who keeps it, and where it stands in discovery', () => {
  expect(apiServiceOf(apps)).toMatchObject({
    metadata: { name: 'v1.apps', labels: { [automanagedLabel]: 'onstart' } },
    spec: { group: 'apps', version: 'v1', groupPriorityMinimum: 17_800, versionPriority: 15 },
  })
  expect(apiServiceOf({ group: '', version: 'v1', builtin: true }).metadata.name).toBe('v1.')
  expect(apiServiceOf(acme)).toMatchObject({
    metadata: { labels: { [automanagedLabel]: 'true' } },
    spec: { groupPriorityMinimum: 1_000, versionPriority: 100 },
  })
})
