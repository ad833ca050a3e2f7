import { expect, test } from 'vitest'
import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import type { StorageVersionMigration } from '#apis/storagemigration/v1beta1/zz_generated.types.ts'
import { type MigrationApi, Migrator } from './migration.ts'

const definition = (...storedVersions: string[]): CustomResourceDefinition => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gadgets.x.dev' },
  spec: {
    group: 'x.dev',
    scope: 'Namespaced',
    names: { plural: 'gadgets', kind: 'Gadget' },
    versions: ['v1', 'v2'].map((name) => ({ name, served: true, storage: name === 'v2' })),
  },
  status: { acceptedNames: { plural: 'gadgets', kind: 'Gadget' }, storedVersions },
})

const name = 'keelson-migrate-to-v2.gadgets.x.dev'

/** A migration at one moment. */
function at(progress: string, type?: 'Running' | 'Succeeded' | 'Failed', message = ''): StorageVersionMigration {
  const condition = type && { type, status: 'True' as const, reason: 'R', message, lastTransitionTime: '' }
  return {
    apiVersion: 'storagemigration.k8s.io/v1beta1',
    kind: 'StorageVersionMigration',
    metadata: { name, ...(progress && { annotations: { 'keelson.dev/progress': progress } }) },
    spec: { resource: { group: 'x.dev', resource: 'gadgets' } },
    status: { conditions: condition ? [condition] : [] },
  }
}

interface Story {
  known?: StorageVersionMigration
  moments: StorageVersionMigration[]
  /** What the definition stores in the end. */
  after?: string[]
  restart?: boolean
}

function setUp({ known, moments, after = ['v2'], restart }: Story) {
  const calls: string[] = []
  const said: string[] = []
  const api: MigrationApi = {
    definition: async () => definition(...after),
    migration: async () => known,
    async create(migration) {
      calls.push(`create ${migration.metadata.name} of ${JSON.stringify(migration.spec.resource)}`)
      return migration
    },
    async remove(of) {
      calls.push(`remove ${of}`)
    },
    async *follow(of) {
      calls.push(`follow ${of}`)
      yield* moments
    },
  }
  const progress = {
    show: (_: string, done: number, total: number) => said.push(`${done} of ${total}`),
    say: (text: string) => said.push(text),
  }
  const run = (of = definition('v1', 'v2')) => new Migrator({ api, progress, restart }).migrate(of)
  return { calls, said, run }
}

const created = `create ${name} of {"group":"x.dev","resource":"gadgets"}`
const follow = `follow ${name}`

test('a migration is asked for, and followed to its end', async () => {
  const { run, calls, said } = setUp({
    moments: [
      at(''),
      at('', 'Running', 'The migration is running'),
      at('500/700', 'Running', 'The migration is running'),
      at('500/700', 'Running', 'The migration is running; it is tried again after: no answer'),
      at('700/700', 'Succeeded', '700 objects are stored in v2'),
    ],
  })
  await run()
  expect(calls).toEqual([created, follow])
  expect(said).toEqual([
    '500 of 700',
    'gadgets.x.dev: The migration is running; it is tried again after: no answer',
    '500 of 700',
    'gadgets.x.dev: 700 objects are stored in v2',
  ])
})

const succeeded = at('', 'Succeeded', '3 objects are stored in v2')

test.each([
  { name: 'joins one that is under way', known: at('', 'Running'), want: [follow] },
  { name: 'replaces one that failed', known: at('', 'Failed'), want: [`remove ${name}`, created, follow] },
  { name: 'replaces one that has succeeded before', known: succeeded, want: [`remove ${name}`, created, follow] },
  {
    name: 'replaces one that is under way when it shall begin again',
    known: at('', 'Running'),
    restart: true,
    want: [`remove ${name}`, created, follow],
  },
])('it $name', async ({ known, restart, want }) => {
  const { run, calls } = setUp({ known, restart, moments: [succeeded] })
  await run()
  expect(calls).toEqual(want)
})

test('nothing is asked for when all is stored in one version', async () => {
  const { run, calls, said } = setUp({ moments: [] })
  await run(definition('v2'))
  expect(calls).toEqual([])
  expect(said).toEqual(['gadgets.x.dev: all is stored in v2'])
})

test.each([
  { name: 'what failed it', moments: [at('', 'Failed', 'webhook says no')], want: 'webhook says no' },
  { name: 'that it was deleted', moments: [at('', 'Running')], want: 'the migration was deleted' },
  {
    name: 'that versions are still remembered',
    moments: [succeeded],
    after: ['v1', 'v2'],
    want: 'the definition has changed meanwhile: run it again',
  },
])('a migration that does not succeed says $name', async ({ moments, after, want }) => {
  const failure = await setUp({ moments, after })
    .run()
    .catch((error: Error) => error)
  expect(failure).toMatchObject({ message: 'migrate gadgets.x.dev', cause: { message: want } })
})

test('a migrator that tells no number is told of in general', async () => {
  const { run, said } = setUp({ moments: [at('', 'Succeeded')] })
  await run()
  expect(said).toEqual(['gadgets.x.dev: all is stored in v2'])
})
