/** What becomes of a CustomResourceDefinition: its conditions, its names, its end. */
import assert from 'node:assert/strict'
import type { KubeObject } from '@keelson/apis/meta/v1/types.ts'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'
import { object, pathOf, type Thing, text, thing, thingKind } from '../runner/custom-kind.ts'
import { type CustomKind, customResourceDefinitions, establish } from '../runner/fixtures.ts'

const docs = 'https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/'
const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

interface Condition {
  type: string
  status: string
  reason: string
  message: string
}

interface Definition extends KubeObject {
  spec: Record<string, unknown>
  status?: { conditions?: Condition[]; acceptedNames?: Record<string, unknown>; storedVersions?: string[] }
}

const read = (t: CaseContext, { definition }: CustomKind) =>
  t.api<Definition>('GET', `${path}/${definition.metadata.name}`)

const conditionOf = ({ status }: Definition, type: string) => status?.conditions?.find((one) => one.type === type)

const toldOf = (definition: Definition, type: string) => {
  const { status, reason, message } = conditionOf(definition, type) ?? {}
  return [status, reason, message]
}

/** Resolves with the definition once its condition has this reason. */
const withReason = (t: CaseContext, kind: CustomKind, type: string, reason: string) =>
  t.eventually(async () => {
    const definition = await read(t, kind)
    return conditionOf(definition, type)?.reason === reason && definition
  })

async function create(t: CaseContext, kind: CustomKind): Promise<void> {
  t.cleanup(() => t.client.resource(customResourceDefinitions).delete(kind.definition.metadata.name!))
  await t.client.resource(customResourceDefinitions).create(kind.definition)
}

const change = (t: CaseContext, { definition }: CustomKind, body: object) =>
  t.client.resource(customResourceDefinitions).patch(definition.metadata.name!, { type: 'merge', body })

/** The warnings that come with a create. */
async function warningsOf(t: CaseContext, { definition }: CustomKind): Promise<string[]> {
  const { status, headers, text } = await t.http({ method: 'POST', path: `${path}?dryRun=All`, body: definition })
  assert.equal(status, 201, text)
  const { warning = [] } = headers
  return [warning].flat().flatMap((line) => line.split(/, (?=299 )/))
}

