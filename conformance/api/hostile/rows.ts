import assert from 'node:assert/strict'
import type { KubeObject, Status } from '@keelson/apis/meta/v1/types.ts'
import { type ConformanceCase, defineCase } from '../../runner/case.ts'
import type { CaseContext } from '../../runner/context.ts'
import { configMap, deployment, establish, runningPod, widget, widgetKind } from '../../runner/fixtures.ts'

/**
 * One request that no client should send, and how Kubernetes answers it. In paths and in bodies that are text, `{ns}` is
 * the case's namespace and `{widgets}` the collection of a custom resource in it; `{cm}`, `{pods}` and `{deployments}` are
 * collections there, each with one object named `standing`.
 */
export interface HostileRow {
  what: string
  /** GET when absent. */
  method?: string
  path: string
  headers?: Record<string, string>
  /** Sent as JSON unless a string or Buffer. */
  body?: unknown
  status: number
  /** Of the Status that answers; absent: any, or none. */
  reason?: string
  /** Part of its message. */
  message?: string
}

export const jsonPatch = { 'content-type': 'application/json-patch+json' }
export const mergePatch = { 'content-type': 'application/merge-patch+json' }
export const strategicPatch = { 'content-type': 'application/strategic-merge-patch+json' }
export const yaml = { 'content-type': 'application/yaml' }

const reasons: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
}

/** A row with the reason that goes with its status. */
export function row(
  what: string,
  request: Omit<HostileRow, 'what' | 'status'>,
  status: number,
  message?: string,
): HostileRow {
  const reason = reasons[status]
  return { what, status, ...(reason && { reason }), ...(message && { message }), ...request }
}

/** As many requests at once as a few clients would send. */
const concurrency = 8
/** So many rows make one case: it ends within a second. */
const rowsPerCase = 40

/** Cases that send all rows, tell every one that is answered otherwise, and find nothing changed afterwards. */
export function hostileCases(subject: string, rows: readonly HostileRow[]): ConformanceCase[] {
  const cases: ConformanceCase[] = []
  for (let at = 0; at < rows.length; at += rowsPerCase) {
    const some = rows.slice(at, at + rowsPerCase)
    cases.push(
      defineCase({
        name: `hostile: ${subject}, requests ${at + 1} to ${at + some.length}`,
        stands: 'https://kubernetes.io/docs/reference/using-api/api-concepts/',
        run: (t) => runRows(t, some),
      }),
    )
  }
  return cases
}

async function runRows(t: CaseContext, rows: readonly HostileRow[]): Promise<void> {
  const places = await prepare(t, rows)
  const before = await stateOf(t, places)
  const wrong: string[] = []
  const waiting = [...rows]
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const fault = await faultOf(t, next, places)
      if (fault) wrong.push(fault)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  assert.equal(wrong.length, 0, wrong.join('\n'))
  assert.deepEqual(await stateOf(t, places), before, 'something has changed')
  assert.equal((await t.http({ path: '/readyz' })).status, 200)
}

/** What stands for what in the rows. */
type Places = ReadonlyMap<string, string>

async function prepare(t: CaseContext, rows: readonly HostileRow[]): Promise<Places> {
  const ns = await t.namespace()
  const core = `/api/v1/namespaces/${ns}`
  const places = new Map([
    ['{ns}', ns],
    ['{cm}', `${core}/configmaps`],
    ['{pods}', `${core}/pods`],
    ['{deployments}', `/apis/apps/v1/namespaces/${ns}/deployments`],
  ])
  const isAbout = (place: string) => rows.some(({ path, body }) => path.includes(place) || String(body).includes(place))
  const make = (place: string, object: object) => t.api('POST', places.get(place)!, object)
  await make('{cm}', configMap('standing', { a: '1' }))
  if (isAbout('{pods}')) await make('{pods}', runningPod(t, 'standing', { schedulerName: 'nobody' }))
  if (isAbout('{deployments}')) await make('{deployments}', { ...deployment(t, 'standing', 0) })
  if (isAbout('{widgets}')) {
    const kind = widgetKind(t)
    await establish(t, kind)
    places.set('{widgets}', `/apis/${kind.group}/v1/namespaces/${ns}/widgets`)
    await make('{widgets}', widget(kind, 'standing'))
  }
  return places
}

const fill = (text: string, places: Places) =>
  [...places].reduce((filled, [name, value]) => filled.replaceAll(name, value), text)

async function faultOf(
  t: CaseContext,
  { what, body, ...row }: HostileRow,
  places: Places,
): Promise<string | undefined> {
  const response = await t.http({
    method: row.method,
    path: fill(row.path, places),
    headers: row.headers,
    body: typeof body === 'string' ? fill(body, places) : body,
  })
  const status = statusOf(response.text)
  const fits =
    response.status === row.status &&
    (row.reason === undefined || status?.reason === row.reason) &&
    (row.message === undefined || status?.message?.includes(row.message))
  if (fits) return undefined
  const wanted = [row.status, row.reason, row.message].filter(Boolean).join(' ')
  return `${what}: wanted ${wanted}, got ${response.status} ${response.text.slice(0, 300)}`
}

function statusOf(text: string): Status | undefined {
  try {
    const value = JSON.parse(text) as Status | null
    return value?.kind === 'Status' ? value : undefined
  } catch {
    return undefined
  }
}

type StatefulObject = KubeObject & { status?: unknown }

/** Comes by itself. */
const rootCertificates = 'kube-root-ca.crt'

/** What the objects the rows are about say, but for what controllers add. */
async function stateOf(t: CaseContext, places: Places): Promise<unknown> {
  const paths = [...places.values()].filter((path) => path.startsWith('/'))
  const lists = await Promise.all(paths.map((path) => t.api<{ items: StatefulObject[] }>('GET', path)))
  return lists.map(({ items }) =>
    items
      .filter(({ metadata }) => metadata.name !== rootCertificates)
      .map(({ metadata, status: _, ...rest }) => ({
        ...rest,
        metadata: { ...metadata, resourceVersion: '', managedFields: [], annotations: {} },
      })),
  )
}
