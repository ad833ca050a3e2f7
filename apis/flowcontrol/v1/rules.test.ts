import { expect, test } from 'vitest'
import { mandatorySchemaSpecs } from './mandatory.ts'
import { flowSchemaRules, priorityLevelConfigurationRules } from './rules.ts'
import type {
  FlowSchemaSpec,
  LimitedPriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  QueuingConfiguration,
} from './zz_generated.types.ts'

const apiVersion = 'flowcontrol.apiserver.k8s.io/v1'

function levelErrors(name: string, spec: PriorityLevelConfigurationSpec): string[] {
  const level = { apiVersion, kind: 'PriorityLevelConfiguration', metadata: { name }, spec }
  const errors = priorityLevelConfigurationRules.validate!(level)
  return errors.map(({ field, message }) => `${field}: ${message.split(': ').at(-1)}`)
}

const limited = (limited: LimitedPriorityLevelConfiguration): PriorityLevelConfigurationSpec => ({
  type: 'Limited',
  limited: { limitResponse: { type: 'Reject' }, ...limited },
})
const queued = (queuing: QueuingConfiguration) => limited({ limitResponse: { type: 'Queue', queuing } })
const queuing = 'spec.limited.limitResponse.queuing'

test.each<{ name: string; spec: PriorityLevelConfigurationSpec; level?: string; want: string[] }>([
  { name: 'a plain one', spec: limited({ nominalConcurrencyShares: 0, lendablePercent: 100 }), want: [] },
  { name: 'one with queues', spec: queued({ queues: 128, handSize: 6, queueLengthLimit: 50 }), want: [] },
  { name: 'the exempt one', level: 'exempt', spec: { type: 'Exempt' }, want: [] },
  {
    name: 'the exempt one that lends',
    level: 'exempt',
    spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 10, lendablePercent: 50 } },
    want: [],
  },
  {
    name: 'another catch-all',
    level: 'catch-all',
    spec: limited({ nominalConcurrencyShares: 6 }),
    want: ["spec: spec of 'catch-all' must equal the fixed value"],
  },
  {
    name: 'another exempt one',
    spec: { type: 'Exempt' },
    want: ["spec.type: type must be 'Exempt' if and only if name is 'exempt'"],
  },
  {
    name: 'the exempt one limited',
    level: 'exempt',
    spec: limited({}),
    want: [
      "spec.type: type must be 'Exempt' if and only if name is 'exempt'",
      "spec: spec of 'exempt' must equal the fixed value",
    ],
  },
  {
    name: 'one with queues that are not said',
    spec: limited({ limitResponse: { type: 'Queue' } }),
    want: [`${queuing}: must not be empty if limited.limitResponse.type is Limited`],
  },
  {
    name: 'negative numbers',
    spec: limited({ nominalConcurrencyShares: -1, lendablePercent: 101, borrowingLimitPercent: -1 }),
    want: [
      'spec.limited.nominalConcurrencyShares: must be a non-negative integer',
      'spec.limited.lendablePercent: must be between 0 and 100, inclusive',
      'spec.limited.borrowingLimitPercent: if specified, must be a non-negative integer',
    ],
  },
  {
    name: 'too many queues',
    spec: queued({ queues: 10_000_001, handSize: 1, queueLengthLimit: 1 }),
    want: [`${queuing}.queues: must not be greater than 10000000`],
  },
  {
    name: 'a hand larger than the deck',
    spec: queued({ queues: 2, handSize: 3, queueLengthLimit: 1 }),
    want: [`${queuing}.handSize: should not be greater than queues (2)`],
  },
  {
    name: 'more hands than a hash tells apart',
    spec: queued({ queues: 512, handSize: 7, queueLengthLimit: 1 }),
    want: [`${queuing}.handSize: required entropy bits of deckSize 512 and handSize 7 should not be greater than 60`],
  },
])('the rules of priority levels judge $name', ({ spec, level = 'mine', want }) => {
  expect(levelErrors(level, spec)).toEqual(want)
})

test('only the exempt schema comes first, and it is as it is', () => {
  const spec = { matchingPrecedence: 1, priorityLevelConfiguration: { name: 'some' } }
  const errors = (name: string, written: FlowSchemaSpec) =>
    flowSchemaRules.validate!({ apiVersion, kind: 'FlowSchema', metadata: { name }, spec: written })
  expect(errors('mine', spec).map(({ field }) => field)).toEqual(['spec.matchingPrecedence'])
  expect(errors('exempt', spec).map(({ field }) => field)).toEqual(['spec'])
  for (const [name, fixed] of mandatorySchemaSpecs) expect(errors(name, fixed)).toEqual([])
})
