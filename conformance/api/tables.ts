import assert from 'node:assert/strict'
import { configmaps, pods } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { KubeObject } from '@keelson/apis/meta/v1/types.ts'
import { defineCase } from '../runner/case.ts'
import { configMap, establish, runningPod, widget, widgetKind } from '../runner/fixtures.ts'

const docs = 'https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables'
const metadataDocs = 'https://kubernetes.io/docs/reference/using-api/api-concepts/#partial-object-metadata'
const asTable = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' }
const as = (kind: string) => ({ accept: `application/json;as=${kind};v=v1;g=meta.k8s.io` })

interface Table {
  apiVersion: string
  kind: string
  metadata: { resourceVersion?: string; continue?: string }
  columnDefinitions: { name: string; type: string; priority: number }[]
  rows: { cells: unknown[]; object?: KubeObject & Record<string, unknown> }[]
}

export const cases = [
  defineCase({
    name: 'tables: pods have the columns that kubectl shows',
    stands: docs,
    async run(t) {
      const namespace = await t.namespace()
      await (await t.in(pods)).create(runningPod(t, 'one', { schedulerName: 'nobody' }))
      const table = await t.api<Table>('GET', `/api/v1/namespaces/${namespace}/pods`, undefined, asTable)
      assert.deepEqual([table.apiVersion, table.kind], ['meta.k8s.io/v1', 'Table'])
      assert.deepEqual(
        table.columnDefinitions.map(({ name, priority }) => (priority ? `(${name})` : name)),
        ['Name', 'Ready', 'Status', 'Restarts', 'Age', '(IP)', '(Node)', '(Nominated Node)', '(Readiness Gates)'],
      )
      const { cells, object } = table.rows[0]!
      assert.deepEqual(cells.slice(0, 3), ['one', '0/1', 'Pending'])
      assert.deepEqual([object?.kind, object?.metadata.name], ['PartialObjectMetadata', 'one'])
    },
  }),
  defineCase({
    name: 'tables: rows carry what was asked for',
    stands: docs,
    async run(t) {
      const { metadata } = await (await t.in(configmaps)).create(configMap('one', { a: '1' }))
      const path = `/api/v1/namespaces/${metadata.namespace}/configmaps/one`
      const objectWith = async (include: string) =>
        (await t.api<Table>('GET', `${path}?includeObject=${include}`, undefined, asTable)).rows[0]?.object
      assert.ok(!(await objectWith('None')))
      assert.equal((await objectWith('Metadata'))?.kind, 'PartialObjectMetadata')
      assert.deepEqual((await objectWith('Object'))?.data, { a: '1' })
    },
  }),
  defineCase({
    name: 'tables: a list of nothing has columns and no rows',
    stands: docs,
    async run(t) {
      const { rows, columnDefinitions } = await t.api<Table>(
        'GET',
        `/apis/apps/v1/namespaces/${await t.namespace()}/deployments`,
        undefined,
        asTable,
      )
      assert.deepEqual(rows, [])
      assert.ok(columnDefinitions.some(({ name }) => name === 'Up-to-date'))
    },
  }),
  defineCase({
    name: 'tables: a custom kind has the columns of its definition',
    stands:
      'https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#additional-printer-columns',
    async run(t) {
      const kind = widgetKind(t)
      await establish(t, kind)
      await (await t.in(kind.ref)).create(widget(kind, 'one', { size: 7 }))
      const path = `/apis/${kind.group}/v1/namespaces/${await t.namespace()}/widgets`
      const { columnDefinitions, rows } = await t.api<Table>('GET', path, undefined, asTable)
      assert.deepEqual(
        columnDefinitions.map(({ name }) => name),
        ['Name', 'Size', 'Colour'],
      )
      assert.deepEqual(
        rows.map(({ cells }) => cells),
        [['one', 7, 'red']],
      )
    },
  }),
  defineCase({
    name: 'tables: a watch sends rows, and the columns once',
    stands: docs,
    async run(t) {
      const namespace = await t.namespace()
      const path = `/api/v1/namespaces/${namespace}/secrets?watch=1&timeoutSeconds=1`
      for (const name of ['one', 'two']) {
        await t.api('POST', `/api/v1/namespaces/${namespace}/secrets`, {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name },
        })
      }
      const { text } = await t.http({ path, headers: asTable })
      const tables = text
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { object: Table }).object)
      assert.deepEqual(tables.map(({ rows }) => rows[0]?.cells[0]).toSorted(), ['one', 'two'])
      assert.ok(tables[0]!.columnDefinitions.length > 0)
      assert.equal(tables[1]!.columnDefinitions?.length ?? 0, 0)
    },
  }),
  defineCase({
    name: 'tables: metadata alone is sent to those who ask',
    stands: metadataDocs,
    async run(t) {
      const { metadata } = await (await t.in(configmaps)).create(configMap('one', { a: '1' }))
      const path = `/api/v1/namespaces/${metadata.namespace}/configmaps`
      const object = await t.api<KubeObject & Record<string, unknown>>(
        'GET',
        `${path}/one`,
        undefined,
        as('PartialObjectMetadata'),
      )
      assert.deepEqual(
        [object.apiVersion, object.kind, object.data],
        ['meta.k8s.io/v1', 'PartialObjectMetadata', undefined],
      )
      assert.equal(object.metadata.uid, metadata.uid)
      const list = await t.api<{ kind: string; items: KubeObject[] }>(
        'GET',
        path,
        undefined,
        as('PartialObjectMetadataList'),
      )
      assert.equal(list.kind, 'PartialObjectMetadataList')
      assert.ok(list.items.some((item) => item.metadata.name === 'one'))
    },
  }),
  defineCase({
    name: 'tables: what is only asked of the server has no table',
    stands:
      'Servers with support for Table transformation should return a 406 for a backend which does not implement metadata',
    async run(t) {
      const { status, json } = await t.http({
        method: 'POST',
        path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        headers: as('Table'),
        body: {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
          spec: { resourceAttributes: { verb: 'get', resource: 'pods' } },
        },
      })
      assert.deepEqual([status, json<{ reason: string }>().reason], [406, 'NotAcceptable'])
    },
  }),
  defineCase({
    name: 'tables: a form that nobody knows is not acceptable',
    stands: 'https://kubernetes.io/docs/reference/using-api/api-concepts/#alternate-representations-of-resources',
    async run(t) {
      const { status } = await t.http({
        path: `/api/v1/namespaces/${await t.namespace()}/configmaps`,
        headers: { accept: 'text/html' },
      })
      assert.equal(status, 406)
    },
  }),
]