export const cases = [
  defineCase({
    name: 'crd: what a definition is in the end is told in its status',
    stands: docs,
    async run(t) {
      const kind = thingKind(t, { names: { shortNames: ['th'], categories: ['all'] } })
      await establish(t, kind)
      const made = await read(t, kind)
      assert.deepEqual(toldOf(made, 'NamesAccepted'), ['True', 'NoConflicts', 'no conflicts found'])
      assert.deepEqual(toldOf(made, 'Established'), [
        'True',
        'InitialNamesAccepted',
        'the initial names have been accepted',
      ])
      const { names } = kind.definition.spec
      assert.deepEqual(made.status?.acceptedNames, names)
      assert.deepEqual(made.status?.storedVersions, ['v1'])
      assert.deepEqual([made.metadata.generation, made.metadata.finalizers], [1, undefined])
      assert.deepEqual(made.spec.conversion, { strategy: 'None' })
    },
  }),
  defineCase({
    name: 'crd: definitions, and roles, are listed with the moment they were made at',
    stands: 'https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables',
    async run(t) {
      const kind = thingKind(t)
      await establish(t, kind)
      const accept = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }
      interface Table {
        columnDefinitions: { name: string }[]
        rows: { cells: string[] }[]
      }
      const { name } = kind.definition.metadata
      for (const place of [`${path}/${name}`, '/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin']) {
        const { columnDefinitions, rows } = await t.api<Table>('GET', place, undefined, accept)
        const names = columnDefinitions.map((one) => one.name)
        assert.deepEqual(names, ['Name', 'Created At'])
        assert.match(rows[0]!.cells[1]!, /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/)
      }
    },
  }),
  defineCase({
    name: 'crd: a name that is taken is had once it is free',
    stands: docs,
    async run(t) {
      const first = thingKind(t, { names: { shortNames: ['th'] } })
      await establish(t, first)
      const second = thingKind(t, {
        names: { plural: 'others', singular: 'other', kind: 'Other', listKind: 'OtherList', shortNames: ['th'] },
      })
      const group = { group: first.group, name: `others.${first.group}` }
      second.definition.metadata.name = group.name
      second.definition.spec.group = group.group
      await create(t, second)
      const waiting = await withReason(t, second, 'NamesAccepted', 'ShortNamesConflict')
      assert.deepEqual(toldOf(waiting, 'NamesAccepted'), ['False', 'ShortNamesConflict', '"th" is already in use'])
      assert.deepEqual(toldOf(waiting, 'Established'), ['False', 'NotAccepted', 'not all names are accepted'])
      const others = `/apis/${group.group}/v1/others`
      assert.equal((await t.http({ path: others })).status, 404)
      await t.client.resource(customResourceDefinitions).delete(first.definition.metadata.name!)
      await withReason(t, second, 'Established', 'InitialNamesAccepted')
      await t.eventually(async () => (await t.http({ path: others })).status === 200)
    },
  }),
  defineCase({
    name: 'crd: an edit that asks for a taken name leaves served what is served',
    stands: docs,
    async run(t) {
      const first = thingKind(t)
      await establish(t, first)
      const second = thingKind(t, {
        names: { plural: 'others', singular: 'other', kind: 'Other', listKind: 'OtherList' },
      })
      second.definition.metadata.name = `others.${first.group}`
      second.definition.spec.group = first.group
      await establish(t, second)
      await change(t, second, { spec: { names: { singular: 'thing', shortNames: ['ot'] } } })
      const after = await withReason(t, second, 'NamesAccepted', 'SingularConflict')
      assert.equal(conditionOf(after, 'Established')?.status, 'True')
      const { singular, shortNames } = after.status?.acceptedNames ?? {}
      assert.deepEqual([singular, shortNames], ['other', ['ot']])
      assert.equal((await t.http({ path: `/apis/${first.group}/v1/others` })).status, 200)
    },
  }),
  defineCase({
    name: 'crd: one that is being deleted waits for its objects, and lets nothing be created',
    stands: `${docs}#delete-a-customresourcedefinition`,
    async run(t) {
      const kind = thingKind(t)
      await establish(t, kind)
      const things = await t.in<Thing>(kind.ref as never)
      const held = thing(kind, 'held')
      await things.create({ ...held, metadata: { ...held.metadata, finalizers: ['example.com/hold'] } })
      await things.create(thing(kind, 'free'))
      const { name } = kind.definition.metadata
      const watch = await t.watch(`${path}?watch=1&fieldSelector=metadata.name%3D${name}`)
      await t.client.resource(customResourceDefinitions).delete(name!)
      const ending = await withReason(t, kind, 'Terminating', 'InstanceDeletionInProgress')
      assert.deepEqual(toldOf(ending, 'Terminating'), [
        'True',
        'InstanceDeletionInProgress',
        'CustomResource deletion is in progress',
      ])
      assert.ok(ending.metadata.deletionTimestamp)
      assert.deepEqual(ending.metadata.finalizers, ['customresourcecleanup.apiextensions.k8s.io'])
      await t.eventually(async () => (await things.list()).items.length === 1)
      await t.rejects(things.create(thing(kind, 'late')), {
        code: 405,
        messageIncludes: 'create not allowed while custom resource definition is terminating',
      })
      await things.patch('held', { type: 'merge', body: { metadata: { finalizers: null } } })
      await t.untilGone(customResourceDefinitions, name!)
      for (let event = await watch.next(); ; event = await watch.next()) {
        if (event?.type !== 'DELETED') continue
        const [status, reason, message] = toldOf(event.object as unknown as Definition, 'Terminating')
        assert.deepEqual([status, reason, message], ['False', 'InstanceDeletionCompleted', 'removed all instances'])
        break
      }
      assert.equal((await t.http({ path: await pathOf(t, kind) })).status, 404)
    },
  }),
  defineCase({
    name: 'crd: one whose names were never accepted is deleted at once',
    stands: docs,
    async run(t) {
      const first = thingKind(t)
      await establish(t, first)
      const second = thingKind(t, { names: { plural: 'others', singular: 'other', listKind: 'OtherList' } })
      second.definition.metadata.name = `others.${first.group}`
      second.definition.spec.group = first.group
      await create(t, second)
      await withReason(t, second, 'NamesAccepted', 'KindConflict')
      await t.client.resource(customResourceDefinitions).delete(second.definition.metadata.name!)
      await t.untilGone(customResourceDefinitions, second.definition.metadata.name!)
      assert.equal((await t.http({ path: await pathOf(t, first) })).status, 200)
    },
  }),
  defineCase({
    name: 'crd: a group of the community needs somebody who approved it',
    stands: 'https://kubernetes.io/docs/reference/labels-annotations-taints/#api-approved-kubernetes-io',
    async run(t) {
      const kind = thingKind(t)
      const group = kind.group.replace('.example.com', '.k8s.io')
      const { metadata, spec } = kind.definition
      metadata.name = `things.${group}`
      spec.group = group
      const door = t.client.resource(customResourceDefinitions)
      await t.rejects(door.create(kind.definition), {
        code: 422,
        messageIncludes:
          'metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation',
      })
      metadata.annotations = { 'api-approved.kubernetes.io': 'unapproved, a test' }
      await create(t, kind)
      const type = 'KubernetesAPIApprovalPolicyConformant'
      const open = await withReason(t, kind, type, 'UnapprovedAnnotation')
      assert.deepEqual(toldOf(open, type), ['False', 'UnapprovedAnnotation', 'not approved: "unapproved, a test"'])
      const page = 'https://github.com/kubernetes/enhancements/pull/1111'
      await change(t, kind, { metadata: { annotations: { 'api-approved.kubernetes.io': page } } })
      const closed = await withReason(t, kind, type, 'ApprovedAnnotation')
      assert.deepEqual(toldOf(closed, type), ['True', 'ApprovedAnnotation', `approved in ${page}`])
    },
  }),
  defineCase({
    name: 'crd: what it is called and where its objects live does not change',
    stands: docs,
    async run(t) {
      const kind = thingKind(t)
      await establish(t, kind)
      for (const [field, spec] of [
        ['spec.scope', { scope: 'Cluster' }],
        ['spec.names.kind', { names: { kind: 'Other' } }],
        ['spec.group', { group: 'other.example.com' }],
        ['spec.names.plural', { names: { plural: 'others' } }],
      ] as const) {
        await t.rejects(change(t, kind, { spec }), { code: 422, messageIncludes: `${field}: Invalid value` })
      }
    },
  }),
  defineCase({
    name: 'crd: warnings tell of formats that nobody knows, and of keywords that are dropped',
    stands: docs,
    async run(t) {
      const strange = { ...text, format: 'zip', readOnly: true }
      const warnings = await warningsOf(t, thingKind(t, { spec: { a: strange, b: { ...text, format: 'date-time' } } }))
      assert.equal(warnings.length, 2, warnings.join())
      assert.ok(
        warnings.some((line) => line.includes('unrecognized format \\"zip\\"')),
        warnings.join(),
      )
      assert.ok(
        warnings.some((line) => line.includes('readOnly')),
        warnings.join(),
      )
    },
  }),
  defineCase({
    name: 'crd: faults are told where they are, all of them',
    stands: `${docs}#specifying-a-structural-schema`,
    async run(t) {
      const kind = thingKind(t, { spec: { a: {}, b: { type: 'array' }, c: { ...text, pattern: '(' } } })
      const status = await t.rejects(t.client.resource(customResourceDefinitions).create(kind.definition), {
        code: 422,
      })
      const at = 'spec.validation.openAPIV3Schema.properties[spec]'
      assert.deepEqual(
        status.details?.causes?.map(({ field }) => field),
        [`${at}.properties[a].type`, `${at}.properties[b].items`, `${at}.properties[c].pattern`],
      )
    },
  }),
  defineCase({
    name: 'crd: one of the cluster has objects in no namespace',
    stands: docs,
    async run(t) {
      const kind = thingKind(t, { scope: 'Cluster' })
      await establish(t, kind)
      const things = t.client.resource<Thing>(kind.ref as never)
      await things.create(thing(kind, 'one', { spec: {} }))
      assert.equal((await things.get('one')).metadata.namespace, undefined)
      const { status } = await t.http({ path: `/apis/${kind.group}/v1/namespaces/default/things` })
      assert.equal(status, 404)
      const elsewhere = { ...thing(kind, 'two'), metadata: { name: 'two', namespace: 'default' } }
      assert.equal((await things.create(elsewhere)).metadata.namespace, undefined)
    },
  }),
  defineCase({
    name: 'crd: new names, columns and fields hold at once, also for objects that were there',
    stands: docs,
    async run(t) {
      const kind = thingKind(t, { spec: { a: text } })
      await establish(t, kind)
      const things = await t.in<Thing>(kind.ref as never)
      await things.create(thing(kind, 'one', { spec: { a: 'x' } }))
      const [version] = kind.definition.spec.versions as [object]
      const schema = { openAPIV3Schema: object({ spec: object({ a: text, b: { ...text, default: 'y' } }) }) }
      const columns = [{ name: 'B', type: 'string', jsonPath: '.spec.b' }]
      const selectableFields = [{ jsonPath: '.spec.a' }]
      const versions = [{ ...version, schema, selectableFields, additionalPrinterColumns: columns }]
      await change(t, kind, { spec: { versions, names: { shortNames: ['tt'] } } })
      const place = await pathOf(t, kind)
      const accept = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }
      await t.eventually(async () => {
        const table = await t.api<{ columnDefinitions: { name: string }[]; rows: { cells: unknown[] }[] }>(
          'GET',
          `${place}?fieldSelector=spec.a%3Dx`,
          undefined,
          accept,
        )
        assert.deepEqual(
          table.columnDefinitions.map(({ name }) => name),
          ['Name', 'B'],
        )
        assert.deepEqual(
          table.rows.map(({ cells }) => cells),
          [['one', 'y']],
        )
        return true
      })
      await t.eventually(async () => {
        const { resources } = await t.api<{ resources: { shortNames?: string[] }[] }>('GET', `/apis/${kind.group}/v1`)
        return resources[0]?.shortNames?.includes('tt')
      })
    },
  }),
  defineCase({
    name: 'crd: certificates of a webhook that are none hold up the kind, and are refused once it is served',
    stands: docs,
    async run(t) {
      const webhook = (caBundle?: string) => ({
        conversion: {
          strategy: 'Webhook',
          webhook: { clientConfig: { url: 'https://localhost', caBundle }, conversionReviewVersions: ['v1'] },
        },
      })
      const bad = Buffer.from('none').toString('base64')
      const kind = thingKind(t, { definition: webhook(bad) })
      await create(t, kind)
      const waiting = await withReason(t, kind, 'Established', 'InvalidCABundle')
      assert.deepEqual(toldOf(waiting, 'Established').slice(2), ['The conversion webhook CABundle is invalid'])
      const other = thingKind(t)
      await establish(t, other)
      await t.rejects(change(t, other, { spec: webhook(bad) }), {
        code: 422,
        messageIncludes: 'spec.conversion.webhookClientConfig.caBundle: Invalid value',
      })
    },
  }),
]
