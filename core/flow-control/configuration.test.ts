import { expect, test } from 'vitest'
import type { FlowSchema, PriorityLevelConfigurationSpec } from '#apis/flowcontrol/v1/zz_generated.types.ts'
import { configurationOf } from './configuration.ts'
import { mandatoryLevels, mandatorySchemas, suggestedLevels, suggestedSchemas } from './defaults.ts'

const level = (name: string, spec: PriorityLevelConfigurationSpec) => ({
  ...suggestedLevels[0]!,
  metadata: { name, uid: 'u' },
  spec,
})
const schemaTo = (level: string): FlowSchema => {
  const [some] = suggestedSchemas
  return { ...some!, metadata: { name: 'mine' }, spec: { ...some!.spec, priorityLevelConfiguration: { name: level } } }
}
const names = (objects: readonly { metadata: { name?: string } }[]) => objects.map(({ metadata }) => metadata.name)

test('without any objects there are the mandatory ones', () => {
  const { schemas, levels, dangling } = configurationOf([], [])
  expect(names(schemas)).toEqual(names(mandatorySchemas))
  expect(levels.map(({ name }) => name)).toEqual(names(mandatoryLevels))
  expect(dangling.size).toBe(0)
})

test('a schema whose level is missing is left out, and told', () => {
  const { schemas, dangling } = configurationOf([schemaTo('nowhere')], [])
  expect([names(schemas), [...dangling]]).toEqual([['exempt', 'catch-all'], ['mine']])
})

test.each<{ name: string; spec: PriorityLevelConfigurationSpec }>([
  { name: 'mine', spec: { type: 'Exempt' } },
  { name: 'exempt', spec: { type: 'Limited', limited: {} } },
  { name: 'mine', spec: { type: 'Limited' } },
  { name: 'mine', spec: { type: 'Limited', limited: { limitResponse: { type: 'Queue' } } } },
])('a level named $name of $spec is taken for missing', ({ name, spec }) => {
  const { levels } = configurationOf([], [level(name, spec)])
  expect(levels.map((one) => [one.name, one.uid])).toEqual([
    ['exempt', ''],
    ['catch-all', ''],
  ])
})

test('the numbers of a level are its spec’s, with defaults for what it leaves out', () => {
  const limitResponse = { type: 'Queue', queuing: { queues: 3, handSize: 2 } } as const
  const { levels } = configurationOf(
    [],
    [level('mine', { type: 'Limited', limited: { borrowingLimitPercent: 7, limitResponse } })],
  )
  expect(levels[0]).toEqual({
    name: 'mine',
    uid: 'u',
    isExempt: false,
    nominalConcurrencyShares: 30,
    lendablePercent: 0,
    borrowingLimitPercent: 7,
    queuing: { queues: 3, handSize: 2, queueLengthLimit: 50 },
  })
})
