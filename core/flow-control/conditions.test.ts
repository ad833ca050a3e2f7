import { expect, test } from 'vitest'
import type { FlowSchemaCondition } from '#apis/flowcontrol/v1/zz_generated.types.ts'
import { planConditions } from './conditions.ts'
import { suggestedSchemas } from './defaults.ts'

const schema = suggestedSchemas[0]!
const now = '2026-01-02T00:00:00Z'
const found: FlowSchemaCondition = {
  type: 'Dangling',
  status: 'False',
  reason: 'Found',
  message: 'This FlowSchema references the PriorityLevelConfiguration object named "exempt" and it exists',
  lastTransitionTime: '2026-01-01T00:00:00Z',
}
const missing: FlowSchemaCondition = {
  type: 'Dangling',
  status: 'True',
  reason: 'NotFound',
  message:
    'This FlowSchema references the PriorityLevelConfiguration object named "exempt" but there is no such object',
  lastTransitionTime: now,
}
const other: FlowSchemaCondition = { type: 'Other', status: 'True' }

test.each([
  { name: 'that has none', before: [], isDangling: true, want: [missing] },
  { name: 'that is right', before: [other, found], isDangling: false, want: undefined },
  { name: 'that changes', before: [found, other], isDangling: true, want: [other, missing] },
  { name: 'that says it otherwise', before: [{ ...found, message: 'm' }], isDangling: false, want: [found] },
])('the status of a schema $name', ({ before, isDangling, want }) => {
  expect(planConditions({ ...schema, status: { conditions: before } }, isDangling, now)).toEqual(want)
})
