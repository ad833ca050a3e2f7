import assert from 'node:assert/strict'
import type { CustomResourceDefinition } from '@keelson/apis/apiextensions/v1/zz_generated.types.ts'
import type { KubeObject, ResourceRef } from '@keelson/apis/meta/v1/types.ts'
import {
  type StorageVersionMigration,
  storageversionmigrations,
} from '@keelson/apis/storagemigration/v1beta1/zz_generated.types.ts'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'
import { type CustomKind, customResourceDefinitions, establish } from '../runner/fixtures.ts'

const docs = 'https://kubernetes.io/docs/tasks/manage-kubernetes-objects/storage-version-migration/'

/** Two versions that differ in nothing but their name. */
const versions = (storage: string) =>
  ['v1beta1', 'v1'].map((name) => ({
    name,
    served: true,
    storage: name === storage,
    schema: { openAPIV3Schema: { type: 'object', properties: { size: { type: 'integer' } } } },
  }))

function gadgetKind(t: CaseContext): CustomKind {
  const group = `${t.unique('group')}.example.com`
  const ref: ResourceRef = { group, version: 'v1beta1', resource: 'gadgets', kind: 'Gadget', namespaced: true }
  return {
    group,
    ref: ref as CustomKind['ref'],
    definition: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `gadgets.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural: 'gadgets', singular: 'gadget', kind: 'Gadget', listKind: 'GadgetList' },
        versions: versions('v1beta1'),
      },
    },
  }
}

/** A kind of the case's own, and its objects in the case's namespace. */
async function gadgetsIn(t: CaseContext) {
  const kind = gadgetKind(t)
  await establish(t, kind)
  return { kind, gadgets: await t.in<KubeObject>(kind.ref as ResourceRef) }
}

const gadget = ({ group }: CustomKind, name: string): KubeObject => ({
  apiVersion: `${group}/v1beta1`,
  kind: 'Gadget',
  metadata: { name },
})

async function migrate(t: CaseContext, group: string, resource: string): Promise<string> {
  const name = t.unique('migration')
  t.cleanup(() => t.client.resource(storageversionmigrations).delete(name))
  await t.client.resource(storageversionmigrations).create({
    apiVersion: 'storagemigration.k8s.io/v1beta1',
    kind: 'StorageVersionMigration',
    metadata: { name },
    spec: { resource: { group, resource } },
  })
  return name
}

const conditionOf = ({ status }: StorageVersionMigration, type: string) =>
  status?.conditions?.find((one) => one.type === type && one.status === 'True')

const untilIt = (t: CaseContext, name: string, type: 'Succeeded' | 'Failed') =>
  t.until(storageversionmigrations, name, (migration) => conditionOf(migration, type))

export const cases = [
  defineCase({
    name: 'migrations: objects are stored in the version of today, and other versions are forgotten',
    stands: docs,
    needs: ['migrations'],
    async run(t) {
      const { kind, gadgets } = await gadgetsIn(t)
      const made = await Promise.all(['a', 'b', 'c'].map((name) => gadgets.create(gadget(kind, name))))
      const definitions = t.client.resource(customResourceDefinitions)
      const name = kind.definition.metadata.name!
      await definitions.patch(name, { type: 'merge', body: { spec: { versions: versions('v1') } } })
      const migration = await untilIt(t, await migrate(t, kind.group, 'gadgets'), 'Succeeded')

      assert.equal(conditionOf(migration, 'Succeeded')?.reason, 'StorageVersionMigrationSucceeded')
      assert.match(migration.status?.resourceVersion ?? '', /^\d+$/)
      const definition = (await t.until(customResourceDefinitions, name, ({ status }) => {
        const migrating = status?.conditions?.find(({ type }) => type === 'StorageMigrating')
        return migrating?.status === 'False'
      })) as CustomResourceDefinition
      assert.deepEqual(definition.status?.storedVersions, ['v1'])
      const { items } = await gadgets.list()
      assert.equal(items.length, made.length)
      for (const { metadata } of made) {
        const now = items.find((one) => one.metadata.name === metadata.name)?.metadata
        assert.notEqual(now?.resourceVersion, metadata.resourceVersion, `${metadata.name} was not written`)
        assert.equal(now?.generation, metadata.generation)
        assert.equal(now?.uid, metadata.uid)
      }
    },
  }),
  defineCase({
    name: 'migrations: what is stored as it should be stays as it is',
    stands: docs,
    needs: ['migrations'],
    async run(t) {
      const { kind, gadgets } = await gadgetsIn(t)
      const { metadata } = await gadgets.create(gadget(kind, 'a'))
      await untilIt(t, await migrate(t, kind.group, 'gadgets'), 'Succeeded')
      assert.equal((await gadgets.get('a')).metadata.resourceVersion, metadata.resourceVersion)
    },
  }),
  defineCase({
    name: 'migrations: what cannot be listed cannot be migrated',
    stands: docs,
    needs: ['migrations'],
    async run(t) {
      const migration = await untilIt(t, await migrate(t, '', 'bindings'), 'Failed')
      const failed = conditionOf(migration, 'Failed')
      assert.equal(failed?.reason, 'StorageVersionMigrationFailed')
      assert.equal(
        failed.message,
        'resource "/v1, Resource=bindings" does not support discovery operations: [update patch list]',
      )
    },
  }),
  defineCase({
    name: 'migrations: what does not exist cannot be migrated',
    stands: docs,
    // Kubernetes takes its time, for the resource may come yet.
    needs: ['migrations', 'keelson'],
    async run(t) {
      const migration = await untilIt(t, await migrate(t, 'nobody.example.com', 'nothings'), 'Failed')
      assert.equal(conditionOf(migration, 'Failed')?.message, 'resource does not exist in discovery')
    },
  }),
  defineCase({
    name: 'migrations: one is of one resource for ever, and has to name it',
    stands: docs,
    needs: ['migrations'],
    async run(t) {
      await t.rejects(migrate(t, 'x.example.com', ''), {
        code: 422,
        messageIncludes: 'spec.resource.resource: Required value: resource is required to be set',
      })
      const name = await migrate(t, '', 'bindings')
      const body = { spec: { resource: { resource: 'pods' } } }
      const change = t.client.resource(storageversionmigrations).patch(name, { type: 'merge', body })
      await t.rejects(change, { code: 422, messageIncludes: 'field is immutable' })
      const undo = { status: { conditions: [] } }
      await untilIt(t, name, 'Failed')
      const status = t.client
        .resource(storageversionmigrations)
        .patch(name, { type: 'merge', body: undo }, { subresource: 'status' })
      await t.rejects(status, { code: 422, messageIncludes: 'Failed condition cannot be set to false once it is true' })
    },
  }),
]
