import type { FlowSchema, FlowSchemaCondition } from '#apis/flowcontrol/v1/zz_generated.types.ts'

/** Whether the level a FlowSchema names is there, as its status says it. Pure. */
const type = 'Dangling'

/** @returns the conditions as they should be; undefined when they are @param now as in the API: `2026-01-01T00:00:00Z` */
export function planConditions(
  { spec, status }: FlowSchema,
  isDangling: boolean,
  now: string,
): FlowSchemaCondition[] | undefined {
  const conditions = status?.conditions ?? []
  const standing = conditions.find((condition) => condition.type === type)
  const wanted = danglingCondition(spec.priorityLevelConfiguration.name, isDangling)
  if (standing && standing.status === wanted.status && standing.message === wanted.message) return undefined
  const lastTransitionTime = (standing?.status === wanted.status && standing.lastTransitionTime) || now
  return [...conditions.filter((condition) => condition !== standing), { ...wanted, lastTransitionTime }]
}

function danglingCondition(level: string, isDangling: boolean) {
  const reference = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)}`
  return isDangling
    ? { type, status: 'True' as const, reason: 'NotFound', message: `${reference} but there is no such object` }
    : { type, status: 'False' as const, reason: 'Found', message: `${reference} and it exists` }
}
