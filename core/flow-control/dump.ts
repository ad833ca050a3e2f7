import type { UserInfo } from '#apis/meta/v1/user-info.ts'
import type { Exchange } from '#core/server/exchange.ts'
import type { RequestInfo } from '#core/server/request-info.ts'
import type { PriorityLevel } from './priority-level.ts'
import type { Waiting } from './queue-set.ts'

/**
 * What the queues look like now, as tables for people.
 * @see https://kubernetes.io/docs/reference/debug-cluster/flow-control/
 */
const prefix = '/debug/api_priority_and_fairness/'

/** Answers the debugging paths. @returns false for any other */
export function dumpEndpoint(
  levels: () => Iterable<PriorityLevel>,
  /** The time of day of a moment of the queues' clock. */
  dateOf: (clockMs: number) => Date,
): (exchange: Exchange, path: string) => boolean {
  const tables = new Map<string, (exchange: Exchange) => string[][]>([
    ['dump_priority_levels', () => levelTable(levels())],
    ['dump_queues', () => queueTable(levels())],
    ['dump_requests', ({ query }) => requestTable(levels(), dateOf, !!query.get('includeRequestDetails'))],
  ])
  return (exchange, path) => {
    const table = path.startsWith(prefix) ? tables.get(path.slice(prefix.length)) : undefined
    if (!table) return false
    exchange.setHeader('x-content-type-options', 'nosniff')
    exchange.send(200, 'text/plain; charset=utf-8', textOf(table(exchange)))
    return true
  }
}

const none = (columns: number) => Array<string>(columns).fill('<none>')

function levelTable(levels: Iterable<PriorityLevel>): string[][] {
  const rows = [['PriorityLevelName', 'ActiveQueues', 'IsIdle', 'IsQuiescing', 'WaitingRequests', 'ExecutingRequests']]
  for (const { spec, queues, isIdle, isQuiescing, executing } of levels) {
    const active = [...queues.inspect()].filter(({ waiting }) => waiting.length > 0).length
    const row = [active, isIdle, isQuiescing, queues.waiting, executing].map(String)
    rows.push([spec.name, ...(spec.isExempt ? none(row.length) : row)])
  }
  return rows
}

const queueColumns = [
  'PriorityLevelName',
  'Index',
  'PendingRequests',
  'ExecutingRequests',
  'SeatsInUse',
  'NextDispatchR',
  'SeatsWaiting',
]

function queueTable(levels: Iterable<PriorityLevel>): string[][] {
  const rows = [queueColumns]
  for (const { spec, queues } of levels) {
    if (spec.isExempt) rows.push([spec.name, ...none(queueColumns.length - 1)])
    for (const { index = -1, waiting, executing, seatsInUse, next, seatsWaiting } of queues.inspect()) {
      const figures = [index, waiting.length, executing, seatsInUse, (next / 1000).toFixed(8), seatsWaiting]
      rows.push([spec.name, ...figures.map(String)])
    }
  }
  return rows
}

const requestColumns = [
  'PriorityLevelName',
  'FlowSchemaName',
  'QueueIndex',
  'RequestIndexInQueue',
  'FlowDistingsher',
  'ArriveTime',
  'InitialSeats',
  'FinalSeats',
  'AdditionalLatency',
]
const detailColumns = ['UserName', 'Verb', 'APIPath', 'Namespace', 'Name', 'APIVersion', 'Resource', 'SubResource']

function requestTable(
  levels: Iterable<PriorityLevel>,
  dateOf: (clockMs: number) => Date,
  withDetails: boolean,
): string[][] {
  const rows = [withDetails ? [...requestColumns, ...detailColumns] : requestColumns]
  for (const { spec, queues } of levels) {
    for (const { index = -1, waiting } of queues.inspect()) {
      for (const [place, one] of waiting.entries()) {
        const row = [spec.name, one.flow.schema, String(index), String(place), ...requestCells(one, dateOf)]
        rows.push(withDetails ? [...row, ...detailCells(one.details)] : row)
      }
    }
  }
  return rows
}

function requestCells({ flow, work, arrivedAt }: Waiting, dateOf: (clockMs: number) => Date): string[] {
  const { seats, finalSeats, finalMs } = work
  return [flow.distinguisher, dateOf(arrivedAt).toISOString(), `${seats}`, `${finalSeats}`, `${finalMs / 1000}s`]
}

function detailCells(details: unknown): string[] {
  const { user, info } = details as { user: UserInfo; info: RequestInfo }
  if (!info.isResource) return [user.username, info.verb, info.path, '', '', '', '', '']
  const { verb, group, version, namespace, name, resource, subresource } = info
  const apiVersion = group ? `${group}/${version}` : version
  const root = `/${group ? 'apis' : 'api'}/${apiVersion}`
  const place = namespace ? `/namespaces/${namespace}/${resource}` : `/${resource}`
  const path = [root + place, name, subresource].filter(Boolean).join('/')
  return [user.username, verb, path, namespace, name, apiVersion, resource, subresource]
}

/** Columns under one another, with the commas Kubernetes puts between them. */
function textOf(rows: readonly string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length + 2)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : `${cell},`.padEnd(widths[column]!)))
      .join('')
      .concat('\n'),
  )
  return lines.join('')
}
