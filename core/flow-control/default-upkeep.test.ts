import { expect, test } from 'vitest'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { isAbandoned, planUpkeep } from './default-upkeep.ts'
import { autoUpdateAnnotation, mandatoryLevels, suggestedLevels } from './defaults.ts'

const suggested = suggestedLevels[0]! as unknown as UnstructuredObject
const exempt = mandatoryLevels[0]! as unknown as UnstructuredObject
const edited = { type: 'Limited', limited: { nominalConcurrencyShares: 1 } }

function standing(of: UnstructuredObject, spec: unknown, annotation: string | undefined, generation = 2) {
  const annotations = { mine: 'kept', ...(annotation !== undefined && { [autoUpdateAnnotation]: annotation }) }
  return { ...of, metadata: { name: of.metadata.name ?? '', generation, annotations }, spec }
}

const outcome = (of: UnstructuredObject, isMandatory: boolean, now: UnstructuredObject) => {
  const planned = planUpkeep({ wanted: of, isMandatory }, now)
  return planned && { spec: planned.spec, annotations: planned.metadata.annotations }
}

test.each([
  { name: 'as it should be', now: standing(suggested, suggested.spec, 'true'), want: undefined },
  { name: 'edited, kept by the server', now: standing(suggested, edited, 'true'), want: [suggested.spec, 'true'] },
  { name: 'edited, taken over', now: standing(suggested, edited, 'false'), want: undefined },
  { name: 'edited, never annotated', now: standing(suggested, edited, undefined), want: [edited, 'false'] },
  { name: 'old, never edited', now: standing(suggested, edited, undefined, 1), want: [suggested.spec, 'true'] },
  { name: 'edited, annotated with nonsense', now: standing(suggested, edited, 'maybe'), want: [edited, 'false'] },
])('a suggested object $name', ({ now, want }) => {
  const got = outcome(suggested, false, now)
  expect(got && [got.spec, got.annotations?.[autoUpdateAnnotation]]).toEqual(want)
  if (got) expect(got.annotations?.mine).toBe('kept')
})

test('a mandatory object is kept whatever its annotation says', () => {
  const catchAll = mandatoryLevels[1]! as unknown as UnstructuredObject
  const got = outcome(catchAll, true, standing(catchAll, edited, 'false'))
  expect([got?.spec, got?.annotations?.[autoUpdateAnnotation]]).toEqual([catchAll.spec, 'true'])
})

test('what the exempt level lends is its administrator’s once it is taken over', () => {
  const mine = { type: 'Exempt', exempt: { nominalConcurrencyShares: 5, lendablePercent: 50 } }
  expect(outcome(exempt, true, standing(exempt, mine, 'false'))).toBeUndefined()
  expect(outcome(exempt, true, standing(exempt, mine, 'true'))?.spec).toEqual(exempt.spec)
})

test.each([
  { name: 'another server made', annotation: 'true', want: true },
  { name: 'somebody took over', annotation: 'false', want: false },
  { name: 'somebody made', annotation: undefined, want: false },
])('an object that $name and that is no default goes: $want', ({ annotation, want }) => {
  expect(isAbandoned(standing(suggested, {}, annotation), new Set(['other']))).toBe(want)
  expect(isAbandoned(standing(suggested, {}, annotation), new Set(['system']))).toBe(false)
})
