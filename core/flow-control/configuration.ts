import type { FlowSchema, PriorityLevelConfiguration } from '#apis/flowcontrol/v1/zz_generated.types.ts'
import { mandatoryLevels, mandatorySchemas } from './defaults.ts'
import { bySchemaOrder } from './flow-schema.ts'
import type { LevelShares } from './limits.ts'
import type { Queuing } from './queue-set.ts'

/** What the stored objects come to: every request has a schema, and every schema a level. Pure. */
export interface Configuration {
  /** In the order they are tried; those whose level is missing are left out. */
  schemas: readonly FlowSchema[]
  levels: readonly LevelSpec[]
  /** Schemas whose level is missing, by name. */
  dangling: ReadonlySet<string>
}

export interface LevelSpec extends LevelShares {
  name: string
  /** Empty for a mandatory level that is not stored. */
  uid: string
  /** Absent: what does not fit is refused. */
  queuing?: Queuing
}

export function configurationOf(
  schemas: readonly FlowSchema[],
  levels: readonly PriorityLevelConfiguration[],
): Configuration {
  const usable = levels.filter(isUsable)
  const complete = [...usable, ...missing(mandatoryLevels, usable)]
  const known = new Set(complete.map(({ metadata }) => metadata.name))
  const isDangling = ({ spec }: FlowSchema) => !known.has(spec.priorityLevelConfiguration.name)
  const sound = schemas.filter((schema) => !isDangling(schema))
  return {
    schemas: [...sound, ...missing(mandatorySchemas, sound)].sort(bySchemaOrder),
    levels: complete.map(levelSpec),
    dangling: new Set(schemas.filter(isDangling).map(({ metadata }) => metadata.name ?? '')),
  }
}

function missing<T extends { metadata: { name?: string } }>(mandatory: readonly T[], present: readonly T[]): T[] {
  return mandatory.filter(({ metadata }) => !present.some((one) => one.metadata.name === metadata.name))
}

/** Only the one level named so is exempt, and it is always: anyone else's would be a way around all limits. */
function isUsable({ metadata, spec }: PriorityLevelConfiguration): boolean {
  const isExempt = spec.type === 'Exempt'
  if (isExempt !== (metadata.name === 'exempt') || isExempt !== (spec.limited === undefined)) return false
  const { type, queuing } = spec.limited?.limitResponse ?? {}
  return type !== 'Queue' || queuing !== undefined
}

function levelSpec({ metadata, spec }: PriorityLevelConfiguration): LevelSpec {
  const shares = spec.exempt ?? spec.limited ?? {}
  const { borrowingLimitPercent, limitResponse } = spec.limited ?? {}
  const { queuing } = limitResponse ?? {}
  return {
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    isExempt: spec.type === 'Exempt',
    nominalConcurrencyShares: shares.nominalConcurrencyShares ?? (spec.limited ? defaultShares : 0),
    lendablePercent: shares.lendablePercent ?? 0,
    ...(borrowingLimitPercent !== undefined && { borrowingLimitPercent }),
    ...(queuing && { queuing: { queues: 64, handSize: 8, queueLengthLimit: 50, ...queuing } }),
  }
}

const defaultShares = 30
