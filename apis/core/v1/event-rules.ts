import { age } from '../../meta/v1/duration.ts'
import { faults, present } from '../../meta/v1/field-checks.ts'
import { type FieldError, invalid } from '../../meta/v1/field-error.ts'
import { labelKeyFaults } from '../../meta/v1/names.ts'
import { column, integer, printer, wide } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import type { Event } from './zz_generated.types.ts'

/** Seconds an event is kept. */
export const eventTtlSeconds = 3600

export const eventRules: Rules<Event> = {
  ttlSeconds: eventTtlSeconds,
  patienceMs: 10,
  validate: (event) => (event.eventTime ? newEventErrors(event) : namespaceErrors(event)),
  fields: ({ source, reportingComponent }) => ({ source: source?.component || reportingComponent || '' }),
  print: printer<Event>(
    column('Last Seen', lastSeen),
    column('Type', ({ type }) => type ?? ''),
    column('Reason', ({ reason }) => reason ?? ''),
    column('Object', objectText),
    wide('Subobject', ({ involvedObject }) => involvedObject?.fieldPath ?? ''),
    wide('Source', sourceText),
    column('Message', ({ message }) => (message ?? '').trim()),
    wide('First Seen', firstSeen),
    { ...integer('Count', countOf), priority: 1 },
    wide('Name', ({ metadata }) => metadata.name ?? ''),
  ),
}

const mismatch = ({ involvedObject }: Event) =>
  invalid('involvedObject.namespace', involvedObject?.namespace ?? '', 'does not match event.namespace')

/** An event lives where its object lives; those of objects without a namespace live in `default`. */
function namespaceErrors(event: Event): FieldError[] {
  const { namespace = '' } = event.metadata
  const ofObject = event.involvedObject?.namespace ?? ''
  const matches = ofObject === '' ? namespace === '' || namespace === 'default' : namespace === ofObject
  return matches ? [] : [mismatch(event)]
}

/** Events with an eventTime say who reports what. */
function newEventErrors(event: Event): FieldError[] {
  const { namespace } = event.metadata
  const isElsewhere = !event.involvedObject?.namespace && namespace !== 'default' && namespace !== 'kube-system'
  const controller = event.reportingComponent ?? ''
  return [
    ...(isElsewhere ? [mismatch(event)] : []),
    ...present('reportingController', controller),
    ...faults('reportingController', controller, labelKeyFaults),
    ...present('reportingInstance', event.reportingInstance),
    ...lengthErrors('reportingInstance', event.reportingInstance, 128),
    ...present('action', event.action),
    ...lengthErrors('action', event.action, 128),
    ...present('reason', event.reason),
    ...lengthErrors('reason', event.reason, 128),
    ...lengthErrors('message', event.message, 1024),
  ]
}

const lengthErrors = (field: string, text: string | undefined, most: number) =>
  (text?.length ?? 0) > most ? [invalid(field, '', `can have at most ${most} characters`)] : []

function firstSeen({ firstTimestamp, eventTime }: Event, now: number): string {
  return age(firstTimestamp || eventTime, now)
}

function lastSeen(event: Event, now: number): string {
  if (event.series) return age(event.series.lastObservedTime, now)
  return event.lastTimestamp ? age(event.lastTimestamp, now) : firstSeen(event, now)
}

function countOf({ series, count }: Event): number {
  return series ? (series.count ?? 0) : count || 1
}

function objectText({ involvedObject: { kind = '', name } = {} }: Event): string {
  return name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase()
}

function sourceText({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source?.component || reportingComponent || ''
  const host = source?.host || reportingInstance
  return host ? `${component}, ${host}` : component
}
