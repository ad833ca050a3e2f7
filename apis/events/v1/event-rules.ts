import { eventRules as coreEventRules } from '../../core/v1/event-rules.ts'
import type { Event as CoreEvent } from '../../core/v1/zz_generated.types.ts'
import { immutable } from '../../meta/v1/field-checks.ts'
import { type FieldError, invalid, required } from '../../meta/v1/field-error.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import type { Event } from './zz_generated.types.ts'

const referenceFields = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath']

/** Events of this group are stored as those of the core group: the same things under other names. */
export const eventRules: Rules<Event> = {
  ttlSeconds: coreEventRules.ttlSeconds,
  validate: (event) => [...(coreEventRules.validate?.(toCore(event)) ?? []), ...strictErrors(event)],
  validateUpdate: (event, old) => fixedFields.flatMap(([name, path]) => immutable(path, event[name], old[name])),
  storedFields: {
    ...Object.fromEntries(referenceFields.map((field) => [`regarding.${field}`, `involvedObject.${field}`])),
    reason: 'reason',
    reportingController: 'reportingComponent',
    type: 'type',
  },
  convert: (event, toApiVersion) =>
    (toApiVersion === 'v1' ? toCore(event) : fromCore(event as unknown as CoreEvent)) as unknown as Event,
  print: {
    columns: coreEventRules.print!.columns,
    row: (event, now) => coreEventRules.print!.row(toCore(event), now),
  },
}

/** What may not change any longer, and under which name Kubernetes tells so. */
const fixedFields = [
  ['regarding', 'involvedObject'],
  ['reason', 'reason'],
  ['note', 'message'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
  ['type', 'type'],
  ['eventTime', 'eventTime'],
  ['action', 'action'],
  ['related', 'related'],
  ['reportingController', 'reportingController'],
  ['reportingInstance', 'reportingInstance'],
] as const satisfies readonly (readonly [keyof Event, string])[]

function strictErrors(event: Event): FieldError[] {
  const errors: FieldError[] = []
  if (event.series && (event.series.count ?? 0) < 2) errors.push(invalid('series.count', '', 'should be at least 2'))
  if (event.series && !event.series.lastObservedTime) errors.push(required('series.lastObservedTime'))
  if (event.eventTime === null) errors.push(required('eventTime'))
  if (event.type !== 'Normal' && event.type !== 'Warning') {
    errors.push(invalid('type', '', `has invalid value: ${event.type ?? ''}`))
  }
  // What exists was perhaps written through the older interface.
  if (!event.metadata.resourceVersion) errors.push(...deprecatedErrors(event))
  return errors
}

function deprecatedErrors(event: Event): FieldError[] {
  const { deprecatedSource: source } = event
  const given = {
    firstTimestamp: event.deprecatedFirstTimestamp,
    lastTimestamp: event.deprecatedLastTimestamp,
    count: event.deprecatedCount,
    source: source?.component || source?.host,
  }
  return Object.entries(given)
    .filter(([, value]) => value)
    .map(([name]) => invalid(name, '', 'needs to be unset'))
}

export function toCore(event: Event): CoreEvent {
  const { note, regarding, reportingController, apiVersion: _, ...others } = event
  const { deprecatedCount, deprecatedFirstTimestamp, deprecatedLastTimestamp, deprecatedSource, ...rest } = others
  return defined({
    ...rest,
    apiVersion: 'v1',
    involvedObject: regarding ?? {},
    message: note,
    reportingComponent: reportingController,
    count: deprecatedCount,
    firstTimestamp: deprecatedFirstTimestamp,
    lastTimestamp: deprecatedLastTimestamp,
    source: deprecatedSource,
  }) as CoreEvent
}

export function fromCore(event: CoreEvent): Event {
  const { message, involvedObject, reportingComponent, apiVersion: _, ...others } = event
  const { count, firstTimestamp, lastTimestamp, source, ...rest } = others
  return defined({
    ...rest,
    apiVersion: 'events.k8s.io/v1',
    regarding: involvedObject,
    note: message,
    reportingController: reportingComponent,
    deprecatedCount: count,
    deprecatedFirstTimestamp: firstTimestamp,
    deprecatedLastTimestamp: lastTimestamp,
    deprecatedSource: source,
  }) as unknown as Event
}

const defined = (object: object) =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
